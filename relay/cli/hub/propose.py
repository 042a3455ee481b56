"""`hutong hub propose`: what an operator puts to the vote of a hub's validators; proposing approves it."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.hub.ballot import Ballot
from hutong.relay.cli.hub.code import Account, Height, Open, Remove, RulesOptions, Withdraw
from hutong.relay.cli.hub.directory import DirectoryOptions, PublisherId, PublisherOptions
from hutong.relay.cli.hub.identity import Did, Persons, RootOptions, StrangerLife, Strangers
from hutong.relay.cli.hub.observations import Keys, OpenKeys
from hutong.relay.cli.hub.storage import (
    Operator,
    OperatorOptions,
    Party,
    PartyOptions,
    Roles,
    States,
    StorageOptions,
    parameters_action,
    state_action,
)
from hutong.relay.cli.hub.validators import MAX_POWER

app = command_group(
    "Put an action to the vote of a hub's validators. Exit codes: 0 proposed (and executed, where one validator has"
    " more than two thirds), 1 refused, 2 unusable input, 3 decided at once and its action was refused."
)
Client = Annotated[str, typer.Option(help="The hub's client.")]


@app.command()
def validator(
    ballot: Ballot,
    public_key: Annotated[str, typer.Option(metavar="HEX|@FILE", help="A member's key; or @ a key file.")],
    power: Annotated[int, typer.Option(min=0, max=MAX_POWER, help="Its new voting power; 0 removes it.")],
) -> None:
    """Change a member's voting power, or remove it."""
    from hutong.adapters.hub.admin import set_validator
    from hutong.relay.administration.hub.validators import public_key_of

    key = public_key_of(public_key)
    action = set_validator(new_salt(), key, power)
    ballot.propose(action, (key, power))


@app.command()
def admit(
    ballot: Ballot,
    candidate: Annotated[Path, typer.Option(help="What `hutong hub candidate` made at the new member's.")],
    power: Annotated[int, typer.Option(min=1, max=MAX_POWER, help="Its voting power.")],
) -> None:
    """Let a new validator in, with its operator account."""
    from hutong.adapters.hub.admin import admit_validator
    from hutong.relay.administration.hub.candidates import read_candidate

    new = read_candidate(candidate, ballot.hub_chain.chain_id)
    action = admit_validator(new_salt(), new.public_key, power, new.operator, new.proof)
    change = (new.public_key, power)
    ballot.propose(action, change)


@app.command()
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
def rules(coming: RulesOptions, ballot: Ballot) -> None:
    """Schedule a new rules version from a block on. Nodes whose software lacks it halt before that block."""
    ballot.propose(coming.action())


@app.command()
def end(ballot: Ballot, height: Height = None, withdraw: Withdraw = False) -> None:
    """End this revision after a block: none is made after it, and `hutong hub restart` makes the next revision's genesis."""
    from hutong.adapters.hub.admin import end_revision

    if withdraw == (height is not None):
        raise Refused("give --height or --withdraw", UNUSABLE)
    action = end_revision(new_salt(), 0 if withdraw else height or 0)
    ballot.propose(action)


@app.command()
def pause(ballot: Ballot) -> None:
    """Refuse new packets. Acknowledgements and timeouts still settle and refund (rules version 2)."""
    from hutong.adapters.hub.admin import set_paused

    ballot.propose(set_paused(new_salt(), True))


@app.command()
def resume(ballot: Ballot) -> None:
    """End a pause."""
    from hutong.adapters.hub.admin import set_paused

    ballot.propose(set_paused(new_salt(), False))


@app.command()
def code(ballot: Ballot, is_open: Open) -> None:
    """Open the hub's machine to everybody's code, or close it, from the next block on (rules version 3)."""
    from hutong.adapters.hub.admin import set_code_open

    ballot.propose(set_code_open(new_salt(), is_open))


@app.command()
def deployer(ballot: Ballot, account: Account, remove: Remove = False) -> None:
    """Let an account create contracts on the hub, or no more: what it creates is named, so that everybody may call it."""
    from hutong.adapters.hub.admin import name_deployer

    ballot.propose(name_deployer(new_salt(), address_of(account, "ADDRESS"), not remove))


@app.command()
def contract(ballot: Ballot, address: Account, remove: Remove = False) -> None:
    """Let a contract of the hub be called, or no more."""
    from hutong.adapters.hub.admin import name_contract

    ballot.propose(name_contract(new_salt(), address_of(address, "ADDRESS"), not remove))


@app.command()
def observations(ballot: Ballot, is_open: OpenKeys) -> None:
    """Let everybody open keys of observations on the hub, or named writers alone (rules version 4)."""
    from hutong.adapters.hub.admin import set_observations_open

    ballot.propose(set_observations_open(new_salt(), is_open))


@app.command()
def writer(ballot: Ballot, account: Account, keys: Keys) -> None:
    """Let an account open keys of observations on the hub, or with --keys 0 no more (rules version 4)."""
    from hutong.adapters.hub.admin import name_writer

    ballot.propose(name_writer(new_salt(), address_of(account, "ADDRESS"), keys))


@app.command()
def root(ballot: Ballot, did: Did, options: RootOptions) -> None:
    """Make an organisation a root of accreditation on the hub, or no longer (rules version 5)."""
    ballot.propose(options.action(did))


@app.command()
def identity(ballot: Ballot, persons: Persons, strangers: Strangers, stranger_life: StrangerLife) -> None:
    """Say who may be registered on the hub, and how many places strangers have (rules version 5)."""
    from hutong.adapters.hub.admin import set_identity

    ballot.propose(set_identity(new_salt(), persons, strangers, stranger_life))


@app.command("directory-publisher")
def directory_publisher(ballot: Ballot, publisher: PublisherId, options: PublisherOptions) -> None:
    """Name a publisher of the data directory, or no longer (rules version 8)."""
    ballot.propose(options.action(publisher))


@app.command()
def directory(ballot: Ballot, options: DirectoryOptions) -> None:
    """Set both parameters of the data directory; what is not named is the default (rules version 8)."""
    ballot.propose(options.action())


@app.command("storage-operator")
def storage_operator(ballot: Ballot, operator_id: Operator, options: OperatorOptions) -> None:
    """Register an operator of trusted storage, or change its account, labels and weight (rules version 7)."""
    ballot.propose(options.action(operator_id))


@app.command("storage-state")
def storage_state(ballot: Ballot, operator_id: Operator, state: States) -> None:
    """Activate or drain an operator of trusted storage, or let it leave (rules version 7)."""
    ballot.propose(state_action(operator_id, state))


@app.command("storage-party")
def storage_party(ballot: Ballot, role: Roles, party: Party, options: PartyOptions) -> None:
    """Name a writer, auditor, holder or repairer of trusted storage, or no longer (rules version 7)."""
    ballot.propose(options.action(role, party))


@app.command()
def storage(ballot: Ballot, options: StorageOptions) -> None:
    """Change parameters of trusted storage; what is not named stays as it is (rules version 7)."""
    action = parameters_action(options, ballot.hub_chain, to_stderr=ballot.operator.as_json)
    if action is None:
        raise Refused("the hub has it so already: nothing is proposed", REFUSED)
    ballot.propose(action)


@app.command("recover-client")
def recover_client(
    ballot: Ballot,
    client: Client,
    substitute: Annotated[str, typer.Option(help="An active client of the same chain and parameters.")],
) -> None:
    """Replace the state of a frozen or expired client by a substitute's."""
    from hutong.adapters.hub.admin import recover_client as recovery
    from hutong.light_clients.interface import MalformedInput

    with refusing(MalformedInput):
        action = recovery(new_salt(), client, substitute)
    ballot.propose(action)


@app.command()
def action(
    ballot: Ballot,
    file: Annotated[Path, typer.Argument(help="An action's bytes in hex, as proposals --json shows them.")],
) -> None:
    """Any action, made elsewhere: also client creation and registration."""
    from hutong.relay.administration.hub.action_file import read_action

    ballot.propose(read_action(file))
