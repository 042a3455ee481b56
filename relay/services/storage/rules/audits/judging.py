"""Whether an operator answered: each probe by itself, under the set and seed that the hub holds (docs/spec/storage-audits.md).

That set, seed and removals stand on the hub, and how old its header is, is the caller's to show first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle import MerkleProof, leaf_hash, root_of
from hutong.light_clients.proofs.merkle.proof import index_within_total, path_is_canonical
from hutong.relay.services.storage.rules.audits.answers import Answer, LeafAnswer, RemovedAnswer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.audits.seed import SPEC
from hutong.relay.services.storage.rules.commitments.entries import ShardEntry
from hutong.relay.services.storage.rules.commitments.placed import PlacedEntry, judge_placed
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES


@dataclass(frozen=True, slots=True)
class Removed:
    """Bit i of `shards` says that the hub recorded the removal of shard i, the last of them at `time_s`."""

    shards: int
    time_s: int


Removals = Mapping[tuple[int, bytes], Removed]
"""By number of the batch on the hub, and pack: what another writer says of a pack of this name is of no matter."""


@dataclass(frozen=True, slots=True)
class AuditCount:
    """What answers showed: `held` leaves, and probes that fell on shards which were `removed` by the rules."""

    held: int
    removed: int


@rule(SPEC)
def batch_holds_the_leaf(placed: PlacedEntry, leaf: int) -> int:
    """The leaf that was asked for is one of the batch's. Returns its number in the batch.

    Raises:
        PredicateFailed: it lies before or after the batch.
    """
    within = leaf - placed.log_entry.first
    if not 0 <= within < placed.log_entry.leaves:
        raise PredicateFailed(
            "batch_holds_the_leaf", "the leaf is another batch's", got=leaf, expected=placed.log_entry.first
        )
    return within


@rule(SPEC)
def shard_holds_the_leaf(entry: ShardEntry, within: int) -> int:
    """The leaf is one of the shard's. Returns its number in the shard.

    Raises:
        PredicateFailed: it lies before or after the shard.
    """
    number = within - entry.first
    if not 0 <= number < entry.leaves:
        raise PredicateFailed("shard_holds_the_leaf", "the leaf is another shard's", got=within, expected=entry.first)
    return number


@rule(SPEC)
def answer_is_of_the_leaf(answer: LeafAnswer, number: int) -> None:
    """The leaf that is shown is the one of the number that the probe drew.

    Raises:
        PredicateFailed: it is a neighbour's.
    """
    if answer.leaf_index != number:
        raise PredicateFailed("answer_is_of_the_leaf", "another leaf of the shard", answer.leaf_index, number)


@rule(SPEC)
def leaf_stands_in_shard(answer: LeafAnswer) -> None:
    """The leaf's 1 024 bytes lead to the shard's root by the path of their number.

    Raises:
        PredicateFailed: another root, or a leaf or path of another length.
    """
    entry = answer.placed.entry
    if len(answer.leaf) != LEAF_BYTES:
        raise PredicateFailed("leaf_stands_in_shard", "bytes of a leaf", len(answer.leaf), LEAF_BYTES)
    proof = MerkleProof(entry.leaves, answer.leaf_index, leaf_hash(answer.leaf), answer.leaf_path)
    index_within_total(proof)
    path_is_canonical(proof)
    found = root_of(proof)
    if found != entry.root:
        raise PredicateFailed("leaf_stands_in_shard", "the path leads to another root", found, entry.root)


@rule(SPEC)
def removal_is_recorded(answer: RemovedAnswer, removals: Removals) -> None:
    """The hub recorded that this shard of this pack and batch was removed, after the retention of this very entry.

    Its retention is asked again, for a writer could have made another entry of the shard with a shorter one.

    Raises:
        PredicateFailed: it did not, or did before.
    """
    entry = answer.placed.entry
    removed = removals.get((answer.placed.log_entry.batch, entry.pack))
    if removed is None or not removed.shards >> entry.shard & 1:
        raise PredicateFailed("removal_is_recorded", "the shard was never removed", entry.pack, entry.shard)
    if removed.time_s <= entry.retain_until_s:
        raise PredicateFailed(
            "removal_is_recorded", "removed while retained", removed.time_s, f"> {entry.retain_until_s}"
        )


def judge_answer(judge: Judge, challenge: Challenge, number: int, answer: Answer, removals: Removals) -> None:
    """That `answer` is the answer to probe `number`.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    leaf = probe_leaf(challenge, number)
    entry = judge_placed(judge, challenge.operator_set, answer.placed)
    within = judge(batch_holds_the_leaf, answer.placed, leaf)
    drawn = judge(shard_holds_the_leaf, entry, within)
    if isinstance(answer, RemovedAnswer):
        judge(removal_is_recorded, answer, removals)
        return
    judge(answer_is_of_the_leaf, answer, drawn)
    judge(leaf_stands_in_shard, answer)


def judge_answers(
    judge: Judge, challenge: Challenge, first: int, answers: Sequence[Answer], removals: Removals
) -> AuditCount:
    """That `answers` are those to probes `first` and the following ones, each of them.

    Raises:
        PredicateFailed: the first rule that does not hold; an answer too many is of a probe that is not asked.
    """
    for at, answer in enumerate(answers):
        judge_answer(judge.under(f"probe {first + at}: "), challenge, first + at, answer, removals)
    removed = sum(isinstance(answer, RemovedAnswer) for answer in answers)
    return AuditCount(len(answers) - removed, removed)
