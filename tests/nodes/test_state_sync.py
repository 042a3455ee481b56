"""A node joins four validators under stock CometBFT by state sync from our snapshots."""

import shutil
import tempfile
from pathlib import Path

import pytest
from eth_utils import to_checksum_address

from relay.hub.abci.cometbft_home import Peer, TrustedHeader
from relay.hub.abci.joining import initialise_joining
from tests.nodes.cometbft_network import Member, free_ports, new_network
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID
from tests.relay.hub.snapshot_chain import RECORDER_INIT, recorder_call

pytestmark = pytest.mark.nodes

INTERVAL = 8
PATIENCE_S = 300.0
"""Ten processes on two processors that others use too."""


@pytest.fixture
def directory():
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Sender:
    """The funded account, through one member's RPC."""

    def __init__(self, member: Member) -> None:
        self.member, self.nonce = member, 0

    def send(self, to: str | None, data: bytes) -> dict:
        """The receipt, once there is one."""
        fields = {
            "chainId": EVM_CHAIN_ID,
            "nonce": self.nonce,
            "gas": 500_000,
            "gasPrice": 0,
            "value": 0,
            "data": data,
        }
        if to is not None:
            fields["to"] = to_checksum_address(to)
        signed = DAPP.sign_transaction(fields)
        self.nonce += 1
        hashed = self.member.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        while (receipt := self.member.rpc("eth_getTransactionReceipt", hashed)) is None:
            self.member.wait_for_height(self.member.height + 1)
        assert receipt["status"] == "0x1"
        return receipt


def app_hash(member: Member, height: int) -> str:
    """After the block of `height`."""
    return member.comet(f"header?height={height + 1}")["header"]["app_hash"]


def test_a_fifth_node_joins_by_state_sync_and_executes_the_same(directory):
    network = new_network(directory, 4, block_interval_ms=1_000, proof_block_delay_ms=200)
    first, second = network.members[:2]
    joined = None
    try:
        for member in network.members:
            member.application.command += ["--snapshot-interval", str(INTERVAL)]
            member.start()
        network.wait_for_height(1, PATIENCE_S)
        sender = Sender(first)
        recorder = sender.send(None, RECORDER_INIT)["contractAddress"]
        for depth in (1, 2, 3):
            sender.send(recorder, recorder_call(depth))
        first.wait_for_height(2 * INTERVAL + 3, PATIENCE_S)
        trusted_height = 2
        header = first.comet(f"commit?height={trusted_height}")["signed_header"]["commit"]["block_id"]["hash"]
        (ports,) = free_ports(1)
        home = initialise_joining(
            directory / "fifth",
            network.genesis,
            ports,
            [Peer(one.home.node_id, f"127.0.0.1:{one.home.ports.p2p}") for one in network.members],
            TrustedHeader(
                trusted_height,
                bytes.fromhex(header),
                tuple(one.cometbft_url.removeprefix("http://") for one in (first, second)),
                network.genesis.params.trusting_period_s,
            ),
        )
        joined = Member(home)
        joined.start()
        reached = joined.wait_for_height(2 * INTERVAL, PATIENCE_S)
        with pytest.raises(RuntimeError, match="pruned history unavailable") as refused:
            joined.rpc("eth_getBlockByNumber", "0x1", False)
        restored = int(refused.value.args[0]["message"].rpartition(" ")[2]) - 1
        assert restored % INTERVAL == 0
        assert restored >= INTERVAL

        # BLOCKHASH of blocks before the joining, executed after it.
        wanted = sender.send(recorder, recorder_call(restored // 2))
        number = int(wanted["blockNumber"], 16)
        assert number > reached - 1
        ancestor = number - restored // 2
        for depth in (1, 250):
            sender.send(recorder, recorder_call(depth))
        last = first.height
        network.wait_for_height(last + 2, PATIENCE_S)
        joined.wait_for_height(last + 2, PATIENCE_S)
        for height in range(restored + 1, last + 1):
            assert app_hash(joined, height) == app_hash(first, height) == app_hash(second, height)
        slot = hex(number)
        stored = [one.rpc("eth_getStorageAt", recorder, slot, hex(last)) for one in (joined, first, second)]
        assert stored[0] == stored[1] == stored[2]
        assert (
            stored[0][2:].upper()
            == first.comet(f"commit?height={ancestor}")["signed_header"]["commit"]["block_id"]["hash"]
        )
    finally:
        if joined is not None:
            joined.kill()
        network.kill()
