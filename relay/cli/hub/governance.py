"""`hutong hub execute`, `proposals` and `members`: what the operators of a hub's validators decided and may still
decide."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.administration.hub_trust import UnusableTrust, trust_of
from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import ACTION_REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, hub_of, run_administration, signer_of
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.governance import Decision, Proposal, Result, Vote
    from hutong.adapters.hub.verified_state import HubTrust
    from hutong.adapters.ics26.transactor import Transactor

    Act = Callable[[HubChain, Transactor], Awaitable[Decision]]


Operator = Annotated[Path, typer.Option("--operator", help="Keystore of your validator's operator account.")]
OperatorPassword = Annotated[
    Path | None, typer.Option("--operator-password-file", help="File with its password, mode 0600.")
]
Number = Annotated[int, typer.Argument(min=1, max=2**64 - 1, metavar="PROPOSAL", help="Its number.")]
MAX_LISTED = 1_000


def execute(
    number: Number,
    config: ConfigFile,
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Execute a proposal again that was approved while its action was refused.

    Exit codes: 0 executed, 1 refused, 2 unusable input.
    """
    from hutong.adapters.hub import governance

    async def act(_: "HubChain", transactor: "Transactor") -> "Decision":
        return await governance.execute(transactor, number)

    decide(config, hub, operator, operator_password_file, act, as_json=as_json)


def proposals(
    config: ConfigFile,
    number: Annotated[int | None, typer.Argument(min=1, metavar="[PROPOSAL]", help="One, with its votes.")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that can still be decided.")] = False,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """What was proposed, by whom, how it stands and what it came to; the newest 1 000, or one with every vote.

    Exit codes: 0 answered, 1 the hub did not answer or has no such proposal, 2 unusable input.
    """
    hub_chain = hub_of(config_of(config), hub)
    rows = run_administration(partial(_read, hub_chain, number))
    if only_open:
        rows = [row for row in rows if row["status"] in ("open", "failed")]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(_line(row))
        for one in row.get("votes", ()):
            word = "approves" if one["approve"] else "rejects"
            typer.echo(f"  {one['public_key']} {word} with {one['power']} at block {one['height']}")
        if number is not None and row["status"] == "executed":
            approvals = ", ".join(f"{key} {power}" for key, power in row["approvals"].items())
            typer.echo(f"  executed at block {row['executed_height']} by {approvals} of {row['executed_total_power']}")
    if not rows:
        typer.echo("no proposals")


def members(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """The validators of a hub that they govern: key, power, and the operator account that speaks for each.

    Exit codes: 0 answered, 1 the hub did not answer or is governed by admins, 2 unusable input.
    """
    from hutong.adapters.hub import governance

    hub_chain = hub_of(config_of(config), hub)

    async def read(random: Random) -> dict[str, Any]:
        async with open_hub(hub_chain, random) as chain:
            await require_governed(chain.execution)
            rows = await governance.members(chain.execution)
            scheduled = await governance.schedule(chain.execution)
            parameters = await governance.parameters(chain.execution)
        return {
            "members": [asdict(row) | {"public_key": row.public_key.hex()} for row in rows],
            "schedule": asdict(scheduled),
            "parameters": parameters,
        }

    answer = run_administration(read)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    total = sum(row["power"] for row in answer["members"])
    for row in answer["members"]:
        typer.echo(f"{row['account']} {row['public_key']} {row['power']} ({100 * row['power'] / total:.1f} %)")
    scheduled = answer["schedule"]
    typer.echo(f"rules version {scheduled['rules_version']}")
    if scheduled["planned_height"]:
        typer.echo(f"rules version {scheduled['planned_version']} begins at block {scheduled['planned_height']}")
    if scheduled["last_height"]:
        typer.echo(f"the revision ends after block {scheduled['last_height']}")
    for name, value in answer["parameters"].items():
        typer.echo(f"{name} {value}")


def decide(
    config: Path,
    hub: str | None,
    keystore: Path,
    password_file: Path | None,
    act: "Act",
    *,
    as_json: bool,
    check: "Callable[[HubChain], Awaitable[object]] | None" = None,
) -> None:
    """Let the operator act, after `check`, and say what the proposal came to.

    Args:
        act: makes the one transaction and returns what it decided.
        check: is given the hub before; it raises what keeps the act from being made.

    Raises:
        Refused: code 2, an option is unusable; code 1, refused, or `check` found that the hub would stop.
        typer.Exit: code 3 (ACTION_REFUSED), the decision was made and its action refused, which is said already.
    """
    hub_chain = hub_of(config_of(config), hub)
    signer = operator_of(keystore, password_file)
    decision, now = run_administration(partial(_act, hub_chain, signer, act, check))
    state = "executed" if decision.executed else "failed" if decision.failure else "open"
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "proposal": decision.number,
                    "status": state,
                    "approved_power": now.approved_power,
                    "total_power": now.total_power,
                    "height": decision.receipt.height,
                    "failure": decision.failure,
                }
            )
        )
    elif decision.executed:
        typer.echo(f"proposal {decision.number} is executed in block {decision.receipt.height}")
    elif decision.failure:
        typer.echo(f"proposal {decision.number} is approved, but its action was refused: {decision.failure}", err=True)
    else:
        typer.echo(
            f"proposal {decision.number} is open: approved by {now.approved_power} of {now.total_power}, until"
            f" {time_text(now.expires_s)}"
        )
    if decision.failure:
        raise typer.Exit(ACTION_REFUSED)


def operator_of(keystore: Path, password_file: Path | None) -> Signer:
    """The operator's signer.

    Raises:
        Refused: code 2, no password file is given, or the keystore does not open.
    """
    if password_file is None:
        raise Refused("give --operator-password-file", UNUSABLE)
    return signer_of(keystore, password_file, None)


def trusted(hub: HubChainConfig) -> "HubTrust | None":
    """What the configuration believes of the hub; None where it names no genesis.

    Raises:
        Refused: code 2, the configured genesis is unusable.
    """
    try:
        return trust_of(hub)
    except UnusableTrust as error:
        raise Refused(str(error), UNUSABLE) from None


async def require_governed(execution: Any) -> None:
    """Demand that the hub's validators govern it.

    Raises:
        RefusedByChain: admins do (GovernedByAdmins).
        AdapterError: the hub does not answer.
    """
    from hutong.adapters.hub.admin import admins
    from hutong.adapters.interface import RefusedByChain

    _, needed = await admins(execution)
    if needed:
        raise RefusedByChain(
            "GovernedByAdmins", "this hub is governed by its admins, who decide with their own commands"
        )


async def _act(
    hub: HubChainConfig,
    signer: Signer,
    act: "Act",
    check: "Callable[[HubChain], Awaitable[object]] | None",
    random: Random,
) -> "tuple[Decision, Proposal]":
    from hutong.adapters.hub.governance import proposal
    from hutong.adapters.ics26.transactor import Transactor

    async with open_hub(hub, random) as chain:
        await require_governed(chain.execution)
        if check is not None:
            await check(chain)
        decision = await act(chain, Transactor(chain.execution, await chain.eth_chain_id(), signer))
        return decision, await proposal(chain.execution, decision.number)


async def _read(hub: HubChainConfig, number: int | None, random: Random) -> list[dict[str, Any]]:
    from hutong.adapters.hub import governance

    async with open_hub(hub, random) as chain:
        execution = chain.execution
        await require_governed(execution)
        if number is not None:
            one, came = await governance.proposal(execution, number), await governance.result(execution, number)
            return [_row(one, came) | {"votes": [_vote(vote) for vote in await governance.votes(execution, number)]}]
        count = await governance.proposal_count(execution)
        wanted = range(max(1, count - MAX_LISTED + 1), count + 1)
        return [
            _row(await governance.proposal(execution, one), await governance.result(execution, one)) for one in wanted
        ]


def _row(one: "Proposal", came: "Result") -> dict[str, Any]:
    return {
        "proposal": one.number,
        "status": one.status.name.lower(),
        "title": one.title,
        "action": describe(one.action),
        "proposer": one.account,
        "proposer_key": one.public_key.hex(),
        "height": one.height,
        "proposed_s": one.proposed_s,
        "expires_s": one.expires_s,
        "approved_power": one.approved_power,
        "total_power": one.total_power,
        "executed_height": came.height if came.status.name == "EXECUTED" else 0,
        "executed_total_power": came.total_power,
        "approvals": {key.hex(): power for key, power in came.approvals},
        "failure": came.text,
        "raw_action": one.action.hex(),
    }


def _vote(one: "Vote") -> dict[str, Any]:
    return asdict(one) | {"public_key": one.public_key.hex()}


def _line(row: dict[str, Any]) -> str:
    head = f"{row['proposal']} {row['status']}: {row['action']} ({row['title']})"
    match row["status"]:
        case "executed":
            return f"{head}, by {row['proposer']}, executed at block {row['executed_height']}"
        case "failed":
            return f"{head}, by {row['proposer']}, refused: {row['failure']}; until {time_text(row['expires_s'])}"
        case _:
            return (
                f"{head}, by {row['proposer']}, approved by {row['approved_power']} of {row['total_power']}, until"
                f" {time_text(row['expires_s'])}"
            )


def describe(action: bytes) -> str:
    """An action's bytes in words; what cannot be read is shown by its size."""
    from hutong.adapters.hub.admin import describe_action
    from hutong.light_clients.interface import MalformedInput

    try:
        return describe_action(action)
    except MalformedInput:
        return f"{len(action)} bytes that are no action"


def time_text(seconds: int) -> str:
    """Seconds of Unix time as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
