"""`audit replay` and `audit verify` say the same of every bundle: what is shared between bundles makes no verdict laxer.

One auditor has judged the whole period before; for each bundle and each damaged one a fresh auditor is the oracle.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.types import ValidatorSet
from hutong.relay.archive.bundle import Bundle, decode_bundle, encode_bundle
from hutong.relay.audit import Auditor, MissingTrust
from hutong.relay.audit.period import EntryState, judge_entry
from tests.relay.audit.simulated_period import HUB, Period, encoded


@pytest.fixture(scope="module")
def judged():
    """(period, bundles in order, the auditor that has judged them all)."""
    period = Period()
    bundles = [data for _, data in encoded(period, 12, batch=3)]
    auditor = Auditor(period.checkpoints, period.now_ns)
    for data in bundles:
        assert auditor.judge(data).failure is None
    return period, bundles, auditor


def agree(judged, data: bytes) -> str | None:
    """The predicate that refuses `data`; both auditors must say it in the same words at the same place."""
    period, _, auditor = judged
    fresh = Auditor(period.checkpoints, period.now_ns)
    try:
        report = fresh.audit(data)
    except MissingTrust as missing:
        with pytest.raises(MissingTrust, match=str(missing)[:30]):
            auditor.judge(data)
        assert judge_entry(auditor, "x", data).state is EntryState.UNJUDGED
        return "MissingTrust"
    found = auditor.judge(data)
    assert found.predicates == len(report.verdicts)
    assert (found.failure is None) == report.is_valid
    shared = auditor.audit(data)
    assert [(v.subject, v.check.name, v.check.source) for v in shared.verdicts] == [
        (v.subject, v.check.name, v.check.source) for v in report.verdicts
    ]
    entry = judge_entry(auditor, "x", data)
    assert entry.is_proven == report.is_valid
    if report.failure is None:
        assert (entry.outcome, dict(entry.trust)) == (report.outcome, dict(report.trust))
        return None
    assert str(found.failure.check.error) == str(report.failure.check.error)
    assert (entry.failure.subject, entry.failure.predicate) == (report.failure.subject, report.failure.check.name)
    return report.failure.check.name


def test_every_bundle_of_the_period(judged):
    for data in judged[1]:
        assert agree(judged, data) is None


@settings(max_examples=60, deadline=None)
@given(number=st.integers(0, 11), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 6))
def test_refused_changed_bits(judged, number, place, bit):
    changed = bytearray(judged[1][number])
    changed[int(place * len(changed))] ^= 1 << bit
    assert agree(judged, bytes(changed)) is not None


def with_chain(data: bytes, chain_id: str, **fields) -> bytes:
    bundle = decode_bundle(data)
    chains = tuple(replace(chain, **fields) if chain.chain_id == chain_id else chain for chain in bundle.chains)
    return encode_bundle(replace(bundle, chains=chains))


def headers_of(bundle: Bundle, chain_id: str):
    return next(chain.headers for chain in bundle.chains if chain.chain_id == chain_id)


def test_refused_headers_proofs_and_sets_of_other_bundles(judged):
    """Every part was judged good in its own place."""
    _, bundles, _ = judged
    one, other = decode_bundle(bundles[0]), decode_bundle(bundles[-1])
    refused = []
    for chain_id in ("1001", "1002", HUB):
        mine, theirs = headers_of(one, chain_id), headers_of(other, chain_id)
        refused += [
            with_chain(bundles[0], chain_id, headers=theirs[: len(mine)]),
            with_chain(bundles[0], chain_id, headers=mine[::-1]) if len(mine) > 1 else None,
            with_chain(bundles[0], chain_id, headers=(*mine[:-1], replace(mine[-1], header=theirs[-1].header))),
            with_chain(bundles[0], chain_id, headers=(replace(mine[0], commit=theirs[0].commit), *mine[1:]))
            if chain_id == HUB
            else with_chain(
                bundles[0], chain_id, headers=(replace(mine[0], account_proof=theirs[0].account_proof), *mine[1:])
            ),
        ]
    hub = next(chain for chain in one.chains if chain.chain_id == HUB)
    known = codec.decode_validator_set(hub.validator_sets[0])
    first, *others = known.validators
    forged = ValidatorSet.of((replace(first, address=others[0].address), *others))
    refused.append(with_chain(bundles[0], HUB, validator_sets=(codec.encode_validator_set(forged),)))
    refused.append(with_chain(bundles[0], HUB, validator_sets=()))
    refused.append(with_chain(bundles[0], HUB, validator_sets=hub.validator_sets * 2))
    for mine, theirs in zip(one.legs, other.legs, strict=True):
        for index, leg in enumerate(one.legs):
            if leg is mine:
                legs = [*one.legs]
                legs[index] = replace(mine, proofs=theirs.proofs)
                refused.append(encode_bundle(replace(one, legs=tuple(legs))))
    changed = [data for data in refused if data not in (None, bundles[0])]  # a header may be both bundles'
    assert len(changed) >= 12
    for data in changed:
        assert agree(judged, data) is not None


def test_refused_out_of_the_trusting_period_whatever_was_judged_before(judged):
    period, bundles, _ = judged
    late = Auditor(period.checkpoints, min(one.expires_at_ns for one in period.checkpoints))
    failure = late.judge(bundles[0]).failure
    assert failure is not None and failure.check.name == "within_trusting_period"
