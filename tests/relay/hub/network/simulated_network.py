"""Validators in one process on trio's mock clock: everything is real but TCP, TLS and threads.

A pair of peers talks over memory streams, which the test cuts and makes lossy.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

import trio
import trio.testing

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.engine.driver import DrivenValidator
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WriteAheadLog
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.hub.network.link.node_key import new_node_key, write_node_key
from hutong.relay.hub.network.network_file import Endpoint, Network, Peer
from hutong.relay.hub.network.switchboard import NetworkedHome
from hutong.relay.hub.process.validator_among_peers import NodeNetwork
from tests.relay.hub.simulated_hub import ADMINS, DAPP, EVM_CHAIN_ID, GENESIS_TIME_S, address_of

INTERVAL_MS = 1_000


def keys_of(count: int):
    return [validator_key(sha256(b"network validator %d" % number).digest()) for number in range(count)]


def network_genesis(count: int, chain_id: str = "hutong-1", rules_version: int = rules_versions.NEWEST, **params):
    hub = NewHub(
        chain_id,
        EVM_CHAIN_ID,
        GENESIS_TIME_S * NANOSECONDS_PER_SECOND,
        AdminSet(tuple(address_of(account) for account in ADMINS), 2),
        HubParams(**params),
        ((address_of(DAPP), 10**24),),
        rules_version,
    )
    return build_genesis(hub, tuple(keys_of(count)))


async def in_line(function):
    return function()


@dataclass
class SimulatedValidator:
    """`skew_ns` is what its clock is wrong by."""

    home: object
    key: object
    ledger: HubLedger
    network: Network
    node_key: object
    skew_ns: int = 0
    blocks: list = field(default_factory=list)
    equivocations: list = field(default_factory=list)
    signed: list = field(default_factory=list)
    node: NodeNetwork | None = None
    scope: trio.CancelScope | None = None
    signer: FileSigner | None = None
    mempool: Mempool | None = None

    def _caught(self, equivocation) -> None:
        self.equivocations.append(equivocation)
        self.ledger.evidence.add(equivocation)

    def boot(self, seed: int) -> None:
        signer = self.signer = FileSigner(self.home, self.key, self.ledger.genesis.chain_id)
        sign_vote = signer.sign_vote

        def noted(vote):
            signed = sign_vote(vote)
            self.signed.append(signed)
            return signed

        signer.sign_vote = noted
        self.mempool = Mempool()

        async def on_block(height):
            self.blocks.append((trio.current_time(), height))

        driven = DrivenValidator(
            self.ledger,
            signer,
            signer.public_key.address,
            self.mempool,
            WriteAheadLog(self.home),
            on_block,
            Timeouts.among_peers(self.ledger.genesis.params),
            now_ns=lambda: GENESIS_TIME_S * NANOSECONDS_PER_SECOND + int(trio.current_time() * 10**9) + self.skew_ns,
            run_blocking=in_line,
        )
        own = NetworkedHome(self.home, self.network, self.node_key)
        self.node = NodeNetwork(own, driven, Random(seed), self._caught)

    @property
    def height(self) -> int:
        return self.ledger.tip.height

    @property
    def app_hashes(self) -> list[bytes]:
        return [self.ledger.records.results(height).app_hash for height in range(1, self.height + 1)]

    @property
    def links(self):
        return self.node.switchboard.links


class LossyStream:
    """Whole writes are lost or held back, and the frames in them with it."""

    def __init__(self, stream, random, network) -> None:
        self._stream, self._random, self._network = stream, random, network

    async def send_all(self, data) -> None:
        if self._network.delay_s:
            await trio.sleep(self._network.delay_s * (0.5 + self._random.random()))
        if self._random.random() >= self._network.loss:
            await self._stream.send_all(data)

    async def receive_some(self, most):
        return await self._stream.receive_some(most)

    async def aclose(self) -> None:
        await self._stream.aclose()


class SimulatedNetwork:
    """`async with network.running():` then `await network.until(…)`."""

    def __init__(self, tmp_path, count: int, *, keys=None, genesis=None, seed: int = 1, **params) -> None:
        self.random = Random(seed)
        self.loss = self.delay_s = 0.0
        self.genesis = genesis or network_genesis(count, **params)
        self.separated: set[frozenset[int]] = set()
        self.validators: list[SimulatedValidator] = []
        keys = keys or keys_of(count)
        node_keys = [new_node_key() for _ in keys]
        peers = [Peer(key.node_id, Endpoint("127.0.0.1", 1), key.certificate) for key in node_keys]
        for index, (key, node_key) in enumerate(zip(keys, node_keys)):
            home = tmp_path / f"validator-{index + 1}"
            home.mkdir()
            write_node_key(home, node_key)
            write_durably(home / LAST_SIGNED_FILE, encode_last_signed(LastSigned()))
            others = tuple(peer for peer in peers if peer.node_id != node_key.node_id)
            self.validators.append(
                SimulatedValidator(
                    home,
                    key,
                    HubLedger(MemoryStore(), self.genesis),
                    Network(Endpoint("127.0.0.1", 0), others),
                    node_key,
                )
            )

    def start(self, nursery, *indexes: int) -> None:
        """Boot these and connect them with whoever runs."""
        for index in indexes:
            validator = self.validators[index]
            validator.boot(self.random.randrange(2**32))
            validator.scope = trio.CancelScope()
            nursery.start_soon(self._run, validator)
            for other in range(len(self.validators)):
                if other != index and self.validators[other].scope is not None:
                    nursery.start_soon(self._connect, min(index, other), max(index, other))

    def kill(self, index: int) -> None:
        validator = self.validators[index]
        validator.scope.cancel()
        validator.scope = None

    async def _run(self, validator) -> None:
        with validator.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(validator.node.driver.run)
                nursery.start_soon(validator.node.gossip.run)

    async def _connect(self, first: int, second: int) -> None:
        """For as long as these two lives last; again after each cut."""
        one, two = self.validators[first], self.validators[second]
        lives = one.scope, two.scope
        while (one.scope, two.scope) == lives:
            if frozenset((first, second)) not in self.separated:
                await self._talk(one, two, frozenset((first, second)), lives)
            await trio.sleep(0.2)

    async def _talk(self, one, two, pair, lives) -> None:
        left, right = trio.testing.memory_stream_pair()
        async with trio.open_nursery() as nursery:
            for own, other, stream in ((one, two, left), (two, one, right)):
                nursery.start_soon(self._hold, own, other, LossyStream(stream, self.random, self))
            while (one.scope, two.scope) == lives and pair not in self.separated:
                await trio.sleep(0.05)
                if any(
                    other.node_key.node_id not in {link.node_id for link in own.links}
                    for own, other in ((one, two), (two, one))
                ):
                    break
            nursery.cancel_scope.cancel()

    async def _hold(self, own, other, stream) -> None:
        board = own.node.switchboard
        record = board.records[other.node_key.node_id]
        try:
            await board._linked(stream, record, other.node._hello())
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            pass

    def separate(self, one: set[int], other: set[int]) -> None:
        self.separated = {frozenset((a, b)) for a in one for b in other}

    async def until(self, condition, limit_s: float = 120.0) -> None:
        with trio.fail_after(limit_s):
            while not condition():  # noqa: ASYNC110  any condition over the whole network
                await trio.sleep(0.1)

    async def reach(self, height: int, *indexes: int, limit_s: float = 120.0) -> None:
        which = indexes or range(len(self.validators))
        await self.until(lambda: all(self.validators[index].height >= height for index in which), limit_s)

    def agree(self) -> bool:
        """All have the same blocks and states as far as both of any two have them."""
        shortest = min(validator.height for validator in self.validators)
        blocks = [
            [validator.ledger.records.block(height).block_id for height in range(1, shortest + 1)]
            for validator in self.validators
        ]
        return all(
            validator.app_hashes[:shortest] == self.validators[0].app_hashes[:shortest] and ids == blocks[0]
            for validator, ids in zip(self.validators, blocks)
        )
