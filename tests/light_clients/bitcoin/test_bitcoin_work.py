"""Targets, work and the retarget rules of each network, both sides of every edge; a chain over period boundaries."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.bitcoin import (
    ChainParameters,
    Network,
    Run,
    Weighed,
    judge_run,
    parameters_of,
    state_from_ancestors,
)
from hutong.light_clients.bitcoin.chain import headers_needed_from
from hutong.light_clients.bitcoin.networks import MIN_DIFFICULTY_AFTER_S, RETARGET_INTERVAL, TARGET_TIMESPAN_S
from hutong.light_clients.bitcoin.types import ConsensusState
from hutong.light_clients.bitcoin.work import bits_of, required_bits, retargeted_bits, target_of, work_of
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VERIFY, PredicateFailed, UnsupportedOperation
from tests.light_clients.bitcoin.bitcoin_chain import GENESIS, child_of, mine

MAINNET, TESTNET4, TESTNET3, REGTEST = (
    parameters_of(network) for network in (Network.MAINNET, Network.TESTNET4, Network.TESTNET3, Network.REGTEST)
)
EASY = 0x1D00FFFF
HARD = 0x1B0404CB


def state(height: int, **changed) -> ConsensusState:
    base = ConsensusState(
        height, b"\x01" * 32, 1 << 80, HARD, HARD, HARD, 1_000_000, (2_000_000,) * min(11, height + 1)
    )
    return replace(base, **changed)


@pytest.mark.parametrize(
    ("bits", "target"),
    [
        (0x1D00FFFF, 0xFFFF << 208),
        (0x1B0404CB, 0x0404CB << 192),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x01120000, 0x12),
        (0x02123400, 0x1234),
        (0x03123456, 0x123456),
        (0x04123456, 0x12345600),
        (0x05009234, 0x92340000),
        (0x20123456, 0x123456 << 232),
        (0x21001234, 0x1234 << 240),
        (0x220000FF, 0xFF << 248),
    ],
)
def test_target_of_compact_bits(bits, target):
    assert target_of(bits) == target
    assert target_of(bits_of(target)) == target


@pytest.mark.parametrize(
    "bits",
    [0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000, 0x20000000]  # zero
    + [0x01FEDCBA, 0x04923456, 0x1D80FFFF]  # negative
    + [0x21012345, 0x22000100, 0x23000001, 0xFF123456, 0xFF00FFFF],  # above 256 bits
)
def test_bits_that_stand_for_no_target_are_refused(bits):
    with pytest.raises(PredicateFailed) as caught:
        target_of(bits)
    assert (caught.value.predicate, caught.value.got) == ("target_in_range", f"{bits:08x}")


@given(st.integers(1, 2**256 - 1))
def test_compact_form_keeps_the_leading_bytes(target):
    kept = target_of(bits_of(target))
    assert kept <= target < kept + (1 << max(0, target.bit_length() - 16))
    assert bits_of(kept) == bits_of(target)


def test_work_of_a_block():
    assert work_of(0x1D00FFFF) == 0x100010001
    assert work_of(0x207FFFFF) == 2
    assert work_of(HARD) == 2**256 // (target_of(HARD) + 1)


@pytest.mark.parametrize("timespan_s", [0, 1, TARGET_TIMESPAN_S // 4 - 1, TARGET_TIMESPAN_S // 4, -(10**6)])
def test_difficulty_grows_at_most_fourfold(timespan_s):
    assert retargeted_bits(HARD, 5_000_000, 5_000_000 + timespan_s, MAINNET.pow_limit) == bits_of(target_of(HARD) // 4)


@pytest.mark.parametrize("timespan_s", [4 * TARGET_TIMESPAN_S, 4 * TARGET_TIMESPAN_S + 1, 10**9])
def test_difficulty_falls_at_most_fourfold(timespan_s):
    assert retargeted_bits(HARD, 0, timespan_s, MAINNET.pow_limit) == bits_of(target_of(HARD) * 4)


def test_difficulty_within_the_clamp_is_in_proportion_and_at_the_limit_is_cut():
    """Bitcoin Core `pow_tests.cpp`: heights 32255, 2015, 68543, 46367."""
    for last, bits, first, expected in (
        (1262152739, 0x1D00FFFF, 1261130161, 0x1D00D86A),
        (1233061996, 0x1D00FFFF, 1231006505, 0x1D00FFFF),
        (1279297671, 0x1C05A3F4, 1279008237, 0x1C0168FD),
        (1269211443, 0x1C387F6F, 1263163443, 0x1D00E1FD),
    ):
        assert retargeted_bits(bits, first, last, MAINNET.pow_limit) == expected


def test_inside_a_period_mainnet_keeps_its_bits_whatever_the_time():
    parent = state(RETARGET_INTERVAL + 5)
    for later_s in (1, MIN_DIFFICULTY_AFTER_S + 1, 10**7):
        assert required_bits(parent, parent.time_s + later_s, MAINNET) == HARD


@pytest.mark.parametrize("parameters", [TESTNET3, TESTNET4])
def test_test_networks_allow_the_least_difficulty_after_twenty_minutes_and_return_from_it(parameters):
    parent = state(RETARGET_INTERVAL + 5)
    edge_s = parent.time_s + MIN_DIFFICULTY_AFTER_S
    assert required_bits(parent, edge_s, parameters) == HARD
    assert required_bits(parent, edge_s + 1, parameters) == EASY
    easy = state(RETARGET_INTERVAL + 6, bits=EASY)
    assert required_bits(easy, easy.time_s + 1, parameters) == HARD
    assert required_bits(easy, easy.time_s + MIN_DIFFICULTY_AFTER_S + 1, parameters) == EASY


def test_retarget_of_testnet3_starts_from_the_last_block_and_of_testnet4_from_the_first():
    last = state(2 * RETARGET_INTERVAL - 1, bits=EASY, recent_times_s=(1_000_000 + TARGET_TIMESPAN_S,) * 11)
    now_s = last.time_s + 10 * MIN_DIFFICULTY_AFTER_S
    assert required_bits(last, now_s, TESTNET3) == EASY
    assert required_bits(last, now_s, TESTNET4) == HARD
    assert required_bits(last, now_s, MAINNET) == EASY


def test_regtest_never_retargets():
    for height in (RETARGET_INTERVAL - 1, RETARGET_INTERVAL + 3):
        parent = state(height, bits=0x207FFFFF, regular_bits=0x207FFFFF, recent_times_s=(5_000_000,) * 11)
        for later_s in (1, 10**6):
            assert required_bits(parent, parent.time_s + later_s, REGTEST) == 0x207FFFFF


def test_signet_is_not_offered():
    with pytest.raises(UnsupportedOperation, match="signet"):
        parameters_of(Network.SIGNET)


# A chain that retargets, cheap to mine: two periods of blocks every five minutes from the easiest target.

RETARGETING = ChainParameters((1 << 255) - 1, False, True, True, (1, 1, 1))
PERIODS = 2


@pytest.fixture(scope="module")
def chain():
    parent = state_from_ancestors((replace(GENESIS, bits=0x207FFFFF),), 0, RETARGETING)
    blocks = []
    for _ in range(PERIODS * RETARGET_INTERVAL + 2):
        blocks.append(child_of(parent, time_s=parent.time_s + 300, parameters=RETARGETING))
        parent = blocks[-1].state
    return blocks


def judge(trusted: ConsensusState, headers, parameters=RETARGETING) -> Weighed:
    return judge_run(VERIFY, Run(trusted, tuple(headers), parameters), headers[-1].time_s * NANOSECONDS_PER_SECOND)


def test_chain_over_boundaries_is_believed_and_its_work_is_summed(chain):
    first = chain[0].state
    run = judge(first, [block.header for block in chain[1:]])
    assert run.tip == chain[-1].state
    bits = [block.header.bits for block in chain]
    assert len(set(bits)) == PERIODS + 1
    assert run.tip.chainwork == first.chainwork + sum(map(work_of, bits[1:]))
    boundaries = [
        block.state.height for block, before in zip(chain[1:], chain) if block.header.bits != before.header.bits
    ]
    assert boundaries == [RETARGET_INTERVAL, 2 * RETARGET_INTERVAL]


@pytest.mark.parametrize("height", [2 * RETARGET_INTERVAL - 1, 2 * RETARGET_INTERVAL, 2 * RETARGET_INTERVAL + 1, 3_000])
def test_state_from_ancestors_is_what_following_the_chain_leaves(chain, height):
    headers = {block.state.height: block.header for block in chain}
    start = headers_needed_from(height)
    needed = tuple(headers[at] for at in range(start, height + 1))
    assert state_from_ancestors(needed, start, RETARGETING, 1) == replace(chain[height - 1].state, chainwork=1)
    with pytest.raises(ValueError, match=f"from {start} on"):
        state_from_ancestors(needed[1:], start + 1, RETARGETING)


def test_attack_C51_bitcoin_retarget_at_the_boundary_and_nowhere_else(chain):
    at = RETARGET_INTERVAL - 1
    boundary = chain[at]
    assert boundary.state.height == RETARGET_INTERVAL
    trusted = chain[at - 1].state
    old = trusted.bits
    judge(trusted, [boundary.header])
    for bits in (old, bits_of(target_of(boundary.header.bits) * 2), bits_of(target_of(old) // 8)):
        with pytest.raises(PredicateFailed) as caught:
            judge(trusted, [mine(replace(boundary.header, bits=bits))])
        assert caught.value.predicate == "difficulty_as_required"
        assert caught.value.expected == f"{boundary.header.bits:08x}"
    for early in (at - 1, at + 1):
        other = chain[early]
        wrong = boundary.header.bits if early < at else old
        with pytest.raises(PredicateFailed) as caught:
            judge(chain[early - 1].state, [mine(replace(other.header, bits=wrong))])
        assert caught.value.predicate == "difficulty_as_required"
        judge(chain[early - 1].state, [other.header])


def test_attack_C51_bitcoin_time_warp_at_the_boundary_is_refused_where_bip94_holds(chain):
    """The first block of a period must not be far before its parent, else each period can be counted long."""
    trusted = chain[RETARGET_INTERVAL - 2].state
    edge_s = trusted.time_s - 600
    # Six blocks every five minutes lie between the parent and the median, so that only the warp rule is at stake.
    assert edge_s > trusted.median_time_past_s
    judge(trusted, [child_of(trusted, time_s=edge_s, parameters=RETARGETING).header])
    warped = child_of(trusted, time_s=edge_s - 1, parameters=RETARGETING).header
    with pytest.raises(PredicateFailed) as caught:
        judge(trusted, [warped])
    assert (caught.value.predicate, caught.value.got, caught.value.expected) == (
        "no_time_warp",
        edge_s - 1,
        f">= {edge_s}",
    )
    judge(trusted, [warped], replace(RETARGETING, enforces_bip94=False))
    inside = chain[RETARGET_INTERVAL].state
    judge(inside, [child_of(inside, time_s=inside.time_s - 700, parameters=RETARGETING).header])


def test_attack_C51_bitcoin_stretched_period_makes_a_fork_light(chain):
    """Times as far as the rules let them go halve the difficulty of the next period at best fourfold; work tells."""
    trusted = chain[RETARGET_INTERVAL].state
    own = judge(trusted, [block.header for block in chain[RETARGET_INTERVAL + 1 :]])
    parent, forged = trusted, []
    for _ in range(RETARGET_INTERVAL + 1):
        forged.append(child_of(parent, time_s=parent.time_s + 3_000, parameters=RETARGETING))
        parent = forged[-1].state
    fork = judge(trusted, [block.header for block in forged])
    assert fork.tip.height == own.tip.height
    assert target_of(fork.tip.bits) > target_of(trusted.bits)
    assert fork.tip.chainwork < own.tip.chainwork


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from([MAINNET, TESTNET4, TESTNET3, REGTEST]),
    st.integers(1, 5_000),
)
def test_required_bits_are_a_target_within_the_limit(first_s, last_s, time_s, parameters, height):
    parent = state(height, period_first_time_s=first_s, recent_times_s=(max(1, last_s),) * min(11, height + 1))
    assert 0 < target_of(required_bits(parent, time_s, parameters)) <= parameters.pow_limit
