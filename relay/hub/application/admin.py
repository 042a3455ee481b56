"""Actions that m of n genesis admins approve by hub transactions, each executed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from eth_abi.abi import encode

from light_clients.crypto import keccak256
from light_clients.ibc.abi import decode_canonical
from light_clients.interface import MAX_CLIENT_STATE_BYTES, MAX_CONSENSUS_STATE_BYTES
from relay.evm.native import Address
from relay.hub.application.clients import Clients, Counterparty, Store
from relay.hub.application.quotas import NOTHING, Load, Quotas
from relay.hub.application.validators import Validators
from relay.hub.state import keys

ACTION_TUPLE = "(uint8,uint64,bytes)"
ACTION_DOMAIN = "hutong/admin/1"
MAX_ACTION_BYTES = MAX_CLIENT_STATE_BYTES + MAX_CONSENSUS_STATE_BYTES + 4096
MAX_ADMINS = 64

_CREATE_CLIENT = ["string", "bytes", "bytes"]
_REGISTER_COUNTERPARTY = ["string", "string", "bytes[]"]
_RECOVER_CLIENT = ["string", "string"]
_SET_PAUSED = ["bool"]
_SET_QUOTA = ["string", "uint64", "uint64"]
_SET_VALIDATOR = ["bytes", "uint64"]
_RECORD = ["address[]", "bool"]


class ActionKind(IntEnum):
    """First field of an action."""

    CREATE_CLIENT = 1
    REGISTER_COUNTERPARTY = 2
    RECOVER_CLIENT = 3
    SET_PAUSED = 4
    SET_QUOTA = 5
    SET_VALIDATOR = 6


class NotAnAdmin(Exception):
    """The caller is not in the genesis list."""


class ActionRefused(Exception):
    """Not approved by enough admins, executed already, or approved twice by one."""

    def __init__(self, action_hash: bytes, reason: str) -> None:
        self.action_hash = action_hash
        self.reason = reason
        super().__init__(action_hash, reason)


@dataclass(frozen=True, slots=True)
class AdminSet:
    """From genesis; fixed for the chain's life in this version."""

    addresses: tuple[Address, ...]
    threshold: int

    def __post_init__(self) -> None:
        distinct = len(set(self.addresses)) == len(self.addresses)
        if not 1 <= len(self.addresses) <= MAX_ADMINS or not distinct or any(len(a) != 20 for a in self.addresses):
            raise ValueError(f"admins must be 1 to {MAX_ADMINS} distinct addresses")
        if any(address == bytes(20) for address in self.addresses):
            raise ValueError("the zero address cannot be an admin")
        if not 1 <= self.threshold <= len(self.addresses):
            raise ValueError(f"the threshold must be 1 to {len(self.addresses)}")


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who approved an action, in the order of approval, and whether it has run."""

    admins: tuple[Address, ...] = ()
    executed: bool = False


@dataclass(frozen=True, slots=True)
class Executed:
    """What an action did: `subject` is the client that it concerns, if any."""

    kind: ActionKind
    subject: str
    other: str
    prefix: tuple[bytes, ...]
    paused: bool
    quota: Load = NOTHING
    validator: tuple[bytes, int] = (b"", 0)
    """Public key and power, of SET_VALIDATOR."""


def encode_action(kind: ActionKind, salt: int, data: bytes) -> bytes:
    """`abi.encode((uint8 kind, uint64 salt, bytes data))`; another salt lets the same act be done again."""
    return encode([ACTION_TUPLE], [(kind, salt, data)])


def create_client_action(salt: int, client_type: str, client_state: bytes, consensus_state: bytes) -> bytes:
    data = encode(_CREATE_CLIENT, [client_type, client_state, consensus_state])
    return encode_action(ActionKind.CREATE_CLIENT, salt, data)


def register_counterparty_action(salt: int, client_id: str, counterparty_id: str, prefix: Sequence[bytes]) -> bytes:
    data = encode(_REGISTER_COUNTERPARTY, [client_id, counterparty_id, list(prefix)])
    return encode_action(ActionKind.REGISTER_COUNTERPARTY, salt, data)


def recover_client_action(salt: int, subject: str, substitute: str) -> bytes:
    return encode_action(ActionKind.RECOVER_CLIENT, salt, encode(_RECOVER_CLIENT, [subject, substitute]))


def set_paused_action(salt: int, paused: bool) -> bytes:
    return encode_action(ActionKind.SET_PAUSED, salt, encode(_SET_PAUSED, [paused]))


def set_quota_action(salt: int, client_id: str, limit: Load) -> bytes:
    return encode_action(
        ActionKind.SET_QUOTA, salt, encode(_SET_QUOTA, [client_id, limit.packets, limit.payload_bytes])
    )


def set_validator_action(salt: int, public_key: bytes, power: int) -> bytes:
    """Power 0 removes."""
    return encode_action(ActionKind.SET_VALIDATOR, salt, encode(_SET_VALIDATOR, [public_key, power]))


def action_hash(chain_id: str, action: bytes) -> bytes:
    """What admins approve: bound to this chain, so that an approval is worth nothing on another."""
    return keccak256(encode(["string", "string", "bytes"], [ACTION_DOMAIN, chain_id, action]))


class AdminActions:
    """Approval and execution over one store."""

    def __init__(
        self,
        chain_id: str,
        router: Address,
        admins: AdminSet,
        store: Store,
        clients: Clients,
        validators: Validators,
    ) -> None:
        self._chain_id = chain_id
        self._router = router
        self._admins = admins
        self._store = store
        self._clients = clients
        self._validators = validators

    def approvals(self, hashed: bytes) -> Approvals:
        raw = self._store.get(keys.admin_action_key(hashed))
        if raw is None:
            return Approvals()
        addresses, executed = decode_canonical(_RECORD, raw, "approvals", 8192)
        return Approvals(tuple(bytes.fromhex(address[2:]) for address in addresses), executed)

    def _save(self, hashed: bytes, approvals: Approvals) -> None:
        self._store.set(keys.admin_action_key(hashed), encode(_RECORD, [approvals.admins, approvals.executed]))

    def approve(self, admin: Address, hashed: bytes) -> int:
        """Record one admin's approval and return how many there are."""
        if admin not in self._admins.addresses:
            raise NotAnAdmin
        approvals = self.approvals(hashed)
        if approvals.executed:
            raise ActionRefused(hashed, "the action was executed")
        if admin in approvals.admins:
            raise ActionRefused(hashed, "this admin has approved already")
        self._save(hashed, Approvals((*approvals.admins, admin)))
        return len(approvals.admins) + 1

    def execute(self, caller: Address, action: bytes) -> tuple[bytes, Executed]:
        """Run an action that enough admins approved; any admin may send it.

        Approvals are counted against the admin set again here, and the threshold is at least 1 by construction.
        """
        if caller not in self._admins.addresses:
            raise NotAnAdmin
        ((kind_number, _, data),) = decode_canonical([ACTION_TUPLE], action, "action", MAX_ACTION_BYTES)
        hashed = action_hash(self._chain_id, action)
        approvals = self.approvals(hashed)
        if approvals.executed:
            raise ActionRefused(hashed, "the action was executed")
        count = sum(admin in self._admins.addresses for admin in set(approvals.admins))
        if count < self._admins.threshold:
            raise ActionRefused(hashed, f"{count} of {self._admins.threshold} approvals")
        if kind_number not in tuple(ActionKind):
            raise ActionRefused(hashed, f"unknown kind {kind_number}")
        self._save(hashed, Approvals(approvals.admins, executed=True))
        return hashed, self._run(ActionKind(kind_number), data)

    def _run(self, kind: ActionKind, data: bytes) -> Executed:
        subject = other = ""
        prefix: tuple[bytes, ...] = ()
        paused = False
        quota = NOTHING
        validator = (b"", 0)
        match kind:
            case ActionKind.CREATE_CLIENT:
                client_type, client_state, consensus_state = decode_canonical(
                    _CREATE_CLIENT, data, "action.create_client", MAX_ACTION_BYTES
                )
                subject = self._clients.create(
                    client_type, client_state, consensus_state, chain_id=self._chain_id, router=self._router
                )
            case ActionKind.REGISTER_COUNTERPARTY:
                subject, other, elements = decode_canonical(
                    _REGISTER_COUNTERPARTY, data, "action.register_counterparty", MAX_ACTION_BYTES
                )
                prefix = tuple(elements)
                self._clients.register_counterparty(subject, Counterparty(other, prefix))
            case ActionKind.RECOVER_CLIENT:
                subject, other = decode_canonical(_RECOVER_CLIENT, data, "action.recover_client", MAX_ACTION_BYTES)
                self._clients.recover(subject, other)
            case ActionKind.SET_PAUSED:
                (paused,) = decode_canonical(_SET_PAUSED, data, "action.set_paused", MAX_ACTION_BYTES)
                if paused:
                    self._store.set(keys.PAUSED_KEY, b"\x01")
                else:
                    self._store.delete(keys.PAUSED_KEY)
            case ActionKind.SET_QUOTA:
                subject, packets, payload_bytes = decode_canonical(
                    _SET_QUOTA, data, "action.set_quota", MAX_ACTION_BYTES
                )
                self._clients.client_state(subject)
                quota = Load(packets, payload_bytes)
                Quotas(self._store).set_limit(subject, quota)
            case ActionKind.SET_VALIDATOR:
                public_key, power = decode_canonical(_SET_VALIDATOR, data, "action.set_validator", MAX_ACTION_BYTES)
                validator = (public_key, power)
                self._validators.set_power(public_key, power)
        return Executed(kind, subject, other, prefix, paused, quota, validator)
