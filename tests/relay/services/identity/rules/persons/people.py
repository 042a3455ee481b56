"""Persons whose keys are made from their names, and a tree over their leaves that knows no code of the rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.addresses import eth_address
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.persons.changing import Change
from hutong.relay.services.identity.rules.persons.person import (
    NO_COMMITMENT,
    Control,
    Person,
    Place,
    leaf_of,
    next_key_commitment,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import PersonPolicy, policy_commitment_of
from hutong.relay.services.identity.rules.persons.registering import Registration
from hutong.relay.services.identity.rules.persons.signed import change_digest, compact_form, registration_digests

HUB = "hutong"
DID = b"\x11" * 32
SHARD = (DID, 0)
DEPTH = 20
ZEROS = [bytes(32)]
"""By height: the node over leaves of which none is taken."""
for _ in range(DEPTH):
    ZEROS.append(sha256(ZEROS[-1] + ZEROS[-1]).digest())


def refused_by(judge: Callable[..., Any], *arguments: Any) -> str:
    """The rule, or the malformed member."""
    with pytest.raises((PredicateFailed, MalformedInput)) as caught:
        judge(*arguments)
    return caught.value.predicate if isinstance(caught.value, PredicateFailed) else caught.value.field


def secret(name: str) -> bytes:
    return sha256(f"person {name}".encode()).digest()


def account(name: str) -> bytes:
    return eth_address(secp256k1.public_key_of(secret(name)))


def signed(name: str, digest: bytes) -> bytes:
    return compact_form(secp256k1.sign_recoverable(secret(name), digest))


def signed_65(name: str, digest: bytes) -> bytes:
    """As accounts of controllers and guardians sign."""
    whole = secp256k1.sign_recoverable(secret(name), digest)
    return whole[:64] + bytes([27 + whole[64]])


def control(name: str, following: str | None = None, policy: PersonPolicy | None = None) -> Control:
    """A key; the name of the one that is committed to as the next; who may recover."""
    next_key = NO_COMMITMENT if following is None else next_key_commitment(account(following))
    return Control(account(name), next_key, NO_COMMITMENT if policy is None else policy_commitment_of(policy))


def salt(name: str) -> bytes:
    return sha256(f"salt {name}".encode()).digest()[:16]


def person(name: str, following: str | None = None, policy: PersonPolicy | None = None) -> Person:
    return Person(control(name, following, policy), salt(name))


def registration(one: Person, key: str, shard=SHARD) -> Registration:
    (digest,) = registration_digests(HUB, shard, [(one.control, one.salt)])
    return Registration(one.control, one.salt, signed(key, digest))


def registrations(names: Sequence[str], shard=SHARD) -> list[Registration]:
    return [registration(person(name), name, shard) for name in names]


def change(index: int, before: Person, following: Control, key: str, shard=SHARD) -> Change:
    digest = change_digest(HUB, Place(*shard, index), leaf_of(before), following)
    return Change(index, before, following, signed(key, digest))


def policy(
    guardians: Sequence[str] = (), threshold: int = 0, *, registrar_may: bool = False, delay_s: int = 3_600
) -> PersonPolicy:
    accounts = tuple(sorted(account(name) for name in guardians))
    return PersonPolicy(b"\x77" * 16, threshold, accounts, registrar_may, delay_s)


def guardians_sign(names: Sequence[str], digest: bytes) -> tuple[bytes, ...]:
    return tuple(signed_65(name, digest) for name in sorted(names, key=account))


@dataclass
class Tree:
    """Every leaf of a shard in a list, and every node worked out anew: slow, and obviously so."""

    leaves: list[bytes]

    def levels(self) -> list[list[bytes]]:
        """As far as there are nodes of leaves; what is right of them is of zeros."""
        levels = [list(self.leaves)]
        for height in range(DEPTH):
            row = levels[-1] + ([ZEROS[height]] if len(levels[-1]) % 2 else [])
            levels.append([sha256(row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)])
        return levels

    def node(self, levels: list[list[bytes]], height: int, number: int) -> bytes:
        return levels[height][number] if number < len(levels[height]) else ZEROS[height]

    def root(self) -> bytes:
        return self.node(self.levels(), DEPTH, 0)

    def edge(self) -> list[bytes]:
        levels, count = self.levels(), len(self.leaves)
        return [levels[height][(count >> height) - 1] for height in range(DEPTH + 1) if count >> height & 1]

    def path(self, index: int) -> list[bytes]:
        levels = self.levels()
        return [self.node(levels, height, index >> height ^ 1) for height in range(DEPTH)]

    def siblings(self, indices: Sequence[int]) -> list[bytes]:
        """Of a shared proof of some leaves, in the order of the format."""
        levels, known, found = self.levels(), sorted(indices), []
        for height in range(DEPTH):
            found += [self.node(levels, height, number ^ 1) for number in known if number ^ 1 not in known]
            known = sorted({number >> 1 for number in known})
        return found


def tree_of(people: Sequence[Person]) -> Tree:
    return Tree([leaf_of(one) for one in people])
