"""What a person shows to its issuer: the opening of its leaf and the path, judged by the shard's record of the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.persons.person import (
    OPENING_BYTES,
    SPEC,
    Person,
    Place,
    decode_opening,
    encode_opening,
    leaf_of,
    person_id,
)
from hutong.relay.services.identity.rules.persons.shard_tree import DEPTH, leaf_stands_under_root
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES, check_bytes
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord

VERSION: Final = 1
PROOF_BYTES: Final = 1 + HASH_BYTES + 8 + 4 + OPENING_BYTES + DEPTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class PersonProof:
    """Where a person's leaf stands, what it opens to, and the 20 nodes beside its way up."""

    place: Place
    person: Person
    path: Sequence[bytes]


def encode_person_proof(proof: PersonProof) -> bytes:
    """`01 ‖ registrar ‖ BE8 shard ‖ BE4 index ‖ opening ‖ path`, 797 bytes."""
    place = proof.place
    head = bytes([VERSION]) + place.registrar + place.shard.to_bytes(8, "big") + place.index.to_bytes(4, "big")
    return head + encode_opening(proof.person) + b"".join(proof.path)


def decode_person_proof(data: bytes) -> PersonProof:
    """Inverse of `encode_person_proof`.

    Raises:
        MalformedInput: another length or version, or a member out of its rule.
    """
    check_bytes("person_proof", data, PROOF_BYTES)
    if data[0] != VERSION:
        raise MalformedInput("person_proof.version", "unknown", got=data[0], expected=VERSION)
    place = Place(data[1:33], int.from_bytes(data[33:41], "big"), int.from_bytes(data[41:45], "big"))
    path = data[45 + OPENING_BYTES :]
    nodes = tuple(path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES))
    return PersonProof(place, decode_opening(data[45 : 45 + OPENING_BYTES]), nodes)


@rule(SPEC)
def proof_is_of_person(hub: str, proof: PersonProof, did: bytes) -> None:
    """The place and salt are those that the identifier was made of.

    Raises:
        PredicateFailed: they are another person's.
    """
    found = person_id(hub, proof.place, proof.person.salt)
    if found != did:
        raise PredicateFailed("proof_is_of_person", "the place is another person's", got=found, expected=did)


def judge_person(judge: Judge, hub: str, did: bytes, record: ShardRecord, proof: PersonProof) -> Person:
    """Who controls the person with this identifier, as of the shard's record, which the caller has proven under a header.

    The record must be that of `proof.place`'s registrar and shard.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(proof_is_of_person, hub, proof, did)
    judge(leaf_stands_under_root, record.root, proof.place.index, leaf_of(proof.person), proof.path)
    return proof.person
