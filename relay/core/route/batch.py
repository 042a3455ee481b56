"""Making one batch for one client: fresh headers, a proof for each job, all of it verified here first."""

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from hutong.adapters.interface import (
    AcknowledgePacket,
    ClientInfo,
    Destination,
    HeightUnavailable,
    Proof,
    RecvPacket,
    Source,
    TimeoutPacket,
    UnknownClient,
    UpdateClient,
)
from hutong.adapters.rpc import all_of
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    merkle_path,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.interface import ClientStatus, Height, LightClient, VerificationError
from hutong.light_clients.table import light_client
from hutong.relay.archive import Evidence
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.route.catching_up import header_room_bytes
from hutong.relay.core.route.local_verification import VerifiedClient, verification_time_ns, verify_proof, verify_update
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.watching.discovery import is_expired
from hutong.relay.dispatch import Job, JobKind, Taken
from hutong.relay.ledger import Cause

SOURCE_TIMEOUT_S = 60.0
"""For the block at which an event becomes provable."""
QUIET_S = 5.0
"""A source without a new block for so long is asked whether it is there at all."""
LAG_BLOCKS = 16
"""An event so far above the head is of a chain that began anew (attack list G12); endpoints lag less behind each other."""
UNSENT = bytes(32)


ProvenMessage = RecvPacket | AcknowledgePacket | TimeoutPacket


@dataclass(frozen=True, slots=True)
class Item:
    """A job with its proven message. The evidence's transaction hash is filled in when it is signed."""

    taken: Taken
    message: ProvenMessage
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Refused:
    """A job that cannot be part of the batch. `settled`: it needs nothing more. `look_again`: its packet may."""

    taken: Taken
    reason: str
    settled: bool
    look_again: bool = False


@dataclass(frozen=True, slots=True)
class BuiltBatch:
    """Headers first, then items; each verified in this order with the destination's light client.

    `consensus_state` is what the headers lead to, encoded; empty where nothing was built.
    """

    updates: tuple[UpdateClient, ...]
    items: tuple[Item, ...]
    refused: tuple[Refused, ...]
    consensus_state: bytes = b""


class BatchBuilder:
    """For one route. Holds no state between batches."""

    def __init__(self, context: RouteContext) -> None:
        self._route = context.route
        self._source: Source = context.source.adapter
        self._destination: Destination = context.destination.adapter
        self._source_heads = context.source.heads
        self._destination_heads = context.destination.heads
        self._now_ns = context.relay.services.now_ns
        self._run = context.relay.services.run
        self._catching_up = context.catching_up

    async def await_source(self, jobs: Sequence[Taken]) -> None:
        """Return when the source has the block that proves `jobs`, and answers if it has been quiet.

        To be asked before a slot of the destination is taken: all its sources share these, and those that are away would
        hold them from the others while they are waited for.

        Raises:
            RouteBlocked: the source makes no such block.
            AdapterError: it does not answer.
        """
        heads = self._source_heads
        with trio.move_on_after(SOURCE_TIMEOUT_S) as scope:
            known = (await heads.head()).height + LAG_BLOCKS
            heights = [height for taken in jobs if (height := taken.job.event_height) <= known]
            if heights:
                await heads.wait_for_height(max(map(self._source.proving_height, heights)).revision_height)
        if scope.cancelled_caught:
            raise RouteBlocked(f"{self._route.source} made no block in {SOURCE_TIMEOUT_S:.0f} s", Cause.NO_BLOCK)
        if self.source_is_quiet:
            await self._source.head()

    @property
    def source_is_quiet(self) -> bool:
        """Whether the source's head has not moved for more than QUIET_S, by this process's clock: it may be away."""
        return self._source_heads.quiet_s > QUIET_S

    async def build(self, jobs: Sequence[Taken]) -> BuiltBatch:
        """Headers and proofs for `jobs` (at least one, none settled), fetched and verified.

        A job whose event is more than LAG_BLOCKS above the source's head is refused, and then nothing is built.

        Raises:
            RouteBlocked: the client is unknown, not active or too far below its source, the source made no block in
                SOURCE_TIMEOUT_S, or its headers do not verify.
            AdapterError: a chain does not answer, or not with what was asked for.
            UnsupportedOperation: the relay has no light client of this type.
        """
        head = await self._source_heads.head()
        refused = [
            Refused(taken, f"{self._route.source} is at {head.height}, below the event of {height}", settled=True)
            for taken in jobs
            if (height := taken.job.event_height) > head.height + LAG_BLOCKS
        ]
        if refused:  # the clearer finds their packets, if there are such
            return BuiltBatch((), (), tuple(refused))
        try:
            info = await self._destination.client(self._route.client)
        except UnknownClient as error:
            raise RouteBlocked(f"{error}; did the chain begin anew?") from error
        if info.status is not ClientStatus.ACTIVE:
            raise RouteBlocked(
                f"client {self._route.name} is {info.status}: it needs recovery by the chain's admins",
                Cause.CLIENT_INACTIVE,
            )
        required = max(self._source.proving_height(taken.job.event_height) for taken in jobs)
        target = max(required, info.latest_height)
        if self._within_reach(info, target) < target:
            raise RouteBlocked(
                f"{self._route.name} is at {info.latest_height}, and one transaction cannot bring it to {target}: "
                "the relay updates it step by step"
            )
        try:
            return await self._build_at(jobs, info, target)
        except HeightUnavailable:
            # The node no longer proves at so old a height, or attestors do not sign it: prove at the head instead.
            newest = self._source.proving_height((await self._source_heads.head()).height)
            if newest <= target:
                raise
            return await self._build_at(jobs, info, newest)

    async def refresh(self, target: Height | None = None) -> BuiltBatch | None:
        """Headers alone, which bring the client to `target`, or as near as one transaction does.

        Args:
            target: of the source; waited for. None: where the source's head is provable.

        Returns:
            None if the client is there already.

        Raises:
            RouteBlocked, AdapterError, UnsupportedOperation: as `build`.
            UnknownClient: (an AdapterError) the destination has no such client.
        """
        info = await self._destination.client(self._route.client)
        if info.status is not ClientStatus.ACTIVE:
            raise RouteBlocked(f"client {self._route.name} is {info.status}", Cause.CLIENT_INACTIVE)
        if target is None:
            target = self._source.proving_height((await self._source_heads.head()).height)
        target = self._within_reach(info, target)
        return await self._build_at((), info, target) if target > info.latest_height else None

    @property
    def steps_are_short(self) -> bool:
        """Whether one transaction brings the client a bounded number of blocks forward
        (`ChainAdapter.blocks_per_update`).
        """
        return self._source.blocks_per_update is not None

    async def is_far_behind(self, info: ClientInfo) -> bool:
        """Whether the client is more than half of what one transaction brings it forward below the source's head.

        Always False where any distance takes one header. Waits for the source's first head.
        """
        reach = self._source.blocks_per_update
        if reach is None:
            return False
        head = await self._source_heads.head()
        return head.height - info.latest_height.revision_height > reach // 2

    def _within_reach(self, info: ClientInfo, target: Height) -> Height:
        reach, latest = self._source.blocks_per_update, info.latest_height
        if reach is None or target.revision_height <= latest.revision_height + reach:
            return target
        return Height(target.revision_number, latest.revision_height + reach)

    async def _build_at(self, jobs: Sequence[Taken], info: ClientInfo, target: Height) -> BuiltBatch:
        with trio.move_on_after(SOURCE_TIMEOUT_S) as scope:
            await self._source_heads.wait_for_height(target.revision_height)
        if scope.cancelled_caught:
            raise RouteBlocked(
                f"{self._route.source} made no block {target.revision_height} in {SOURCE_TIMEOUT_S:.0f} s",
                Cause.NO_BLOCK,
            )
        headers, trusted_state, proofs = await self._read(jobs, info, target)
        if jobs and sum(map(len, headers)) > header_room_bytes(self._destination.batch_limits):
            self._catching_up.ask(self._route.name)
            raise RouteBlocked(
                f"client {self._route.name} is {len(headers)} headers behind, more than fit beside packets:"
                " the relay brings it up first",
                Cause.HEADERS_REFUSED,
            )
        if trusted_state is None:
            raise RouteBlocked(f"client {self._route.name} has no state at its latest height {info.latest_height}")
        destination_head = await self._destination_heads.head()
        now_ns = verification_time_ns(destination_head.time_ns, self._now_ns())
        judge = light_client(info.client_type)
        try:
            client: VerifiedClient = await self._run(
                lambda: verify_update(
                    judge, info.client_state, info.latest_height, trusted_state, headers, target, now_ns
                )
            )
        except VerificationError as error:
            self._source.distrust(str(error))
            raise RouteBlocked(
                f"headers of {self._route.source} do not verify: {error}", Cause.HEADERS_REFUSED
            ) from error
        verdicts: list[str | None] = await self._run(
            lambda: [
                _verdict(judge, client, proof, _path(taken.job, info.merkle_prefix))
                for taken, proof in zip(jobs, proofs, strict=True)
            ]
        )
        proven_at_ns = judge.timestamp_ns(client.consensus_state)
        items: list[Item] = []
        refused: list[Refused] = []
        for taken, proof, verdict in zip(jobs, proofs, verdicts, strict=True):
            refusal = self._refusal(taken, proof, verdict, proven_at_ns)
            if refusal is not None:
                refused.append(refusal)
            else:
                evidence = self._evidence(taken.job, info, trusted_state, headers, proof, now_ns)
                items.append(Item(taken, _message(taken.job, proof), evidence))
        updates = tuple(UpdateClient(self._route.client, header) for header in headers)
        return BuiltBatch(updates, tuple(items), tuple(refused), client.consensus_state)

    def _refusal(self, taken: Taken, proof: Proof, verdict: str | None, proven_at_ns: int) -> Refused | None:
        """None if the proof shows what the job is to show."""
        job, where = taken.job, f"on {self._route.source} at {proof.height}"
        if verdict is not None:
            self._source.distrust(verdict)
            return Refused(taken, f"proof does not verify: {verdict}", settled=False)
        if job.kind is JobKind.TIMEOUT:
            if proof.value is not None:
                return Refused(taken, f"was received after all {where}", settled=True, look_again=True)
            if not is_expired(job.packet, proven_at_ns):
                # Somebody lied about the time of a block; the clearer looks again.
                return Refused(taken, f"is not past its timeout {where}", settled=True)
            return None
        if proof.value is None:
            return Refused(taken, f"proven absent {where}", settled=True)
        if proof.value != _expected(job):
            return Refused(taken, f"another commitment is proven {where}", settled=True, look_again=True)
        return None

    async def _read(
        self, jobs: Sequence[Taken], info: ClientInfo, target: Height
    ) -> tuple[tuple[bytes, ...], bytes | None, Sequence[Proof]]:
        """(headers to `target`, the state that the client trusts, proofs at `target`), asked for together."""
        headers: list[bytes] = []
        trusted_states: list[bytes | None] = []
        proofs: list[Proof] = []

        async def read_headers(target: Height) -> None:
            if target > info.latest_height:
                headers.extend(
                    await self._source.client_messages(info.client_type, info.client_state, info.latest_height, target)
                )

        async def read_trusted_state(height: Height) -> None:
            trusted_states.append(await self._destination.consensus_state(self._route.client, height))

        async def read_proofs(target: Height) -> None:
            if jobs:
                paths = [_path(taken.job, info.merkle_prefix) for taken in jobs]
                proofs.extend(await self._source.prove_all(paths, target, info.client_state))

        await all_of([(read_headers, target), (read_trusted_state, info.latest_height), (read_proofs, target)])
        return tuple(headers), trusted_states[0], proofs

    def _evidence(
        self, job: Job, info: ClientInfo, trusted_state: bytes, headers: tuple[bytes, ...], proof: Proof, now_ns: int
    ) -> Evidence:
        return Evidence(
            kind=job.kind.value,
            source_chain=self._source.name,
            source_chain_id=self._source.chain_id,
            destination_chain=self._destination.name,
            destination_chain_id=self._destination.chain_id,
            client_id=info.client_id,
            client_type=info.client_type,
            packet=job.packet,
            acknowledgement=job.acknowledgement,
            event_height=job.event_height,
            trusted_height=info.latest_height,
            trusted_client_state=info.client_state,
            trusted_consensus_state=trusted_state,
            headers=headers,
            proof_height=proof.height,
            path=proof.path,
            value=proof.value,
            proof=proof.proof,
            verified_at_ns=now_ns,
            transaction_hash=UNSENT,
        )


def _path(job: Job, prefix: tuple[bytes, ...]) -> tuple[bytes, ...]:
    match job.kind:
        case JobKind.RECEIVE:
            key = commitment_key(job.packet)
        case JobKind.ACKNOWLEDGE:
            key = acknowledgement_key(job.packet)
        case JobKind.TIMEOUT:
            key = receipt_key(job.packet)
    return merkle_path(prefix, key)


def _verdict(judge: LightClient, client: VerifiedClient, proof: Proof, path: tuple[bytes, ...]) -> str | None:
    try:
        verify_proof(judge, client, proof, path)
    except VerificationError as error:
        return str(error)
    return None


def _expected(job: Job) -> bytes:
    if job.acknowledgement is None:
        return packet_commitment(job.packet)
    return acknowledgement_commitment(job.acknowledgement)


def _message(job: Job, proof: Proof) -> ProvenMessage:
    if job.kind is JobKind.TIMEOUT:
        return TimeoutPacket(job.packet, proof.proof, proof.height)
    if job.acknowledgement is None:
        return RecvPacket(job.packet, proof.proof, proof.height)
    return AcknowledgePacket(job.packet, job.acknowledgement, proof.proof, proof.height)
