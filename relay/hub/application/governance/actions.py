"""Running a decided action, whoever decided it: the admins, or the validators."""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.admin import (
    ACCREDIT_ROOT_DATA,
    ADMIT_VALIDATOR_DATA,
    CREATE_CLIENT_DATA,
    END_REVISION_DATA,
    MAX_ACTION_BYTES,
    NAME_DATA,
    NAME_DIRECTORY_PUBLISHER_DATA,
    NAME_STORAGE_OPERATOR_DATA,
    NAME_STORAGE_PARTY_DATA,
    NAME_WRITER_DATA,
    RECOVER_CLIENT_DATA,
    REGISTER_COUNTERPARTY_DATA,
    SCHEDULE_RULES_DATA,
    SET_CODE_OPEN_DATA,
    SET_DIRECTORY_DATA,
    SET_IDENTITY_DATA,
    SET_OBSERVATIONS_OPEN_DATA,
    SET_PARAMETER_DATA,
    SET_PAUSED_DATA,
    SET_QUOTA_DATA,
    SET_STORAGE_DATA,
    SET_STORAGE_OPERATOR_STATE_DATA,
    SET_VALIDATOR_DATA,
    ActionKind,
    Executed,
)
from hutong.relay.hub.application.clients import Clients, Counterparty, Store
from hutong.relay.hub.application.directory.membership import name_publisher
from hutong.relay.hub.application.directory.registry import DirectoryRegistry
from hutong.relay.hub.application.governance.members import Members
from hutong.relay.hub.application.governance.schedule import Schedule
from hutong.relay.hub.application.identity.governing import accredit_root, set_identity
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.hub.application.named_code import NamedCode
from hutong.relay.hub.application.observations.writers import Writers
from hutong.relay.hub.application.packets.quotas import Load, Quotas
from hutong.relay.hub.application.storage import membership as storage
from hutong.relay.hub.application.storage.registry import Registry as StorageRegistry
from hutong.relay.hub.application.validators import Validators
from hutong.relay.hub.state import keys
from hutong.relay.services.directory.rules.records.publishers import DirectoryParameters
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.storage.rules.records.members import operator_state, party_role
from hutong.relay.services.storage.rules.records.parameters import Parameters


@dataclass(frozen=True, slots=True)
class HubConstants:
    """What no action changes."""

    chain_id: str
    router: Address
    intervals_ms: tuple[int, int]
    """Of genesis: `block_interval_ms` and `proof_block_delay_ms`."""


@dataclass(frozen=True, slots=True)
class GovernedState:
    """What actions change: the state of a running block, part by part."""

    store: Store
    clients: Clients
    validators: Validators
    members: Members | None
    """None where admins govern."""
    schedule: Schedule | None
    """None where admins govern by rules of version 1: whoever replays such a chain must pay for the same reads."""
    moment: Moment
    """Of the running block."""


class Actions:
    """Over the state of a running block."""

    def __init__(self, hub: HubConstants, governed: GovernedState) -> None:
        self._hub = hub
        self._store = governed.store
        self._clients = governed.clients
        self._validators = governed.validators
        self._members = governed.members
        self._schedule = governed.schedule
        self._moment = governed.moment

    def run(self, kind: ActionKind, data: bytes) -> Executed:
        """Do what a decided action says. That it was decided, and may be of this kind, is for the caller to check.

        Raises:
            MalformedInput: `data` is not canonical for the kind.
            VerificationError, UnknownClient, ClientNotActive: a rule refuses it; the caller undoes every write.
        """
        match kind:
            case ActionKind.CREATE_CLIENT:
                client_type, client_state, consensus_state = _fields(CREATE_CLIENT_DATA, data, "create_client")
                subject = self._clients.create(
                    client_type, client_state, consensus_state, chain_id=self._hub.chain_id, router=self._hub.router
                )
                return _done(kind, subject)
            case ActionKind.REGISTER_COUNTERPARTY:
                subject, other, elements = _fields(REGISTER_COUNTERPARTY_DATA, data, "register_counterparty")
                self._clients.register_counterparty(subject, Counterparty(other, tuple(elements)))
                return _done(kind, subject, other, tuple(elements))
            case ActionKind.RECOVER_CLIENT:
                subject, other = _fields(RECOVER_CLIENT_DATA, data, "recover_client")
                self._clients.recover(subject, other)
                return _done(kind, subject, other)
            case ActionKind.SET_PAUSED:
                (paused,) = _fields(SET_PAUSED_DATA, data, "set_paused")
                if paused:
                    self._store.set(keys.PAUSED_KEY, b"\x01")
                else:
                    self._store.delete(keys.PAUSED_KEY)
                return Executed(kind, "", "", (), paused)
            case ActionKind.SET_QUOTA:
                subject, packets, payload_bytes = _fields(SET_QUOTA_DATA, data, "set_quota")
                self._clients.client_state(subject)
                quota = Load(packets, payload_bytes)
                Quotas(self._store).set_limit(subject, quota)
                return Executed(kind, subject, "", (), False, quota)
            case ActionKind.SET_VALIDATOR:
                return self._set_validator(*_fields(SET_VALIDATOR_DATA, data, "set_validator"))
            case ActionKind.ADMIT_VALIDATOR:
                public_key, power, account, proof = _fields(ADMIT_VALIDATOR_DATA, data, "admit_validator")
                return self._admit(public_key, power, bytes.fromhex(account[2:]), proof)
            case ActionKind.SET_PARAMETER:
                name, value = _fields(SET_PARAMETER_DATA, data, "set_parameter")
                self._scheduled.set_parameter(name, value, *self._hub.intervals_ms)
                return Executed(kind, name, "", (), False, number=value)
            case ActionKind.SCHEDULE_RULES:
                version, height = _fields(SCHEDULE_RULES_DATA, data, "schedule_rules")
                self._scheduled.schedule_rules(version, height)
                return Executed(kind, "", "", (), False, number=version, height=height)
            case ActionKind.END_REVISION:
                (height,) = _fields(END_REVISION_DATA, data, "end_revision")
                self._scheduled.end_revision(height)
                return Executed(kind, "", "", (), False, height=height)
            case ActionKind.SET_CODE_OPEN | ActionKind.NAME_DEPLOYER | ActionKind.NAME_CONTRACT:
                return self._decide_code(kind, data)
            case ActionKind.NAME_WRITER | ActionKind.SET_OBSERVATIONS_OPEN:
                return self._decide_writers(kind, data)
            case ActionKind.ACCREDIT_ROOT | ActionKind.SET_IDENTITY:
                return self._decide_identity(kind, data)
            case _:
                return self._decide_service(kind, data)

    def _decide_service(self, kind: ActionKind, data: bytes) -> Executed:
        if kind in (ActionKind.NAME_DIRECTORY_PUBLISHER, ActionKind.SET_DIRECTORY):
            return Executed(kind, "", "", (), False, directory=self._decide_directory(kind, data))
        return Executed(kind, "", "", (), False, storage=self._decide_storage(kind, data))

    def _decide_code(self, kind: ActionKind, data: bytes) -> Executed:
        code = NamedCode(self._store)
        if kind is ActionKind.SET_CODE_OPEN:
            (is_open,) = _fields(SET_CODE_OPEN_DATA, data, "set_code_open")
            code.set_open(is_open)
            return Executed(kind, "", "", (), False, allowed=is_open)
        named, allowed = _fields(NAME_DATA, data, "name")
        address = bytes.fromhex(named[2:])
        if kind is ActionKind.NAME_DEPLOYER:
            code.name_deployer(address, named=allowed)
        else:
            code.name_contract(address, named=allowed)
        return Executed(kind, "", "", (), False, account=address, allowed=allowed)

    def _decide_writers(self, kind: ActionKind, data: bytes) -> Executed:
        writers = Writers(self._store)
        if kind is ActionKind.SET_OBSERVATIONS_OPEN:
            (is_open,) = _fields(SET_OBSERVATIONS_OPEN_DATA, data, "set_observations_open")
            writers.set_open(is_open)
            return Executed(kind, "", "", (), False, allowed=is_open)
        named, limit = _fields(NAME_WRITER_DATA, data, "name_writer")
        account = bytes.fromhex(named[2:])
        writers.name(account, limit)
        return Executed(kind, "", "", (), False, number=limit, account=account, allowed=limit > 0)

    def _decide_identity(self, kind: ActionKind, data: bytes) -> Executed:
        registry = Registry(self._store, self._moment)
        if kind is ActionKind.SET_IDENTITY:
            values = _fields(SET_IDENTITY_DATA, data, "set_identity")
            set_identity(registry, *values)
            return Executed(kind, "", "", (), False, identity=values)
        did, schema, depth, valid_from_s, valid_until_s = _fields(ACCREDIT_ROOT_DATA, data, "accredit_root")
        accredit_root(registry, (did, schema), depth, (valid_from_s, valid_until_s))
        return Executed(kind, "", "", (), False, root=(did, schema, depth, valid_until_s))

    def _decide_directory(self, kind: ActionKind, data: bytes) -> tuple[Any, ...]:
        registry = DirectoryRegistry(self._store, self._moment)
        if kind is ActionKind.SET_DIRECTORY:
            values = _fields(SET_DIRECTORY_DATA, data, "set_directory")
            registry.set_parameters(DirectoryParameters(*values))
            return values
        publisher, named, records = _fields(NAME_DIRECTORY_PUBLISHER_DATA, data, "name_directory_publisher")
        account = bytes.fromhex(named[2:])
        name_publisher(registry, publisher, account, records)
        return (publisher, account, records)

    def _decide_storage(self, kind: ActionKind, data: bytes) -> tuple[Any, ...]:
        registry = StorageRegistry(self._store, self._moment)
        match kind:
            case ActionKind.NAME_STORAGE_OPERATOR:
                operator, named, *labels, weight = _fields(NAME_STORAGE_OPERATOR_DATA, data, "name_storage_operator")
                organisation, site, region, engine = labels
                account = bytes.fromhex(named[2:])
                storage.name_operator(registry, operator, account, (organisation, site, region, engine), weight)
                return (operator, account, *labels, weight)
            case ActionKind.SET_STORAGE_OPERATOR_STATE:
                operator, state = _fields(SET_STORAGE_OPERATOR_STATE_DATA, data, "set_storage_operator_state")
                storage.set_operator_state(registry, operator, operator_state(state))
                return (operator, state)
            case ActionKind.NAME_STORAGE_PARTY:
                role, party, named = _fields(NAME_STORAGE_PARTY_DATA, data, "name_storage_party")
                account = bytes.fromhex(named[2:])
                storage.name_party(registry, party_role(role), party, account)
                return (role, party, account)
            case ActionKind.SET_STORAGE:
                values = _fields(SET_STORAGE_DATA, data, "set_storage")
                storage.set_parameters(registry, Parameters(*values))
                return values
            case _:
                raise RuntimeError(f"no action of kind {kind} is run")

    @property
    def _scheduled(self) -> Schedule:
        if self._schedule is None:
            raise RuntimeError("kinds_of_admins lets no such action through")
        return self._schedule

    def _set_validator(self, public_key: bytes, power: int) -> Executed:
        if self._schedule is not None:
            self._schedule.require_set_open()
        if self._members is None:
            self._validators.set_power(public_key, power)
        else:
            self._members.set_power(public_key, power)
        return Executed(ActionKind.SET_VALIDATOR, "", "", (), False, validator=(public_key, power))

    def _admit(self, public_key: bytes, power: int, account: Address, proof: bytes) -> Executed:
        self._scheduled.require_set_open()
        if self._members is None:
            raise PredicateFailed("validators_govern", "admins add a validator without an operator")
        self._members.admit(public_key, power, account, proof)
        return Executed(ActionKind.ADMIT_VALIDATOR, "", "", (), False, validator=(public_key, power), operator=account)


def _fields(types: list[str], data: bytes, name: str) -> tuple[Any, ...]:
    return decode_canonical(types, data, f"action.{name}", MAX_ACTION_BYTES)


def _done(kind: ActionKind, subject: str, other: str = "", prefix: tuple[bytes, ...] = ()) -> Executed:
    return Executed(kind, subject, other, prefix, paused=False)
