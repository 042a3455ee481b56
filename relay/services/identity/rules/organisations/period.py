"""What an issuer did between two proven states of a hub, recounted from what was kept: nothing that happened can be left out.

The log says every issuance, lists say every revocation, key records every rotation. Each is compared with what the later state holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.services.identity.rules.organisations.resolving import Proven, ProvenDid, judge_did, record_is_shown
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyState
from hutong.relay.services.identity.rules.records.list_record import ListRecord, decode_list_record
from hutong.relay.services.identity.rules.records.log_record import LogEntry, decode_log_entry, decode_log_record
from hutong.relay.services.identity.rules.status.chunk_tree import list_root, status_in_chunk

SPEC: Final = "docs/identity/audit.md"
_CHUNK: Final = 32


@dataclass(frozen=True, slots=True)
class State:
    """Proven records of one height, that height, and its header's time in Unix seconds."""

    proven: Proven
    height: int
    time_s: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of the period: leaf hashes of the log before it, entries of it, statuses of each list before and after.

    A list that was opened in the period has no statuses before it (None): all were valid. `named_before` has entries of before the
    period by their place in the log, as far as what contracts accepted needs them.
    """

    leaves_before: Sequence[bytes]
    entries: Sequence[bytes]
    lists: Mapping[int, tuple[bytes | None, bytes]]
    named_before: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeriodCount:
    """What happened: `issued` in the order of the log, `risen` by list: indices whose status rose."""

    issued: tuple[LogEntry, ...]
    risen: Mapping[int, tuple[int, ...]]
    keys_added: tuple[bytes, ...]
    keys_ended: tuple[bytes, ...]
    operations: int
    epochs: int


@rule(SPEC)
def issuer_stands_in_both(before: ProvenDid | None, after: ProvenDid | None) -> tuple[ProvenDid, ProvenDid]:
    """The DID is registered at both heights. Returns what is proven of it.

    Raises:
        PredicateFailed: at one it is not.
    """
    if before is None or after is None:
        raise PredicateFailed(
            "issuer_stands_in_both", "the DID is not registered", "before" if before is None else "after"
        )
    return before, after


@rule(SPEC)
def states_are_in_order(before: State, after: State) -> None:
    """The later state is of a greater height.

    Raises:
        PredicateFailed: it is not.
    """
    if before.height >= after.height:
        raise PredicateFailed("states_are_in_order", "heights", got=after.height, expected=f"> {before.height}")


@rule(SPEC)
def log_is_kept_whole(size: int, root: bytes, leaves: Sequence[bytes], when: str) -> None:
    """As many entries were kept as the log has, and they are the log's.

    Raises:
        PredicateFailed: one is missing, more, or another.
    """
    if len(leaves) != size:
        raise PredicateFailed("log_is_kept_whole", f"entries {when} the period", got=len(leaves), expected=size)
    if size and root_of_leaves(leaves) != root:
        raise PredicateFailed("log_is_kept_whole", f"another entry {when} the period", root_of_leaves(leaves), root)


@rule(SPEC)
def every_list_is_kept(lists: int, kept: Sequence[int]) -> None:
    """Statuses of every list were kept.

    Raises:
        PredicateFailed: one is missing, or more.
    """
    if sorted(kept) != list(range(lists)):
        raise PredicateFailed("every_list_is_kept", "numbers of lists", sorted(kept), f"0 to {lists - 1}")


@rule(SPEC)
def statuses_are_kept_whole(record: ListRecord, octets: bytes | None, when: str) -> bytes:
    """The statuses that were kept are those that the record holds the root of. Returns them.

    Raises:
        PredicateFailed: a revocation is hidden, or invented, or nothing was kept.
        MalformedInput: another number of bytes.
    """
    if octets is None:
        raise PredicateFailed("statuses_are_kept_whole", f"nothing was kept of a list that stood {when} the period")
    root = list_root(record.shape, octets)
    if root != record.root:
        raise PredicateFailed("statuses_are_kept_whole", f"another root {when} the period", root, record.root)
    return octets


def judge_period(judge: Judge, did: bytes, before: State, after: State, kept: Kept) -> PeriodCount:
    """Everything between two states.

    Raises:
        PredicateFailed: the first rule that does not hold: something was left out, changed or invented.
        MalformedInput: a record or an entry is not one.
    """
    judge(states_are_in_order, before, after)
    found = (judge_did(judge, did, before.proven), judge_did(judge, did, after.proven))
    first, last = judge(issuer_stands_in_both, *found)
    leaves = (*kept.leaves_before, *map(leaf_hash, kept.entries))
    for state, shown, when in ((before, kept.leaves_before, "before"), (after, leaves, "after")):
        raw = judge(record_is_shown, state.proven, keys.log_key(did))
        size, root = (0, b"") if raw is None else _log(raw)
        judge(log_is_kept_whole, size, root, shown, when)
    judge(every_list_is_kept, last.record.counts.lists, tuple(kept.lists))
    risen = {number: _judge_list(judge, did, (before, after), number, kept) for number in sorted(kept.lists)}
    added = tuple(sorted(last.keys.keys() - first.keys.keys()))
    return PeriodCount(
        tuple(decode_log_entry(entry) for entry in kept.entries),
        {number: indices for number, indices in risen.items() if indices},
        added,
        tuple(name for name in sorted(last.keys) if _ended(last, name) and not _ended(first, name)),
        last.record.sequence - first.record.sequence,
        last.epoch.number - first.epoch.number,
    )


def _log(raw: bytes) -> tuple[int, bytes]:
    record = decode_log_record(raw)
    return record.size, record.root


def _ended(did: ProvenDid, name: bytes) -> bool:
    return name in did.keys and did.keys[name].end.state is not KeyState.ACTIVE


def _judge_list(judge: Judge, did: bytes, states: tuple[State, State], number: int, kept: Kept) -> tuple[int, ...]:
    key = keys.list_key(did, number)
    earlier, later = (judge(record_is_shown, state.proven, key) for state in states)
    octets_before, octets_after = kept.lists[number]
    if later is None:
        raise PredicateFailed("every_list_is_kept", "the DID has no such list", got=number)
    record = decode_list_record(later)
    judge(statuses_are_kept_whole, record, octets_after, "after")
    if earlier is None:
        return tuple(_changed(record, bytes(len(octets_after)), octets_after))
    first = judge(statuses_are_kept_whole, decode_list_record(earlier), octets_before, "before")
    return tuple(_changed(record, first, octets_after))


def _changed(record: ListRecord, before: bytes, after: bytes) -> list[int]:
    found = []
    in_chunk = _CHUNK * 8 // record.shape.bits
    for number in range(record.shape.chunks):
        at = slice(number * _CHUNK, (number + 1) * _CHUNK)
        if before[at] == after[at]:
            continue
        for index in range(number * in_chunk, (number + 1) * in_chunk):
            one, two = (status_in_chunk(record.shape, chunk[at], index) for chunk in (before, after))
            if one != two:
                found.append(index)
    return found
