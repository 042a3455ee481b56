"""The `ethereum` light client: chains whose blocks a sync committee signs (Ethereum's proof of stake, Capella through Fulu)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from light_clients.ethereum import codec, predicates
from light_clients.ethereum.roots import beacon_block_root
from light_clients.ethereum.types import (
    ClientState,
    ConsensusState,
    ExecutionPayloadHeader,
    Header,
    LightClientHeader,
    Misbehaviour,
)
from light_clients.ethereum.verification import SPEC, after_update, trusted_update_checks
from light_clients.ibc.evm_router import ProofContext, commitment_checks, router_storage_root
from light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Check,
    ClientStatus,
    ConsensusStates,
    Created,
    Destination,
    HeaderVerdict,
    Height,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    Slot,
    UnknownHeight,
    Updated,
    check_substitute_fits,
    run_checks,
)


@dataclass(frozen=True, slots=True)
class _Judging:
    """What the checks of one header find on their way."""

    client: Slot[ClientState]
    header: Slot[Header]
    storage_root: Slot[bytes]

    @classmethod
    def begin(cls) -> "_Judging":
        return cls(Slot(), Slot(), Slot())


class EthereumClient:
    """See `light_clients.interface.LightClient`. Heights are slots of finalized beacon headers, of revision 0.

    A header names no trusted height: as in the specification's store, only the committees of the newest finalized period
    and the next one are believed, so that keys of earlier committees open nothing, however young the states they signed.
    """

    client_type: ClassVar[str] = "ethereum"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_consensus_state(consensus_state)
        predicates.client_not_frozen(client)
        predicates.within_trusting_period(state.timestamp_s, client.trusting_period_s, now_ns)
        predicates.state_not_from_future(state.timestamp_s, client.max_clock_drift_s, now_ns, "header_not_from_future")
        return Created(client.latest_height)

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """Headers and proofs are the chain's own, whoever reads them."""

    def proven_store(self, client_state: bytes) -> ProvenStore:
        client = codec.decode_client_state(client_state)
        return ProvenStore(str(client.chain_id), client.router_address)

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        client = codec.decode_client_state(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(client.latest_height)
        if latest is None:
            return ClientStatus.EXPIRED
        timestamp_s = codec.decode_consensus_state(latest).timestamp_s
        expired = predicates.expires_at_ns(timestamp_s, client.trusting_period_s) <= now_ns
        return ClientStatus.EXPIRED if expired else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return codec.decode_client_state(client_state).latest_height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_consensus_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return _header_checks(client_state, consensus_states, header, now_ns, _Judging.begin())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        judging = _Judging.begin()
        run_checks(_header_checks(client_state, consensus_states, header, now_ns, judging))
        return _judge_proven(judging.client.get(), consensus_states, judging.header.get(), judging.storage_root.get())

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour, client.network.preset)
        run_checks(misbehaviour_checks(client, consensus_states, evidence, now_ns))
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two headers of slot {evidence.header_1.height.revision_height} are shown to be final",
        )

    def membership_checks(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
    ) -> Iterator[Check]:
        return _membership_checks(client_state, consensus_state, proof, path, value)

    def verify_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes
    ) -> None:
        run_checks(_membership_checks(client_state, consensus_state, proof, path, value))

    def verify_non_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...]
    ) -> None:
        run_checks(_membership_checks(client_state, consensus_state, proof, path, None))

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        """Also how a client learns of a fork: forks after the subject's newest header may differ, earlier ones may not."""
        old = codec.decode_client_state(subject)
        new = codec.decode_client_state(substitute)
        parameters = (
            ("chain_id", new.chain_id, old.chain_id),
            ("router_address", new.router_address, old.router_address),
            ("min_participants", new.min_participants, old.min_participants),
            ("max_clock_drift_s", new.max_clock_drift_s, old.max_clock_drift_s),
        )
        check_substitute_fits(parameters, is_frozen=new.is_frozen)
        if not old.network.agrees_until(old.committees.finalized_slot, new.network):
            raise PredicateFailed(
                "substitute_parameters_match", "network differs", got=new.network, expected=old.network
            )

    def check_rescheduled(self, subject: bytes, substitute: bytes) -> None:
        """See `light_clients.interface.Reschedulable`: it is safe, since no committee signs under a fork that never happened."""
        old = codec.decode_client_state(subject)
        new = codec.decode_client_state(substitute)
        if (
            replace(new, network=old.network) != old
            or new.network == old.network
            or not old.network.agrees_until(old.committees.finalized_slot, new.network)
        ):
            raise PredicateFailed(
                "subject_needs_recovery",
                "the subject is active: only forks scheduled after its newest header may differ",
            )

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """The substitute's schedule, trusting period, height and committees; everything else they have in common."""
        self.check_substitute(subject, substitute)
        return substitute


_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many headers and proofs are judged under one state; its bytes are all that is read."""


def _header_checks(
    client_state: bytes, consensus_states: ConsensusStates, message: bytes, now_ns: int, judging: _Judging
) -> Iterator[Check]:
    client, header = judging.client, judging.header
    yield Check("client_state_well_formed", SPEC, lambda: client.fill(lambda: _client_state_of(client_state)))
    parameters = client.get()
    yield Check(
        "header_well_formed",
        SPEC,
        lambda: header.fill(lambda: codec.decode_header_message(message, parameters.network.preset)),
    )
    yield from _active_checks(parameters, consensus_states, now_ns)
    decoded = header.get()
    yield Check("shows_finality", SPEC, lambda: predicates.shows_finality(decoded.update))
    # Bounding signature slots is not enough: the block's own time is what expiry and timeouts are counted from.
    yield Check(
        "execution_not_from_future",
        SPEC,
        lambda: predicates.state_not_from_future(
            execution_of(finalized_header_of(decoded)).timestamp_s,
            parameters.max_clock_drift_s,
            now_ns,
            "execution_not_from_future",
        ),
    )
    yield from trusted_update_checks(
        decoded.update,
        decoded.sync_committee,
        parameters.committees,
        parameters.network,
        parameters.min_participants,
        _current_slot(parameters, now_ns),
    )
    yield Check(
        "router_account_proven",
        f"EIP-1186; {SPEC}",
        lambda: judging.storage_root.fill(
            lambda: router_storage_root(
                execution_of(finalized_header_of(decoded)).state_root, parameters.router_address, decoded.account_proof
            )
        ),
    )


def misbehaviour_checks(
    client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Iterator[Check]:
    """Both updates are believed and contradict each other. Their dates are not judged, and no account is proven."""
    yield from _active_checks(client, consensus_states, now_ns)
    yield Check("headers_conflict", SPEC, lambda: predicates.headers_conflict(evidence.header_1, evidence.header_2))
    for header in (evidence.header_1, evidence.header_2):
        yield from trusted_update_checks(
            header.update, header.sync_committee, client.committees, client.network, client.min_participants, None
        )


def _active_checks(client: ClientState, consensus_states: ConsensusStates, now_ns: int) -> Iterator[Check]:
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    latest: Slot[ConsensusState] = Slot()
    yield Check("latest_state_known", "ICS-02", lambda: latest.fill(lambda: _latest_state(client, consensus_states)))
    timestamp_s = latest.get().timestamp_s
    yield Check(
        "within_trusting_period",
        SPEC,
        lambda: predicates.within_trusting_period(timestamp_s, client.trusting_period_s, now_ns),
    )


def _latest_state(client: ClientState, consensus_states: ConsensusStates) -> ConsensusState:
    data = consensus_states.get(client.latest_height)
    if data is None:
        raise UnknownHeight(client.latest_height, client.latest_height)
    return codec.decode_consensus_state(data)


def _current_slot(client: ClientState, now_ns: int) -> int:
    """The newest slot that began earlier than now plus the allowed drift."""
    return client.network.slot_before_ns(now_ns + client.max_clock_drift_s * NANOSECONDS_PER_SECOND)


def finalized_header_of(header: Header) -> LightClientHeader:
    """Of an update that `shows_finality`."""
    finalized = header.update.finalized_header
    if finalized is None:
        raise RuntimeError("an update without a finalized header came past its check")
    return finalized


def execution_of(header: LightClientHeader) -> ExecutionPayloadHeader:
    """Of a header from Capella on."""
    if header.execution is None:
        raise RuntimeError("a header without an execution payload came past its check")
    return header.execution


def consensus_state_of(header: LightClientHeader, storage_root: bytes) -> ConsensusState:
    """What a finalized header leaves behind."""
    execution = execution_of(header)
    return ConsensusState(
        execution.timestamp_s,
        storage_root,
        execution.state_root,
        execution.block_number,
        beacon_block_root(header.beacon),
    )


def _membership_checks(
    client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    def context() -> ProofContext:
        return ProofContext(
            _client_state_of(client_state).is_frozen, codec.decode_consensus_state(consensus_state).storage_root
        )

    return commitment_checks(SPEC, context, proof, path, value)


def _judge_proven(
    client: ClientState, consensus_states: ConsensusStates, header: Header, storage_root: bytes
) -> HeaderVerdict:
    """Compare a proven header with what is stored: same, contradicting, or new."""
    height = header.height
    state = consensus_state_of(finalized_header_of(header), storage_root)
    encoded = codec.encode_consensus_state(state)
    moved = replace(client, committees=after_update(client.committees, header.update, client.network))
    stored = consensus_states.get(height)
    if stored == encoded and moved == client:
        return NoOp(height)
    frozen = codec.encode_client_state(client.frozen())
    if stored is not None and stored != encoded:
        return Misbehaved(height, frozen, f"another state is stored at height {height.revision_height}")
    before = consensus_states.before(height)
    if before is not None and codec.decode_consensus_state(before[1]).timestamp_s > state.timestamp_s:
        return Misbehaved(height, frozen, f"time goes back between heights {before[0]} and {height}")
    after = consensus_states.after(height)
    if after is not None and codec.decode_consensus_state(after[1]).timestamp_s < state.timestamp_s:
        return Misbehaved(height, frozen, f"time goes back between heights {height} and {after[0]}")
    return Updated(height, codec.encode_client_state(moved), encoded)
