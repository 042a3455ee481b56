"""Acceptances of an issuer's seals by contracts, from the events of their chain: counted, and held against log and lists.

An export is a node's word: which events there are is not proven by it. What is told is judged: each seal stands in the
issuer's log, for the list that is told, and was not revoked at the hub's height under which the contract judged it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.proofs.merkle.tree import leaf_hash
from hutong.relay.services.identity.rules.organisations.period import Kept, State, issuer_stands_in_both
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid, judge_did, record_is_shown
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyState
from hutong.relay.services.identity.rules.records.list_record import decode_list_record
from hutong.relay.services.identity.rules.records.log_record import LogEntry, decode_log_entry
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, status_in_chunk

SPEC: Final = "docs/identity/audit.md"
FORMAT: Final = "hutong-acceptances"
VERSION: Final = 1
MAX_EXPORT_BYTES: Final = 256 * 1024 * 1024
MAX_EVENTS: Final = 500_000
_HASH, _ADDRESS, _CHUNK, _MOST = 32, 20, 32, 2**63 - 1


@dataclass(frozen=True, slots=True)
class GateEvent:
    """One `SealAccepted`: where it stands on its chain, and what it says. Heights are of the hub, times Unix seconds."""

    block: int
    time_s: int
    transaction: bytes
    log_index: int
    seal: bytes
    list_number: int
    list_height: int
    standing_height: int
    max_age_s: int


@dataclass(frozen=True, slots=True)
class GateExport:
    """Events of one contract about one issuer, in blocks `first` to `last` of the chain with this EIP-155 id."""

    chain_id: int
    gate: bytes
    issuer: bytes
    first: int
    last: int
    events: tuple[GateEvent, ...]


@dataclass(frozen=True, slots=True)
class AcceptanceCount:
    """Of one export: acceptances in the period of the hub, of which `undecided` are of credentials that were revoked in it, before or
    after, the two states do not say; and how many are of other heights of the hub."""

    export: GateExport
    valid: int
    undecided: tuple[GateEvent, ...]
    outside: int


def encode_gate_export(export: GateExport) -> bytes:
    """As JSON."""
    events = [
        {
            "block": one.block,
            "time": one.time_s,
            "transaction": one.transaction.hex(),
            "logIndex": one.log_index,
            "seal": one.seal.hex(),
            "list": one.list_number,
            "listHeight": one.list_height,
            "standingHeight": one.standing_height,
            "maxAge": one.max_age_s,
        }
        for one in export.events
    ]
    head = {"format": FORMAT, "version": VERSION, "chainId": export.chain_id, "gate": export.gate.hex()}
    said = {"issuer": export.issuer.hex(), "from": export.first, "to": export.last, "acceptances": events}
    return json.dumps(head | said, indent=1).encode() + b"\n"


def decode_gate_export(data: bytes) -> GateExport:
    """Inverse of `encode_gate_export`.

    Raises:
        MalformedInput: another format or version, or a member out of its bounds.
    """
    document = Document.parse(data, "acceptances", MAX_EXPORT_BYTES)
    with document.of_format("acceptances", FORMAT, VERSION) as fields:
        return GateExport(
            fields["chainId"].integer(1, _MOST),
            fields["gate"].hex(_ADDRESS),
            fields["issuer"].hex(_HASH),
            fields["from"].integer(0, _MOST),
            fields["to"].integer(0, _MOST),
            tuple(map(_event, fields["acceptances"].items(MAX_EVENTS))),
        )


def _event(item: Document) -> GateEvent:
    with item.members() as fields:
        return GateEvent(
            fields["block"].integer(0, _MOST),
            fields["time"].integer(0, _MOST),
            fields["transaction"].hex(_HASH),
            fields["logIndex"].integer(0, _MOST),
            fields["seal"].hex(_HASH),
            fields["list"].integer(0, 65_535),
            fields["listHeight"].integer(0, _MOST),
            fields["standingHeight"].integer(0, _MOST),
            fields["maxAge"].integer(0, _MOST),
        )


@dataclass(frozen=True, slots=True)
class LoggedSeal:
    """Where a seal stands in the issuer's log."""

    position: int
    entry: LogEntry


@dataclass(frozen=True, slots=True)
class ListStatuses:
    """A list's statuses before the period (None: it was not there) and after it, and the height of its last change."""

    shape: TreeShape
    before: bytes | None
    after: bytes
    changed_height: int

    def at(self, index: int) -> tuple[int, int]:
        """The status before and after the period."""
        before = 0 if self.before is None else _status(self.shape, self.before, index)
        return before, _status(self.shape, self.after, index)


def _status(shape: TreeShape, octets: bytes, index: int) -> int:
    at = index * shape.bits // 8 // _CHUNK * _CHUNK
    return status_in_chunk(shape, octets[at : at + _CHUNK], index)


@rule(SPEC)
def export_is_of_issuer(export: GateExport, did: bytes) -> None:
    """What was exported is about this issuer.

    Raises:
        PredicateFailed: it is about another.
    """
    if export.issuer != did:
        raise PredicateFailed("export_is_of_issuer", "acceptances of another issuer", got=export.issuer, expected=did)


@rule(SPEC)
def events_are_distinct(export: GateExport) -> None:
    """Events ascend by block and place, within the blocks that were exported: none counts twice.

    Raises:
        PredicateFailed: one does not.
    """
    last = (export.first, -1)
    for one in export.events:
        place = (one.block, one.log_index)
        if place <= last or one.block > export.last:
            raise PredicateFailed("events_are_distinct", "an event out of order or range", place, (last, export.last))
        last = place


@rule(SPEC)
def entry_before_is_of_log(leaves: Sequence[bytes], position: int, entry: bytes) -> LogEntry:
    """An entry of before the period is the one whose leaf stands at its place in the log.

    Raises:
        PredicateFailed: it is another one. MalformedInput: it is not an entry.
    """
    if not 0 <= position < len(leaves) or leaf_hash(entry) != leaves[position]:
        raise PredicateFailed("entry_before_is_of_log", "the log has another entry there", got=position)
    return decode_log_entry(entry)


@rule(SPEC)
def accepted_seal_was_logged(event: GateEvent, logged: LoggedSeal | None) -> LoggedSeal:
    """The issuer's log tells of the seal that a contract accepted, for the list that the contract looked into.

    Raises:
        PredicateFailed: an issuance is hidden, or the event is of another one.
    """
    if logged is None:
        raise PredicateFailed("accepted_seal_was_logged", "no entry of the log is of this seal", got=event.seal)
    if logged.entry.list_number != event.list_number:
        raise PredicateFailed(
            "accepted_seal_was_logged", "issued over another list", event.list_number, logged.entry.list_number
        )
    return logged


@rule(SPEC)
def accepted_seal_was_valid(event: GateEvent, statuses: ListStatuses, index: int) -> bool:
    """The status was not raised at the hub's height under which the contract judged. False where the two states do not say.

    Raises:
        PredicateFailed: it was revoked by then.
    """
    before, after = statuses.at(index)
    if before:
        raise PredicateFailed("accepted_seal_was_valid", "revoked before the period", got=event.list_height)
    if after and event.list_height >= statuses.changed_height:
        raise PredicateFailed(
            "accepted_seal_was_valid", "revoked by then", event.list_height, f"< {statuses.changed_height}"
        )
    return not after


@rule(SPEC)
def accepted_seal_has_its_place(event: GateEvent, lists: Mapping[int, ListStatuses], index: int) -> ListStatuses:
    """The issuer has the list, and the list that index. Returns its statuses.

    Raises:
        PredicateFailed: no contract can have found a status there.
    """
    found = lists.get(event.list_number)
    if found is None or index >= found.shape.size:
        raise PredicateFailed("accepted_seal_has_its_place", "no such place", got=(event.list_number, index))
    return found


@rule(SPEC)
def sealing_key_counted(before: ProvenDid, after: ProvenDid, logged: LoggedSeal) -> None:
    """The key that sealed is the issuer's, and if it had ended before the period, the log had the seal when it ended.

    Raises:
        PredicateFailed: either does not hold.
    """
    thumbprint = b"" if logged.entry.seal is None else logged.entry.seal.key_thumbprint
    if thumbprint not in after.keys:
        raise PredicateFailed("sealing_key_counted", "the DID has no such key", got=thumbprint)
    record = before.keys.get(thumbprint)
    if record is None or record.end.state is KeyState.ACTIVE:
        return
    if logged.position >= record.end.log_size:
        raise PredicateFailed(
            "sealing_key_counted", "logged after its key had ended", logged.position, f"< {record.end.log_size}"
        )


@rule(SPEC)
def accepted_in_time(event: GateEvent, after_s: int) -> None:
    """The contract accepted no later than its own age after the period's last header, whose height the event's does not pass.

    Raises:
        PredicateFailed: it did.
    """
    if event.time_s > after_s + event.max_age_s:
        raise PredicateFailed(
            "accepted_in_time", "older than the contract takes", event.time_s, after_s + event.max_age_s
        )


def judge_acceptances(
    judge: Judge, did: bytes, states: tuple[State, State], kept: Kept, export: GateExport
) -> AcceptanceCount:
    """What a contract's events say, held against log and lists of a period that `judge_period` has found whole.

    Raises:
        PredicateFailed: the first rule that does not hold. MalformedInput: an entry is not one.
    """
    before, after = states
    judge(export_is_of_issuer, export, did)
    judge(events_are_distinct, export)
    seals = _logged_seals(judge, kept)
    dids = judge(issuer_stands_in_both, *(judge_did(judge, did, state.proven) for state in states))
    lists = {number: _statuses_of(judge, did, states, number, kept) for number in kept.lists}
    valid, outside = 0, 0
    undecided: list[GateEvent] = []
    for event in export.events:
        if not before.height <= event.list_height <= after.height:
            outside += 1
            continue
        logged = judge(accepted_seal_was_logged, event, seals.get(event.seal))
        statuses = judge(accepted_seal_has_its_place, event, lists, logged.entry.index)
        judge(sealing_key_counted, *dids, logged)
        judge(accepted_in_time, event, after.time_s)
        if judge(accepted_seal_was_valid, event, statuses, logged.entry.index):
            valid += 1
        else:
            undecided.append(event)
    return AcceptanceCount(export, valid, tuple(undecided), outside)


def _logged_seals(judge: Judge, kept: Kept) -> Mapping[bytes, LoggedSeal]:
    found: dict[bytes, LoggedSeal] = {}
    entries: list[tuple[int, LogEntry]] = [
        (position, judge(entry_before_is_of_log, kept.leaves_before, position, entry))
        for position, entry in sorted(kept.named_before.items())
    ]
    first = len(kept.leaves_before)
    entries += [(first + at, decode_log_entry(entry)) for at, entry in enumerate(kept.entries)]
    for position, one in entries:
        if one.seal is not None:
            found.setdefault(one.seal.digest, LoggedSeal(position, one))
    return found


def _statuses_of(judge: Judge, did: bytes, states: tuple[State, State], number: int, kept: Kept) -> ListStatuses:
    raw: Any = judge(record_is_shown, states[1].proven, keys.list_key(did, number))
    record, (octets_before, octets_after) = decode_list_record(raw), kept.lists[number]
    return ListStatuses(record.shape, octets_before, octets_after, record.changed.height)
