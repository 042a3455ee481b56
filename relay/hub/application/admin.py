"""Actions that m of n genesis admins approve by hub transactions, each executed once."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MAX_CLIENT_STATE_BYTES, MAX_CONSENSUS_STATE_BYTES
from hutong.relay.evm.vm.native import Address, NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.packets.quotas import NOTHING, Load
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.state import keys

ACTION_TUPLE = "(uint8,uint64,bytes)"
ACTION_DOMAIN = "hutong/admin/1"
MAX_ACTION_BYTES = MAX_CLIENT_STATE_BYTES + MAX_CONSENSUS_STATE_BYTES + 4096
MAX_ADMINS = 64

CREATE_CLIENT_DATA = ["string", "bytes", "bytes"]
REGISTER_COUNTERPARTY_DATA = ["string", "string", "bytes[]"]
RECOVER_CLIENT_DATA = ["string", "string"]
SET_PAUSED_DATA = ["bool"]
SET_QUOTA_DATA = ["string", "uint64", "uint64"]
SET_VALIDATOR_DATA = ["bytes", "uint64"]
ADMIT_VALIDATOR_DATA = ["bytes", "uint64", "address", "bytes"]
SET_PARAMETER_DATA = ["string", "uint64"]
SCHEDULE_RULES_DATA = ["uint32", "uint64"]
SET_CODE_OPEN_DATA = ["bool"]
NAME_DATA = ["address", "bool"]
END_REVISION_DATA = ["uint64"]
NAME_WRITER_DATA = ["address", "uint64"]
SET_OBSERVATIONS_OPEN_DATA = ["bool"]
ACCREDIT_ROOT_DATA = ["bytes32", "bytes32", "uint8", "uint64", "uint64"]
SET_IDENTITY_DATA = ["bool", "uint64", "uint64"]
NAME_STORAGE_OPERATOR_DATA = ["bytes32", "address", "bytes32", "bytes32", "bytes32", "bytes32", "uint32"]
SET_STORAGE_OPERATOR_STATE_DATA = ["bytes32", "uint8"]
NAME_STORAGE_PARTY_DATA = ["uint8", "bytes32", "address"]
NAME_DIRECTORY_PUBLISHER_DATA = ["bytes32", "address", "uint64"]
SET_DIRECTORY_DATA = ["uint32", "uint32"]
SET_STORAGE_DATA = [
    "uint64",
    "uint32",
    "uint64",
    "uint64",
    "uint32",
    "uint32",
    "uint32",
    "uint8",
    "uint8",
    "uint64",
]
_RECORD = ["address[]", "bool"]


class ActionKind(IntEnum):
    """First field of an action."""

    CREATE_CLIENT = 1
    REGISTER_COUNTERPARTY = 2
    RECOVER_CLIENT = 3
    SET_PAUSED = 4
    SET_QUOTA = 5
    SET_VALIDATOR = 6
    ADMIT_VALIDATOR = 7
    """With its operator and a proof of possession: only where the validators govern."""
    SET_PARAMETER = 8
    SCHEDULE_RULES = 9
    END_REVISION = 10
    SET_CODE_OPEN = 11
    NAME_DEPLOYER = 12
    NAME_CONTRACT = 13
    NAME_WRITER = 14
    SET_OBSERVATIONS_OPEN = 15
    ACCREDIT_ROOT = 16
    SET_IDENTITY = 17
    NAME_STORAGE_OPERATOR = 18
    SET_STORAGE_OPERATOR_STATE = 19
    NAME_STORAGE_PARTY = 20
    SET_STORAGE = 21
    NAME_DIRECTORY_PUBLISHER = 22
    SET_DIRECTORY = 23


FIRST_KINDS = frozenset(ActionKind(number) for number in range(1, 7))
"""Those of rules version 1 under admins: recorded chains refused every other."""


SECOND_KINDS = frozenset(ActionKind(number) for number in range(1, 11))
"""Those of rules version 2, and of version 1 where the validators govern."""


THIRD_KINDS = frozenset(ActionKind(number) for number in range(1, 14))
"""Those of rules version 3."""


FOURTH_KINDS = frozenset(ActionKind(number) for number in range(1, 16))
"""Those of rules version 4."""


FIFTH_KINDS = frozenset(ActionKind(number) for number in range(1, 18))
"""Those of rules versions 5 and 6."""


SIXTH_KINDS = frozenset(ActionKind(number) for number in range(1, 22))
"""Those of rules version 7."""


def kinds_of_validators(rules_version: int) -> frozenset[ActionKind]:
    """The kinds of action that may be proposed where the validators govern, under these rules."""
    if rules_version >= rules_versions.DIRECTORY:
        return frozenset(ActionKind)
    if rules_version >= rules_versions.STORAGE:
        return SIXTH_KINDS
    if rules_version >= rules_versions.IDENTITY:
        return FIFTH_KINDS
    if rules_version >= rules_versions.RECORDS:
        return FOURTH_KINDS
    return THIRD_KINDS if rules_version >= rules_versions.BOUNDED_EXECUTION else SECOND_KINDS


def kinds_of_admins(rules_version: int) -> frozenset[ActionKind]:
    """The kinds of action that admins may execute under these rules: none brings in a validator's operator."""
    if rules_version == rules_versions.FIRST:
        return FIRST_KINDS
    return kinds_of_validators(rules_version) - {ActionKind.ADMIT_VALIDATOR}


class NotAnAdmin(Refusal):
    """The caller is not in the genesis list."""

    def __init__(self, caller: Address) -> None:
        self.caller = caller
        super().__init__(caller)

    def revert(self) -> NativeRevert:
        """`NotAnAdmin(address)` with the caller."""
        return abi.NOT_AN_ADMIN.revert(self.caller)


class ActionRefused(Refusal):
    """Not approved by enough admins, executed already, or approved twice by one."""

    def __init__(self, action_hash: bytes, reason: str) -> None:
        self.action_hash = action_hash
        self.reason = reason
        super().__init__(action_hash, reason)

    def revert(self) -> NativeRevert:
        """`ActionRefused(bytes32,string)` with the action's hash and the sentence."""
        return abi.ACTION_REFUSED.revert(self.action_hash, self.reason)


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
    """Public key and power, of SET_VALIDATOR and ADMIT_VALIDATOR."""
    operator: Address = bytes(20)
    number: int = 0
    """The parameter's value, the rules version, or how many keys a writer may have open."""
    height: int = 0
    account: Address = bytes(20)
    """A deployer, contract or writer, with `allowed` whether it is named from now on; of SET_CODE_OPEN and
    SET_OBSERVATIONS_OPEN whether everybody is."""
    root: tuple[bytes, bytes, int, int] = (b"", b"", 0, 0)
    """Of ACCREDIT_ROOT: DID, schema, depth, and when it is over in Unix seconds, 0 where it is revoked."""
    identity: tuple[bool, int, int] = (False, 0, 0)
    """Of SET_IDENTITY: whether persons are registered, places of strangers, how long they are kept in seconds."""
    allowed: bool = False
    storage: tuple[Any, ...] = ()
    """Of the kinds of storage: their data, accounts as 20 bytes."""
    directory: tuple[Any, ...] = ()
    """Of the kinds of the directory likewise."""


def encode_action(kind: ActionKind, salt: int, data: bytes) -> bytes:
    """`abi.encode((uint8 kind, uint64 salt, bytes data))`; another salt lets the same act be done again."""
    return encode([ACTION_TUPLE], [(kind, salt, data)])


def create_client_action(salt: int, client_type: str, client_state: bytes, consensus_state: bytes) -> bytes:
    """Create a client of `client_type` with these two encoded states, each canonical and within the hub's bounds."""
    data = encode(CREATE_CLIENT_DATA, [client_type, client_state, consensus_state])
    return encode_action(ActionKind.CREATE_CLIENT, salt, data)


def register_counterparty_action(salt: int, client_id: str, counterparty_id: str, prefix: Sequence[bytes]) -> bytes:
    """Name the client at the other end and the path elements before its store's keys.

    A client can have it named once.
    """
    data = encode(REGISTER_COUNTERPARTY_DATA, [client_id, counterparty_id, list(prefix)])
    return encode_action(ActionKind.REGISTER_COUNTERPARTY, salt, data)


def recover_client_action(salt: int, subject: str, substitute: str) -> bytes:
    """Replace the state of client `subject`, which is frozen or expired, by that of the active client `substitute`."""
    return encode_action(ActionKind.RECOVER_CLIENT, salt, encode(RECOVER_CLIENT_DATA, [subject, substitute]))


def set_paused_action(salt: int, paused: bool) -> bytes:
    """Pause packets, or let them go on."""
    return encode_action(ActionKind.SET_PAUSED, salt, encode(SET_PAUSED_DATA, [paused]))


def set_quota_action(salt: int, client_id: str, limit: Load) -> bytes:
    """Bound what may be in flight over a client: packets, and bytes of their payloads."""
    return encode_action(
        ActionKind.SET_QUOTA, salt, encode(SET_QUOTA_DATA, [client_id, limit.packets, limit.payload_bytes])
    )


def set_validator_action(salt: int, public_key: bytes, power: int) -> bytes:
    """Give the validator of this compressed key (33 bytes) another power; power 0 removes it."""
    return encode_action(ActionKind.SET_VALIDATOR, salt, encode(SET_VALIDATOR_DATA, [public_key, power]))


def admit_validator_action(salt: int, public_key: bytes, power: int, operator: Address, proof: bytes) -> bytes:
    """Bring in a validator, where the validators govern.

    `proof` is 64 bytes r ‖ s by the new key over `members.possession_digest`.
    """
    data = encode(ADMIT_VALIDATOR_DATA, [public_key, power, operator, proof])
    return encode_action(ActionKind.ADMIT_VALIDATOR, salt, data)


def set_parameter_action(salt: int, name: str, value: int) -> bytes:
    """Set one of `schedule.BOUNDS`; name and value are checked when it is executed."""
    return encode_action(ActionKind.SET_PARAMETER, salt, encode(SET_PARAMETER_DATA, [name, value]))


def schedule_rules_action(salt: int, version: int, height: int) -> bytes:
    """Let the rules of `version` hold from block `height` on; height 0 withdraws what is scheduled."""
    return encode_action(ActionKind.SCHEDULE_RULES, salt, encode(SCHEDULE_RULES_DATA, [version, height]))


def end_revision_action(salt: int, height: int) -> bytes:
    """Let block `height` be the revision's last; 0 withdraws."""
    return encode_action(ActionKind.END_REVISION, salt, encode(END_REVISION_DATA, [height]))


def set_code_open_action(salt: int, is_open: bool) -> bytes:
    """Let everybody run code, or named accounts and contracts alone; from rules version 3 on."""
    return encode_action(ActionKind.SET_CODE_OPEN, salt, encode(SET_CODE_OPEN_DATA, [is_open]))


def name_deployer_action(salt: int, account: Address, named: bool) -> bytes:
    """Name an account that may create contracts, or take its name away; from rules version 3 on."""
    return encode_action(ActionKind.NAME_DEPLOYER, salt, encode(NAME_DATA, [account, named]))


def name_contract_action(salt: int, contract: Address, named: bool) -> bytes:
    """Name a contract that may be called, or take its name away; from rules version 3 on."""
    return encode_action(ActionKind.NAME_CONTRACT, salt, encode(NAME_DATA, [contract, named]))


def name_writer_action(salt: int, account: Address, limit: int) -> bytes:
    """Let an account have up to `limit` keys of observations open; 0 takes its name away. From rules version 4 on."""
    return encode_action(ActionKind.NAME_WRITER, salt, encode(NAME_WRITER_DATA, [account, limit]))


def set_observations_open_action(salt: int, is_open: bool) -> bytes:
    """Let everybody open keys of observations, or named writers alone; from rules version 4 on."""
    return encode_action(ActionKind.SET_OBSERVATIONS_OPEN, salt, encode(SET_OBSERVATIONS_OPEN_DATA, [is_open]))


def accredit_root_action(salt: int, did: bytes, schema: bytes, depth: int, window_s: tuple[int, int]) -> bytes:
    """Accredit a DID of 32 bytes for a schema, or with zeros for all, from and until Unix seconds.

    A window of (0, 0) revokes the accreditation, whoever granted it. From rules version 5 on.
    """
    return encode_action(ActionKind.ACCREDIT_ROOT, salt, encode(ACCREDIT_ROOT_DATA, [did, schema, depth, *window_s]))


def set_identity_action(salt: int, persons: bool, strangers: int, stranger_life_s: int) -> bytes:
    """Whether persons are registered, how many DIDs without an accreditation stand, and for how long at least.

    From rules version 5 on.
    """
    return encode_action(
        ActionKind.SET_IDENTITY, salt, encode(SET_IDENTITY_DATA, [persons, strangers, stranger_life_s])
    )


def name_storage_operator_action(
    salt: int, operator: bytes, account: Address, labels: tuple[bytes, bytes, bytes, bytes], weight: int
) -> bytes:
    """Register an operator of storage, or change its account, labels (32 bytes each) and weight.

    From rules version 7 on.
    """
    values = [operator, account, *labels, weight]
    return encode_action(ActionKind.NAME_STORAGE_OPERATOR, salt, encode(NAME_STORAGE_OPERATOR_DATA, values))


def set_storage_operator_state_action(salt: int, operator: bytes, state: int) -> bytes:
    """Activate (2) or drain (3) an operator of storage, or let it leave (4); from rules version 7 on."""
    data = encode(SET_STORAGE_OPERATOR_STATE_DATA, [operator, state])
    return encode_action(ActionKind.SET_STORAGE_OPERATOR_STATE, salt, data)


def name_storage_party_action(salt: int, role: int, party: bytes, account: Address) -> bytes:
    """Name a writer (1), auditor (2), holder (3) or repairer (4) of storage, or with 20 zeros no longer.

    From rules version 7 on.
    """
    return encode_action(ActionKind.NAME_STORAGE_PARTY, salt, encode(NAME_STORAGE_PARTY_DATA, [role, party, account]))


def set_storage_action(salt: int, values: Sequence[int]) -> bytes:
    """Set the parameters of storage, as many as its record has; from rules version 7 on."""
    return encode_action(ActionKind.SET_STORAGE, salt, encode(SET_STORAGE_DATA, list(values)))


def name_directory_publisher_action(salt: int, publisher: bytes, account: Address, records: int) -> bytes:
    """Name a publisher of the directory with how many records it may have, or with 20 zeros no longer.

    From rules version 8 on.
    """
    data = encode(NAME_DIRECTORY_PUBLISHER_DATA, [publisher, account, records])
    return encode_action(ActionKind.NAME_DIRECTORY_PUBLISHER, salt, data)


def set_directory_action(salt: int, call_operations: int, block_operations: int) -> bytes:
    """How many operations a call has at most, and a publisher in one block; from rules version 8 on."""
    data = encode(SET_DIRECTORY_DATA, [call_operations, block_operations])
    return encode_action(ActionKind.SET_DIRECTORY, salt, data)


def decode_action(action: bytes) -> tuple[int, bytes]:
    """Kind and data of an encoded action of at most MAX_ACTION_BYTES. Whether the kind is known is not checked.

    Raises:
        MalformedInput: the bytes are not the canonical encoding.
    """
    ((kind, _, data),) = decode_canonical([ACTION_TUPLE], action, "action", MAX_ACTION_BYTES)
    return kind, data


def action_hash(chain_id: str, action: bytes) -> bytes:
    """The 32 bytes that admins approve: bound to this chain, so that an approval is worth nothing on another."""
    return keccak256(encode(["string", "string", "bytes"], [ACTION_DOMAIN, chain_id, action]))


class AdminActions:
    """Approval and execution over one store. Without admins, where the validators govern, nobody is one."""

    def __init__(
        self,
        chain_id: str,
        admins: AdminSet | None,
        kinds: Collection[ActionKind],
        store: Store,
        run: Callable[[ActionKind, bytes], Executed],
    ) -> None:
        self._chain_id = chain_id
        self._addresses = () if admins is None else admins.addresses
        self._threshold = 1 if admins is None else admins.threshold
        self._kinds = kinds
        self._store = store
        self._run = run

    def approvals(self, hashed: bytes) -> Approvals:
        """Who has approved the action with this 32-byte hash, and whether it has run; nobody for an unknown hash."""
        raw = self._store.get(keys.admin_action_key(hashed))
        if raw is None:
            return Approvals()
        addresses, executed = decode_canonical(_RECORD, raw, "approvals", 8192)
        return Approvals(tuple(bytes.fromhex(address[2:]) for address in addresses), executed)

    def _save(self, hashed: bytes, approvals: Approvals) -> None:
        self._store.set(keys.admin_action_key(hashed), encode(_RECORD, [approvals.admins, approvals.executed]))

    def approve(self, admin: Address, hashed: bytes) -> int:
        """Record one admin's approval, and return how many there are. The action itself need not be known yet.

        Raises:
            NotAnAdmin: `admin` is not in the set.
            ActionRefused: the action was executed, or this admin has approved it.
        """
        if admin not in self._addresses:
            raise NotAnAdmin(admin)
        approvals = self.approvals(hashed)
        if approvals.executed:
            raise ActionRefused(hashed, "the action was executed")
        if admin in approvals.admins:
            raise ActionRefused(hashed, "this admin has approved already")
        self._save(hashed, Approvals((*approvals.admins, admin)))
        return len(approvals.admins) + 1

    def execute(self, caller: Address, action: bytes) -> tuple[bytes, Executed]:
        """Run an action that enough admins approved; any admin may send it, and it runs once.

        Approvals are counted against the admin set again here, and the threshold is at least 1 by construction.

        Returns:
            The action's hash, and what it did.

        Raises:
            NotAnAdmin: `caller` is not in the set.
            MalformedInput: the action does not decode.
            ActionRefused: it was executed, has too few approvals, or is of a kind that admins do not have.
            VerificationError, UnknownClient, ClientNotActive: as `Actions.run`; the caller undoes every write.
        """
        if caller not in self._addresses:
            raise NotAnAdmin(caller)
        kind_number, data = decode_action(action)
        hashed = action_hash(self._chain_id, action)
        approvals = self.approvals(hashed)
        if approvals.executed:
            raise ActionRefused(hashed, "the action was executed")
        count = sum(admin in self._addresses for admin in set(approvals.admins))
        if count < self._threshold:
            raise ActionRefused(hashed, f"{count} of {self._threshold} approvals")
        if kind_number not in self._kinds:
            raise ActionRefused(hashed, f"unknown kind {kind_number}")
        self._save(hashed, Approvals(approvals.admins, executed=True))
        return hashed, self._run(ActionKind(kind_number), data)
