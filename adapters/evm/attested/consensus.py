"""A chain without provable consensus: attestors say what it holds, and the adapter's own node must say the same."""

from collections.abc import Sequence

from hutong.adapters.evm.attested.attestors import CONTRADICTED, OPERATION, Alert, Attested, AttestorPanel, OnAlert
from hutong.adapters.evm.attested.confirmed import ConfirmedBlocks
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.ics26.router import RouterReads
from hutong.adapters.interface import (
    ClientParameters,
    EndpointMismatch,
    EndpointUnavailable,
    Head,
    HeightUnavailable,
    InitialStates,
    NotSupported,
    Proof,
)
from hutong.adapters.rpc import all_of
from hutong.light_clients.attestation import (
    ABSENT,
    AttestationClient,
    ClientState,
    Scope,
    StateAttestation,
    decode_client_state,
    encode_attestation,
    encode_client_state,
    encode_state,
)
from hutong.light_clients.crypto.hashes import HASH_BYTES, keccak256
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.errors import shown

CLIENT_TYPE = AttestationClient.client_type
WAIT_MS = 2_000
"""How long an attestor may wait for a height that this adapter's node calls final already."""


class AttestedConsensus:
    """See hutong.adapters.evm.consensus."""

    blocks_per_update = None

    def __init__(
        self,
        router: RouterOnChain,
        reads: RouterReads,
        attestors: AttestorPanel,
        confirmations: int | None,
        on_alert: OnAlert,
    ) -> None:
        self._chain = router.chain
        self._chain_id = str(router.chain_id)
        self._router = router.address
        self._execution = router.execution
        self._reads = reads
        self._blocks = ConfirmedBlocks(router.execution, confirmations)
        self._attestors = attestors
        self._on_alert = on_alert
        self.has_unfinal_blocks = confirmations != 0

    async def head(self) -> Head:
        """The newest block under enough others, or the node's `finalized` one; it may go back, which the adapter hides.

        Raises:
            EndpointUnavailable: no endpoint answers.
            BadAnswer: the block does not link with a final one that is known.
        """
        return await self._blocks.head()

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) of a block by the node's word. Raises as of `ConfirmedBlocks`."""
        return await self._blocks.facts(height)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter: one attested update, whatever the distance.

        Raises:
            NotSupported: a client type other than `attestation`.
            EndpointMismatch: the client follows another chain or router.
            HeightUnavailable: `target` is below `trusted`, or too few attestors call it final.
            EndpointUnavailable: too few attestors sign, or the adapter's own node contradicts them.
            MalformedInput: `client_state` is not an attestation client's.
        """
        client = self._client(client_type, client_state)
        if target == trusted:
            return ()
        if target < trusted:
            raise HeightUnavailable(self._chain, target.revision_height, f"the client is at {trusted} already")
        attested = await self._attested(client, target, ())
        return (encode_attestation(attested.update),)

    async def bare_header(self, height: int) -> bytes:
        """Not offered, so a bundle of this chain holds none.

        Raises:
            NotSupported: always; headers of an attested chain prove nothing.
        """
        raise NotSupported("headers of an attested chain: they prove nothing")

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]:
        """See ChainAdapter: what enough attestors sign about `paths`, and the adapter's own node confirms.

        Args:
            paths: each of one element, the ICS-24 key.
            client_state: of the client that will judge; attestors sign for one client alone.

        Raises:
            NotSupported: `client_state` is empty.
            MalformedInput: a path has not one element, or `client_state` is malformed.
            EndpointMismatch: the client follows another chain or router.
            HeightUnavailable, EndpointUnavailable: too few sign, or the own node contradicts them.
        """
        if not client_state:
            raise NotSupported("a proof for no client: attestors sign for one each")
        client = self._client(CLIENT_TYPE, client_state)
        for path in paths:
            if len(path) != 1:
                raise MalformedInput("path", "an EVM router's path has one element", got=len(path), expected=1)
        path_hashes = [keccak256(path[0]) for path in paths]
        attested = await self._attested(client, height, path_hashes)
        return tuple(
            Proof(path, height, None if entry.commitment == ABSENT else entry.commitment, encode_attestation(packet))
            for path, (entry, packet) in zip(paths, attested.packets, strict=True)
        )

    async def state_block(self, height: int) -> tuple[int, bytes]:
        """See hutong.adapters.evm.consensus: an endpoint's word, which attestors confirm when the root is shown.

        Raises:
            EndpointUnavailable: no endpoint has the block.
        """
        return height, (await self._execution.block(height)).fields.at("stateRoot").data(HASH_BYTES)

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `ObservedChain`: an attestation of kind 4. Raises as `attested_state_root`."""
        return await self.attested_state_root(client_state, height)

    async def attested_state_root(self, client_state: bytes, height: Height) -> bytes:
        """The encoded attestation of the state root of `height`, by enough attestors, which the adapter's own node confirms.

        It is what an observation over a client of type `attestation` shows (docs/spec/records.md).

        Raises:
            MalformedInput: `client_state` is not an attestation client's, or a signed root cannot be one.
            EndpointMismatch: the client follows another chain or router.
            HeightUnavailable, EndpointUnavailable: too few sign, or the own node contradicts them.
        """
        client, at = self._client(CLIENT_TYPE, client_state), height.revision_height
        attested = await self._attestors.attest_state_root(client, at, WAIT_MS)
        if attested.root is None:
            raise RuntimeError("an answer without a root came past its check")
        root, attestation = attested.root
        own = (await self._execution.block(at)).fields.at("stateRoot").data(HASH_BYTES)
        if root.state_root != own:
            raise self._contradicted(f"state root of block {at}", root.state_root, own)
        return encode_attestation(attestation)

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """See ChainAdapter: at the head by the node's word. No attestor is asked.

        Raises:
            NotSupported: another client type, no attestors in `parameters.attested_by`, or a `begin_height`.
            EndpointUnavailable: no endpoint tells the head.
        """
        by = parameters.attested_by
        if client_type != CLIENT_TYPE or by is None:
            raise NotSupported(f"a {client_type} client of an attested chain, or one for which no attestors are named")
        if parameters.begin_height is not None:
            raise NotSupported("a beginning of an attested chain's client: attestors say what its blocks are")
        head = await self.head()
        client_state = ClientState(
            Scope(
                self._chain_id,
                self._router,
                by.destination_chain_id,
                by.destination_router,
                by.destination_client_id,
            ),
            tuple(sorted(by.attestors)),
            by.threshold,
            parameters.trusting_period_s,
            parameters.max_clock_drift_s,
            head.height,
        )
        state = StateAttestation(head.height, head.time_ns // NANOSECONDS_PER_SECOND)
        return InitialStates(
            CLIENT_TYPE, Height(0, head.height), encode_client_state(client_state), encode_state(state), head.hash
        )

    def _client(self, client_type: str, client_state: bytes) -> ClientState:
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of an attested chain")
        client = decode_client_state(client_state)
        source = client.scope.source_chain_id, client.scope.source_router
        if source != (self._chain_id, self._router):
            raise EndpointMismatch(self._chain, "source of the attestations", source, (self._chain_id, self._router))
        return client

    async def _attested(self, client: ClientState, height: Height, path_hashes: Sequence[bytes]) -> Attested:
        """What enough attestors sign, if this adapter's own node says the same.

        Raises:
            EndpointUnavailable: it does not (one of both lies, or stands on another fork), or too few sign.
            HeightUnavailable: too few sign, since the height is not final to them.
        """
        at = height.revision_height
        heard: list[Attested] = []
        words: list[bytes] = []

        async def ask(wait_ms: int) -> None:
            heard.append(await self._attestors.attest(client, at, path_hashes, wait_ms))

        async def read(height: int) -> None:
            words.extend(await self._reads.words(path_hashes, height))

        await all_of([(ask, WAIT_MS), (read, at)])
        (attested,) = heard
        _, time_ns = await self._blocks.facts(at)
        if attested.state.timestamp_ns != time_ns:
            raise self._contradicted(f"time of block {at}", attested.state.timestamp_ns, time_ns)
        for (entry, _), word in zip(attested.packets, words, strict=True):
            if entry.commitment != word:
                raise self._contradicted(f"path 0x{entry.path_hash.hex()} at {at}", entry.commitment, word)
        return attested

    def _contradicted(self, what: str, attested: object, own: object) -> EndpointUnavailable:
        """Nothing is sent on evidence that the own node denies; another node may be found that does not."""
        sentence = f"{what} is attested as {shown(attested)}, the chain's node says {shown(own)}"
        self._on_alert(Alert(self._chain, CONTRADICTED, sentence))
        self._execution.client.distrust(sentence)
        return EndpointUnavailable(self._chain, OPERATION, (("attestors", sentence),))
