"""A validator among peers whose write-ahead log is gone listens at the height that it signed in, and votes from the next one on.

One with more than two thirds of the power goes on by itself, by its last-signed record alone.
"""

from dataclasses import replace

import pytest
import trio

from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.engine.wal import WAL_FILE
from hutong.relay.hub.home.home import PROPOSAL_FILE
from hutong.relay.hub.home.last_signed import decode_last_signed
from tests.relay.hub.network.simulated_network import SimulatedNetwork, network_genesis


@pytest.mark.long
@pytest.mark.parametrize("log_lost", [False, True])
async def test_attack_C45_hub_votes_go_on_from_the_log_and_without_it_only_at_the_next_height(
    tmp_path, autojump_clock, log_lost
):
    network = SimulatedNetwork(tmp_path, 4, block_interval_ms=200, proof_block_delay_ms=50)
    network.delay_s = 0.05
    victim = network.validators[1]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        with trio.fail_after(600):
            while not any(vote.height == victim.height + 1 for vote in victim.signed):  # noqa: ASYNC110
                await trio.sleep(0.01)
        height = victim.height + 1
        network.kill(1)
        record = decode_last_signed((victim.home / "last_signed.json").read_bytes())
        assert record.height == height
        if log_lost:
            (victim.home / WAL_FILE).unlink()
        before = len(victim.signed)
        network.start(nursery, 1)
        await network.reach(height + 4)
        nursery.cancel_scope.cancel()
    later = victim.signed[before:]
    assert any(vote.height > height for vote in later)
    if log_lost:
        assert not any(vote.height == height for vote in later)


class Killed(Exception):
    """The process ends here."""


def unequal(count: int = 4):
    """The first has 70 of 100."""
    genesis = network_genesis(count, block_interval_ms=200, proof_block_delay_ms=50)
    first, *others = genesis.validators
    members = (replace(first, power=70), *(replace(member, power=10) for member in others))
    return decode_genesis(encode_genesis(replace(genesis, validators=members)))


class Watched:
    """Every signature of a validator over its lives; the first of `step` in a height that is its turn, or is not, ends it."""

    def __init__(self, network, step, *, own_turn: bool) -> None:
        self.network, self.victim, self.step, self.own_turn = network, network.validators[0], step, own_turn
        self.signed: dict[tuple[int, int, Step], bytes] = {}

    def watch(self, *, kill: bool) -> None:
        signer = self.victim.signer
        sign = signer._sign

        def watched(height, round_, at, *rest):
            found = sign(height, round_, at, *rest)
            assert self.signed.setdefault((height, round_, at), found.sign_bytes) == found.sign_bytes
            turn = (height, round_, Step.PROPOSE) in self.signed
            if kill and height >= 4 and at is self.step and turn == self.own_turn:
                raise Killed
            return found

        signer._sign = watched

    async def until_killed(self):
        """The record that is left; the log is gone."""
        with pytest.RaisesGroup(Killed, flatten_subgroups=True):
            async with trio.open_nursery() as nursery:
                self.network.start(nursery, 0, 1, 2, 3)
                self.watch(kill=True)
                await self.network.reach(40)
        record = decode_last_signed((self.victim.home / "last_signed.json").read_bytes())
        assert record.signed[-1].step is self.step
        assert self.victim.height == record.height - 1
        (self.victim.home / WAL_FILE).unlink()
        for validator in self.network.validators:
            validator.scope = None
        return record


@pytest.mark.long
@pytest.mark.parametrize(
    ("step", "own_turn"),
    [
        (Step.PROPOSE, True),
        (Step.PREVOTE, True),
        (Step.PREVOTE, False),
        (Step.PRECOMMIT, True),
        (Step.PRECOMMIT, False),
    ],
)
async def test_attack_C45_hub_a_majority_of_its_own_goes_on_without_its_log_and_signs_nothing_twice(
    tmp_path, autojump_clock, step, own_turn
):
    """Killed when the signature is on record and nobody else has it, which is the worst moment."""
    network = SimulatedNetwork(tmp_path, 4, genesis=unequal())
    watched = Watched(network, step, own_turn=own_turn)
    record = await watched.until_killed()
    victim, height = watched.victim, record.height
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        watched.watch(kill=False)
        await network.reach(height + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()
    assert all(not validator.equivocations for validator in network.validators)
    commit = victim.ledger.records.commit(height)
    own = next(entry for entry in commit.signatures if entry.validator_address == victim.key.public_key.address)
    if step is Step.PRECOMMIT:
        assert (commit.round, own.signature) == (record.round, record.at(step).signature)
    else:
        assert commit.round == record.round + 1


async def test_without_log_and_block_a_majority_signs_no_other_than_the_block_that_it_decided(tmp_path, autojump_clock):
    """It alone precommitted it and alone had it; a copy of the block lets it go on."""
    network = SimulatedNetwork(tmp_path, 4, genesis=unequal())
    watched = Watched(network, Step.PRECOMMIT, own_turn=True)
    record = await watched.until_killed()
    victim = watched.victim
    kept = (victim.home / PROPOSAL_FILE).read_bytes()
    (victim.home / PROPOSAL_FILE).unlink()
    before = dict(watched.signed)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0)
        watched.watch(kill=False)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert victim.height == record.height - 1
    assert watched.signed == before
    (victim.home / PROPOSAL_FILE).write_bytes(kept)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0)
        watched.watch(kill=False)
        await network.reach(record.height + 1, 0)
        nursery.cancel_scope.cancel()
