"""`hutong hub propose`: what an operator puts to the vote of a hub's validators; proposing approves it."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.submission import new_salt
from hutong.relay.base.regular_files import open_regular
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import address_of
from hutong.relay.cli.hub.ballot import Ballot
from hutong.relay.cli.hub.candidate import Candidate, read_candidate
from hutong.relay.cli.hub.code import Account, Open, Remove
from hutong.relay.cli.hub.validators import MAX_POWER, public_key_of

app = command_group(
    "Put an action to the vote of a hub's validators. Exit codes: 0 proposed (and executed, where one validator has"
    " more than two thirds), 1 refused, 2 unusable input, 3 decided at once and its action was refused."
)
Height = Annotated[int | None, typer.Option(min=1, max=2**63 - 1, help="The block's height.")]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take back what was scheduled.")]
Client = Annotated[str, typer.Option(help="The hub's client.")]
MAX_ACTION_BYTES = 128 * 1024


@app.command()
@grouped
def validator(
    ballot: Ballot,
    public_key: Annotated[str, typer.Option(metavar="HEX|@FILE", help="A member's key; or @ a key file.")],
    power: Annotated[int, typer.Option(min=0, max=MAX_POWER, help="Its new voting power; 0 removes it.")],
) -> None:
    """Change a member's voting power, or remove it."""
    from hutong.adapters.hub.admin import set_validator

    key = public_key_of(public_key)
    action = set_validator(new_salt(), key, power)
    ballot.propose(action, (key, power))


@app.command()
@grouped
def admit(
    ballot: Ballot,
    candidate: Annotated[Path, typer.Option(help="What `hutong hub candidate` made at the new member's.")],
    power: Annotated[int, typer.Option(min=1, max=MAX_POWER, help="Its voting power.")],
) -> None:
    """Let a new validator in, with its operator account."""
    from hutong.adapters.hub.admin import admit_validator

    new: Candidate = read_candidate(candidate, ballot.hub_chain.chain_id)
    action = admit_validator(new_salt(), new.public_key, power, new.operator, new.proof)
    change = (new.public_key, power)
    ballot.propose(action, change)


@app.command()
@grouped
def parameter(
    ballot: Ballot,
    name: Annotated[str, typer.Argument(help="block_interval_ms, proof_block_delay_ms or voting_period_s.")],
    value: Annotated[int, typer.Argument(min=0, max=2**63 - 1)],
) -> None:
    """Change a parameter that may change while the hub runs."""
    from hutong.adapters.hub.admin import set_parameter
    from hutong.adapters.hub.governance import PARAMETERS

    if name not in PARAMETERS:
        raise Refused(f"{name[:40]}: only {', '.join(PARAMETERS)} may change while the hub runs", UNUSABLE)
    action = set_parameter(new_salt(), name, value)
    ballot.propose(action)


@app.command()
@grouped
def rules(
    ballot: Ballot,
    version: Annotated[int | None, typer.Option(min=1, max=2**31, help="The rules version from then on.")] = None,
    height: Height = None,
    withdraw: Withdraw = False,
) -> None:
    """Schedule a new rules version from a block on. Nodes whose software lacks it halt before that block."""
    from hutong.adapters.hub.admin import schedule_rules

    if withdraw == (version is not None and height is not None):
        raise Refused("give --version and --height, or --withdraw", UNUSABLE)
    action = schedule_rules(new_salt(), 0 if withdraw else version or 0, 0 if withdraw else height or 0)
    ballot.propose(action)


@app.command()
@grouped
def end(
    ballot: Ballot,
    height: Height = None,
    withdraw: Withdraw = False,
) -> None:
    """End this revision after a block: none is made after it, and `hutong hub restart` makes the next revision's genesis."""
    from hutong.adapters.hub.admin import end_revision

    if withdraw == (height is not None):
        raise Refused("give --height or --withdraw", UNUSABLE)
    action = end_revision(new_salt(), 0 if withdraw else height or 0)
    ballot.propose(action)


@app.command()
@grouped
def pause(
    ballot: Ballot,
) -> None:
    """Refuse new packets. Acknowledgements and timeouts still settle and refund (rules version 2)."""
    from hutong.adapters.hub.admin import set_paused

    ballot.propose(set_paused(new_salt(), True))


@app.command()
@grouped
def resume(
    ballot: Ballot,
) -> None:
    """End a pause."""
    from hutong.adapters.hub.admin import set_paused

    ballot.propose(set_paused(new_salt(), False))


@app.command()
@grouped
def code(
    ballot: Ballot,
    is_open: Open,
) -> None:
    """Open the hub's machine to everybody's code, or close it, from the next block on (rules version 3)."""
    from hutong.adapters.hub.admin import set_code_open

    ballot.propose(set_code_open(new_salt(), is_open))


@app.command()
@grouped
def deployer(
    ballot: Ballot,
    account: Account,
    remove: Remove = False,
) -> None:
    """Let an account create contracts on the hub, or no more: what it creates is named, so that everybody may call it."""
    from hutong.adapters.hub.admin import name_deployer

    ballot.propose(name_deployer(new_salt(), address_of(account, "ADDRESS"), not remove))


@app.command()
@grouped
def contract(
    ballot: Ballot,
    address: Account,
    remove: Remove = False,
) -> None:
    """Let a contract of the hub be called, or no more."""
    from hutong.adapters.hub.admin import name_contract

    ballot.propose(name_contract(new_salt(), address_of(address, "ADDRESS"), not remove))


@app.command("recover-client")
@grouped
def recover_client(
    ballot: Ballot,
    client: Client,
    substitute: Annotated[str, typer.Option(help="An active client of the same chain and parameters.")],
) -> None:
    """Replace the state of a frozen or expired client by a substitute's."""
    from hutong.adapters.hub.admin import recover_client as recovery
    from hutong.light_clients.interface import MalformedInput

    try:
        action = recovery(new_salt(), client, substitute)
    except MalformedInput as error:
        raise Refused(str(error), UNUSABLE) from None
    ballot.propose(action)


@app.command()
@grouped
def action(
    ballot: Ballot,
    file: Annotated[Path, typer.Argument(help="An action's bytes in hex, as proposals --json shows them.")],
) -> None:
    """Any action, made elsewhere: also client creation and registration."""
    try:
        with open_regular(file) as opened:
            text = opened.read(2 * MAX_ACTION_BYTES + 3).decode()
        raw = bytes.fromhex(text.strip().removeprefix("0x"))
    except (OSError, ValueError) as error:
        raise Refused(f"{file}: {error}", UNUSABLE) from None
    if not 0 < len(raw) <= MAX_ACTION_BYTES:
        raise Refused(f"{file}: an action has 1 to {MAX_ACTION_BYTES} bytes", UNUSABLE)
    ballot.propose(raw)
