"""The rules of reading an observation: each accepts at its edge and refuses beyond it, with what it compared."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import VERIFY, Height, MalformedInput, PredicateFailed, audit
from hutong.light_clients.records import (
    PROVEN,
    PROVEN_ALONE,
    ClientEpoch,
    Demand,
    Observation,
    ObservationKey,
    SlotPlace,
    SourceTrust,
    TrustKind,
    encode_epoch,
    encode_observation,
    epoch_key,
    judge_observation,
)

SECOND_NS = 1_000_000_000
NOW_S = 1_700_000_100
CLIENT = "bft-evm-0"
KEY = ObservationKey.of(CLIENT, SlotPlace(bytes([0x11]) * 20, bytes(32))).to_bytes()
GOOD = Observation((42).to_bytes(32, "big"), PROVEN, 3, Height(0, 7), (NOW_S - 9) * SECOND_NS)
EPOCH = ClientEpoch(3, True, 1)
DEMAND = Demand(NOW_S, max_age_s=10)


def read(observation=GOOD, epoch=EPOCH, header_time_s=NOW_S - 9, demand=DEMAND, judge=VERIFY, client=CLIENT):
    proven = {KEY: encode_observation(observation), epoch_key(client): encode_epoch(epoch)}
    return judge_observation(judge, KEY, proven, header_time_s, demand)


def refusal(**changes):
    with pytest.raises(PredicateFailed) as refused:
        read(**changes)
    return refused.value


def test_a_good_observation_passes_every_rule_in_the_pages_order():
    assert read() == GOOD
    proven = {KEY: encode_observation(GOOD), epoch_key(CLIENT): encode_epoch(EPOCH)}
    verdicts = audit(judge_observation, KEY, proven, NOW_S - 9, DEMAND)
    assert [verdict.name for verdict in verdicts] == [
        "record_well_formed",
        "epoch_is_proven",
        "client_is_readable",
        "epoch_is_current",
        "header_is_fresh",
        "source_is_fresh",
        "trust_is_enough",
    ]
    assert all(verdict.held for verdict in verdicts)


def test_attack_J7_a_closed_client_is_not_read():
    assert refusal(epoch=ClientEpoch(3, False, 1)).predicate == "client_is_readable"


@pytest.mark.parametrize("number", [2, 4])
def test_attack_J7_an_observation_of_another_epoch_is_not_read(number):
    error = refusal(epoch=ClientEpoch(number, True, 1))
    assert (error.predicate, error.got, error.expected) == ("epoch_is_current", 3, number)


def test_attack_J2_the_epoch_of_another_client_vouches_for_nothing():
    error = refusal(client="bft-evm-1")
    assert (error.predicate, error.expected) == ("epoch_is_proven", CLIENT)


@pytest.mark.parametrize(
    ("changes", "predicate"),
    [
        ({"header_time_s": NOW_S - 10}, "header_is_fresh"),
        ({"observation": replace(GOOD, source_time_ns=(NOW_S - 9) * SECOND_NS - 1)}, "source_is_fresh"),
    ],
)
def test_attack_J1_at_the_demanded_age_a_record_is_too_old(changes, predicate):
    assert refusal(**changes).predicate == predicate


def test_attack_J1_new_headers_do_not_freshen_an_old_observation():
    stale = replace(GOOD, source_time_ns=(NOW_S - 60) * SECOND_NS)
    assert refusal(observation=stale, header_time_s=NOW_S).predicate == "source_is_fresh"


@pytest.mark.parametrize("drift_s", [0, 5])
def test_attack_J1_times_ahead_count_as_now_within_the_drift(drift_s):
    demand = replace(DEMAND, max_drift_s=drift_s)
    ahead = replace(GOOD, source_time_ns=(NOW_S + drift_s) * SECOND_NS)
    assert read(ahead, header_time_s=NOW_S + drift_s, demand=demand) == ahead
    assert refusal(header_time_s=NOW_S + drift_s + 1, demand=demand).predicate == "header_is_fresh"
    beyond = replace(GOOD, source_time_ns=(NOW_S + drift_s + 1) * SECOND_NS)
    assert refusal(observation=beyond, demand=demand).predicate == "source_is_fresh"


@pytest.mark.parametrize(
    ("trust", "min_trust", "enough"),
    [
        (PROVEN, 0, True),
        (PROVEN, 64, True),
        (PROVEN, PROVEN_ALONE, True),
        (SourceTrust(TrustKind.ATTESTED, 2, 3), 0, True),
        (SourceTrust(TrustKind.ATTESTED, 2, 3), 2, True),
        (SourceTrust(TrustKind.ATTESTED, 2, 3), 3, False),
        (SourceTrust(TrustKind.ATTESTED, 64, 64), 64, True),
        (SourceTrust(TrustKind.ATTESTED, 64, 64), PROVEN_ALONE, False),
    ],
)
def test_attack_J10_trust_is_what_the_reader_asks(trust, min_trust, enough):
    observation = replace(GOOD, trust=trust)
    demand = replace(DEMAND, min_trust=min_trust)
    if enough:
        assert read(observation, demand=demand) == observation
    else:
        assert refusal(observation=observation, demand=demand).predicate == "trust_is_enough"


@pytest.mark.parametrize(
    "changes", [{"min_trust": 65}, {"min_trust": 254}, {"min_trust": 256}, {"max_age_s": -1}, {"now_s": 2**64}]
)
def test_demands_out_of_their_bounds_are_refused(changes):
    with pytest.raises(MalformedInput):
        replace(DEMAND, **changes)


def test_attack_J3_every_changed_byte_is_refused_or_read_as_other():
    value, epoch = encode_observation(GOOD), encode_epoch(EPOCH)
    for index in range(len(value)):
        changed = bytearray(value)
        changed[index] ^= 0x80
        try:
            got = judge_observation(
                VERIFY, KEY, {KEY: bytes(changed), epoch_key(CLIENT): epoch}, NOW_S - 9, Demand(NOW_S, 2**60, 0, 2**60)
            )
        except (MalformedInput, PredicateFailed):
            continue
        assert got != GOOD
    for index in range(len(epoch) - 8):
        changed = bytearray(epoch)
        changed[index] ^= 0x80
        with pytest.raises((MalformedInput, PredicateFailed)):
            judge_observation(VERIFY, KEY, {KEY: value, epoch_key(CLIENT): bytes(changed)}, NOW_S - 9, DEMAND)
