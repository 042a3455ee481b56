"""What a kind of consensus decides about an EVM chain: which blocks are final, and how clients elsewhere believe them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import ClientParameters, Head, InitialStates, Proof
from hutong.light_clients.interface import Height


@dataclass(frozen=True, slots=True)
class RouterOnChain:
    """One router, and the endpoints of its chain."""

    chain: str
    """As the relay's configuration calls it; errors carry it."""
    chain_id: int
    """EIP-155."""
    address: bytes
    """Of the router, 20 bytes."""
    execution: ExecutionRpc


class Consensus(Protocol):
    """See ChainAdapter for what its methods of the same name promise."""

    @property
    def blocks_per_update(self) -> int | None:
        """How many blocks one update may span, where clients need every header; else None."""

    @property
    def has_unfinal_blocks(self) -> bool:
        """Whether nodes know blocks that may still go."""

    async def head(self) -> Head:
        """The newest final block by this consensus; it may go back, which the adapter hides."""

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) of a final block, the hash as `eth_getLogs` names it."""

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter. Encoded for the Python light client of `client_type`."""

    async def bare_header(self, height: int) -> bytes:
        """See ChainAdapter. Raises NotSupported if headers of this consensus prove nothing."""

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]:
        """See ChainAdapter; `height` is a consensus height of this chain's clients, such as a slot.

        Args:
            paths: each of one element, the ICS-24 key.
            client_state: of the client that will judge; empty unless proofs are made for one client.
        """

    async def state_block(self, height: int) -> tuple[int, bytes]:
        """(number of the block, its state root of 32 bytes) at a consensus height of this chain's clients.

        The root is of a header that hashes to its block's name, or of endpoints' word where clients judge otherwise.
        """

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `hutong.adapters.interface.ObservedChain`."""

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter. Raises NotSupported for a client type that does not follow this consensus."""
