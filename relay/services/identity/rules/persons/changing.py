"""Changes of persons: the next key takes over, or the present one names another; by the registrar in batches, or by oneself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.persons.person import (
    NO_COMMITMENT,
    OPENING_BYTES,
    SPEC,
    Control,
    Person,
    Place,
    decode_opening,
    encode_opening,
    leaf_of,
    next_key_commitment,
)
from hutong.relay.services.identity.rules.persons.shard_tree import (
    MAX_SIBLINGS,
    LeafChange,
    changes_ascend,
    changes_lead_from_root,
    nodes_are_whole,
)
from hutong.relay.services.identity.rules.persons.signed import COMPACT_BYTES, change_digest, signed_by
from hutong.relay.services.identity.rules.records.encoding import MAX_UINT32
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES, ShardRecord

CONTROL_BYTES: Final = 84
CHANGE_BYTES: Final = 4 + OPENING_BYTES + CONTROL_BYTES + COMPACT_BYTES
MAX_CHANGES: Final = 512
"""Of one batch: more do not fit a transaction."""
OWN_INTERVAL_S: Final = 86_400
"""Between two changes of one leaf by its person alone: each makes the proofs that a registrar has prepared worthless."""


@dataclass(frozen=True, slots=True)
class Change:
    """One leaf by its index: what it opens to, what follows, and the signature (EIP-2098) of whoever decides that."""

    index: int
    before: Person
    following: Control
    signature: bytes


def encode_change(entry: Change) -> bytes:
    """`BE4 index ‖ opening ‖ account ‖ next ‖ recovery ‖ signature`, 264 bytes."""
    before, following = encode_opening(entry.before), encode_control(entry.following)
    return entry.index.to_bytes(4, "big") + before + following + entry.signature


def encode_changes(entries: Sequence[Change]) -> bytes:
    """One after the other."""
    return b"".join(map(encode_change, entries))


def decode_changes(data: bytes) -> tuple[Change, ...]:
    """Inverse of `encode_changes`.

    Raises:
        MalformedInput: not a number of entries from 1 to `MAX_CHANGES`, or a member out of its rule.
    """
    count, rest = divmod(len(data), CHANGE_BYTES)
    if rest or not 1 <= count <= MAX_CHANGES:
        raise MalformedInput("changes", f"1 to {MAX_CHANGES} entries of {CHANGE_BYTES} bytes", got=len(data))
    return tuple(decode_change(data[at : at + CHANGE_BYTES]) for at in range(0, len(data), CHANGE_BYTES))


def decode_change(data: bytes) -> Change:
    """One of them, as a person sends it alone.

    Raises:
        MalformedInput: another length, or a member out of its rule.
    """
    if len(data) != CHANGE_BYTES:
        raise MalformedInput("changes", f"one entry of {CHANGE_BYTES} bytes", got=len(data))
    index, opened, followed = int.from_bytes(data[:4], "big"), 4 + OPENING_BYTES, 4 + OPENING_BYTES + CONTROL_BYTES
    if index >= MAX_LEAVES:
        raise MalformedInput("changes.index", "is not of a shard", got=index, expected=f"< {MAX_LEAVES}")
    return Change(index, decode_opening(data[4:opened]), decode_control(data[opened:followed]), data[followed:])


def encode_control(control: Control) -> bytes:
    """`account ‖ next ‖ recovery`, 84 bytes."""
    return control.account + control.next_key + control.recovery


def decode_control(data: bytes) -> Control:
    """Inverse of `encode_control`.

    Raises:
        MalformedInput: another length, or an account of zero.
    """
    if len(data) != CONTROL_BYTES:
        raise MalformedInput("person.control", f"has {CONTROL_BYTES} bytes", got=len(data))
    return Control(data[:20], data[20:52], data[52:])


@rule(SPEC)
def following_key_was_committed_to(before: Control, following: Control) -> bytes:
    """The account that decides on a change: the next key where one was committed to, which alone may follow; else the present.

    So a thief of the present key changes nothing while a next one is kept elsewhere, and whoever lost the present one can.

    Raises:
        PredicateFailed: another key than the committed one is to follow.
    """
    if before.next_key == NO_COMMITMENT:
        return before.account
    found = next_key_commitment(following.account)
    if found != before.next_key:
        raise PredicateFailed(
            "following_key_was_committed_to", "another key was committed to", got=found, expected=before.next_key
        )
    return following.account


@rule(SPEC)
def sequence_is_left(person: Person) -> None:
    """A leaf never comes back, so its changes are counted.

    Raises:
        PredicateFailed: they have come to their end.
    """
    if person.sequence >= MAX_UINT32:
        raise PredicateFailed("sequence_is_left", "no change can be counted any more", person.sequence, MAX_UINT32)


@rule(SPEC)
def own_change_is_due(person: Person, now_s: int) -> None:
    """A person alone changes its leaf once a day at most; the registrar takes any number.

    Raises:
        PredicateFailed: the last time is less than `OWN_INTERVAL_S` ago.
    """
    due_s = person.own_s + OWN_INTERVAL_S
    if person.own_s and now_s < due_s:
        raise PredicateFailed("own_change_is_due", "not before a day is over", got=now_s, expected=due_s)


def judge_changes(
    judge: Judge,
    hub: str,
    shard: tuple[bytes, int],
    record: ShardRecord,
    batch: tuple[Sequence[bytes], Sequence[Change]],
    own_s: int | None = None,
) -> ShardRecord:
    """The record after a batch of changes; its moment stays, and is the caller's to set.

    Args:
        batch: siblings of the shared multiproof, by level from the leaves up, left to right; and the changes by index.
        own_s: the time in Unix seconds where a person does so without the registrar; None where the registrar does.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    siblings, entries = batch
    judge(nodes_are_whole, siblings, MAX_SIBLINGS)
    changes = [_judge_change(judge, hub, Place(*shard, entry.index), entry, own_s) for entry in entries]
    judge(changes_ascend, record.count, changes)
    root = judge(changes_lead_from_root, record.root, changes, siblings)
    return replace(record, root=root, version=record.version + 1)


def _judge_change(judge: Judge, hub: str, place: Place, entry: Change, own_s: int | None) -> LeafChange:
    before, leaf = entry.before, leaf_of(entry.before)
    judge(sequence_is_left, before)
    if own_s is not None:
        judge(own_change_is_due, before, own_s)
    deciding = judge(following_key_was_committed_to, before.control, entry.following)
    judge(signed_by, change_digest(hub, place, leaf, entry.following), entry.signature, deciding)
    return LeafChange(entry.index, leaf, leaf_of(changed(before, entry.following, own_s)))


def changed(before: Person, following: Control, own_s: int | None = None) -> Person:
    """What a leaf opens to after a change or recovery; `own_s` as in `judge_changes`."""
    return replace(
        before,
        control=following,
        sequence=before.sequence + 1,
        own_s=before.own_s if own_s is None else own_s,
    )
