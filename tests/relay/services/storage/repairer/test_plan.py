"""What counts as lost, and who is to hold it: from records alone."""

from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest

from hutong.relay.services.storage.repairer.hub_door import LoggedEntry
from hutong.relay.services.storage.repairer.ledger import KnownBatch, Ledger, LedgerUnusable, NewBatch
from hutong.relay.services.storage.repairer.mending import repair_sequence
from hutong.relay.services.storage.repairer.plan import Known, states_of, targets_of, unreadable
from hutong.relay.services.storage.repairer.standing import Standing, standing_of
from hutong.relay.services.storage.rules.commitments.entries import BatchPart, LogEntry
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart, parts_hash
from hutong.relay.services.storage.rules.placement import placement_is_possible
from hutong.relay.services.storage.rules.records.batches import BatchRecord
from hutong.relay.services.storage.rules.records.members import (
    Candidate,
    MapRecord,
    OperatorRecord,
    OperatorState,
    encode_label,
)
from hutong.relay.services.storage.rules.records.values import Outcome

HUB, WRITER, REPAIRER = (sha256(name).digest() for name in (b"hub", b"writer", b"repairer"))
OPERATORS = sorted(sha256(b"operator %d" % number).digest() for number in range(18))
PASSED, FAILED, MISSED = Outcome.PASSED, Outcome.FAILED, Outcome.MISSED


def label(kind: str, number: int) -> bytes:
    return encode_label(f"{kind}{number}")


CANDIDATES = tuple(
    Candidate(one, label("org", number % 6), label("site", number % 5), 1) for number, one in enumerate(OPERATORS)
)
MAP = MapRecord(1, 1, 10, 4, CANDIDATES)
GROUP = 7
PLACED = [one.operator for one in placement_is_possible(MAP, GROUP)]


def part_of(operator: bytes, writer: bytes = WRITER, sequence: int = 0, root: bytes | None = None) -> OperatorPart:
    return OperatorPart(HUB, writer, sequence, operator, BatchPart(3, 2, root or sha256(operator).digest()))


def batch_of(number: int = 0, signed: int = 14) -> tuple[KnownBatch, dict[bytes, list[LogEntry]]]:
    parts = tuple(part_of(one, sequence=number) for one in sorted(PLACED))
    bits = sum(1 << at for at, part in enumerate(parts) if part.operator in PLACED[:signed])
    record = BatchRecord(WRITER, WRITER, number, 1, GROUP, parts_hash(parts), 14, bits, 5, 5)
    logs = {one: [LogEntry(0, 3, 2, number, sha256(one).digest())] for one in PLACED[:signed]}
    return KnownBatch(number, record, parts), logs


def known(batches, logs, standings=None) -> Known:
    return Known(batches, logs, {1: MAP}, dict.fromkeys(OPERATORS, Standing.TRUSTED) | (standings or {}), {})


def record(state: OperatorState = OperatorState.ACTIVE) -> OperatorRecord:
    one = label("x", 1)
    return OperatorRecord(b"\1" * 20, one, one, one, one, 1, state, 1, 1)


@pytest.mark.parametrize(
    ("state", "outcomes", "expected"),
    [
        (OperatorState.ACTIVE, [], Standing.TRUSTED),
        (OperatorState.ACTIVE, [PASSED, PASSED, PASSED], Standing.TRUSTED),
        (OperatorState.ACTIVE, [MISSED, MISSED], Standing.TRUSTED),
        (OperatorState.ACTIVE, [MISSED, MISSED, MISSED], Standing.MISSED),
        (OperatorState.ACTIVE, [MISSED, MISSED, PASSED], Standing.TRUSTED),
        (OperatorState.ACTIVE, [PASSED, PASSED, FAILED], Standing.FAILED),
        (OperatorState.ACTIVE, [PASSED, PASSED, PASSED, FAILED], Standing.TRUSTED),
        (OperatorState.DRAINING, [PASSED], Standing.DRAINING),
        (OperatorState.DRAINING, [FAILED], Standing.FAILED),
        (OperatorState.LEFT, [PASSED], Standing.LEFT),
    ],
)
def test_standings_follow_from_the_records(state, outcomes, expected):
    assert standing_of(record(state), outcomes, 3) is expected


def test_an_operator_that_the_hub_does_not_know_is_unknown():
    assert standing_of(None, [PASSED], 3) is Standing.UNKNOWN


def test_all_is_held_where_all_are_trusted():
    batch, logs = batch_of()
    (state,) = states_of(known([batch], logs))
    assert (state.lost, state.held, [column.shard for column in state.columns]) == ((), 14, list(range(14)))
    assert [column.part.operator for column in state.columns] == PLACED


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.TRUSTED])
def test_what_an_untrusted_operator_has_is_lost(standing):
    batch, logs = batch_of()
    (state,) = states_of(known([batch], logs, {PLACED[3]: standing}))
    (column,) = state.lost
    assert column.shard == 3
    assert bool(column.copies) == (standing not in (Standing.LEFT, Standing.UNKNOWN))


def test_a_part_that_was_never_signed_is_lost_and_goes_to_its_operator():
    batch, logs = batch_of(signed=12)
    (state,) = states_of(known([batch], logs))
    assert [column.shard for column in state.lost] == [12, 13]
    targets = targets_of(state, MAP, dict.fromkeys(OPERATORS, Standing.TRUSTED), OPERATORS)
    assert targets == {12: PLACED[12], 13: PLACED[13]}


def test_a_part_with_the_same_root_and_owner_holds_it():
    batch, logs = batch_of()
    root, spare = sha256(PLACED[2]).digest(), next(one for one in OPERATORS if one not in PLACED)
    parts = (part_of(spare, REPAIRER, 9, root),)
    repair = KnownBatch(1, BatchRecord(REPAIRER, WRITER, 9, 0, 0, parts_hash(parts), 1, 1, 6, 6), parts)
    logs[spare] = [LogEntry(0, 3, 2, 1, root)]
    gone = {PLACED[2]: Standing.LEFT}
    (state,) = states_of(known([batch, repair], logs, gone))
    assert not state.lost
    assert state.columns[2].copies[0].operator == spare
    stranger = replace(repair, record=replace(repair.record, owner=REPAIRER))
    (state,) = states_of(known([batch, stranger], logs, gone))
    assert [column.shard for column in state.lost] == [2]


def test_those_with_the_fewest_left_come_first():
    one, logs = batch_of(0)
    two, more = batch_of(1, signed=12)
    for operator, entries in more.items():
        logs[operator] = [*logs[operator], *entries]
    other = {part.operator: sha256(b"2" + part.operator).digest() for part in two.parts}
    two = replace(two, parts=tuple(part_of(part.operator, sequence=1, root=other[part.operator]) for part in two.parts))
    logs = {
        operator: [entries[0], *(replace(late, root=other[operator]) for late in entries[1:])]
        for operator, entries in logs.items()
    }
    assert [state.batch.number for state in states_of(known([one, two], logs))] == [1, 0]


def test_targets_stay_within_what_an_organisation_and_a_site_may_have():
    batch, logs = batch_of()
    gone = dict.fromkeys(PLACED[:4], Standing.LEFT)
    (state,) = states_of(known([batch], logs, gone))
    standings = dict.fromkeys(OPERATORS, Standing.TRUSTED) | gone
    targets = targets_of(state, MAP, standings, OPERATORS)
    labels = {one.operator: one for one in CANDIDATES}
    holders = [*PLACED[4:], *targets.values()]
    assert len(set(holders)) == len(holders)
    assert not set(targets.values()) & set(PLACED)
    for kind in ("organisation", "site"):
        assert max(Counter(getattr(labels[one], kind) for one in holders).values()) <= 4
    crowded = replace(MAP, candidates=tuple(replace(one, organisation=label("org", 1)) for one in CANDIDATES))
    assert targets_of(state, crowded, standings, OPERATORS) == {}


def test_targets_are_reached_trusted_and_not_those_that_did_not_take_it():
    batch, logs = batch_of()
    gone = {PLACED[0]: Standing.LEFT}
    (state,) = states_of(known([batch], logs, gone))
    standings = dict.fromkeys(OPERATORS, Standing.TRUSTED) | gone
    first = targets_of(state, MAP, standings, OPERATORS)[0]
    assert targets_of(state, MAP, standings, OPERATORS, {0: {first}})[0] != first
    assert targets_of(state, MAP, standings, [one for one in OPERATORS if one != first])[0] != first
    assert targets_of(state, MAP, standings | {first: Standing.MISSED}, OPERATORS)[0] != first
    assert targets_of(state, MAP, standings, PLACED) == {}


def test_batches_whose_parts_are_not_known_are_named():
    batch, logs = batch_of()
    assert unreadable(known([replace(batch, parts=())], logs)) == [0]
    assert unreadable(replace(known([batch], logs), maps={})) == [0]
    assert states_of(known([replace(batch, parts=())], logs)) == []


def test_a_repairs_sequence_follows_from_what_is_repaired():
    root = sha256(b"root").digest()
    assert repair_sequence(1, root, PLACED[0]) == repair_sequence(1, root, PLACED[0])
    assert len({repair_sequence(number, root, one) for number in range(3) for one in PLACED}) == 42
    assert 0 <= repair_sequence(1, root, PLACED[0]) < 2**64


def test_a_ledger_keeps_what_was_read_and_refuses_another_history(tmp_path):
    batch, logs = batch_of()
    entries = [LoggedEntry(operator, 0, entry, b"") for operator, (entry,) in logs.items()]
    ledger = Ledger(tmp_path, HUB)
    ledger.take_up(9, entries, [NewBatch(0, batch.record, batch.parts)])
    ledger.close()
    ledger = Ledger(tmp_path, HUB)
    assert (ledger.followed, ledger.batches(), dict(ledger.logs())) == (9, [batch], logs)
    ledger.take_up(10, entries, [])
    with pytest.raises(LedgerUnusable, match="another entry 0"):
        ledger.take_up(11, [replace(entries[0], entry=replace(entries[0].entry, root=WRITER))], [])
    assert ledger.followed == 10
    ledger.take_up(11, [replace(entries[0], position=2)], [])
    with pytest.raises(LedgerUnusable, match="missing"):
        ledger.logs()
    ledger.close()
    with pytest.raises(LedgerUnusable, match="another hub"):
        Ledger(tmp_path, WRITER)
    (tmp_path / "repairer.sqlite").write_bytes(b"no database at all, but long enough to be one" * 40)
    with pytest.raises(LedgerUnusable, match="may be removed"):
        Ledger(tmp_path, HUB)
