"""The adapter's half: final blocks, updates and proofs from a node."""

from collections.abc import Sequence

from hutong.adapters.evm.consensus_parts import ConsensusParts
from hutong.adapters.interface import ClientParameters, Head, InitialStates, NotSupported, Proof
from hutong.adapters.rpc.fields import Fields
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VERIFY, Height
from tests.light_clients.interface.notary.chain import NOTARY
from tests.light_clients.interface.notary.client import (
    ClientState,
    ConsensusState,
    Header,
    NotaryClient,
    header_is_well_formed,
    store_has_the_root,
)


class NotaryConsensus:
    """See hutong.adapters.evm.consensus."""

    blocks_per_update = None
    has_unfinal_blocks = False

    def __init__(self, parts: ConsensusParts) -> None:
        self._router = parts.router
        self._rpc = parts.router.execution.client

    async def head(self) -> Head:
        height = await self._rpc.call("notary_head", [], Fields.quantity)
        return Head(height, *await self.facts(height))

    async def facts(self, height: int) -> tuple[bytes, int]:
        header = await self._header(height)
        return keccak256(header.encode()), header.time_s * NANOSECONDS_PER_SECOND

    async def _header(self, height: int) -> Header:
        return header_is_well_formed(await self._rpc.call("notary_block", [hex(height)], Fields.data))

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        if client_type != NotaryClient.client_type:
            raise NotSupported(f"{client_type} headers of a chain with a notary")
        return () if trusted == target else ((await self._header(target.revision_height)).encode(),)

    async def bare_header(self, height: int) -> bytes:
        return (await self._header(height)).encode()

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]:
        header = await self._header(height.revision_height)
        shown = await self._rpc.call("notary_store", [hex(height.revision_height)], Fields.data)
        store = VERIFY(store_has_the_root, ConsensusState(header.time_s, header.root), shown)
        return tuple(Proof(path, height, store.get(b"".join(path)), shown) for path in paths)

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        head = await self.head()
        header = await self._header(head.height)
        client = ClientState(
            str(self._router.chain_id),
            self._router.address,
            NOTARY,
            parameters.trusting_period_s,
            parameters.max_clock_drift_s,
            head.height,
        )
        state = ConsensusState(header.time_s, header.root)
        return InitialStates(client_type, Height(0, head.height), client.encode(), state.encode(), head.hash)
