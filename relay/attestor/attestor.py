"""From a request to signatures: policy, finality, record, then the key."""

from collections.abc import Collection

import trio

from hutong.adapters.evm.attested.attestor_api import (
    AttestationAnswer,
    AttestationRequest,
    AttestorRefused,
    PacketSignature,
    StateRootSignature,
)
from hutong.adapters.interface import AdapterError, SigningFailed
from hutong.adapters.rpc import each_of
from hutong.light_clients.attestation import (
    AttestationKind,
    PacketAttestation,
    PacketEntry,
    Scope,
    StateAttestation,
    StateRootAttestation,
    encode_packets,
    encode_state,
    encode_state_root,
)
from hutong.light_clients.interface import MalformedInput
from hutong.relay.attestor.record import SignedHeights, SignedState
from hutong.relay.attestor.source import NotFinal, SourceBlock, SourceChain
from hutong.relay.keys import Signer
from hutong.relay.telemetry import get_logger


class Attestor:
    """One key for one source chain. `scopes` is the whole policy: it signs for these and for nothing else."""

    def __init__(
        self,
        source: SourceChain,
        record: SignedHeights,
        signer: Signer,
        scopes: Collection[Scope],
        poll_interval_s: float,
    ) -> None:
        self.source = source
        self.record = record
        self._signer = signer
        self._scopes = frozenset(scopes)
        self._poll_interval_s = poll_interval_s
        self._recording = trio.Lock()
        self._log = get_logger("attestor")

    async def attest(self, request: AttestationRequest) -> AttestationAnswer:
        """The signatures that a request asks for, over the final block at its height.

        The height is on record, durably, before a signature is made; one that is on record is signed again as it was.

        Args:
            request: waits at most its `wait_ms` for the height to be final.

        Raises:
            AttestorRefused: `not_configured`, `bad_request`, `not_final`, `too_old`, `contradiction` or `unavailable`.
        """
        if request.scope not in self._scopes:
            raise AttestorRefused("not_configured", "this attestor does not sign for that source and destination")
        if request.height == 0:
            raise AttestorRefused("bad_request", "heights begin at 1")
        state = self.record.get(request.height)
        if state is None:
            self._require_above_floor(request.height)
        try:
            if state is None:
                state = await self._new_state(request.height, request.wait_ms / 1000)
            commitments = await self.source.commitments(state.block_hash, request.path_hashes)
            root = await self.source.state_root(state.block_hash) if request.state_root else None
        except (AdapterError, OSError) as error:
            self._log.error("cannot attest", height=request.height, reason=str(error))
            raise AttestorRefused("unavailable", "its chain's endpoints disagree, or its disk fails") from None
        try:
            answer = await self._sign(request, state, commitments, root)
        except MalformedInput as error:
            raise AttestorRefused("unavailable", f"the block cannot be attested: {error}") from None
        except SigningFailed as error:
            self._log.error("cannot sign", height=request.height, reason=str(error))
            raise AttestorRefused("unavailable", "what holds its key does not sign") from None
        self._log.info(
            "signed",
            destination=request.scope.destination_chain_id,
            client=request.scope.destination_client_id,
            height=request.height,
            timestamp_s=state.timestamp_s,
            block=state.block_hash,
            packets=len(commitments),
            state_root=request.state_root,
            absent=sum(not any(commitment) for commitment in commitments),
        )
        return answer

    async def final_timestamp_s(self, height: int) -> int:
        """The time of the final block at `height`, Unix seconds, put on record as signed. Does not wait for finality.

        Raises:
            AttestorRefused: as `attest`.
        """
        state = self.record.get(height)
        if state is None:
            self._require_above_floor(height)
            try:
                state = await self._new_state(height, 0)
            except (AdapterError, OSError) as error:
                raise AttestorRefused("unavailable", f"block {height} cannot be read or recorded: {error}") from None
        return state.timestamp_s

    async def _new_state(self, height: int, wait_s: float) -> SignedState:
        """The state of a height that was not signed before; on disk when this returns."""
        block = await self._final_block(height, wait_s)
        state = SignedState(block.timestamp_s, block.hash)
        async with self._recording:
            known = self.record.get(height)
            if known is None:
                self._require_above_floor(height)  # which may have risen meanwhile
                await trio.to_thread.run_sync(self.record.add, height, state)
                return state
        if known != state:
            self._log.error("two blocks for one height", height=height, got=state.block_hash, signed=known.block_hash)
            raise AttestorRefused("contradiction", f"another block was signed at height {height}")
        return known

    def _require_above_floor(self, height: int) -> None:
        if height < self.record.floor:
            raise AttestorRefused("too_old", f"heights below {self.record.floor} that are not on record are not signed")

    async def _final_block(self, height: int, wait_s: float) -> SourceBlock:
        deadline_s = trio.current_time() + wait_s
        while True:
            try:
                return await self.source.final_block(height)
            except NotFinal as error:
                if trio.current_time() + self._poll_interval_s > deadline_s:
                    raise AttestorRefused("not_final", str(error)) from None
            await trio.sleep(self._poll_interval_s)

    async def _sign(
        self, request: AttestationRequest, state: SignedState, commitments: tuple[bytes, ...], root: bytes | None
    ) -> AttestationAnswer:
        data = encode_state(StateAttestation(request.height, state.timestamp_s))
        said = [(AttestationKind.STATE, data)]
        if root is not None:
            said.append((AttestationKind.STATE_ROOT, encode_state_root(StateRootAttestation(request.height, root))))
        entries = zip(request.path_hashes, commitments, strict=True)
        attested = [PacketAttestation(request.height, (PacketEntry(*entry),)) for entry in entries]
        said += [(AttestationKind.PACKETS, encode_packets(one)) for one in attested]

        async def sign(one: tuple[AttestationKind, bytes]) -> bytes:
            return await self._signer.sign_attestation(request.scope, *one)

        # Side by side: a key elsewhere takes its time for each.
        signature, *others = await each_of(sign, said)
        signed_root = None if root is None else StateRootSignature(root, others.pop(0))
        packets = tuple(PacketSignature(*pair) for pair in zip(commitments, others, strict=True))
        return AttestationAnswer(request.height, state.timestamp_s, signature, packets, signed_root)
