"""What stands under `identity/key/`: a key of a DID, what it is for, when it counts, and how it ended."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    HASH_BYTES,
    MAX_UINT32,
    address_bytes,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

STRUCT: Final = (
    "(uint8,bytes32,bytes32,address,bytes32,uint8,uint64,uint64,bytes32,"
    "uint8,uint64,uint64,bytes32,uint32,uint64,uint64)"
)
NO_END_S: Final = MAX_UINT64
NO_THUMBPRINT: Final = bytes(HASH_BYTES)
NO_ACCOUNT: Final = bytes(ADDRESS_BYTES)


class KeyAlgorithm(IntEnum):
    """Curve and use of a key; the number is in records."""

    ES256 = 1
    """P-256, ECDSA with SHA-256."""
    ES256K = 2
    """secp256k1: ECDSA, of which the hub and contracts know the account."""
    EDDSA = 3
    """Ed25519."""
    X25519 = 4
    """For sealed payloads alone: it signs nothing."""
    SM2 = 5
    """sm2p256v1: files are signed (GB/T 32918.2) or sealed (GB/T 32918.4) with it. No credential: JOSE has no SM2."""


FIRST_ALGORITHMS: Final = (KeyAlgorithm.ES256, KeyAlgorithm.ES256K, KeyAlgorithm.EDDSA, KeyAlgorithm.X25519)
"""Those that hubs knew from the beginning of identity records on, and before SM2."""


class KeyPurpose(IntFlag):
    """What a key may be used for; a record holds their sum."""

    SIGNING = 1
    """Credentials: SD-JWT VC, `vc+jwt`, status list tokens. With SM2 files."""
    PRESENTATION = 2
    """Presentations and requests for them."""
    SEAL = 4
    """Payloads are sealed to it (HPKE). With SM2 files."""
    LOG = 8
    """Its account writes status lists and the issuance log."""
    CONTRACT = 16
    """Credential seals (EIP-712) that contracts accept."""


ALL_PURPOSES: Final = int(sum(KeyPurpose))
ISSUING: Final = KeyPurpose.SIGNING | KeyPurpose.CONTRACT
"""A key that issues credentials does not also write the log that dates them."""
ALLOWED: Final = {
    KeyAlgorithm.ES256: KeyPurpose.SIGNING | KeyPurpose.PRESENTATION,
    KeyAlgorithm.ES256K: KeyPurpose.SIGNING | KeyPurpose.PRESENTATION | KeyPurpose.LOG | KeyPurpose.CONTRACT,
    KeyAlgorithm.EDDSA: KeyPurpose.SIGNING | KeyPurpose.PRESENTATION,
    KeyAlgorithm.X25519: KeyPurpose.SEAL,
    KeyAlgorithm.SM2: KeyPurpose.SIGNING | KeyPurpose.SEAL,
}


_NAMES: Final = {KeyAlgorithm.EDDSA: "EdDSA"}


class KeyState(IntEnum):
    """A key ends once; a retired one may still turn out to be compromised."""

    ACTIVE = 1
    RETIRED = 2
    COMPROMISED = 3


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`x` and `y` as in the JWK, 32 bytes each; `y` is zero for the curves that have none."""

    algorithm: KeyAlgorithm
    x: bytes
    y: bytes = bytes(HASH_BYTES)

    def __post_init__(self) -> None:
        check_bytes("key.x", self.x)
        check_bytes("key.y", self.y)
        if self.algorithm in (KeyAlgorithm.EDDSA, KeyAlgorithm.X25519) and self.y != bytes(HASH_BYTES):
            raise MalformedInput("key.y", "is zero: keys of this curve have no y", got=self.y)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a key is for, and when.

    It counts from `valid_from_s` on and before `valid_until_s`, Unix seconds; `NO_END_S` is no end. `x5t_s256` is the
    SHA-256 of its certificate, and `next_thumbprint` the key that alone may follow it; zero where there is none.
    """

    purposes: KeyPurpose
    valid_from_s: int
    valid_until_s: int = NO_END_S
    x5t_s256: bytes = bytes(HASH_BYTES)
    next_thumbprint: bytes = NO_THUMBPRINT

    def __post_init__(self) -> None:
        check_number("key.purposes", int(self.purposes), least=1, most=ALL_PURPOSES)
        if self.purposes & KeyPurpose.LOG and self.purposes & ISSUING:
            raise MalformedInput("key.purposes", "a key that issues does not write the log", got=int(self.purposes))
        check_number("key.valid_until_s", self.valid_until_s, least=1)
        check_number("key.valid_from_s", self.valid_from_s, most=self.valid_until_s - 1)
        check_bytes("key.x5t_s256", self.x5t_s256)
        check_bytes("key.next_thumbprint", self.next_thumbprint)


@dataclass(frozen=True, slots=True)
class KeyEnd:
    """How a key ended: since when, Unix seconds, and the log root that a credential under it must be in.

    Of an active key everything is zero. A log size of 0 lets no credential pass.
    """

    state: KeyState = KeyState.ACTIVE
    ended_s: int = 0
    log_size: int = 0
    log_root: bytes = bytes(HASH_BYTES)

    def __post_init__(self) -> None:
        check_number("key.ended_s", self.ended_s)
        check_number("key.end_log_size", self.log_size)
        check_bytes("key.end_log_root", self.log_root)
        if self.state is KeyState.ACTIVE and (self.ended_s, self.log_size, self.log_root) != (0, 0, bytes(HASH_BYTES)):
            raise MalformedInput("key.end", "an active key has no end", got=self.ended_s)
        if self.log_size == 0 and self.log_root != bytes(HASH_BYTES):
            raise MalformedInput("key.end_log_root", "an empty log is zero", got=self.log_root)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key of a DID; `account` is the hub account of a secp256k1 key, zero of another.

    `open_lists` counts the status lists that are bound to it and not sealed.
    """

    key: PublicKey
    account: bytes
    use: KeyUse
    end: KeyEnd
    open_lists: int
    added: Moment

    def __post_init__(self) -> None:
        check_bytes("key.account", self.account, ADDRESS_BYTES)
        check_number("key.open_lists", self.open_lists, most=MAX_UINT32)
        if (self.key.algorithm is KeyAlgorithm.ES256K) == (self.account == NO_ACCOUNT):
            raise MalformedInput("key.account", "is there for secp256k1 keys and for no others", got=self.account)
        if self.use.purposes & ~ALLOWED[self.key.algorithm]:
            raise MalformedInput(
                "key.purposes",
                f"not all are for {self.key.algorithm.name}",
                got=int(self.use.purposes),
                expected=f"some of {int(ALLOWED[self.key.algorithm])}",
            )
        if self.key.algorithm is KeyAlgorithm.SM2 and self.use.purposes == ALLOWED[KeyAlgorithm.SM2]:
            raise MalformedInput(
                "key.purposes", "a key of SM2 signs or is sealed to, not both", got=int(self.use.purposes)
            )

    def has(self, purpose: KeyPurpose) -> bool:
        """Whether it is for all of `purpose`."""
        return self.use.purposes & purpose == purpose

    def counts_at(self, time_s: int) -> bool:
        """Whether it is active and within its window at this moment."""
        return self.end.state is KeyState.ACTIVE and self.use.valid_from_s <= time_s < self.use.valid_until_s


def encode_key_record(record: KeyRecord) -> bytes:
    """Inverse of `decode_key_record`."""
    key, use, end = record.key, record.use, record.end
    values = (key.algorithm, key.x, key.y, record.account, use.x5t_s256, int(use.purposes))
    window = (use.valid_from_s, use.valid_until_s, use.next_thumbprint)
    ended = (end.state, end.ended_s, end.log_size, end.log_root)
    return encode_value(STRUCT, (*values, *window, *ended, record.open_lists, record.added.height, record.added.time_s))


def public_key_of(
    algorithm: int, x: bytes, y: bytes, known: Collection[KeyAlgorithm] = tuple(KeyAlgorithm)
) -> PublicKey:
    """A public key of ABI values.

    Args:
        known: the algorithms that there are, as a hub's rules version says.

    Raises:
        MalformedInput: an unknown algorithm, or a member out of its rule. Whether it is on its curve is not asked.
    """
    if algorithm not in known:
        # A hub hashes these words, so under each version's algorithms they stay as they were.
        names = ", ".join(f"{one.value} {_NAMES.get(one, one.name)}" for one in known)
        raise MalformedInput("key.algorithm", names, got=algorithm)
    return PublicKey(KeyAlgorithm(algorithm), x, y)


def purposes_of(number: int) -> KeyPurpose:
    """Purposes of their sum.

    Raises:
        MalformedInput: none, or one that is unknown.
    """
    check_number("key.purposes", number, least=1, most=ALL_PURPOSES)
    return KeyPurpose(number)


def decode_key_record(data: bytes) -> KeyRecord:
    """The record of a key.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    values: tuple[Any, ...] = decode_value(STRUCT, data, "key")
    algorithm, x, y, account, x5t_s256, purposes, valid_from_s, valid_until_s, next_thumbprint = values[:9]
    state, ended_s, log_size, log_root, open_lists, height, time_s = values[9:]
    if state not in tuple(KeyState):
        raise MalformedInput("key.state", "1 active, 2 retired, 3 compromised", got=state)
    return KeyRecord(
        public_key_of(algorithm, x, y),
        address_bytes(account),
        KeyUse(purposes_of(purposes), valid_from_s, valid_until_s, x5t_s256, next_thumbprint),
        KeyEnd(KeyState(state), ended_s, log_size, log_root),
        open_lists,
        Moment(height, time_s),
    )
