"""A validator among peers whose write-ahead log is gone listens at the height that it signed in, and votes from the next one on."""

import pytest
import trio

from relay.hub.node.signer import decode_last_signed
from relay.hub.node.wal import WAL_FILE
from tests.relay.hub.network.simulated_network import SimulatedNetwork


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
        with trio.fail_after(60):
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
