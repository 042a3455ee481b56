"""Identity records of a hub, for applications that read in Python: their keys, and what their values say.

`client.record(key)` answers a value by the node's word and `client.record_bundle(key)` its proof, which `hutong audit record`
judges. Nothing is judged here: `hutong identity check` says whether records hold together (docs/identity/organisations.md).
Importing it brings eth-abi, which comes with the SDK's eth-account.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from struct import unpack
from typing import Any, TypeVar

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from hutong.relay.sdk.errors import InvalidArgument

__all__ = [
    "ANY_SCHEMA",
    "Accreditation",
    "Did",
    "Key",
    "KeyState",
    "Log",
    "Purpose",
    "Shard",
    "StatusList",
    "accreditation_key",
    "decode_accreditation",
    "decode_did",
    "decode_epoch",
    "decode_key",
    "decode_list",
    "decode_log",
    "decode_shard",
    "did_key",
    "epoch_key",
    "key_key",
    "list_key",
    "log_key",
    "parse_did",
    "shard_key",
]

ANY_SCHEMA = bytes(32)
"""In place of a schema's hash: all schemas."""
_METHOD = "did:hutong:"
_VERSION = 1
_HASH_BYTES = 32
_DID = "(bytes32,uint64,bytes32,uint8,uint64,uint32,uint32,uint32,uint32,uint32,uint64,uint64,uint64,uint64)"
_KEY = (
    "(uint8,bytes32,bytes32,address,bytes32,uint8,uint64,uint64,bytes32,"
    "uint8,uint64,uint64,bytes32,uint32,uint64,uint64)"
)
_ACCREDITATION = "(bytes32,bytes32,uint8,uint64,uint64,uint8,uint64,uint64,uint64)"
_LIST = "(bytes32,bytes32,bytes32,bytes32,bytes32,uint256,uint192)"
_LOG = "(bytes32,uint64,uint64,uint64)"
_SHARD = "(bytes32,uint64,uint64,uint64,uint64)"
_EPOCH = "(uint64,uint64,uint64)"
Kind = TypeVar("Kind", bound=IntEnum)


class KeyState(IntEnum):
    """How a key stands."""

    ACTIVE = 1
    RETIRED = 2
    COMPROMISED = 3


class Purpose(IntFlag):
    """What a key is for."""

    SIGNING = 1
    PRESENTATION = 2
    SEAL = 4
    LOG = 8
    CONTRACT = 16


@dataclass(frozen=True, slots=True)
class Did:
    """The record of a DID; counts are of its records, so that nobody can leave one out. Times are Unix seconds."""

    is_active: bool
    document_hash: bytes
    sequence: int
    keys: int
    active_keys: int
    lists: int
    registered_s: int
    changed_s: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a DID: `algorithm` 1 ES256, 2 ES256K, 3 EdDSA, 4 X25519, 5 SM2; `x` and `y` as in its JWK.

    `account` is the address of a secp256k1 key, zeros of another. Where it has ended, `end_log_size` and `end_log_root` are of
    the log in which a credential under it has to be.
    """

    algorithm: int
    x: bytes
    y: bytes
    account: str
    purposes: Purpose
    valid_from_s: int
    valid_until_s: int
    state: KeyState
    ended_s: int
    end_log_size: int
    end_log_root: bytes


@dataclass(frozen=True, slots=True)
class Accreditation:
    """`accreditor` is zeros where the hub's governance granted it; `depth` levels may follow below."""

    accreditor: bytes
    parent_schema: bytes
    depth: int
    valid_from_s: int
    valid_until_s: int
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class StatusList:
    """A status list: root over its chunks, width and size, the keys that it is bound to (the second zeros for none)."""

    root: bytes
    bits: int
    size: int
    key_thumbprint: bytes
    seal_thumbprint: bytes
    schema: bytes
    opened_s: int
    sealed_s: int
    token_hash: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """RFC 6962 root and size of an issuance log."""

    root: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Root over a registrar's persons, how many were ever appended, and how often the root has changed."""

    root: bytes
    count: int
    version: int


def parse_did(text: str) -> tuple[str, bytes]:
    """Name of the hub and the 32 bytes of a `did:hutong`.

    Raises:
        InvalidArgument: it is not one.
    """
    name, _, digits = text.removeprefix(_METHOD).rpartition(":")
    if (
        not text.startswith(_METHOD)
        or not name
        or len(digits) != 2 * _HASH_BYTES
        or set(digits) - set("0123456789abcdef")
    ):
        raise InvalidArgument("did", "did:hutong:<hub>:<64 lower-case hexadecimal digits>")
    return name, bytes.fromhex(digits)


def _key_of(family: str, *parts: bytes) -> str:
    for part in parts:
        if len(part) != _HASH_BYTES:
            raise InvalidArgument(family, f"has {_HASH_BYTES} bytes, not {len(part)}")
    return "0x" + (f"identity/{family}/".encode() + b"".join(parts)).hex()


def did_key(did: bytes) -> str:
    """Key of the record of a DID (32 bytes), for `client.record`.

    Raises:
        InvalidArgument: of another length; so do the next ones.
    """
    return _key_of("did", did)


def key_key(did: bytes, thumbprint: bytes) -> str:
    """Key of the record of a key, by its RFC 7638 thumbprint (32 bytes)."""
    return _key_of("key", did, thumbprint)


def accreditation_key(subject: bytes, schema: bytes) -> str:
    """Key of the accreditation of a subject for a schema, or for `ANY_SCHEMA`."""
    return _key_of("accreditation", subject, schema)


def list_key(issuer: bytes, number: int) -> str:
    """Key of status list `number` of an issuer, from 0."""
    if not 0 <= number < 2**64:
        raise InvalidArgument("number", "is not a number of a list")
    return _key_of("list", issuer) + f"{number:016x}"


def log_key(issuer: bytes) -> str:
    """Key of an issuer's log."""
    return _key_of("log", issuer)


def shard_key(registrar: bytes, number: int) -> str:
    """Key of a registrar's shard of persons, from 0."""
    if not 0 <= number < 2**64:
        raise InvalidArgument("number", "is not a number of a shard")
    return _key_of("shard", registrar) + f"{number:016x}"


def epoch_key(issuer: bytes) -> str:
    """Key of an issuer's epoch."""
    return _key_of("epoch", issuer)


def _members(value: str | bytes, struct: str, what: str) -> tuple[Any, ...]:
    """Of the one encoding: what is written again is what was read."""
    try:
        raw = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
        if raw[:1] != bytes([_VERSION]):
            raise InvalidArgument(what, "a version that this hutong does not know")
        (members,) = decode([struct], raw[1:])
        if encode([struct], [members]) != raw[1:]:
            raise InvalidArgument(what, "is not in canonical encoding")
    except (DecodingError, ValueError, OverflowError) as error:
        raise InvalidArgument(what, "is not a record of this kind") from error
    found: tuple[Any, ...] = members
    return found


def _one_of(kind: type[Kind], number: int, what: str) -> Kind:
    try:
        return kind(number)
    except ValueError as error:
        raise InvalidArgument(what, f"has an unknown state {number}") from error


def decode_did(value: str | bytes) -> Did:
    """The record of a DID, of the bytes or 0x text that `client.record` answers.

    Raises:
        InvalidArgument: it is not one; so do the next ones.
    """
    document_hash, _, _, state, sequence, keys, active_keys, lists, _, _, _, registered_s, _, changed_s = _members(
        value, _DID, "did"
    )
    if state not in (1, 2):
        raise InvalidArgument("did", f"has an unknown state {state}")
    return Did(state == 1, document_hash, sequence, keys, active_keys, lists, registered_s, changed_s)


def decode_key(value: str | bytes) -> Key:
    """The record of a key."""
    algorithm, x, y, account, _, purposes, valid_from_s, valid_until_s, _, state, ended_s, size, root, *_ = _members(
        value, _KEY, "key"
    )
    return Key(
        algorithm,
        x,
        y,
        account,
        Purpose(purposes),
        valid_from_s,
        valid_until_s,
        _one_of(KeyState, state, "key"),
        ended_s,
        size,
        root,
    )


def decode_accreditation(value: str | bytes) -> Accreditation:
    """An accreditation; that its whole chain holds is not said by it."""
    accreditor, parent_schema, depth, valid_from_s, valid_until_s, state, *_ = _members(
        value, _ACCREDITATION, "accreditation"
    )
    if state not in (1, 2):
        raise InvalidArgument("accreditation", f"has an unknown state {state}")
    return Accreditation(accreditor, parent_schema, depth, valid_from_s, valid_until_s, state == 2)


def decode_list(value: str | bytes) -> StatusList:
    """A status list. Its form is four numbers of 64 bits: width, size, when it was opened, and when sealed."""
    root, key, seal_key, schema, token_hash, form, _ = _members(value, _LIST, "list")
    bits, size, opened_s, sealed_s = unpack(">4Q", form.to_bytes(32, "big"))
    return StatusList(root, bits, size, key, seal_key, schema, opened_s, sealed_s, token_hash)


def decode_log(value: str | bytes) -> Log:
    """An issuance log."""
    root, size, _, _ = _members(value, _LOG, "log")
    return Log(root, size)


def decode_epoch(value: str | bytes) -> int:
    """An issuer's epoch: raised whenever something may have been taken back."""
    number, _, _ = _members(value, _EPOCH, "epoch")
    return int(number)


def decode_shard(value: str | bytes) -> Shard:
    """A shard of persons."""
    root, count, version, _, _ = _members(value, _SHARD, "shard")
    return Shard(root, count, version)
