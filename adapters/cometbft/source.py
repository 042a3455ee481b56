"""What a chain with a CometBFT RPC is as a source: every block is final, and its app hash is of the state before it."""

from abc import abstractmethod
from collections.abc import Sequence

from hutong.adapters.cometbft.blocks import CommittedBlocks
from hutong.adapters.cometbft.headers import HeaderSource
from hutong.adapters.cometbft.proofs import ProofSource
from hutong.adapters.interface import NotSupported, PlaceValues, Proof
from hutong.adapters.rpc import each_of
from hutong.light_clients.interface import Height
from hutong.light_clients.records import MAX_STORE_VALUE_BYTES, Place, StorePlace
from hutong.light_clients.tendermint.codec import encode_header


class CometSource:
    """A kind of chain makes the four parts; see `Source` for every public method."""

    _revision: int
    _blocks: CommittedBlocks
    _headers: HeaderSource
    _proofs: ProofSource

    @property
    def has_unfinal_blocks(self) -> bool:
        """False: every block is final when it exists, so NEWEST reads the state at the head."""
        return False

    @property
    def blocks_per_update(self) -> int | None:
        """None: one header bridges any distance as long as enough of the trusted validators signed it."""
        return None

    def proving_height(self, event_height: int) -> Height:
        """One above `event_height`: a block's header holds the app hash of the state before it."""
        return Height(self._revision, event_height + 1)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See `Source.client_messages`. Raises as `HeaderSource.client_messages`."""
        return await self._headers.client_messages(client_type, client_state, trusted, target)

    async def bare_header(self, height: int) -> bytes:
        """The protobuf encoding of a block's header. Its hash was recomputed; no signature is in it or was checked.

        Raises:
            HeightUnavailable, EndpointUnavailable: as `CommittedBlocks.header`.
        """
        return encode_header((await self._blocks.header(height)).header)

    async def prove(self, path: tuple[bytes, ...], height: Height, client_state: bytes = b"") -> Proof:
        """See `Source.prove`; verified against the app hash of the header at `height`. `client_state` is not read.

        Raises:
            As `ProofSource.prove`.
        """
        return await self._proofs.prove(path, height)

    @abstractmethod
    def _proofs_of_store(self, store: bytes) -> ProofSource:
        """Of any store of the application by its name; empty where it has one store.

        Raises:
            NotSupported: the application has no stores, or none without a name.
        """

    async def read_places(self, places: Sequence[Place], height: Height) -> PlaceValues:
        """See `ObservedChain`: keys of stores, verified against the app hash of the header at `height`.

        Raises:
            NotSupported: slots or accounts, a store that the chain cannot have, or a value that no record can hold.
            HeightUnavailable, EndpointUnavailable: as `ProofSource.prove`.
        """

        async def read(place: Place) -> Proof:
            if not isinstance(place, StorePlace):
                raise NotSupported("slots and accounts of a chain with stores")
            return await self._proofs_of_store(place.store).prove(place.path, height)

        proofs = await each_of(read, places)
        for proof in proofs:
            if proof.value is not None and not 1 <= len(proof.value) <= MAX_STORE_VALUE_BYTES:
                raise NotSupported(
                    f"observing a value of {len(proof.value)} bytes: records hold 1 to {MAX_STORE_VALUE_BYTES}"
                )
        return PlaceValues(tuple(proof.value for proof in proofs), tuple(proof.proof for proof in proofs))

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `ObservedChain`: nothing, since the client's state is the root of everything."""
        return b""
