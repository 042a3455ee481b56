"""`hutong hub storage`, `storage-operator`, `storage-state`, `storage-party`, `set-storage`: who stores, writes, audits and holds."""

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.relay.administration.storage.reading import ToldOperator, ToldStorage

ID_BYTES = 32
NOBODY = "0x" + "00" * 20

Operator = Annotated[str, typer.Argument(metavar="OPERATOR", help="Its id, 64 hexadecimal digits.")]
Party = Annotated[str, typer.Argument(metavar="ID", help="Its id, 64 hexadecimal digits.")]


class State(StrEnum):
    """Where an operator is put."""

    ACTIVE = "active"
    DRAINING = "draining"
    LEFT = "left"


class Role(StrEnum):
    """What somebody is named for."""

    WRITER = "writer"
    AUDITOR = "auditor"
    HOLDER = "holder"
    REPAIRER = "repairer"


Roles = Annotated[Role, typer.Argument(metavar="ROLE", help="writer, auditor, holder or repairer.")]
States = Annotated[State, typer.Argument(metavar="STATE", help="active, draining, or left for ever.")]


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """What is registered of an operator."""

    account: Annotated[str, typer.Option(metavar="0xADDRESS", help="The account that signs for it.")]
    organisation: Annotated[str, typer.Option(help="Whose it is: 1 to 32 of a-z, 0-9, dot and dash.")]
    site: Annotated[str, typer.Option(help="Where it stands; what burns together is one site.")]
    engine: Annotated[str, typer.Option(help="What it stores on, such as versitygw.")]
    region: Annotated[str, typer.Option(help="Under whose law it stands.")] = "unknown"
    weight: Annotated[int, typer.Option(min=1, max=65_535, help="Its share, such as its TiB.")] = 1

    def action(self, operator: str) -> bytes:
        """The action for the hub's governance.

        Raises:
            Refused: code 2, the id, account or a label is not one.
        """
        from hutong.adapters.hub.admin import name_storage_operator
        from hutong.light_clients.interface import MalformedInput
        from hutong.relay.services.storage.rules.records.members import encode_label

        account = address_of(self.account, "--account")
        with refusing(MalformedInput):
            labels = (
                encode_label(self.organisation),
                encode_label(self.site),
                encode_label(self.region),
                encode_label(self.engine),
            )
        return name_storage_operator(new_salt(), id_of(operator), f"0x{account.hex()}", labels, self.weight)


@dataclass(frozen=True, slots=True)
class PartyOptions:
    """The account of a party, or that it is named no more."""

    account: Annotated[str | None, typer.Option(metavar="0xADDRESS", help="The account that signs for it.")] = None
    remove: Annotated[bool, typer.Option("--remove", help="Name it no longer.")] = False

    def action(self, role: Role, party: str) -> bytes:
        """The action for the hub's governance.

        Raises:
            Refused: code 2, the id or account is not one, or both or neither of the options are given.
        """
        from hutong.adapters.hub.admin import name_storage_party

        if self.remove == (self.account is not None):
            raise Refused("give --account or --remove", UNUSABLE)
        account = NOBODY if self.account is None else f"0x{address_of(self.account, '--account').hex()}"
        return name_storage_party(new_salt(), 1 + list(Role).index(role), id_of(party), account)


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """Parameters of trusted storage that change; what is not named stays as the hub has it."""

    epoch: Annotated[int | None, typer.Option(min=10, max=31_536_000, help="Seconds of an epoch.")] = None
    cut_blocks: Annotated[int | None, typer.Option(min=1, max=100_000, help="Blocks from the cut to the header.")] = (
        None
    )
    reveal: Annotated[int | None, typer.Option(min=1, max=86_400, help="Seconds for secrets.")] = None
    deadline: Annotated[int | None, typer.Option(min=1, max=86_400, help="Seconds for answers.")] = None
    probes: Annotated[int | None, typer.Option(min=1, max=4_096, help="Of each operator in an epoch.")] = None
    full_probes: Annotated[int | None, typer.Option(min=1, max=4_096, help="In each --full-every-th epoch.")] = None
    full_every: Annotated[int | None, typer.Option(min=1, max=1_000, help="How often more is asked.")] = None
    data: Annotated[int | None, typer.Option(min=1, max=63, help="Data shards of a pack.")] = None
    parity: Annotated[
        int | None, typer.Option(min=1, max=63, help="Parity shards, and most of one organisation or site.")
    ] = None
    price: Annotated[int | None, typer.Option(min=0, max=2**64 - 1, help="What a proven TiB-epoch counts.")] = None

    def named(self) -> dict[str, int]:
        """What is to be, by the name that `hutong hub storage --json` has for it.

        Raises:
            Refused: code 2, no option is given.
        """
        given = {
            "epoch_s": self.epoch,
            "cut_blocks": self.cut_blocks,
            "reveal_s": self.reveal,
            "deadline_s": self.deadline,
            "probes": self.probes,
            "full_probes": self.full_probes,
            "full_every": self.full_every,
            "data": self.data,
            "parity": self.parity,
            "price": self.price,
        }
        named = {name: value for name, value in given.items() if value is not None}
        if not named:
            raise Refused("name what is to change, such as --probes", UNUSABLE)
        return named


def parameters_action(options: StorageOptions, hub: HubChainConfig, *, to_stderr: bool = False) -> bytes | None:
    """The action for the hub's governance, of which each change is said; None where the hub has all that already.

    Args:
        to_stderr: where stdout is for machines.

    Raises:
        Refused: code 2, nothing is named or it cannot be together; code 1, the hub does not say what it has.
    """
    from hutong.adapters.hub.admin import set_storage
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.administration.storage.reading import read_parameters
    from hutong.relay.services.storage.rules.records.parameters import parameter_values

    named = options.named()
    before = run_administration(partial(read_parameters, hub))
    with refusing(MalformedInput):
        after = replace(before, **named)
    for name in named:
        was, is_now = getattr(before, name), getattr(after, name)
        typer.echo(f"{name}: {was} as before" if was == is_now else f"{name}: {was} -> {is_now}", err=to_stderr)
    return None if after == before else set_storage(new_salt(), parameter_values(after))


def state_action(operator: str, state: State) -> bytes:
    """The action that puts an operator into a state.

    Raises:
        Refused: code 2, the id is not one.
    """
    from hutong.adapters.hub.admin import set_storage_operator_state

    return set_storage_operator_state(new_salt(), id_of(operator), 2 + list(State).index(state))


def id_of(text: str) -> bytes:
    """An id of 32 bytes.

    Raises:
        Refused: code 2, it is not 64 hexadecimal digits.
    """
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != ID_BYTES:
        raise Refused(f"{text[:80]!r} is no id: 64 hexadecimal digits", UNUSABLE)
    return raw


def storage_operator(operator: Operator, options: OperatorOptions, *, admins: AdminDecision) -> None:
    """Register an operator of trusted storage, or change its account, labels and weight, by as many admins as the hub asks for."""
    admins.decide(options.action(operator))
    typer.echo(f"operator {operator} is {options.account}, {options.organisation} at {options.site}")


def storage_state(operator: Operator, state: States, *, admins: AdminDecision) -> None:
    """Activate or drain an operator of trusted storage, or let it leave, by as many admins as the hub asks for."""
    admins.decide(state_action(operator, state))
    typer.echo(f"operator {operator} is {state}")


def storage_party(role: Roles, party: Party, options: PartyOptions, *, admins: AdminDecision) -> None:
    """Name a writer, auditor, holder or repairer of trusted storage, or no longer, by as many admins as the hub asks for."""
    admins.decide(options.action(role, party))
    typer.echo(f"{role} {party} is {'named no longer' if options.remove else options.account}")


def set_storage(options: StorageOptions, *, admins: AdminDecision) -> None:
    """Change parameters of trusted storage, by as many admins as the hub asks for; what is not named stays as it is."""
    action = parameters_action(options, hub_of(config_of(admins.config), admins.hub))
    if action is None:
        typer.echo("the hub has it so already: nothing is decided")
        return
    admins.decide(action)
    typer.echo("decided; `hutong hub storage` shows all parameters")


def storage(config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """Operators, epoch and audits of trusted storage on the hub. By the node's word: `hutong prove HUB storage/…` proves a record.

    Exit codes: 0 answered, 1 the hub did not answer, 2 unusable input.
    """
    from hutong.relay.administration.storage.reading import read_storage, told_fields

    told = run_administration(partial(read_storage, hub_of(config_of(config), hub)))
    if as_json:
        typer.echo(json.dumps(told_fields(told)))
        return
    typer.echo(_epoch(told))
    for one in told.operators:
        typer.echo(_line(one))
    for party in told.parties:
        typer.echo(f"{party.role.name.lower()} {party.party.hex()} 0x{party.record.account.hex()}")


def _epoch(told: "ToldStorage") -> str:
    parameters, clock = told.parameters, told.clock
    where = "no epoch yet" if clock is None else f"epoch {clock.epoch} {clock.phase.name.lower()}"
    code = f"code {parameters.data} + {parameters.parity}"
    return f"{where}, {told.batches} batches, map {told.maps}, {code}, epochs of {parameters.epoch_s} s"


def _line(one: "ToldOperator") -> str:
    from hutong.relay.administration.storage.reading import operator_fields

    row = operator_fields(one)
    audits = f"{row['passed']} passed, {row['failed']} failed, {row['missed']} missed"
    newest = "" if row["verdict"] is None else f", newest {row['verdict']}"
    held = f"{row['leaves']} KiB in {row['batches']} batches"
    return f"operator {row['id']} {row['state']}, {row['organisation']} at {row['site']}, {held}; {audits}{newest}"
