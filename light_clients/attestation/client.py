"""The `attestation` light client: m of n keys say what a chain without provable consensus holds."""

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from hutong.light_clients.attestation import codec, predicates
from hutong.light_clients.attestation.predicates import SPEC
from hutong.light_clients.attestation.types import (
    Attestation,
    AttestationKind,
    ClientState,
    Misbehaviour,
    Rotation,
    StateAttestation,
)
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import (
    VERIFY,
    ConsensusStates,
    Destination,
    HeaderVerdict,
    Height,
    Judge,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStateRoot,
    ProvenStore,
    StoredClient,
    UnknownHeight,
    Updated,
    cited,
    known_height,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen

client_state_well_formed = cited(codec.decode_client_state, SPEC, "client_state_well_formed")
header_well_formed = cited(codec.decode_update, SPEC, "header_well_formed")
misbehaviour_well_formed = cited(codec.decode_misbehaviour, SPEC, "misbehaviour_well_formed")
rotation_well_formed = cited(codec.decode_rotation, SPEC, "rotation_well_formed")
state_well_formed = cited(codec.decode_state, SPEC, "state_well_formed")
attestation_well_formed = cited(codec.decode_attestation, SPEC, "attestation_well_formed")
state_root_well_formed = cited(codec.decode_state_root, SPEC, "state_root_well_formed")
packets_well_formed = cited(codec.decode_packets, SPEC, "packets_well_formed")


@rule(SPEC)
def proof_well_formed(
    client_state: bytes, consensus_state: bytes, proof: bytes
) -> tuple[ClientState, StateAttestation, Attestation]:
    """Decodes both states and the proof, whose attested bytes stay unread until the signatures are judged.

    Raises:
        MalformedInput: one of the three is not the canonical encoding, or out of bounds.
    """
    return (
        codec.decode_client_state(client_state),
        codec.decode_state(consensus_state),
        codec.decode_attestation(proof),
    )


@rule("ICS-02")
def latest_state_known(client: ClientState, consensus_states: ConsensusStates) -> StateAttestation:
    """The state at the client's latest height, by whose time the client's own expiry is judged.

    Raises:
        UnknownHeight: none is stored there.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    data = consensus_states.get(client.height)
    if data is None:
        raise UnknownHeight(client.height, client.height)
    return codec.decode_state(data)


class AttestationClient(StoredClient[ClientState, StateAttestation]):
    """See `hutong.light_clients.interface.LightClient`. Heights are of revision 0, times whole seconds.

    There is no trusted height and never `NotEnoughTrust`: the set of attestors changes only as it says itself.
    """

    client_type: ClassVar[str] = "attestation"

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`; the last 256 different ones are remembered by their bytes.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_client_state(data)

    def decode_state(self, data: bytes) -> StateAttestation:
        """See `codec.decode_state`: height and whole seconds.

        Raises:
            MalformedInput: not 64 bytes, or a field out of bounds.
        """
        return codec.decode_state(data)

    def height_of(self, client: ClientState) -> Height:
        """See `ClientState.height`: of revision 0."""
        return client.height

    def judge_creation(self, judge: Judge, client: ClientState, state: StateAttestation, now_ns: int) -> None:
        """Not frozen, both states of one height, and the attested time neither expired nor from the future.

        Raises:
            ClientFrozen, ClientExpired, PredicateFailed: the first of these that does not hold.
        """
        judge(client_not_frozen, client)
        judge(predicates.consensus_state_is_the_latest, client, state)
        judge(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(predicates.header_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns)

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """Attestations are signed for one client: chain, router and identifier must be those of its scope.

        Raises:
            PredicateFailed: `destination_is_this_client`: one of the three differs.
            MalformedInput: `client_state` cannot be decoded.
        """
        scope = codec.decode_client_state(client_state).scope
        for name in ("chain_id", "router", "client_id"):
            got, expected = getattr(scope, f"destination_{name}"), getattr(destination, name)
            if got != expected:
                raise PredicateFailed("destination_is_this_client", f"{name} differs", got=got, expected=expected)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """The source chain and router of the client state's scope.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        scope = codec.decode_client_state(client_state).scope
        return ProvenStore(scope.source_chain_id, scope.source_router)

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. A state or a rotation, whose signatures are judged before its bytes are read.

        Raises:
            ClientFrozen, ClientExpired: the client is not active, or the attested time is too old.
            UnknownHeight: no state is stored at the client's latest height.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        kind, attestation = judge(header_well_formed, header)
        _judge_active(judge, client, consensus_states, now_ns)
        signed_by = _judge_signatures(judge, client, kind, attestation)
        update: StateAttestation | Rotation
        if kind is AttestationKind.ROTATION:
            update = judge(rotation_well_formed, attestation.data)
        else:
            update = judge(state_well_formed, attestation.data)
        attested = _state_of(update)
        if signed_by is not client:
            judge(predicates.previous_set_in_its_window, client, attested.height)
        judge(predicates.within_trusting_period, attested.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(predicates.header_not_from_future, attested.timestamp_ns, client.max_clock_drift_ns, now_ns)
        if isinstance(update, Rotation):
            judge(predicates.rotation_follows, client, update)
        return _judge_proven(client, consensus_states, update)

    def judge_misbehaviour(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """Every rule of evidence, then the frozen client state.

        Attested times are not judged: anyone who signs two states of one height does not get away with a date.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client is not active.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        evidence = judge(misbehaviour_well_formed, misbehaviour)
        _judge_active(judge, client, consensus_states, now_ns)
        for attestation in (evidence.first, evidence.second):
            if _judge_signatures(judge, client, evidence.kind, attestation) is not client:
                judge(previous_set_in_its_window, client, evidence.kind, attestation)
        judge(predicates.headers_conflict, client, evidence)
        height = _evidence_height(client, evidence)
        return Misbehaved(
            height, codec.encode_client_state(client.frozen()), f"two attestations conflict at height {height}"
        )

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """`judge_misbehaviour` without a record.

        Raises:
            VerificationError: as `judge_misbehaviour`.
        """
        return self.judge_misbehaviour(VERIFY, client_state, consensus_states, misbehaviour, now_ns)

    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """Membership of `value` under `path`, or with None absence. The path's hash is computed, never read.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client, state, attestation = judge(proof_well_formed, client_state, consensus_state, proof)
        judge(client_not_frozen, client)
        judge(predicates.path_is_one_key, path)
        if value is not None:
            judge(predicates.value_is_one_word, value)
        signed_by = _judge_signatures(judge, client, AttestationKind.PACKETS, attestation)
        packets = judge(packets_well_formed, attestation.data, client.digest_form)
        if signed_by is not client:
            judge(predicates.previous_set_in_its_window, client, packets.height)
        judge(predicates.height_is_the_proof_height, packets, state)
        judge(predicates.commitment_is_attested, packets, keccak256(path[0]), value)

    def judge_state_root(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_states: ConsensusStates,
        height: Height,
        shown: bytes,
        now_ns: int,
    ) -> ProvenStateRoot:
        """See `StateProver.judge_state_root`: `shown` is an attestation of kind 4 by the same set as for a state.

        Raises:
            ClientFrozen, UnknownHeight: the client is frozen, or no state is stored at `height`.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        judge(client_not_frozen, client)
        judge(known_height, consensus_states, height, client.height)
        attestation = judge(attestation_well_formed, shown)
        signed_by = _judge_signatures(judge, client, AttestationKind.STATE_ROOT, attestation)
        attested = judge(state_root_well_formed, attestation.data)
        if signed_by is not client:
            judge(predicates.previous_set_in_its_window, client, attested.height)
        judge(predicates.shown_root_is_attested, attested, height)
        return ProvenStateRoot(attested.state_root, signed_by.threshold, len(signed_by.attestors))

    def substitute_parameters(
        self, subject: ClientState, substitute: ClientState
    ) -> Iterable[tuple[str, object, object]]:
        """Both routers and chains, the clock drift and the digest's form; the client identifier may differ."""
        for name in ("source_chain_id", "source_router", "destination_chain_id", "destination_router"):
            yield name, getattr(substitute.scope, name), getattr(subject.scope, name)
        yield "max_clock_drift_s", substitute.max_clock_drift_s, subject.max_clock_drift_s
        yield "digest_form", substitute.digest_form, subject.digest_form

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """The substitute's attestors, threshold, period and height under the subject's own scope: its identifier stays.

        So does its count of rotations where that is greater: no rotation from before is good again.

        Raises:
            PredicateFailed, MalformedInput: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        old, new = codec.decode_client_state(subject), codec.decode_client_state(substitute)
        set_number = max(old.set_number, new.set_number)
        return codec.encode_client_state(replace(new, scope=old.scope, set_number=set_number))


def _state_of(update: StateAttestation | Rotation) -> StateAttestation:
    return update.state if isinstance(update, Rotation) else update


@rule(SPEC)
def previous_set_in_its_window(client: ClientState, kind: AttestationKind, attestation: Attestation) -> None:
    """See `predicates.previous_set_in_its_window`; the height is the attested one.

    Raises:
        PredicateFailed: it is above the window, or there is no previous set.
        MalformedInput: the attested bytes are not of their kind.
    """
    predicates.previous_set_in_its_window(client, _attested_height(client, kind, attestation))


def _judge_active(judge: Judge, client: ClientState, consensus_states: ConsensusStates, now_ns: int) -> None:
    judge(client_not_frozen, client)
    latest = judge(latest_state_known, client, consensus_states)
    judge(predicates.client_not_expired, latest.timestamp_ns, client.trusting_period_ns, now_ns)


def _judge_signatures(
    judge: Judge, client: ClientState, kind: AttestationKind, attestation: Attestation
) -> ClientState:
    """By one set as a whole, the present or the previous one. Returns the client with the set that signed."""
    signed_by = judge(predicates.quorum_of_attestors, client, kind, attestation)
    judge(predicates.signed_by_attestors, signed_by, kind, attestation)
    return signed_by


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
        case AttestationKind.STATE_ROOT:
            return codec.decode_state_root(attestation.data).height
