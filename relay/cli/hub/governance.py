"""`hutong hub execute`, `proposals` and `members`: what the operators of a hub's validators decided and may still
decide."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.hub.trust import UnusableTrust, trust_of
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import ACTION_REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import config_of, is_key_file, run_administration, signer_of
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.hub.verified_state import HubTrust
    from hutong.relay.administration.hub.governance import Outcome

Number = Annotated[int, typer.Argument(min=1, max=2**64 - 1, metavar="PROPOSAL", help="Its number.")]


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """On which hub an operator decides, and with which key."""

    config: ConfigFile
    operator: Annotated[
        Path, typer.Option("--operator", help="Keystore or key file (.toml) of your validator's operator account.")
    ]
    operator_password_file: Annotated[
        Path | None, typer.Option("--operator-password-file", help="File with its password, mode 0600.")
    ] = None
    hub: HubName = None
    as_json: AsJson = False

    @property
    def hub_chain(self) -> HubChainConfig:
        """The hub that the options name, from the configuration, which is read anew each time.

        Raises:
            Refused: code 2, the configuration is unusable, or names no such hub.
        """
        return hub_of(config_of(self.config), self.hub)

    def open(self) -> Signer:
        """Open the operator's keystore.

        Raises:
            Refused: code 2, no password file is given, or the keystore does not open.
        """
        if self.operator_password_file is None and not is_key_file(self.operator):
            raise Refused("give --operator-password-file", UNUSABLE)
        return signer_of(self.operator, self.operator_password_file, None)

    def decide(self, work: "Callable[[Random], Awaitable[Outcome]]") -> None:
        """Let the operator act, and say what the proposal came to.

        Raises:
            Refused: code 2, what was given is unusable; code 1, refused.
            typer.Exit: code 3 (ACTION_REFUSED), the decision was made and its action refused, which is said already.
        """
        outcome = run_administration(work)
        decision = outcome.decision
        if self.as_json:
            typer.echo(json.dumps(outcome.as_dict()))
        elif decision.executed:
            typer.echo(f"proposal {decision.number} is executed in block {decision.receipt.height}")
        elif decision.failure:
            typer.echo(
                f"proposal {decision.number} is approved, but its action was refused: {decision.failure}", err=True
            )
        else:
            now = outcome.proposal
            typer.echo(
                f"proposal {decision.number} is open: approved by {now.approved_power} of {now.total_power}, until"
                f" {time_text(now.expires_s)}"
            )
        if decision.failure:
            raise typer.Exit(ACTION_REFUSED)


def execute(number: Number, *, operator: OperatorOptions) -> None:
    """Execute a proposal again that was approved while its action was refused.

    Exit codes: 0 executed, 1 refused, 2 unusable input.
    """
    from hutong.relay.administration.hub.governance import execute as again

    operator.decide(partial(again, operator.hub_chain, operator.open(), number))


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
    from hutong.relay.administration.hub.governance import read_proposals

    hub_chain = hub_of(config_of(config), hub)
    rows = [one.as_dict() for one in run_administration(partial(read_proposals, hub_chain, number))]
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
    from hutong.relay.administration.hub.governance import read_members

    found = run_administration(partial(read_members, hub_of(config_of(config), hub)))
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    total = sum(row.power for row in found.members)
    for row in found.members:
        typer.echo(f"{row.account} {row.public_key.hex()} {row.power} ({100 * row.power / total:.1f} %)")
    scheduled = found.schedule
    typer.echo(f"rules version {scheduled.rules_version}")
    if scheduled.planned_height:
        typer.echo(f"rules version {scheduled.planned_version} begins at block {scheduled.planned_height}")
    if scheduled.last_height:
        typer.echo(f"the revision ends after block {scheduled.last_height}")
    for name, value in found.parameters.items():
        typer.echo(f"{name} {value}")


def trusted(hub: HubChainConfig) -> "HubTrust | None":
    """What the configuration believes of the hub; None where it names no genesis.

    Raises:
        Refused: code 2, the configured genesis is unusable.
    """
    with refusing(UnusableTrust):
        return trust_of(hub)


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


def time_text(seconds: int) -> str:
    """Seconds of Unix time as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
