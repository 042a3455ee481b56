"""A node joins four validators under stock CometBFT by state sync from our snapshots."""

import shutil
import tempfile
from pathlib import Path

import pytest
from eth_utils import to_checksum_address
from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app as hub_app
from hutong.relay.hub.abci.cometbft_home import Peer, TrustedHeader
from hutong.relay.hub.abci.joining import initialise_joining
from hutong.relay.hub.application.snapshot.format import RecordKind, decode_leaf, encode_leaf, encode_manifest
from hutong.relay.hub.joining.snapshot_files import SNAPSHOTS_DIRECTORY, SnapshotFiles
from tests.nodes.cometbft.cometbft_network import Member, Network, new_network, validator_ports
from tests.relay.hub.joining.snapshot_chain import RECORDER_INIT, Taken, recorder_call
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID

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


def trusted_header(member: Member, height: int) -> bytes:
    return bytes.fromhex(member.comet(f"commit?height={height}")["signed_header"]["commit"]["block_id"]["hash"])


def joining(directory: Path, network: Network, rpc_servers: list[Member]) -> Member:
    """A node that begins to believe at block 2."""
    (ports,) = validator_ports(1)
    servers = tuple(one.cometbft_url.removeprefix("http://") for one in rpc_servers)
    home = initialise_joining(
        directory / "joining",
        network.genesis,
        ports,
        [Peer(one.home.node_id, f"127.0.0.1:{one.home.ports.p2p}") for one in network.members],
        TrustedHeader(2, trusted_header(rpc_servers[0], 2), servers, network.genesis.params.trusting_period_s),
    )
    return Member(home)


def restored_height(member: Member) -> int:
    with pytest.raises(RuntimeError, match="pruned history unavailable") as refused:
        member.rpc("eth_getBlockByNumber", "0x1", False)
    return int(refused.value.args[0]["message"].rpartition(" ")[2]) - 1


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
        joined = joining(directory, network, [first, second])
        joined.start()
        reached = joined.wait_for_height(2 * INTERVAL, PATIENCE_S)
        restored = restored_height(joined)
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
        joined.kill()
        joined.start()
        joined.wait_for_height(last + 4, PATIENCE_S)
        assert app_hash(joined, last + 3) == app_hash(first, last + 3)
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


def lying(files: SnapshotFiles, height: int) -> None:
    """Replace a snapshot by one with a changed leaf, whose manifest agrees with its chunks."""
    manifest = files.manifest(height)
    honest = Taken(manifest, [files.stored_chunk(height, index) for index in range(len(manifest.chunk_hashes))])
    records = honest.records
    at = next(index for index, (kind, _) in enumerate(records) if kind is RecordKind.LEAF)
    key, value = decode_leaf(records[at][1])
    records[at] = (RecordKind.LEAF, encode_leaf(key, value + b"!"))
    lie = Taken.packed(manifest, records)
    directory = files.directory / str(height)
    for index, chunk in enumerate(lie.chunks):
        (directory / f"{index:05d}").write_bytes(chunk)
    (directory / "manifest").write_bytes(encode_manifest(lie.manifest))


def test_a_lying_snapshot_is_rejected_and_the_honest_one_below_it_taken(directory):
    network = new_network(directory, 1)
    (member,) = network.members
    joined = None
    try:
        member.application.command += ["--snapshot-interval", "0"]
        member.start()
        member.wait_for_height(9, PATIENCE_S)
        for height in (4, 6):
            made = CliRunner().invoke(
                hub_app,
                ["snapshot", "make", "--home", str(member.home.home), "--height", str(height)]
                + ["--cometbft-rpc", member.cometbft_url],
            )
            assert made.exit_code == 0, made.output
        lying(SnapshotFiles(member.home.home / SNAPSHOTS_DIRECTORY), 6)
        joined = joining(directory, network, [member, member])
        joined.start()
        joined.wait_for_height(4, PATIENCE_S)
        assert restored_height(joined) == 4
        assert "tree_has_trusted_app_hash" in joined.application.tail(100_000)
        joined.wait_for_height(10, PATIENCE_S)
        assert app_hash(joined, 9) == app_hash(member, 9)
    finally:
        if joined is not None:
            joined.kill()
        network.kill()
