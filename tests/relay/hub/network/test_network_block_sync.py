"""Catching up from peers: whose answer is full has answered, and whose turn it was tells who was lied to about turns."""

import pytest
import trio
from structlog.testing import capture_logs

from hutong.relay.hub.chain.block_records import store_validators
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.validators import advance_proposer
from hutong.relay.hub.network import block_sync, gossip
from hutong.relay.hub.network.block_sync import BLOCK_LIMIT_S, BlockSync
from hutong.relay.hub.network.link.codec import MAX_ANSWER_BYTES, MAX_BLOCKS_ASKED
from hutong.relay.hub.network.link.messages import BlocksRequest
from hutong.relay.hub.network.peer_driver import NetworkDisagrees
from hutong.relay.hub.network.score import Offence
from tests.relay.hub.network.simulated_network import SimulatedNetwork


@pytest.mark.long
async def test_a_peer_whose_answer_is_full_is_asked_again_at_once_and_not_blamed(tmp_path, autojump_clock, monkeypatch):
    for module in (gossip, block_sync):
        # Three of these small blocks, where each could have 4 MiB.
        monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 2_000)
    network = SimulatedNetwork(tmp_path, 4)
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2)
            await network.reach(12, 0, 1, 2)
            network.start(nursery, 3)
            await network.reach(12, limit_s=5)
            nursery.cancel_scope.cancel()
    assert [entry for entry in log if entry["event"] == "a peer broke a rule"] == []


class _Peer:
    def __init__(self) -> None:
        self.node_id, self.height, self.closing = "peer", 100, trio.Event()
        self.asked: list[BlocksRequest] = []

    def send(self, message: BlocksRequest) -> None:
        self.asked.append(message)


async def test_a_peer_that_stops_below_a_full_answer_is_blamed(autojump_clock):
    blamed = []
    sync, peer = BlockSync(lambda _link, offence, reason: blamed.append((offence, reason))), _Peer()
    sync.consider(7, [peer])
    assert peer.asked == [BlocksRequest(7, MAX_BLOCKS_ASKED)]
    assert sync.received(peer, 7, MAX_ANSWER_BYTES)
    await trio.sleep(block_sync.ANSWER_LIMIT_S + MAX_BLOCKS_ASKED * BLOCK_LIMIT_S)
    sync.consider(8, [peer])
    assert blamed == [(Offence.NO_ANSWER, "it says that it has blocks up to 14 and sends none from 8 on")]


async def test_nothing_is_taken_beyond_a_full_answer(autojump_clock):
    sync, peer = BlockSync(lambda *_: None), _Peer()
    sync.consider(7, [peer])
    assert sync.received(peer, 7, MAX_ANSWER_BYTES) and sync.received(peer, 8, 1)
    assert not sync.received(peer, 9, 1)
    sync.consider(8, [peer])
    assert len(peer.asked) == 1
    sync.consider(9, [peer])
    assert peer.asked[1:] == [BlocksRequest(9, MAX_BLOCKS_ASKED)]


@pytest.mark.long
@pytest.mark.parametrize("turns", [2, 0])
async def test_attack_C46_hub_who_was_lied_to_about_turns_halts_before_it_and_its_peers_send_each_other_away(
    tmp_path, autojump_clock, turns
):
    """As a snapshot's server may: priorities that fitted the few blocks that the joining node saw."""
    network = SimulatedNetwork(tmp_path, 4)
    joined = network.validators[3]

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2, 3)
            await network.reach(3)
            network.kill(3)
            ledger = joined.ledger
            height = ledger.tip.height
            with ledger.store.batch() as batch:
                for at in (height + 1, height + 2):
                    store_validators(batch, at, advance_proposer(ledger.records.validators(at), 4 + turns))
            joined.ledger = HubLedger(ledger.store, ledger.genesis)
            network.start(nursery, 3)
            await network.reach(height + 12, limit_s=30)
            nursery.cancel_scope.cancel()

    if turns == 0:
        await run()
        return
    with pytest.RaisesGroup(NetworkDisagrees, flatten_subgroups=True, allow_unwrapped=True) as halted:
        await run()
    error = halted.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert "whose turn it was not" in str(error) and "run `hutong hub join` again" in str(error)
