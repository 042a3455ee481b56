"""What runs in the city: names, kinds, chain ids, ports and sizes. No file, no process, no key."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PEOPLE = 10
HUB_PORTS = 20
"""Offset of the hub's first validator; what follows is dealt out by `hutong hub init`, ten for each validator."""
PORTS_A_VALIDATOR = 10
PORTS_OF_COSMOS = 4
"""Of CometBFT's RPC and peers, gRPC and REST."""
STORAGE_PORTS = 60
"""Offset of the storage gateway; its operators follow."""
MAX_STORAGE_OPERATORS = 14
MAX_VALIDATORS = 4
MAX_ATTESTORS = 3
OBSERVED_KEYS = 1_000
"""How many keys of observations the relay's account may open on the hub."""


class Belief(StrEnum):
    """Whose word the hub takes for what a chain holds: the type of its client."""

    BFT = "bft-evm"
    ATTESTED = "attestation"


@dataclass(frozen=True, slots=True)
class CityChain:
    """An EVM chain of the city.

    `consensus` is that of `hutong devnet start`; `purpose` is a sentence's end for the person who starts the city.
    """

    name: str
    chain_id: int
    belief: Belief
    consensus: str
    port_offset: int
    purpose: str


CHAINS = (
    CityChain("e1", 7_101, Belief.BFT, "qbft", 2, "a consortium chain whose own seals are believed (QBFT)"),
    CityChain("e2", 7_102, Belief.ATTESTED, "qbft", 3, "an EVM chain that attestors speak for"),
    CityChain("p1", 7_103, Belief.BFT, "ibft2", 4, "the chain of an organisation, under another consensus (IBFT 2.0)"),
)
HUB_NAME = "hub"
LOG_NAME = "l"
COUNTERPARTY = "client-0"
"""What the log's packets name as their client of the hub: the log keeps none, so it is a name alone."""
COSMOS_NAME = "t"
API_PORT, RELAY_PORT, LOG_PORT, ATTESTOR_PORTS, COSMOS_PORTS = 0, 1, 5, 6, 10
"""Offsets from the base port."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes stand behind one name."""

    validators: int
    attestors: int
    threshold: int
    """Attestors that must sign: more than half of them."""


FULL = Size(MAX_VALIDATORS, MAX_ATTESTORS, 2)
SMALL = Size(1, 1, 1)


@dataclass(frozen=True, slots=True)
class OutsidePrograms:
    """Programs of others. Without `simd` there is no Cosmos chain; without `anvil` a dev chain stands in its place."""

    simd: Path | None = None
    anvil: Path | None = None


@dataclass(frozen=True, slots=True)
class CityPlan:
    """A city before it runs."""

    size: Size
    base_port: int
    outside: OutsidePrograms = OutsidePrograms()

    @staticmethod
    def port_offsets(size: Size) -> list[int]:
        """Of every port that a city of this size listens on, from its base port."""
        fixed = [API_PORT, RELAY_PORT, *(chain.port_offset for chain in CHAINS), LOG_PORT]
        fixed += [COSMOS_PORTS + number for number in range(PORTS_OF_COSMOS)]
        attestors = [ATTESTOR_PORTS + number for number in range(size.attestors)]
        hub = [HUB_PORTS + PORTS_A_VALIDATOR * number + part for number in range(size.validators) for part in range(3)]
        storage = [STORAGE_PORTS + number for number in range(1 + MAX_STORAGE_OPERATORS)]
        return fixed + attestors + hub + storage

    @property
    def api_port(self) -> int:
        """Of the relay's API and the explorer."""
        return self.base_port + API_PORT

    @property
    def relay_port(self) -> int:
        """Of the relay's readiness and metrics."""
        return self.base_port + RELAY_PORT

    @property
    def log_port(self) -> int:
        """Of the signed log."""
        return self.base_port + LOG_PORT

    @property
    def hub_port(self) -> int:
        """The first of the hub's, which are for peers, Ethereum RPC and CometBFT RPC of each validator."""
        return self.base_port + HUB_PORTS

    @property
    def attestor_ports(self) -> tuple[int, ...]:
        """One for each attestor."""
        return tuple(self.base_port + ATTESTOR_PORTS + number for number in range(self.size.attestors))

    @property
    def cosmos_ports(self) -> tuple[int, int, int, int]:
        """Of the Cosmos chain: CometBFT's RPC and peers, gRPC, REST."""
        first = self.base_port + COSMOS_PORTS
        return first, first + 1, first + 2, first + 3

    def port_of(self, chain: CityChain) -> int:
        """The JSON-RPC of an EVM chain."""
        return self.base_port + chain.port_offset

    @property
    def attestor_names(self) -> tuple[str, ...]:
        """Of the processes, in the order of their ports."""
        return tuple(f"attestor-{number + 1}" for number in range(self.size.attestors))


def storage_ports(base_port: int, operator: int) -> tuple[int, int]:
    """Of the storage gateway, and of the operator of that number, from 0; of a city with this base port."""
    gateway = base_port + STORAGE_PORTS
    return gateway, gateway + 1 + operator
