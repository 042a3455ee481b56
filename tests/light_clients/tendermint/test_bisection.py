"""The schedule alone, then with our verifier over 10 000 blocks whose set changes much, against the least number of headers."""

from dataclasses import dataclass, field
from functools import cache, cached_property
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    MemoryConsensusStates,
    NotEnoughTrust,
    PredicateFailed,
    Updated,
)
from hutong.light_clients.tendermint.bisection import Bisection
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state, encode_tendermint_header
from hutong.light_clients.tendermint.hashing import validator_set_hash
from hutong.light_clients.tendermint.types import (
    BlockId,
    ConsensusState,
    Header,
    KeyType,
    TendermintHeader,
    ValidatorSet,
)
from tests.light_clients.tendermint.simulated_chain import Signer, SimulatedChain, validator_set
from tests.light_clients.tendermint.verifying import CLIENT


def followed(way: Bisection, trusts) -> Bisection:
    """The schedule to its end."""
    while (height := way.next_height) is not None:
        assert way.trusted < height <= way.target
        way = way.believed() if trusts(way.trusted, height) else way.not_enough_trust()
    return way


def test_the_whole_way_is_skipped_where_the_set_stays():
    way = followed(Bisection.between(1, 10_000), lambda trusted, height: True)
    assert (way.steps, way.verdicts, way.trusted) == ((10_000,), 1, 10_000)


def test_each_step_goes_as_far_as_the_trusted_set_vouches_for():
    """Up to three blocks may be skipped: from 1 the heights 17, 9, 5, 3, 4 are tried and 4 is taken, then the rest whole."""
    tried = []

    def trusts(trusted: int, height: int) -> bool:
        tried.append((trusted, height))
        return height - trusted <= 3

    way = followed(Bisection.between(1, 17), trusts)
    assert tried[:6] == [(1, 17), (1, 9), (1, 5), (1, 3), (1, 4), (4, 17)]
    assert way.steps == (4, 7, 10, 13, 16, 17)


def test_a_set_that_changed_at_once_takes_one_step_to_its_eve():
    way = followed(Bisection.between(1, 1_000), lambda trusted, height: (trusted < 699) == (height < 700))
    assert way.steps == (699, 1_000)


def test_next_block_that_lacks_trust_is_a_contradiction_not_a_loop():
    with pytest.raises(PredicateFailed) as caught:
        Bisection.between(1, 2).not_enough_trust()
    assert caught.value.predicate == "bisection_advances"
    way = Bisection.between(1, 3).not_enough_trust()
    assert way.next_height == 2
    with pytest.raises(PredicateFailed):
        way.not_enough_trust()


@pytest.mark.parametrize("target", [-1, 0, 6, 7])
def test_target_that_is_not_above_is_refused(target):
    with pytest.raises(PredicateFailed) as caught:
        Bisection.between(7, target)
    assert caught.value.predicate == "height_increases"


def test_schedules_are_bounded():
    with pytest.raises(PredicateFailed) as caught:
        followed(Bisection.between(1, 1_000, max_verdicts=20), lambda trusted, height: height == trusted + 1)
    assert (caught.value.predicate, caught.value.got) == ("bisection_is_short", 20)


def test_nothing_is_next_at_the_target():
    way = Bisection.between(1, 2).believed()
    assert way.next_height is None
    for move in (way.believed, way.not_enough_trust):
        with pytest.raises(ValueError, match="reached"):
            move()


@settings(max_examples=60, deadline=None)
@given(distance=st.integers(1, 300), seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_any_verdicts_lead_to_the_target(distance, seed, share):
    """Whatever is trusted, as long as the next block is: every step had its verdict, and there are no more than blocks."""
    random, verdicts = Random(seed), {}

    def trusts(trusted: int, height: int) -> bool:
        return verdicts.setdefault((trusted, height), height == trusted + 1 or random.random() < share)

    way = followed(Bisection.between(5, distance + 5, max_verdicts=10**6), trusts)
    assert way.steps == tuple(sorted(set(way.steps))) and way.steps[-1] == way.trusted == distance + 5
    assert all(verdicts[step] for step in zip((5, *way.steps), way.steps, strict=False))
    assert len(way.steps) <= distance
    assert way.verdicts <= len(way.steps) * (distance.bit_length() + 1)


# 10 000 blocks, signed when they are asked for

BLOCKS = 10_000
VALIDATORS = 6


@dataclass(eq=False)
class LongChain:
    """Every `period` blocks on average `changed` of the six validators of equal power are replaced by new ones."""

    seed: int
    period: int
    changed: int
    chain: SimulatedChain = field(default_factory=SimulatedChain)

    @cached_property
    def starts(self) -> list[int]:
        """First height of each set."""
        random = Random(self.seed)
        return [1, *sorted(random.sample(range(3, BLOCKS), BLOCKS // self.period))]

    @cached_property
    def sets(self) -> list[tuple[Signer, ...]]:
        random, newcomer = Random(self.seed + 1), 0
        members = [Signer.numbered(n, KeyType.ED25519, "old") for n in range(VALIDATORS)]
        sets = []
        for _ in self.starts:
            sets.append(tuple(members))
            for place in random.sample(range(VALIDATORS), self.changed):
                members[place] = Signer.numbered(newcomer, KeyType.ED25519, f"new {self.seed}")
                newcomer += 1
        return sets

    @cached_property
    def epochs(self) -> list[int]:
        """By height, 0 unused: which set signs it."""
        by_height, epoch = [0], -1
        for height in range(1, BLOCKS + 2):
            if epoch + 1 < len(self.starts) and self.starts[epoch + 1] == height:
                epoch += 1
            by_height.append(epoch)
        return by_height

    @cache  # noqa: B019  one chain a test
    def overlap(self, trusted: int, signing: int) -> bool:
        """More than a third of one set is in the other."""
        return 3 * len(set(self.sets[trusted]) & set(self.sets[signing])) > VALIDATORS

    def trusts(self, trusted: int, height: int) -> bool:
        return height == trusted + 1 or self.overlap(self.epochs[trusted + 1], self.epochs[height])

    def least_headers(self) -> int:
        """Over all ways from block 1: a block is one more than the best that some trusted block below it has."""
        best: dict[int, int] = {self.epochs[2]: 0}
        previous = 0
        for height in range(2, BLOCKS + 1):
            signing = self.epochs[height]
            here = 1 + min(
                [
                    previous,
                    *(
                        count
                        for epoch, count in best.items()
                        if epoch >= signing - 3 * VALIDATORS and self.overlap(epoch, signing)
                    ),
                ]
            )
            announced = self.epochs[height + 1]
            best[announced] = min(here, best.get(announced, here))
            previous = here
        return previous

    @cache  # noqa: B019
    def validators(self, height: int) -> ValidatorSet:
        members = self.sets[self.epochs[height]]
        self.chain.keys.update({signer.address: signer for signer in members})
        return validator_set(dict.fromkeys(members, 10))

    def header(self, height: int) -> Header:
        own, announced = self.validators(height), self.validators(height + 1)
        time_ns = self.chain.genesis_time_ns + height * NANOSECONDS_PER_SECOND
        template = self.chain.block(1).header
        return Header(
            **{
                **{name: getattr(template, name) for name in Header.__slots__},
                "height": height,
                "time_ns": time_ns,
                "last_block_id": BlockId(b"\x01" * 32),
                "validators_hash": validator_set_hash(own),
                "next_validators_hash": validator_set_hash(announced),
                "proposer_address": own.validators[0].address,
            }
        )

    def update(self, height: int, trusted: int) -> bytes:
        signed = self.chain.sign(self.header(height), self.validators(height))
        return encode_tendermint_header(
            TendermintHeader(signed, self.validators(height), self.chain.height(trusted), self.validators(trusted + 1))
        )


def halved(trusts) -> int:
    """Headers that the plain schedule takes: go on from the first height that is believed."""
    trusted, goals, headers = 1, [BLOCKS], 0
    while goals:
        if trusts(trusted, goals[-1]):
            trusted, headers = goals.pop(), headers + 1
        else:
            goals.append((trusted + goals[-1]) // 2)
    return headers


@pytest.mark.parametrize(
    ("period", "changed"),
    [(2_000, 6), (400, 3), (100, 2), (100, 1)],
    ids=["five whole sets", "25 halves", "100 thirds", "100 sixths"],
)
def test_ten_thousand_blocks_with_large_changes_take_the_least_number_of_headers(period, changed):
    chain = LongChain(7, period, changed)
    first = chain.header(1)
    state = encode_client_state(chain.chain.client_state(1))
    first_state = ConsensusState(first.time_ns, first.app_hash, first.next_validators_hash)
    states = MemoryConsensusStates({chain.chain.height(1): encode_consensus_state(first_state)})
    now_ns = chain.chain.genesis_time_ns + (BLOCKS + 1) * NANOSECONDS_PER_SECOND
    way = Bisection.between(1, BLOCKS)
    while (height := way.next_height) is not None:
        verdict = CLIENT.verify_header(state, states, chain.update(height, way.trusted), now_ns)
        assert isinstance(verdict, Updated | NotEnoughTrust)
        assert isinstance(verdict, Updated) == chain.trusts(way.trusted, height)
        if isinstance(verdict, Updated):
            states = states.with_state(verdict.height, verdict.consensus_state)
            state = verdict.client_state if height == BLOCKS else state
        way = way.believed() if isinstance(verdict, Updated) else way.not_enough_trust()
    least, plain = chain.least_headers(), halved(chain.trusts)
    print(
        f"{len(chain.starts) - 1} changes of {changed}/{VALIDATORS}: least {least}, plain halving {plain}, "
        f"this schedule {len(way.steps)} of {way.verdicts} verdicts"
    )
    assert CLIENT.latest_height(state) == chain.chain.height(BLOCKS)
    assert least <= len(way.steps) <= least + 1
    assert len(way.steps) < plain
