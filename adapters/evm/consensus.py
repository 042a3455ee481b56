"""What a kind of consensus decides about an EVM chain: which blocks are final, and how clients elsewhere believe them."""

from collections.abc import Sequence
from typing import Protocol

from adapters.interface import ClientParameters, Head, InitialStates, Proof
from light_clients.interface import Height


class Consensus(Protocol):
    """See ChainAdapter for what its methods of the same name promise."""

    async def head(self) -> Head:
        """The newest final block; may go back, which the adapter hides."""

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in ns) of a final block."""

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]: ...

    async def bare_header(self, height: int) -> bytes: ...

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]: ...

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates: ...
