"""A period of storage audits: what is missing, failed, weak, removed early or contradictory is named, and nothing else is."""

from dataclasses import replace

import pytest

from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.storage import Demand, StorageAuditor, StorageFindingKind, judge_file, summarise
from hutong.relay.audit.storage.document import encode_period
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import RemovalRecord
from tests.relay.audit.storage.made_period import CHAIN_ID, MadePeriod, Plan, Trouble

Kind = StorageFindingKind
PLAN = Plan(epochs=3, operators=2)
CLEAN = MadePeriod(PLAN)
FILES = dict(CLEAN.files())
WHOLE = Demand(1, 3, tuple(operator.id for operator in CLEAN.operators))


def judged(made, files=None, demand=None):
    auditor = StorageAuditor(made.checkpoint, made.now_ns)
    entries = [
        judge_file(auditor, name, data) for name, data in (dict(made.files()) if files is None else files).items()
    ]
    return summarise(CHAIN_ID, entries, demand or WHOLE)


def found(period):
    return [(one.kind, one.epoch, one.operator) for one in period.findings]


def without(*names):
    return {name: data for name, data in FILES.items() if name not in names}


def test_a_clean_period_is_the_same_from_a_copy_in_any_order():
    period = judged(CLEAN, FILES)
    assert period.is_clean and period.audits == 6 and period.files == 9
    assert [(one.passed, one.held, one.leaves) for one in period.operators] == [(3, 18, 96)] * 2
    assert [(one.committed, one.revealed) for one in period.auditors] == [(3, 3)] * 3
    assert encode_period(judged(CLEAN, dict(reversed(FILES.items())))) == encode_period(period)


def test_a_missing_audit_and_a_missing_epoch_are_named():
    first = CLEAN.operators[0].id
    assert found(judged(CLEAN, without("000002-000.audit"))) == [(Kind.GAP, 2, first)]
    assert found(judged(CLEAN, without("000002-000.audit", "000002.record.json"))) == [(Kind.MISSING_AUDIT, 2, first)]
    gone = without("000002-000.audit", "000002-001.audit", "000002.record.json")
    assert found(judged(CLEAN, gone)) == [(Kind.MISSING_EPOCH, 2, None)]
    last = without("000003-000.audit", "000003-001.audit", "000003.record.json")
    assert found(judged(CLEAN, last)) == [(Kind.MISSING_EPOCH, 3, None)]
    assert judged(CLEAN, last, Demand()).is_clean, "whoever asks for no range misses nothing outside"
    stranger = bytes(31) + b"\1"
    asked = replace(WHOLE, operators=(first, stranger))
    assert found(judged(CLEAN, FILES, asked)) == [(Kind.MISSING_AUDIT, epoch, stranger) for epoch in (1, 2, 3)]
    assert not judged(CLEAN, {}).is_clean and not judged(CLEAN, {}, Demand()).is_clean


def test_probes_that_are_not_answered_here_are_a_gap_and_parts_add_up():
    parts = {f"000002-000.{first}.audit": CLEAN.audit(2, 0, first=first, count=2) for first in (0, 2, 4)}
    rest = without("000002-000.audit")
    assert judged(CLEAN, rest | parts).is_clean
    parts.pop("000002-000.2.audit")
    (finding,) = judged(CLEAN, rest | parts).findings
    assert finding.kind is Kind.GAP and "2-3 are not here" in finding.reason


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (Trouble(missed=frozenset({(2, 1)})), [(Kind.MISSED, 2, 1)]),
        (Trouble(failed=frozenset({(3, 0)})), [(Kind.FAILED, 3, 0)]),
        (Trouble(weak=frozenset({2})), [(Kind.WEAK_SEED, 2, None)]),
        (Trouble(withheld=frozenset({(2, 0), (2, 1)})), []),
        (Trouble(no_verdict=frozenset({(1, 1)})), [(Kind.NO_VERDICT, 1, 1)]),
        (Trouble(shrunk=frozenset({(3, 0)})), [(Kind.SET_SHRANK, 3, 0)]),
    ],
)
def test_attack_S34_what_went_wrong_is_named(trouble, expected):
    made = MadePeriod(PLAN, trouble)
    period = judged(made)
    names = [(kind, epoch, None if number is None else made.operators[number].id) for kind, epoch, number in expected]
    assert found(period) == names and period.is_clean is not bool(expected)
    assert sum(one.weak for one in period.operators) == 2 * len(trouble.weak)
    assert sum(one.committed - one.revealed for one in period.auditors) == len(trouble.withheld) + 3 * len(trouble.weak)


def test_attack_S34_an_early_removal_is_named():
    """The hub's record says that the shard went at 1 000 s, and the entry that a probe hit is retained until later."""
    made = MadePeriod(Plan(epochs=1, operators=1, probes=64))
    batch, entry, _ = made.held(1, 0).place_of(0)
    at = batch, made.operators[0].pack(entry)
    for retained_s in (0, 1_000):
        plan = Plan(epochs=1, operators=1, probes=64, retain_until_s=retained_s)
        removed = MadePeriod(plan, Trouble(removals={at: RemovalRecord(1, 5, 1_000)}))
        period = judged(removed, demand=Demand())
        if retained_s:
            kinds = [one.kind for one in period.findings]
            assert kinds == [Kind.EARLY_REMOVAL, Kind.GAP]
            assert period.findings[0].operator == removed.operators[0].id and period.findings[0].epoch == 1
        else:
            assert period.is_clean and period.operators[0].removed > 0


def test_attack_S34_two_histories_are_a_contradiction():
    """Two forks of one hub, each signed: a period that is made of both is named, whatever each says alone."""
    other = MadePeriod(PLAN, Trouble(missed=frozenset({(2, 0)})))
    mixed = FILES | {"000002.b.record.json": other.outcomes(2)}
    kinds = {one.kind for one in judged(CLEAN, mixed).findings}
    assert Kind.CONTRADICTION in kinds


def test_attack_S34_a_changed_file_is_refused_by_name():
    name = "000002-001.audit"
    octets = bytearray(FILES[name])
    octets[-40] ^= 1
    period = judged(CLEAN, FILES | {name: bytes(octets)})
    refused, gap = period.findings
    assert refused.kind is Kind.REFUSED and refused.file == name and gap.kind is Kind.GAP


def test_an_operator_that_was_not_asked_is_not_missing():
    """It joined later: under the epoch's own seed the hub has no set of it."""
    stranger = bytes(31) + b"\1"
    shown = {}
    for epoch in (1, 2, 3):
        wanted = [keys.seed_key(epoch), keys.set_key(stranger, epoch), *CLEAN.secret_keys(epoch)]
        shown[f"{epoch:06}.not.record.json"] = encode_record_bundle(CLEAN.bundle(epoch, wanted))
    asked = replace(WHOLE, operators=(*WHOLE.operators, stranger))
    assert judged(CLEAN, FILES | shown, asked).is_clean
    shown.popitem()
    assert found(judged(CLEAN, FILES | shown, asked)) == [(Kind.MISSING_AUDIT, 3, stranger)]
