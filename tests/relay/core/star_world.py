"""A chain in the middle, and others that each hold a client of it as it does of them: what one of them does to the rest."""

from collections.abc import Sequence

from hutong.adapters.simulated import Faults, SimulatedChain
from hutong.light_clients.ibc.packet import Payload
from hutong.relay.config import Config
from hutong.relay.telemetry import Metrics
from tests.relay.core.world import FORTUNE_WEI, GENESIS_S, World, chain_table, key

HUB = "hub"
CLIENT_OF_HUB = "bft-evm-0"
DAY_S = 86_400


class StarWorld(World):
    """`hub` has client `bft-evm-N` of the Nth of `around`, with one slot for transactions of the relay."""

    def __init__(self, directory, redis_url: str, around: Sequence[str]) -> None:
        self.directory = directory
        self.redis_url = redis_url
        self.around = tuple(around)
        self.chains = {
            name: SimulatedChain(name, 1001 + number, genesis_time_s=GENESIS_S)
            for number, name in enumerate((HUB, *around))
        }
        self.signer = key(1)
        self.faults = {name: Faults() for name in self.chains}
        for chain in self.chains.values():
            chain.produce_block(GENESIS_S)
            chain.fund(key(1).address, FORTUNE_WEI)
        hub = self.chains[HUB]
        for number, name in enumerate(around):
            for here, there, own, other in (
                (hub, self.chains[name], f"bft-evm-{number}", CLIENT_OF_HUB),
                (self.chains[name], hub, CLIENT_OF_HUB, f"bft-evm-{number}"),
            ):
                here.create_client("bft-evm", *there.states_at(1, DAY_S, 10))
                here.register_counterparty(own, other, (b"",))
        for chain in self.chains.values():
            chain.produce_block(GENESIS_S)
        self.pause_blocks = False
        names = {(HUB, f"bft-evm-{number}"): name for number, name in enumerate(around)}
        self.metrics = Metrics(self.chains, names | {(name, CLIENT_OF_HUB): HUB for name in around})

    def config(self, **relay_options) -> Config:
        chains = [chain_table(name, chain.chain_id) for name, chain in self.chains.items()]
        chains[0]["in_flight"] = 1
        return Config.model_validate(
            {
                "relay": {"home": str(self.directory), "clear_interval_s": 10, **relay_options},
                "chains": chains,
                "paths": [
                    {"a": {"chain": name, "client": CLIENT_OF_HUB}, "b": {"chain": HUB, "client": f"bft-evm-{number}"}}
                    for number, name in enumerate(self.around)
                ],
            }
        )

    def send(self, chain: str, count: int = 1, *, timeout_s: int = 3_600):
        payload = Payload("mail", "echo", "v1", "text", b"hello")
        for _ in range(count):
            self.chains[chain].send(CLIENT_OF_HUB, self.now_ns() // 10**9 + timeout_s, payload)

    def silence(self, chain: str) -> None:
        """Its endpoint takes what it is asked, and says nothing until the asker gives up."""
        self.faults[chain].latency_s, self.faults[chain].unavailable = 40.0, 1.0

    def mend(self, chain: str) -> None:
        self.faults[chain].latency_s = self.faults[chain].unavailable = 0.0
