"""Places of another chain's state that an observation tells of, and the keys of observations (docs/spec/records.md).

A key names client, place and nothing else, so that no name can be squatted. What a caller of `observe` writes is the
place's name: kind and bytes.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self, TypeAlias

from hutong.light_clients.crypto import ADDRESS_BYTES, sha256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.ibc.identifiers import check_client_id, client_type_of
from hutong.light_clients.interface import MalformedInput

OBSERVATION_PREFIX = b"observation/"
"""Every key of the module is under it, observations and the module's own state."""
SLOT_BYTES = 32
WORD_BYTES = 32
MAX_STORE_BYTES = 64
MAX_STORE_KEY_BYTES = 512
MAX_STORE_VALUE_BYTES = 8 * 1024
MAX_NAME_BYTES = 1 + MAX_STORE_BYTES + MAX_STORE_KEY_BYTES
"""The longest name of a place: that of a store key."""


TYPES_WITH_KEYS = frozenset({"07-tendermint", "bitcoin", "c2sp-tlog", "fisco-bcos"})
"""Types of clients that show keys with values, each with a proof of its own. All but the first show presence alone: entries of
a log under `entry` and an index, messages and events under their ICS-24 key."""


class PlaceKind(IntEnum):
    """What sort of place: the first member of an item of `observe`."""

    SLOT = 1
    ACCOUNT = 2
    STORE = 3

    @property
    def family(self) -> str:
        """The word after `observation/` in keys of this kind."""
        return self.name.lower()

    @property
    def tail_bytes(self) -> int:
        """How many bytes follow the client's identifier and its `/` in a key of this kind."""
        return _TAIL_BYTES[self]


_TAIL_BYTES = {
    PlaceKind.SLOT: ADDRESS_BYTES + SLOT_BYTES,
    PlaceKind.ACCOUNT: ADDRESS_BYTES + 1,
    PlaceKind.STORE: HASH_BYTES,
}


class AccountField(IntEnum):
    """A field of an EVM account; the number stands in keys."""

    NONCE = 1
    BALANCE = 2
    CODE_HASH = 3
    STORAGE_ROOT = 4


@dataclass(frozen=True, slots=True)
class SlotPlace:
    """A word of storage: `account` has 20 bytes, `slot` 32."""

    account: bytes
    slot: bytes

    def __post_init__(self) -> None:
        _check_account(self.account)
        if len(self.slot) != SLOT_BYTES:
            raise MalformedInput("place.slot", f"must be {SLOT_BYTES} bytes", got=self.slot)

    @property
    def kind(self) -> PlaceKind:
        """That of slots."""
        return PlaceKind.SLOT

    @property
    def name(self) -> bytes:
        """account ‖ slot."""
        return self.account + self.slot

    @property
    def tail(self) -> bytes:
        """The name itself."""
        return self.name


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """A field of the account at a 20-byte address."""

    account: bytes
    field: AccountField

    def __post_init__(self) -> None:
        _check_account(self.account)

    @property
    def kind(self) -> PlaceKind:
        """That of account fields."""
        return PlaceKind.ACCOUNT

    @property
    def name(self) -> bytes:
        """account ‖ field in one byte."""
        return self.account + bytes([self.field])

    @property
    def tail(self) -> bytes:
        """The name itself."""
        return self.name


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A key of a Cosmos chain's store; `store` is empty where the chain has one store.

    Of a signed log the entry at an index (from 0) is the key BE8(index) of the store `entry`.
    """

    store: bytes
    key: bytes

    def __post_init__(self) -> None:
        if len(self.store) > MAX_STORE_BYTES:
            raise MalformedInput("place.store", f"more than {MAX_STORE_BYTES} bytes", got=len(self.store))
        if not 1 <= len(self.key) <= MAX_STORE_KEY_BYTES:
            raise MalformedInput("place.key", f"must be 1 to {MAX_STORE_KEY_BYTES} bytes", got=len(self.key))

    @property
    def kind(self) -> PlaceKind:
        """That of store keys."""
        return PlaceKind.STORE

    @property
    def name(self) -> bytes:
        """BE1(n) ‖ store ‖ key, with n the store's length."""
        return bytes([len(self.store)]) + self.store + self.key

    @property
    def tail(self) -> bytes:
        """SHA-256 of the name, so that a key of the hub's state stays short."""
        return sha256(self.name)

    @property
    def path(self) -> tuple[bytes, ...]:
        """The path of a (non-)membership proof: store and key, or the key alone."""
        return (self.store, self.key) if self.store else (self.key,)


Place: TypeAlias = SlotPlace | FieldPlace | StorePlace


@dataclass(frozen=True, slots=True)
class ObservationKey:
    """A key under which an observation stands: the client, the kind of place, and what follows in the key."""

    client_id: str
    kind: PlaceKind
    tail: bytes

    def __post_init__(self) -> None:
        check_client_id(self.client_id, "observation_key.client_id")
        if len(self.tail) != self.kind.tail_bytes:
            raise MalformedInput(
                "observation_key", f"length of a {self.kind.family} key's end", len(self.tail), self.kind.tail_bytes
            )
        if self.kind is PlaceKind.ACCOUNT:
            _account_field(self.tail[ADDRESS_BYTES], "observation_key")

    @classmethod
    def of(cls, client_id: str, place: Place) -> Self:
        """The key of what `client_id` shows of `place`.

        Raises:
            MalformedInput: not a client identifier.
        """
        return cls(client_id, place.kind, place.tail)

    @property
    def client_type(self) -> str:
        """The part of the client's identifier before its number."""
        return client_type_of(self.client_id)

    def to_bytes(self) -> bytes:
        """`observation/<kind>/<client>/ ‖ …`, at most 134 bytes."""
        return OBSERVATION_PREFIX + f"{self.kind.family}/{self.client_id}/".encode() + self.tail


def epoch_key(client_id: str) -> bytes:
    """The key of a client's epoch.

    Raises:
        MalformedInput: not a client identifier.
    """
    return OBSERVATION_PREFIX + f"client/{check_client_id(client_id)}".encode()


def parse_observation_key(key: bytes) -> ObservationKey:
    """Inverse of `ObservationKey.to_bytes`.

    Raises:
        MalformedInput: not a key of an observation; the key of an epoch is not one.
    """
    for kind in PlaceKind:
        prefix = OBSERVATION_PREFIX + f"{kind.family}/".encode()
        if key.startswith(prefix):
            client_id, slash, tail = key[len(prefix) :].partition(b"/")
            if not slash or not client_id.isascii():
                break
            return ObservationKey(client_id.decode("ascii"), kind, tail)
    raise MalformedInput("observation_key", "is not the key of an observation", got=key)


def decode_place(kind: int, name: bytes) -> Place:
    """The place that an item of `observe` names; the inverse of `kind` and `name`.

    Raises:
        MalformedInput: an unknown kind, or a name that is not of its form.
    """
    if kind == PlaceKind.SLOT and len(name) == ADDRESS_BYTES + SLOT_BYTES:
        return SlotPlace(name[:ADDRESS_BYTES], name[ADDRESS_BYTES:])
    if kind == PlaceKind.ACCOUNT and len(name) == ADDRESS_BYTES + 1:
        return FieldPlace(name[:ADDRESS_BYTES], _account_field(name[ADDRESS_BYTES], "place.field"))
    if kind == PlaceKind.STORE and name:
        end = 1 + name[0]
        if end > len(name):
            raise MalformedInput("place.store", "the name ends inside the store", got=len(name), expected=end)
        return StorePlace(name[1:end], name[end:])
    if kind not in tuple(PlaceKind):
        raise MalformedInput("place.kind", "1 slot, 2 account field, 3 store key", got=kind)
    raise MalformedInput("place.name", f"is not the name of a place of kind {kind}", got=name)


def _check_account(account: bytes) -> None:
    if len(account) != ADDRESS_BYTES:
        raise MalformedInput("place.account", f"must be {ADDRESS_BYTES} bytes", got=account)


def _account_field(number: int, field: str) -> AccountField:
    if number not in tuple(AccountField):
        raise MalformedInput(field, "1 nonce, 2 balance, 3 code hash, 4 storage root", got=number)
    return AccountField(number)
