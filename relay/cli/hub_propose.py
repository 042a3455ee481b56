"""`hutong hub propose`: what an operator puts to the vote of a hub's validators; proposing approves it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.hub_candidate import Candidate, read_candidate
from relay.cli.hub_governance import HubName, Operator, OperatorPassword, decide, describe, trusted
from relay.cli.hub_trust import proven_proposals
from relay.cli.hub_validators import MAX_POWER, goes_on, public_key_of
from relay.cli.session import UNUSABLE, AsJson, ConfigFile, config_of, hub_of, new_salt, refuse

if TYPE_CHECKING:
    from adapters.hub import HubChain
    from adapters.hub.governance import Decision
    from adapters.ics26.transactor import Transactor

app = typer.Typer(
    help="Put an action to the vote of a hub's validators. Exit codes: 0 proposed (and executed, where one validator has"
    " more than two thirds), 1 refused, 2 unusable input, 3 decided at once and its action was refused.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Title = Annotated[str | None, typer.Option(help="What for, in at most 256 bytes; the members read it.")]
Height = Annotated[int | None, typer.Option(min=1, max=2**63 - 1, help="The block's height.")]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take back what was scheduled.")]
Client = Annotated[str, typer.Option(help="The hub's client.")]
MAX_ACTION_BYTES = 128 * 1024


@app.command()
def validator(
    config: ConfigFile,
    operator: Operator,
    public_key: Annotated[str, typer.Option(metavar="HEX|@FILE", help="A member's key; or @ a key file.")],
    power: Annotated[int, typer.Option(min=0, max=MAX_POWER, help="Its new voting power; 0 removes it.")],
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Change a member's voting power, or remove it."""
    from adapters.hub.admin import set_validator

    key = public_key_of(public_key)
    action = set_validator(new_salt(), key, power)
    _propose(config, hub, operator, operator_password_file, action, title, as_json=as_json, change=(key, power))


@app.command()
def admit(
    config: ConfigFile,
    operator: Operator,
    candidate: Annotated[Path, typer.Option(help="What `hutong hub candidate` made at the new member's.")],
    power: Annotated[int, typer.Option(min=1, max=MAX_POWER, help="Its voting power.")],
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Let a new validator in, with its operator account."""
    from adapters.hub.admin import admit_validator

    hub_chain = hub_of(config_of(config), hub)
    new: Candidate = read_candidate(candidate, hub_chain.chain_id)
    action = admit_validator(new_salt(), new.public_key, power, new.operator, new.proof)
    change = (new.public_key, power)
    _propose(config, hub, operator, operator_password_file, action, title, as_json=as_json, change=change)


@app.command()
def parameter(
    name: Annotated[str, typer.Argument(help="block_interval_ms, proof_block_delay_ms or voting_period_s.")],
    value: Annotated[int, typer.Argument(min=0, max=2**63 - 1)],
    config: ConfigFile,
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Change a parameter that may change while the hub runs."""
    from adapters.hub.admin import set_parameter
    from adapters.hub.governance import PARAMETERS

    if name not in PARAMETERS:
        raise refuse(f"{name[:40]}: only {', '.join(PARAMETERS)} may change while the hub runs", UNUSABLE)
    action = set_parameter(new_salt(), name, value)
    _propose(config, hub, operator, operator_password_file, action, title, as_json=as_json)


@app.command()
def rules(
    config: ConfigFile,
    operator: Operator,
    version: Annotated[int | None, typer.Option(min=1, max=2**31, help="The rules version from then on.")] = None,
    height: Height = None,
    withdraw: Withdraw = False,
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Schedule a new rules version from a block on. Nodes whose software lacks it halt before that block."""
    from adapters.hub.admin import schedule_rules

    if withdraw == (version is not None and height is not None):
        raise refuse("give --version and --height, or --withdraw", UNUSABLE)
    action = schedule_rules(new_salt(), 0 if withdraw else version or 0, 0 if withdraw else height or 0)
    _propose(config, hub, operator, operator_password_file, action, title, as_json=as_json)


@app.command()
def end(
    config: ConfigFile,
    operator: Operator,
    height: Height = None,
    withdraw: Withdraw = False,
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """End this revision after a block: none is made after it, and `hutong hub restart` makes the next revision's genesis."""
    from adapters.hub.admin import end_revision

    if withdraw == (height is not None):
        raise refuse("give --height or --withdraw", UNUSABLE)
    action = end_revision(new_salt(), 0 if withdraw else height or 0)
    _propose(config, hub, operator, operator_password_file, action, title, as_json=as_json)


@app.command()
def pause(
    config: ConfigFile,
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Refuse new packets. Acknowledgements and timeouts still settle and refund (rules version 2)."""
    from adapters.hub.admin import set_paused

    _propose(config, hub, operator, operator_password_file, set_paused(new_salt(), True), title, as_json=as_json)


@app.command()
def resume(
    config: ConfigFile,
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """End a pause."""
    from adapters.hub.admin import set_paused

    _propose(config, hub, operator, operator_password_file, set_paused(new_salt(), False), title, as_json=as_json)


@app.command(name="recover-client")
def recover_client(
    config: ConfigFile,
    operator: Operator,
    client: Client,
    substitute: Annotated[str, typer.Option(help="An active client of the same chain and parameters.")],
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Replace the state of a frozen or expired client by a substitute's."""
    from adapters.hub.admin import recover_client as recovery
    from light_clients.interface import MalformedInput

    try:
        action = recovery(new_salt(), client, substitute)
    except MalformedInput as error:
        raise refuse(str(error), UNUSABLE) from None
    _propose(config, hub, operator, operator_password_file, action, title, as_json=as_json)


@app.command()
def action(
    file: Annotated[Path, typer.Argument(help="An action's bytes in hex, as proposals --json shows them.")],
    config: ConfigFile,
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    title: Title = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Any action, made elsewhere: also client creation and registration."""
    try:
        with file.open() as opened:
            text = opened.read(2 * MAX_ACTION_BYTES + 3)
        raw = bytes.fromhex(text.strip().removeprefix("0x"))
    except (OSError, ValueError) as error:
        raise refuse(f"{file}: {error}", UNUSABLE) from None
    if not 0 < len(raw) <= MAX_ACTION_BYTES:
        raise refuse(f"{file}: an action has 1 to {MAX_ACTION_BYTES} bytes", UNUSABLE)
    _propose(config, hub, operator, operator_password_file, raw, title, as_json=as_json)


def _propose(
    config: Path,
    hub: str | None,
    keystore: Path,
    password_file: Path | None,
    raw: bytes,
    title: str | None,
    *,
    as_json: bool,
    change: tuple[bytes, int] | None = None,
) -> None:
    """`change`: a validator's key and coming power."""
    from adapters.hub import governance
    from adapters.hub.proven_proposals import Content
    from light_clients.tendermint.types import KeyType, PublicKey

    text = describe(raw) if title is None else title
    if not 0 < len(text.encode()) <= 256:
        raise refuse("--title takes 1 to 256 bytes", UNUSABLE)

    trust = trusted(hub_of(config_of(config), hub))

    async def act(chain: "HubChain", transactor: "Transactor") -> "Decision":
        proven = None if trust is None else await proven_proposals(chain, trust)
        decision = await governance.propose(transactor, raw, text)
        if proven is not None:
            content = Content(transactor.signer.address, raw, text)
            await proven.require(decision.number, content, decision.receipt.height)
        return decision

    async def check(chain: "HubChain") -> None:
        if change is not None:
            await goes_on(chain, PublicKey(KeyType.SECP256K1, change[0]), change[1])

    decide(config, hub, keystore, password_file, act, as_json=as_json, check=check)
