"""The `attestation` light client: m of n keys say what a chain without provable consensus holds."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar

from light_clients.attestation import codec, predicates
from light_clients.attestation.types import (
    Attestation,
    AttestationKind,
    ClientState,
    Misbehaviour,
    PacketAttestation,
    Rotation,
    StateAttestation,
)
from light_clients.crypto import keccak256
from light_clients.interface import (
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

SPEC = "docs/spec/attestation.md"


class AttestationClient:
    """See `light_clients.interface.LightClient`. Heights are of revision 0, times whole seconds.

    There is no trusted height and never `NotEnoughTrust`: the set of attestors changes only as it says itself.
    """

    client_type: ClassVar[str] = "attestation"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_state(consensus_state)
        predicates.client_not_frozen(client)
        if state.height != client.latest_height:
            raise PredicateFailed(
                "consensus_state_is_the_latest", "heights differ", got=state.height, expected=client.latest_height
            )
        predicates.within_trusting_period(state.timestamp_s, client.trusting_period_s, now_ns)
        predicates.header_not_from_future(state.timestamp_s, client.max_clock_drift_s, now_ns)
        return Created(client.height)

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        scope = codec.decode_client_state(client_state).scope
        for name in ("chain_id", "router", "client_id"):
            got, expected = getattr(scope, f"destination_{name}"), getattr(destination, name)
            if got != expected:
                raise PredicateFailed("destination_is_this_client", f"{name} differs", got=got, expected=expected)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        scope = codec.decode_client_state(client_state).scope
        return ProvenStore(scope.source_chain_id, scope.source_router)

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        client = codec.decode_client_state(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(client.height)
        if latest is None:
            return ClientStatus.EXPIRED
        timestamp_s = codec.decode_state(latest).timestamp_s
        expired = predicates.expires_at_ns(timestamp_s, client.trusting_period_s) <= now_ns
        return ClientStatus.EXPIRED if expired else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return codec.decode_client_state(client_state).height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return _update_checks(client_state, consensus_states, header, now_ns, Slot(), Slot())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client: Slot[ClientState] = Slot()
        update: Slot[StateAttestation | Rotation] = Slot()
        run_checks(_update_checks(client_state, consensus_states, header, now_ns, client, update))
        return _judge_proven(client.get(), consensus_states, update.get())

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client: Slot[ClientState] = Slot()
        evidence: Slot[Misbehaviour] = Slot()
        run_checks(_misbehaviour_checks(client_state, consensus_states, misbehaviour, now_ns, client, evidence))
        height = _evidence_height(client.get(), evidence.get())
        return Misbehaved(
            height, codec.encode_client_state(client.get().frozen()), f"two attestations conflict at height {height}"
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
        old = codec.decode_client_state(subject)
        new = codec.decode_client_state(substitute)
        parameters = (
            ("source_chain_id", new.scope.source_chain_id, old.scope.source_chain_id),
            ("source_router", new.scope.source_router, old.scope.source_router),
            ("destination_chain_id", new.scope.destination_chain_id, old.scope.destination_chain_id),
            ("destination_router", new.scope.destination_router, old.scope.destination_router),
            ("max_clock_drift_s", new.max_clock_drift_s, old.max_clock_drift_s),
            ("digest_form", new.digest_form, old.digest_form),
        )
        check_substitute_fits(parameters, is_frozen=new.is_frozen)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """The substitute's attestors, threshold, period and height under the subject's own scope: its identifier stays.

        So does its count of rotations where that is greater: no rotation from before is good again.
        """
        self.check_substitute(subject, substitute)
        old, new = codec.decode_client_state(subject), codec.decode_client_state(substitute)
        set_number = max(old.set_number, new.set_number)
        return codec.encode_client_state(replace(new, scope=old.scope, set_number=set_number))


def _update_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    message: bytes,
    now_ns: int,
    client: Slot[ClientState],
    update: Slot[StateAttestation | Rotation],
) -> Iterator[Check]:
    opened: Slot[tuple[AttestationKind, Attestation]] = Slot()
    signed_by: Slot[ClientState] = Slot()
    yield Check("client_state_well_formed", SPEC, lambda: client.fill(lambda: codec.decode_client_state(client_state)))
    yield Check("header_well_formed", SPEC, lambda: opened.fill(lambda: codec.decode_update(message)))
    kind, attestation = opened.get()
    yield from _active_checks(client.get(), consensus_states, now_ns)
    yield from _signature_checks(client.get(), kind, attestation, signed_by)
    if kind is AttestationKind.ROTATION:
        yield Check("rotation_well_formed", SPEC, lambda: update.fill(lambda: codec.decode_rotation(attestation.data)))
    else:
        yield Check("state_well_formed", SPEC, lambda: update.fill(lambda: codec.decode_state(attestation.data)))
    parameters, attested = client.get(), _state_of(update.get())
    yield from _window_checks(signed_by.get(), parameters, attested.height)
    yield Check(
        "within_trusting_period",
        SPEC,
        lambda: predicates.within_trusting_period(attested.timestamp_s, parameters.trusting_period_s, now_ns),
    )
    yield Check(
        "header_not_from_future",
        SPEC,
        lambda: predicates.header_not_from_future(attested.timestamp_s, parameters.max_clock_drift_s, now_ns),
    )
    rotation = update.get()
    if isinstance(rotation, Rotation):
        yield Check("rotation_follows", SPEC, lambda: predicates.rotation_follows(parameters, rotation))


def _state_of(update: StateAttestation | Rotation) -> StateAttestation:
    return update.state if isinstance(update, Rotation) else update


def _misbehaviour_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    message: bytes,
    now_ns: int,
    client: Slot[ClientState],
    evidence: Slot[Misbehaviour],
) -> Iterator[Check]:
    """Attested times are not judged: who signs two states of one height does not get away with a date."""
    yield Check("client_state_well_formed", SPEC, lambda: client.fill(lambda: codec.decode_client_state(client_state)))
    yield Check("misbehaviour_well_formed", SPEC, lambda: evidence.fill(lambda: codec.decode_misbehaviour(message)))
    yield from _active_checks(client.get(), consensus_states, now_ns)
    for attestation in (evidence.get().first, evidence.get().second):
        signed_by: Slot[ClientState] = Slot()
        yield from _signature_checks(client.get(), evidence.get().kind, attestation, signed_by)
        if signed_by.get() is not client.get():
            yield Check(
                "previous_set_in_its_window",
                SPEC,
                partial(_in_window, client.get(), evidence.get().kind, attestation),
            )
    yield Check("headers_conflict", SPEC, lambda: predicates.headers_conflict(client.get(), evidence.get()))


def _in_window(client: ClientState, kind: AttestationKind, attestation: Attestation) -> None:
    predicates.previous_set_in_its_window(client, _attested_height(client, kind, attestation))


def _active_checks(client: ClientState, consensus_states: ConsensusStates, now_ns: int) -> Iterator[Check]:
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    latest: Slot[StateAttestation] = Slot()
    yield Check("latest_state_known", "ICS-02", lambda: latest.fill(lambda: _latest_state(client, consensus_states)))
    timestamp_s = latest.get().timestamp_s
    yield Check(
        "client_not_expired",
        "ICS-02",
        lambda: predicates.within_trusting_period(timestamp_s, client.trusting_period_s, now_ns),
    )


def _latest_state(client: ClientState, consensus_states: ConsensusStates) -> StateAttestation:
    data = consensus_states.get(client.height)
    if data is None:
        raise UnknownHeight(client.height, client.height)
    return codec.decode_state(data)


def _signature_checks(
    client: ClientState, kind: AttestationKind, attestation: Attestation, signed_by: Slot[ClientState]
) -> Iterator[Check]:
    """By one set as a whole, the present or the previous one; `signed_by` then has the client with that set."""

    def quorum() -> None:
        signed_by.fill(lambda: predicates.signing_set(client, kind, attestation))
        predicates.quorum_of_attestors(signed_by.get(), attestation)

    yield Check("quorum_of_attestors", SPEC, quorum)
    yield Check("signed_by_attestors", SPEC, lambda: predicates.signed_by_attestors(signed_by.get(), kind, attestation))


def _window_checks(signed_by: ClientState, client: ClientState, height: int) -> Iterator[Check]:
    if signed_by is not client:
        yield Check("previous_set_in_its_window", SPEC, lambda: predicates.previous_set_in_its_window(client, height))


def _membership_checks(
    client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    """Membership of `value` under `path`, or with None absence. The path's hash is computed, never read."""
    decoded: Slot[tuple[ClientState, StateAttestation, Attestation]] = Slot()
    packets: Slot[PacketAttestation] = Slot()
    yield Check(
        "proof_well_formed",
        SPEC,
        lambda: decoded.fill(
            lambda: (
                codec.decode_client_state(client_state),
                codec.decode_state(consensus_state),
                codec.decode_attestation(proof),
            )
        ),
    )
    client, state, attestation = decoded.get()
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    yield Check("path_is_one_key", "ICS-24", lambda: predicates.path_is_one_key(path))
    if value is not None:
        yield Check("value_is_one_word", SPEC, lambda: predicates.value_is_one_word(value))
    signed_by: Slot[ClientState] = Slot()
    yield from _signature_checks(client, AttestationKind.PACKETS, attestation, signed_by)
    yield Check(
        "packets_well_formed",
        SPEC,
        lambda: packets.fill(lambda: codec.decode_packets(attestation.data, client.digest_form)),
    )
    yield from _window_checks(signed_by.get(), client, packets.get().height)
    yield Check("height_is_the_proof_height", SPEC, lambda: predicates.height_is_the_proof_height(packets.get(), state))
    yield Check(
        "commitment_is_attested",
        SPEC,
        lambda: predicates.commitment_is_attested(packets.get(), keccak256(path[0]), value),
    )


def _judge_proven(
    client: ClientState, consensus_states: ConsensusStates, update: StateAttestation | Rotation
) -> HeaderVerdict:
    """Compare an attested state with what is stored: same, contradicting, or new. A rotation is always new."""
    state = _state_of(update)
    height = Height(0, state.height)
    encoded = codec.encode_state(state)
    stored = consensus_states.get(height)
    rotated = client.rotated(update) if isinstance(update, Rotation) else client
    if stored == encoded:
        if rotated is client:
            return NoOp(height)
        return Updated(height, codec.encode_client_state(rotated.at(state.height)), encoded)
    contradiction = _contradiction(consensus_states, height, state.timestamp_s, stored is not None)
    if contradiction is not None:
        return Misbehaved(height, codec.encode_client_state(client.frozen()), contradiction)
    return Updated(height, codec.encode_client_state(rotated.at(state.height)), encoded)


def _contradiction(states: ConsensusStates, height: Height, timestamp_s: int, is_stored: bool) -> str | None:
    if is_stored:
        return f"another time is stored at height {height}"
    before = states.before(height)
    if before is not None and codec.decode_state(before[1]).timestamp_s > timestamp_s:
        return f"time goes back between heights {before[0]} and {height}"
    after = states.after(height)
    if after is not None and codec.decode_state(after[1]).timestamp_s < timestamp_s:
        return f"time goes back between heights {height} and {after[0]}"
    return None


def _evidence_height(client: ClientState, evidence: Misbehaviour) -> Height:
    """The higher of the two, as an update that contradicts a stored state would name its own."""
    first, second = (_attested_height(client, evidence.kind, one) for one in (evidence.first, evidence.second))
    return Height(0, max(first, second))


def _attested_height(client: ClientState, kind: AttestationKind, attestation: Attestation) -> int:
    match kind:
        case AttestationKind.STATE:
            return codec.decode_state(attestation.data).height
        case AttestationKind.PACKETS:
            return codec.decode_packets(attestation.data, client.digest_form).height
        case AttestationKind.ROTATION:
            return codec.decode_rotation(attestation.data).state.height
