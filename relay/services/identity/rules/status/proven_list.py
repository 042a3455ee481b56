"""What the hub's list record says of a list, against a token that claims to be it (docs/spec/identity-status.md).

That the record stands under the hub's root, and how old that root is, is the caller's to show first.
"""

from dataclasses import dataclass
from hashlib import sha256

from hutong.light_clients.interface.errors import PredicateFailed
from hutong.light_clients.interface.judge import Judge, rule
from hutong.relay.services.identity.rules.status.chunk_tree import (
    SPEC,
    ChunkProof,
    TreeShape,
    chunk_stands_under_root,
    index_is_below_size,
    list_root,
    path_has_the_trees_depth,
    status_in_chunk,
)
from hutong.relay.services.identity.rules.status.statuses import Statuses


@dataclass(frozen=True, slots=True)
class ProvenList:
    """A list record and the issuer's epoch, as they stand under one root of the hub.

    `key_thumbprint` (RFC 7638, 32 bytes) is the key that the list is bound to; `token_sha256` the hash of the compact token
    that is to be served for it.
    """

    shape: TreeShape
    root: bytes
    key_thumbprint: bytes
    token_sha256: bytes
    epoch: int


@rule(SPEC)
def epoch_is_newest(proven: ProvenList, newest_epoch: int) -> None:
    """No later epoch of the issuer was seen: what it took back since is not in this record.

    Raises:
        PredicateFailed: a later one was.
    """
    if proven.epoch < newest_epoch:
        raise PredicateFailed("epoch_is_newest", "of an earlier epoch", got=proven.epoch, expected=newest_epoch)


@rule(SPEC)
def list_is_bound_to_key(proven: ProvenList, key_thumbprint: bytes) -> None:
    """The key that signed, of the credential and of the token, is the one that the list is bound to.

    Raises:
        PredicateFailed: it is another, such as one that the list was never opened for.
    """
    if proven.key_thumbprint != key_thumbprint:
        raise PredicateFailed("list_is_bound_to_key", "the list of another key", key_thumbprint, proven.key_thumbprint)


@rule(SPEC)
def token_is_the_proven_one(proven: ProvenList, token: str) -> None:
    """The token has the hash that the record holds, so that it does not matter which mirror served it.

    Raises:
        PredicateFailed: it has another: an older one, one of another list, or one spelled anew.
    """
    digest = sha256(token.encode()).digest()
    if digest != proven.token_sha256:
        raise PredicateFailed("token_is_the_proven_one", "another token", got=digest, expected=proven.token_sha256)


@rule(SPEC)
def statuses_are_the_records(proven: ProvenList, statuses: Statuses) -> None:
    """The token's statuses have the record's width, size and root: the issuer tells wallets what it tells contracts.

    Raises:
        PredicateFailed: one of the three is another.
    """
    said, held = (statuses.bits, statuses.size), (proven.shape.bits, proven.shape.size)
    if said != held:
        raise PredicateFailed("statuses_are_the_records", "another width or size", got=said, expected=held)
    root = list_root(proven.shape, statuses.octets)
    if root != proven.root:
        raise PredicateFailed("statuses_are_the_records", "another root", got=root, expected=proven.root)


def judge_proven_status(
    judge: Judge, proven: ProvenList, index: int, proof: ChunkProof, key_thumbprint: bytes, newest_epoch: int
) -> int:
    """The status of `index` by its chunk alone, without the token: what a contract and an auditor do.

    Args:
        key_thumbprint: of the key that signed the credential.
        newest_epoch: the highest of the issuer that was seen.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(epoch_is_newest, proven, newest_epoch)
    judge(list_is_bound_to_key, proven, key_thumbprint)
    judge(index_is_below_size, proven.shape, index)
    number = proven.shape.chunk_of(index)
    judge(path_has_the_trees_depth, proven.shape, proof)
    judge(chunk_stands_under_root, proven.root, number, proof)
    return status_in_chunk(proven.shape, proof.chunk, index)
