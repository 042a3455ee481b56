"""The Keccak tree over a seal's claims, and the disclosure of chosen ones.

Leaves ascend, so that their order tells nothing of the claims; the two children of a node are hashed the smaller one first, and
a last node without a neighbour rises as it is. That is the tree of OpenZeppelin's `MerkleProof`, which contracts use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_bytes
from hutong.relay.services.identity.rules.seals.claims import (
    Claim,
    ClaimBytes,
    claim_leaf,
    claim_name_hash,
    decode_claim_value,
    encode_claim_value,
)
from hutong.relay.services.identity.rules.seals.seal import SPEC

MAX_CLAIMS: Final = 256
MAX_PATH: Final = 8
DISCLOSURE_TUPLE: Final = "(bytes32,bytes32,uint8,bytes,bytes32[])"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A claim that is shown, and the siblings on its way up to the root, the lowest first."""

    claim: Claim
    path: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if len(self.path) > MAX_PATH:
            raise MalformedInput("disclosure.path", f"at most {MAX_PATH} nodes", got=len(self.path))
        for node in self.path:
            check_bytes("disclosure.path", node)

    def members(self) -> tuple[Any, ...]:
        """As the struct of ABI values, `DISCLOSURE_TUPLE`: the name hashed, for contracts compare it and no more."""
        encoded = self.claim.encoded
        return (self.claim.salt, claim_name_hash(self.claim.name), int(encoded.kind), encoded.data, list(self.path))


def _parent(first: bytes, second: bytes) -> bytes:
    return keccak256(first + second if first < second else second + first)


def _layers(leaves: Iterable[bytes]) -> list[list[bytes]]:
    layers = [sorted(leaves)]
    while len(layers[-1]) > 1:
        below = layers[-1]
        above = [_parent(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
        layers.append(above + below[len(below) - len(below) % 2 :])
    return layers


@rule(SPEC)
def claims_are_distinct(claims: Sequence[Claim]) -> None:
    """1 to 256 claims, no name and no salt twice: else a holder could choose which value to show, or tell two at once.

    Raises:
        PredicateFailed: none, too many, or a name or salt twice.
    """
    name = "claims_are_distinct"
    if not 1 <= len(claims) <= MAX_CLAIMS:
        raise PredicateFailed(name, "another number of claims", got=len(claims), expected=f"1 to {MAX_CLAIMS}")
    for what, values in (("name", sorted(one.name for one in claims)), ("salt", sorted(one.salt for one in claims))):
        for first, second in pairwise(values):
            if first == second:
                raise PredicateFailed(name, f"a {what} stands twice", got=first)


def claims_root(claims: Sequence[Claim]) -> bytes:
    """The root that the seal holds.

    Raises:
        PredicateFailed: see `claims_are_distinct`.
    """
    claims_are_distinct(claims)
    return _layers(claim.leaf() for claim in claims)[-1][0]


def disclose(claims: Sequence[Claim], names: Sequence[str]) -> tuple[Disclosure, ...]:
    """The claims of these names with their paths, in the order of `names`.

    Raises:
        PredicateFailed: see `claims_are_distinct`.
        MalformedInput: no claim has such a name.
    """
    claims_are_distinct(claims)
    layers = _layers(claim.leaf() for claim in claims)
    by_name = {claim.name: claim for claim in claims}
    shown: list[Disclosure] = []
    for name in names:
        if name not in by_name:
            raise MalformedInput("disclosure.name", "the seal has no such claim", got=name)
        at, path = layers[0].index(by_name[name].leaf()), []
        for layer in layers[:-1]:
            if at ^ 1 < len(layer):
                path.append(layer[at ^ 1])
            at //= 2
        shown.append(Disclosure(by_name[name], tuple(path)))
    return tuple(shown)


def path_root(leaf: bytes, path: Iterable[bytes]) -> bytes:
    """Where a path leads."""
    for sibling in path:
        leaf = _parent(leaf, sibling)
    return leaf


@rule(SPEC)
def claim_is_sealed(disclosure: Disclosure, root: bytes) -> Claim:
    """What is disclosed stands under the seal's root. Returns it.

    Raises:
        PredicateFailed: the path leads to another root.
    """
    found = path_root(disclosure.claim.leaf(), disclosure.path)
    if found != root:
        raise PredicateFailed("claim_is_sealed", "the path leads to another root", got=found, expected=root)
    return disclosure.claim


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """A disclosure as a contract's call has it: the name is hashed."""

    salt: bytes
    name_hash: bytes
    value: ClaimBytes
    path: tuple[bytes, ...]

    @classmethod
    def of(cls, members: Sequence[Any]) -> "ShownClaim":
        """Of the struct of ABI values.

        Raises:
            MalformedInput: a kind, value or path out of its rule.
        """
        salt, name_hash, kind, data, path = members
        value = encode_claim_value(decode_claim_value(kind, data))
        if len(path) > MAX_PATH:
            raise MalformedInput("disclosure.path", f"at most {MAX_PATH} nodes", got=len(path))
        return cls(bytes(salt), bytes(name_hash), value, tuple(map(bytes, path)))


@rule(SPEC)
def shown_claim_is_sealed(shown: ShownClaim, root: bytes) -> None:
    """As `claim_is_sealed`, of what was shown to a contract.

    Raises:
        PredicateFailed: the path leads to another root.
    """
    found = path_root(claim_leaf(shown.salt, shown.name_hash, shown.value), shown.path)
    if found != root:
        raise PredicateFailed("shown_claim_is_sealed", "the path leads to another root", got=found, expected=root)
