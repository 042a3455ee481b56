"""A node and its signer, as `hutong hub init` and `hutong hub signer init` make them; votes to ask for."""

import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.relay.hub.consensus.types import Proposal, Vote
from hutong.relay.hub.engine.signer import FileSigner, RecordedSigner
from hutong.relay.hub.home.home import load_genesis
from hutong.relay.hub.home.key_file import load_key
from hutong.relay.hub.network.network_file import Endpoint
from hutong.relay.hub.remote_signer.client import RemoteSigner
from hutong.relay.hub.remote_signer.moving import move_key
from hutong.relay.hub.remote_signer.places import load_nodes, load_signer_place
from hutong.relay.hub.remote_signer.server import SignerServer
from hutong.relay.hub.upkeep.initialise_network import initialise_network
from hutong.relay.local.ports import free_base_port, free_port

LIMIT_S = 5.0
TIME_NS = 10**18
BLOCKS = [BlockId(bytes([number]) * 32, PartSetHeader(1, bytes([number]) * 32)) for number in range(1, 4)]


@dataclass(frozen=True, slots=True)
class Place:
    """`nodes[0]` asks `signer`; `nodes[1]` has its own key."""

    nodes: list[Path]
    signer: Path
    chain_id: str
    clients: list[RemoteSigner] = field(default_factory=list)

    def client(self, node: Path | None = None, chain_id: str | None = None, limit_s: float = LIMIT_S) -> RemoteSigner:
        home = self.nodes[0] if node is None else node
        one = RemoteSigner(home, load_signer_place(home), self.chain_id if chain_id is None else chain_id, limit_s)
        self.clients.append(one)
        return one

    def close(self) -> None:
        for client in self.clients:
            client.close()

    @property
    def address(self) -> bytes:
        return load_key(self.signer).public_key.address

    def file_signer(self) -> FileSigner:
        return FileSigner(self.signer, load_key(self.signer), self.chain_id)


def make_place(folder: Path) -> Place:
    hub = network_genesis_hub()
    initialise_network(folder / "net", hub, 2, free_base_port((0, 10)))
    nodes = [folder / "net" / f"validator-{number}" for number in (1, 2)]
    move_key(nodes[0], folder / "signer", Endpoint("127.0.0.1", free_port()))
    return Place(nodes, folder / "signer", load_genesis(nodes[0]).chain_id)


def network_genesis_hub():
    from hutong.relay.hub.application.admin import AdminSet
    from hutong.relay.hub.application.genesis import HubParams
    from hutong.relay.hub.home.initialise import NewHub
    from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID, GENESIS_TIME_S, address_of

    admins = AdminSet(tuple(address_of(account) for account in ADMINS), 2)
    return NewHub("hutong-1", EVM_CHAIN_ID, GENESIS_TIME_S * 10**9, admins, HubParams())


@asynccontextmanager
async def serving(place: Place, signer: RecordedSigner | None = None):
    """The signer in this process, over real TCP and TLS."""
    async with trio.open_nursery() as nursery:
        own = place.file_signer() if signer is None else signer
        server = SignerServer(place.signer, load_nodes(place.signer), own, place.chain_id)
        await nursery.start(server.run)
        yield server
        nursery.cancel_scope.cancel()


def start_signer(place: Place) -> subprocess.Popen:
    """`hutong hub signer start`; returns when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hutong.relay.cli", "hub", "signer", "start", "--home", str(place.signer)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    line = process.stdout.readline()
    assert "ready on" in line, line + process.communicate(timeout=10)[0]
    return process


def connected(place: Place, node: Path | None = None, limit_s: float = 20.0) -> RemoteSigner:
    client = place.client(node, limit_s=limit_s)
    client.connect()
    return client


def vote(place: Place, height, round_=0, block=BLOCKS[0], kind=SignedMessageType.PREVOTE, time_ns=TIME_NS) -> Vote:
    return Vote(kind, height, round_, block, time_ns, 0, place.address)


def proposal(height, round_=0, block=BLOCKS[0], time_ns=TIME_NS) -> Proposal:
    return Proposal(height, round_, -1, block, time_ns)


async def until(condition) -> None:
    with trio.fail_after(20):
        while not condition():  # noqa: ASYNC110  any condition
            await trio.sleep(0.01)


def wait_for(condition, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)
