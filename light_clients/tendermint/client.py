"""The `07-tendermint` light client (ibc-go v10 semantics, and the stricter rules of docs/spec/tendermint-client.md)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import ClassVar, Generic, TypeVar

from light_clients.interface import (
    Check,
    ClientStatus,
    ConsensusStates,
    Created,
    Destination,
    HeaderVerdict,
    Height,
    InsufficientTrust,
    MalformedInput,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    ProvenStore,
    UnknownHeight,
    Updated,
    VerificationError,
    run_checks,
)
from light_clients.proofs import ics23
from light_clients.tendermint import codec, predicates
from light_clients.tendermint.evidence import evidence_checks
from light_clients.tendermint.types import (
    ClientState,
    ConsensusState,
    Misbehaviour,
    TendermintHeader,
    Upgrade,
    chain_name,
)
from light_clients.tendermint.upgrade import upgrade_checks, upgraded_states
from light_clients.tendermint.verification import Options, TrustedState, update_checks

ValueT = TypeVar("ValueT")

ICS02 = "ICS-02"
CODEC = "docs/spec/tendermint-client.md"
CLIENT_STATE = "ibc-go 07-tendermint/client_state.go"
UPDATE = "ibc-go 07-tendermint/update.go"
RECOVERY = "ibc-go 07-tendermint/proposal_handle.go"

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many headers and proofs are judged under one state; its bytes are all that is read."""


class _Found(Generic[ValueT]):
    """A value that one check finds and later ones read."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: ValueT | None = None


def _failing(name: str, source: str, error: VerificationError) -> Check:
    def run() -> None:
        raise error

    return Check(name, source, run)


def _passed(name: str, source: str) -> Check:
    return Check(name, source, lambda: None)


def stored_state(consensus_states: ConsensusStates, height: Height, latest: Height) -> ConsensusState:
    """The consensus state at exactly `height`; UnknownHeight where none is stored."""
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    return codec.decode_consensus_state(data)


def client_is_active(client: ClientState, consensus_states: ConsensusStates, now_ns: int) -> None:
    """Not frozen, and the latest consensus state is within the trusting period (ibc-go 02-client UpdateClient)."""
    predicates.client_not_frozen(client)
    latest = stored_state(consensus_states, client.latest_height, client.latest_height)
    predicates.within_trusting_period(latest.timestamp_ns, client.trusting_period_ns, now_ns)


class TendermintClient:
    """See `light_clients.interface.LightClient`. Heights carry the revision of the chain id."""

    client_type: ClassVar[str] = "07-tendermint"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_consensus_state(consensus_state)
        run_checks(creation_checks(client, state, now_ns))
        return Created(client.latest_height)

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """Headers and proofs are the chain's own, whoever reads them."""

    def proven_store(self, client_state: bytes) -> ProvenStore:
        return ProvenStore(chain_name(codec.decode_client_state(client_state).chain_id), b"")

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        client = codec.decode_client_state(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(client.latest_height)
        if latest is None:
            return ClientStatus.EXPIRED
        edge_ns = predicates.expires_at_ns(client, codec.decode_consensus_state(latest))
        return ClientStatus.EXPIRED if edge_ns <= now_ns else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return codec.decode_client_state(client_state).latest_height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_consensus_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return _header_checks(client_state, consensus_states, header, now_ns, _Found(), _Found())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client: _Found[ClientState] = _Found()
        update: _Found[TendermintHeader] = _Found()
        try:
            run_checks(_header_checks(client_state, consensus_states, header, now_ns, client, update))
        except InsufficientTrust as error:
            return NotEnoughTrust(error.signed_power, error.needed_power, error.total_power)
        if client.value is None or update.value is None:
            raise RuntimeError("every check held and nothing was decoded")
        return _judge_proven(client.value, consensus_states, update.value)

    def misbehaviour_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Iterator[Check]:
        """Every predicate of `check_misbehaviour`, in order."""
        return _misbehaviour_checks(client_state, consensus_states, misbehaviour, now_ns, _Found(), _Found())

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client: _Found[ClientState] = _Found()
        evidence: _Found[Misbehaviour] = _Found()
        try:
            run_checks(_misbehaviour_checks(client_state, consensus_states, misbehaviour, now_ns, client, evidence))
        except InsufficientTrust as error:
            raise PredicateFailed(
                "trusted_power_signed",
                "a header of the evidence is not believed",
                got=error.signed_power,
                expected=f"> {error.needed_power}",
            ) from error
        if client.value is None or evidence.value is None:
            raise RuntimeError("every check held and nothing was decoded")
        one, two = evidence.value.header_1.height, evidence.value.header_2.height
        reason = f"two blocks at height {one}" if one == two else f"block {one} is not later than block {two}"
        return Misbehaved(one, codec.encode_client_state(client.value.frozen()), reason)

    def membership_checks(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
    ) -> Iterator[Check]:
        return ics23.checks_of(_membership_steps(client_state, consensus_state, proof, path, value))

    def verify_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes
    ) -> None:
        ics23.run_steps(_membership_steps(client_state, consensus_state, proof, path, value))

    def verify_non_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...]
    ) -> None:
        ics23.run_steps(_membership_steps(client_state, consensus_state, proof, path, None))

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        run_checks(substitute_checks(codec.decode_client_state(subject), codec.decode_client_state(substitute)))

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        self.check_substitute(subject, substitute)
        state = predicates.recovered_state(codec.decode_client_state(subject), codec.decode_client_state(substitute))
        return codec.encode_client_state(state)

    def upgrade_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, upgrade: bytes, now_ns: int
    ) -> Iterator[Check]:
        """Every predicate of `verify_upgrade`, in order."""
        return _upgrade_checks(client_state, consensus_states, upgrade, now_ns, _Found(), _Found())

    def verify_upgrade(
        self, client_state: bytes, consensus_states: ConsensusStates, upgrade: bytes, now_ns: int
    ) -> Updated:
        client: _Found[ClientState] = _Found()
        committed: _Found[Upgrade] = _Found()
        run_checks(_upgrade_checks(client_state, consensus_states, upgrade, now_ns, client, committed))
        if client.value is None or committed.value is None:
            raise RuntimeError("every check held and nothing was decoded")
        new_client, stand_in = upgraded_states(client.value, committed.value)
        return Updated(
            new_client.latest_height, codec.encode_client_state(new_client), codec.encode_consensus_state(stand_in)
        )


def client_state_checks(client: ClientState) -> Iterator[Check]:
    """The parameters of a client state are sound (ClientState.Validate)."""
    yield Check("chain_id_is_usable", CLIENT_STATE, partial(predicates.chain_id_is_usable, client))
    yield Check("trust_level_in_range", CLIENT_STATE, partial(predicates.trust_level_in_range, client.trust_level))
    yield Check("periods_in_order", CLIENT_STATE, partial(predicates.periods_in_order, client))
    yield Check("clock_drift_positive", CLIENT_STATE, partial(predicates.clock_drift_positive, client))
    yield Check("latest_height_of_chain", CLIENT_STATE, partial(predicates.latest_height_of_chain, client))
    yield Check("proof_specs_present", CLIENT_STATE, partial(predicates.proof_specs_present, client))
    yield Check(
        "upgrade_path_elements_present", CLIENT_STATE, partial(predicates.upgrade_path_elements_present, client)
    )


def creation_checks(client: ClientState, state: ConsensusState, now_ns: int) -> Iterator[Check]:
    """A new client: sound parameters, neither frozen nor expired, no state from the future."""
    yield from client_state_checks(client)
    yield Check("client_not_frozen", ICS02, partial(predicates.client_not_frozen, client))
    yield Check("consensus_state_is_sound", CODEC, partial(predicates.consensus_state_is_sound, state))
    yield Check(
        "within_trusting_period",
        ICS02,
        partial(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns),
    )
    yield Check(
        "header_not_from_future",
        CODEC,
        partial(predicates.header_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns),
    )


def substitute_checks(subject: ClientState, substitute: ClientState) -> Iterator[Check]:
    """A substitute may stand in for a frozen or expired subject. Its own expiry is the owner's to judge (`status`)."""
    yield from client_state_checks(substitute)
    yield Check("substitute_not_frozen", RECOVERY, partial(predicates.client_not_frozen, substitute))
    yield Check("substitute_matches", RECOVERY, partial(predicates.substitute_matches, subject, substitute))
    yield Check("substitute_is_ahead", RECOVERY, partial(predicates.substitute_is_ahead, subject, substitute))


def _header_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    header: bytes,
    now_ns: int,
    found_client: _Found[ClientState],
    found_update: _Found[TendermintHeader],
) -> Iterator[Check]:
    try:
        client = _client_state_of(client_state)
    except MalformedInput as error:
        yield _failing("client_state_well_formed", CODEC, error)
        return
    found_client.value = client
    yield _passed("client_state_well_formed", CODEC)
    yield Check("client_active", ICS02, partial(client_is_active, client, consensus_states, now_ns))
    try:
        update = codec.decode_tendermint_header(header)
    except MalformedInput as error:
        yield _failing("header_well_formed", CODEC, error)
        return
    found_update.value = update
    yield _passed("header_well_formed", CODEC)
    try:
        trusted = stored_state(consensus_states, update.trusted_height, client.latest_height)
    except VerificationError as error:
        yield _failing("trusted_state_known", UPDATE, error)
        return
    yield _passed("trusted_state_known", UPDATE)
    block_header = update.signed_header.header
    yield Check("revision_matches", UPDATE, partial(predicates.revision_matches, block_header, update.trusted_height))
    yield Check("consensus_fields_present", CODEC, partial(predicates.consensus_fields_present, block_header))
    yield from update_checks(
        client.chain_id,
        update.signed_header,
        update.validator_set,
        TrustedState(update.trusted_height.revision_height, trusted.timestamp_ns, trusted.next_validators_hash),
        update.trusted_validators,
        Options(client.trust_level, client.trusting_period_ns, client.max_clock_drift_ns),
        now_ns,
    )


def _membership_steps(
    client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[ics23.Step]:
    try:
        client = _client_state_of(client_state)
        state = codec.decode_consensus_state(consensus_state)
    except VerificationError as error:
        yield _failing("states_well_formed", CODEC, error)
        return
    yield _passed("states_well_formed", CODEC)
    yield Check("client_not_frozen", ICS02, partial(predicates.client_not_frozen, client))
    yield Check("consensus_state_is_sound", CODEC, partial(predicates.consensus_state_is_sound, state))
    yield from ics23.chained_steps(client.proof_specs, proof, state.root, path, value)


def _misbehaviour_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    misbehaviour: bytes,
    now_ns: int,
    found_client: _Found[ClientState],
    found_evidence: _Found[Misbehaviour],
) -> Iterator[Check]:
    try:
        client = codec.decode_client_state(client_state)
    except MalformedInput as error:
        yield _failing("client_state_well_formed", CODEC, error)
        return
    found_client.value = client
    yield _passed("client_state_well_formed", CODEC)
    yield Check("client_active", ICS02, partial(client_is_active, client, consensus_states, now_ns))
    try:
        evidence = codec.decode_misbehaviour(misbehaviour)
    except MalformedInput as error:
        yield _failing("misbehaviour_well_formed", CODEC, error)
        return
    found_evidence.value = evidence
    yield _passed("misbehaviour_well_formed", CODEC)
    trusted: list[ConsensusState] = []
    for header in (evidence.header_1, evidence.header_2):
        try:
            trusted.append(stored_state(consensus_states, header.trusted_height, client.latest_height))
        except VerificationError as error:
            yield _failing("trusted_state_known", UPDATE, error)
            return
    yield _passed("trusted_state_known", UPDATE)
    yield from evidence_checks(client, evidence, (trusted[0], trusted[1]), now_ns)


def _upgrade_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    upgrade: bytes,
    now_ns: int,
    found_client: _Found[ClientState],
    found_upgrade: _Found[Upgrade],
) -> Iterator[Check]:
    try:
        client = codec.decode_client_state(client_state)
    except MalformedInput as error:
        yield _failing("client_state_well_formed", CODEC, error)
        return
    found_client.value = client
    yield _passed("client_state_well_formed", CODEC)
    yield Check("client_active", ICS02, partial(client_is_active, client, consensus_states, now_ns))
    try:
        committed = codec.decode_upgrade(upgrade)
    except MalformedInput as error:
        yield _failing("upgrade_well_formed", CODEC, error)
        return
    found_upgrade.value = committed
    yield _passed("upgrade_well_formed", CODEC)
    last = stored_state(consensus_states, client.latest_height, client.latest_height)
    yield from upgrade_checks(client, last, committed)
    new_client, stand_in = upgraded_states(client, committed)
    yield from creation_checks(new_client, stand_in, now_ns)


def _judge_proven(client: ClientState, consensus_states: ConsensusStates, update: TendermintHeader) -> HeaderVerdict:
    """Compare a proven header with what is stored: the same, contradicting, or new (ibc-go CheckForMisbehaviour)."""
    height = update.height
    state = update.consensus_state()
    contradiction = _contradiction(consensus_states, height, state)
    if contradiction is not None:
        return Misbehaved(height, codec.encode_client_state(client.frozen()), contradiction)
    if consensus_states.get(height) is not None:
        return NoOp(height)
    latest = max(height, client.latest_height)
    return Updated(
        height,
        codec.encode_client_state(replace(client, latest_height=latest)),
        codec.encode_consensus_state(state),
    )


def _contradiction(consensus_states: ConsensusStates, height: Height, state: ConsensusState) -> str | None:
    """Why a proven state cannot be of the chain that the stored ones are of."""
    stored = consensus_states.get(height)
    if stored is not None:
        same = codec.decode_consensus_state(stored) == state
        return None if same else f"another state is stored at height {height}"
    before = consensus_states.before(height)
    if before is not None and codec.decode_consensus_state(before[1]).timestamp_ns >= state.timestamp_ns:
        return f"time does not increase between heights {before[0]} and {height}"
    after = consensus_states.after(height)
    if after is not None and codec.decode_consensus_state(after[1]).timestamp_ns <= state.timestamp_ns:
        return f"time does not increase between heights {height} and {after[0]}"
    return None
