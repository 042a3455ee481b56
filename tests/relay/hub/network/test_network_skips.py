"""Four validators and a block that some of them cannot execute: skipped, followed, or waited for."""

import pytest
import trio

from hutong.light_clients.tendermint.skip_certificate import decode_certificate
from hutong.light_clients.tendermint.types import BlockIdFlag
from hutong.relay.hub.chain.execution_guard import DEFAULT_LIMITS
from hutong.relay.hub.consensus.signing import SkipRefused
from hutong.relay.hub.skipping.files import SkipFiles
from hutong.relay.hub.skipping.marker import Stage, load_marker
from hutong.relay.hub.state.keys import skip_certificate_key
from tests.relay.hub.network.skipping_network import PAYMENTS, SkippingNetwork

# The stop of an execution may land in a destructor, is swallowed there and sent again: nothing of it is a defect.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.long
async def test_a_block_that_all_fail_on_is_skipped_and_the_chain_goes_on(tmp_path, autojump_clock):
    network = SkippingNetwork(tmp_path, low=range(4))
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.fill_pools()
        await network.all_halt(0, 1, 2, 3)
        height = network.validators[0].height + 1
        for validator in network.validators:
            assert f"block {height} " in validator.halted and "hutong hub skip status" in validator.halted
            assert load_marker(validator.home).stage is Stage.FAILED
        certificate = network.signed_by(0, 1, 2)
        network.validators[3].limits = DEFAULT_LIMITS
        SkipFiles(network.validators[3].home).keep(certificate)
        # One has the file, those who signed wait for it, and hear of it from the one.
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(height + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()
    for validator in network.validators:
        block = validator.ledger.records.block(height + 1).block
        assert decode_certificate(block.transactions[0]) == certificate
        assert validator.ledger.application.view()[0].get(skip_certificate_key(height)) is not None
        assert validator.balance_wei() == 0


@pytest.mark.long
async def test_one_of_four_that_had_executed_it_rolls_back_and_votes_again(tmp_path, autojump_clock):
    network = SkippingNetwork(tmp_path, low=(0, 1, 2))
    executed = network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.fill_pools()
        await network.all_halt(0, 1, 2)
        height = network.validators[0].height + 1
        await network.until(lambda: executed.height == height and executed.signer.record.height == height + 1)
        assert executed.balance_wei() == PAYMENTS
        with pytest.raises(SkipRefused, match=f"signed at height {height + 1} already"):
            executed.sign_skip_of(network.signed_by(0).statement)
        SkipFiles(network.validators[0].home).keep(network.signed_by(0, 1, 2))
        network.start(nursery, 0, 1, 2)
        await network.until(lambda: executed.halted is not None)
        assert "takes the block back and follows" in executed.halted
        network.start(nursery, 3)
        await network.reach(height + 4)
        nursery.cancel_scope.cancel()
    assert network.agree()
    assert executed.balance_wei() == 0
    own = executed.key.public_key.address
    commits = [network.validators[0].ledger.records.commit(at) for at in range(height + 1, height + 5)]
    voted = [
        any(one.validator_address == own and one.block_id_flag is BlockIdFlag.COMMIT for one in commit.signatures)
        for commit in commits
    ]
    assert any(voted)
    assert all(not validator.equivocations for validator in network.validators)


@pytest.mark.long
async def test_attack_C48_two_of_four_that_fail_skip_nothing_and_nothing_else_is_decided(tmp_path, autojump_clock):
    network = SkippingNetwork(tmp_path, low=(0, 1))
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.fill_pools()
        await network.all_halt(0, 1)
        height = network.validators[0].height + 1
        await network.until(lambda: all(network.validators[index].height == height for index in (2, 3)))
        SkipFiles(network.validators[0].home).keep(network.signed_by(0, 1))
        network.start(nursery, 0, 1)
        await trio.sleep(120)
        assert [validator.height for validator in network.validators] == [height - 1, height - 1, height, height]
        assert not any(network.validators[index].halted for index in range(4))
        for index in (0, 1):
            assert "counts as empty" in network.validators[index].node.report()["whyNoBlock"]
        nursery.cancel_scope.cancel()


@pytest.mark.long
async def test_who_signed_in_vain_follows_the_others_without_a_vote_on_the_next_block(tmp_path, autojump_clock):
    network = SkippingNetwork(tmp_path, low=(3,))
    late = network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.fill_pools()
        await network.all_halt(3)
        height = late.height + 1
        late.sign_skip()
        late.limits = DEFAULT_LIMITS
        late.signed.clear()
        await network.reach(height + 3, 0, 1, 2)
        network.start(nursery, 3)
        await network.reach(network.validators[0].height + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()
    assert late.balance_wei() == PAYMENTS
    commit = network.validators[0].ledger.records.block(height + 2).block.last_commit
    own = late.key.public_key.address
    assert all(one.validator_address != own for one in commit.signatures)


@pytest.mark.long
async def test_who_failed_alone_asks_its_peers_and_goes_on_with_more(tmp_path, autojump_clock):
    network = SkippingNetwork(tmp_path, low=(3,))
    late = network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.fill_pools()
        await network.all_halt(3)
        network.start(nursery, 3)
        await network.all_halt(3)
        assert "attempt 2" in late.halted
        late.limits = DEFAULT_LIMITS
        network.start(nursery, 3)
        await network.reach(network.validators[0].height + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()


@pytest.mark.long
async def test_a_node_that_was_away_catches_up_over_a_skipped_block_without_executing_it(tmp_path, autojump_clock):
    network = SkippingNetwork(tmp_path, low=range(4))
    away = network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(2)
        network.kill(3)
        await network.reach(4, 0, 1, 2)
        network.fill_pools()
        await network.all_halt(0, 1, 2)
        height = network.validators[0].height + 1
        SkipFiles(network.validators[0].home).keep(network.signed_by(0, 1, 2))
        network.start(nursery, 0, 1, 2)
        await network.reach(height + 3, 0, 1, 2)
        away.limits = DEFAULT_LIMITS
        network.start(nursery, 3)
        await network.reach(height + 5)
        nursery.cancel_scope.cancel()
    assert network.agree()
    assert away.halted is None
    marker = load_marker(away.home)
    assert marker is None or marker.height != height
