"""What is asked of the chain that packets come from."""

from collections.abc import Sequence
from typing import Protocol

from hutong.adapters.interface.clients import ClientParameters, InitialStates, Proof
from hutong.adapters.interface.packet_records import PacketRecords
from hutong.light_clients.interface import Height


class Source(PacketRecords, Protocol):
    """A chain whose state is proven elsewhere: headers for clients of it, and proofs for its packets."""

    @property
    def merkle_prefix(self) -> tuple[bytes, ...]:
        """The store prefix that counterparties register for this chain, so that their clients verify its proofs."""

    @property
    def blocks_per_update(self) -> int | None:
        """How many blocks of this chain one transaction may bring a client forward.

        Above it `client_messages` may return more than a transaction holds. None if any distance takes one header.
        """

    def proving_height(self, event_height: int) -> Height:
        """The consensus height whose root holds the state after block `event_height`.

        EVM: the same; hub and Cosmos chain: + 1. Blocks at it need not exist yet:
        `wait_for_height(proving_height(h).revision_height)` first.
        """

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """Headers that bring a counterparty's client of this chain from `trusted` to `target`, in order.

        One normally; more where validator changes leave too little trust for one step; none if they are equal.

        Args:
            client_state: encoded, of the client that is brought forward.

        Raises:
            NotSupported: a client type that does not follow this chain.
            HeightUnavailable: `target` is below `trusted`, too far above it, or no endpoint keeps what is on the way.
        """

    async def bare_header(self, height: int) -> bytes:
        """The header of a final block without signatures, as bundles carry it (docs/spec/bundle.md).

        Raises:
            NotSupported: the chain's headers prove nothing.
        """

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """Value or absence of `path` (prefix with the ICS-24 key applied) for the consensus state at `height`.

        Args:
            client_state: of the client that will judge the proof; only chains whose proofs are made for one client
                (attested ones) read it.

        Raises:
            NotSupported: such a chain, and no `client_state`.
            MalformedInput: the path is not one of this chain's store.
            HeightUnavailable: no endpoint keeps the state, or it is not final.
        """

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes = b""
    ) -> tuple[Proof, ...]:
        """`prove` for each of `paths`, in their order, with as few requests as the chain needs.

        Raises:
            As `prove`, for the first path that fails.
        """

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """States for a new client of this chain at its head, or at `parameters.begin_height`.

        Raises:
            NotSupported: a client type that does not follow this chain.
            HeightUnavailable: a height that is not final or no longer kept.
        """
