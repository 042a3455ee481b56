"""What a leaf of a shard commits to, and the identifier of the person whose leaf it is (docs/spec/identity-persons.md).

A person is known to one registrar by a random identifier. Nothing here is derived from who somebody is.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    HASH_BYTES,
    MAX_UINT32,
    check_bytes,
    check_number,
)
from hutong.relay.services.identity.rules.records.keys import MAX_HUB_NAME_BYTES
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES

SPEC: Final = "docs/spec/identity-persons.md"
SALT_BYTES: Final = 16
NO_COMMITMENT: Final = bytes(HASH_BYTES)
"""In place of a commitment to a next key, or to who may recover: there is none."""
OPENING_BYTES: Final = ADDRESS_BYTES + SALT_BYTES + 4 + 8 + 2 * HASH_BYTES
PERSON_DOMAIN: Final = b"hutong/identity/person/1"
LEAF_DOMAIN: Final = b"hutong/identity/leaf/1"
NEXT_DOMAIN: Final = b"hutong/identity/next/1"


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf's position: the registrar's DID, the number of its shard, the index in it."""

    registrar: bytes
    shard: int
    index: int

    def __post_init__(self) -> None:
        check_bytes("person.registrar", self.registrar)
        check_number("person.shard", self.shard)
        check_number("person.index", self.index, most=MAX_LEAVES - 1)


@dataclass(frozen=True, slots=True)
class Control:
    """Who controls a person: the account of the present key, and commitments to the next one and to who may recover."""

    account: bytes
    next_key: bytes = NO_COMMITMENT
    recovery: bytes = NO_COMMITMENT

    def __post_init__(self) -> None:
        if len(self.account) != ADDRESS_BYTES or not any(self.account):
            raise MalformedInput("person.account", "20 bytes, not all zero", got=self.account)
        if len(self.next_key) != HASH_BYTES or len(self.recovery) != HASH_BYTES:
            raise MalformedInput("person.commitments", "32 bytes each", got=(self.next_key, self.recovery))


@dataclass(frozen=True, slots=True)
class Person:
    """What a leaf commits to.

    `salt` is drawn by the person at registration and stays. `sequence` counts the changes, so that no leaf comes back and no
    signature counts twice. `own_s` is when the person last changed it without the registrar, 0 for never, in Unix seconds.
    """

    control: Control
    salt: bytes
    sequence: int = 0
    own_s: int = 0

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise MalformedInput("person.salt", f"has {SALT_BYTES} bytes", got=len(self.salt))
        check_number("person.sequence", self.sequence, most=MAX_UINT32)
        check_number("person.own_s", self.own_s)


def leaf_of(person: Person) -> bytes:
    """What stands in the shard for a person, 32 bytes."""
    return sha256(LEAF_DOMAIN + encode_opening(person))


def encode_opening(person: Person) -> bytes:
    """`account ‖ salt ‖ BE4 sequence ‖ BE8 own_s ‖ next ‖ recovery`, 112 bytes."""
    control = person.control
    return b"".join(
        (
            control.account,
            person.salt,
            person.sequence.to_bytes(4, "big"),
            person.own_s.to_bytes(8, "big"),
            control.next_key,
            control.recovery,
        )
    )


def decode_opening(data: bytes) -> Person:
    """Inverse of `encode_opening`.

    Raises:
        MalformedInput: another length, or an account of zero.
    """
    check_bytes("person.opening", data, OPENING_BYTES)
    control = Control(data[:20], data[48:80], data[80:112])
    return Person(control, data[20:36], int.from_bytes(data[36:40], "big"), int.from_bytes(data[40:48], "big"))


def next_key_commitment(account: bytes) -> bytes:
    """What commits to the account of the only key that may follow."""
    check_bytes("person.account", account, ADDRESS_BYTES)
    return sha256(NEXT_DOMAIN + account)


def person_id(hub: str, place: Place, salt: bytes) -> bytes:
    """The 32 bytes of a person's DID: no two places have the same one, and without the salt nobody can guess it.

    Args:
        hub: chain id without its revision.
    """
    raw = hub.encode()
    if not 1 <= len(raw) <= MAX_HUB_NAME_BYTES:
        raise MalformedInput("did.hub", f"a name of 1 to {MAX_HUB_NAME_BYTES} bytes", got=len(raw))
    check_bytes("person.salt", salt, SALT_BYTES)
    position = place.shard.to_bytes(8, "big") + place.index.to_bytes(4, "big")
    return sha256(PERSON_DOMAIN + bytes([len(raw)]) + raw + place.registrar + position + salt)
