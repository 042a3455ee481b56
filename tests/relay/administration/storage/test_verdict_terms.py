"""Terms of a verdict where no contract judges them: by the names of StorageAudit, and at its bounds."""

from dataclasses import replace

import pytest

from hutong.adapters.evm.storage_audit import AuditTerms
from hutong.relay.administration.storage.elsewhere import refused_terms
from hutong.relay.services.storage.rules.records.values import Outcome, VerdictRecord

VERDICT = VerdictRecord(Outcome.PASSED, 8, 7, 1, 2, bytes(32), bytes(32), 510, 1_000)
TERMS = AuditTerms(60, 8, 2)


def test_a_verdict_on_its_terms_counts_up_to_the_last_second():
    assert refused_terms(VERDICT, TERMS, 1_059) is None


@pytest.mark.parametrize(
    ("verdict", "now_s", "name"),
    [
        (VERDICT, 1_060, "StaleVerdict"),
        (replace(VERDICT, reveals=1), 1_000, "WeakSeed"),
        (replace(VERDICT, asked=7, held=6), 1_000, "TooFewProbes"),
        (replace(VERDICT, outcome=Outcome.FAILED, held=6), 1_000, "AuditNotPassed"),
        (replace(VERDICT, outcome=Outcome.MISSED, held=0, removed=0), 1_000, "AuditNotPassed"),
        (replace(VERDICT, outcome=Outcome.FAILED, held=6, reveals=0), 1_060, "StaleVerdict"),
        (replace(VERDICT, outcome=Outcome.FAILED, held=6, reveals=0), 1_000, "WeakSeed"),
    ],
)
def test_a_verdict_off_its_terms_is_refused_by_name(verdict, now_s, name):
    refusal = refused_terms(verdict, TERMS, now_s)
    assert refusal is not None and refusal[0] == name
