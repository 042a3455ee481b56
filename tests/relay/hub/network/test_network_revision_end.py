"""The last block of a revision: who lacks it takes it from peers that have nothing more to decide."""

from dataclasses import replace

import pytest
import trio
from eth_utils import to_checksum_address

from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, end_revision_action
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS
from tests.relay.hub.network.simulated_network import SimulatedNetwork, network_genesis
from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID


async def decide_end(network, end: int) -> None:
    """By two of the three admins, in transactions as anybody sends them."""
    action = end_revision_action(1, end)
    approve = abi.APPROVE.call(action_hash(network.genesis.chain_id, action))
    for account, nonce, data in ((0, 0, approve), (1, 0, approve), (0, 1, abi.EXECUTE.call(action))):
        fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 2_000_000, "gasPrice": 0, "value": 0, "data": data}
        fields["to"] = to_checksum_address(CLIENT_MANAGER_ADDRESS)
        raw = bytes(ADMINS[account].sign_transaction(fields).raw_transaction)
        first = network.validators[0]
        await first.node.gossip.pass_on(decode_transaction(raw, EVM_CHAIN_ID), SenderAccount(nonce, 10**24))
        await network.reach(first.height + 2, 0, 1, 2)


@pytest.mark.long
async def test_a_laggard_takes_the_last_block_of_a_revision_from_peers_that_are_at_its_end(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4, genesis=replace(network_genesis(4), rules_version=2))
    end = 20
    late = network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(2)
        await decide_end(network, end)
        assert network.validators[0].ledger.application.coming.last_height() == end
        await network.reach(end - 1, 0, 1, 2, 3)
        network.kill(3)
        await network.reach(end, 0, 1, 2)
        # Restarted, they have no votes of it any more.
        for index in (0, 1, 2):
            network.kill(index)
        network.start(nursery, 0, 1, 2)
        await trio.sleep(2)
        assert late.height == end - 1
        assert all(validator.node.driver.state.height == end + 1 for validator in network.validators[:3])
        network.start(nursery, 3)
        await network.reach(end, 3, limit_s=15)
        await trio.sleep(5)
        for validator in network.validators:
            assert validator.height == end
            assert validator.node.report()["whyNoBlock"].startswith("hutong-1 ended at block 20, as was decided")
            assert all(row["connected"] and row["height"] == end for row in validator.node.report()["peers"])
            assert all(row["points"] == 0 for row in validator.node.report()["peers"])
        nursery.cancel_scope.cancel()
    assert network.agree()
