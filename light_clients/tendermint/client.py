"""The `07-tendermint` light client (ibc-go v10 semantics, and the stricter rules of docs/spec/tendermint-client.md)."""

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

from hutong.light_clients.interface import (
    VERIFY,
    ConsensusStates,
    HeaderVerdict,
    Height,
    InsufficientTrust,
    Judge,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    StoredClient,
    UnknownHeight,
    Updated,
    cited,
    rule,
)
from hutong.light_clients.proofs import ics23
from hutong.light_clients.tendermint import codec, predicates
from hutong.light_clients.tendermint.evidence import judge_evidence
from hutong.light_clients.tendermint.predicates import CODEC, ICS02, UPDATE
from hutong.light_clients.tendermint.types import (
    ClientState,
    ConsensusState,
    LightBlock,
    Misbehaviour,
    TendermintHeader,
    chain_name,
)
from hutong.light_clients.tendermint.upgrade import judge_commitments, upgraded_states
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_update

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many headers and proofs are judged under one state; its bytes are all that is read."""


def stored_state(consensus_states: ConsensusStates, height: Height, latest: Height) -> ConsensusState:
    """The consensus state stored at exactly `height`; `latest` is the client's latest height, for the error alone.

    Raises:
        UnknownHeight: none is stored there.
        MalformedInput: what is stored is not a consensus state of this client's kind.
    """
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    return codec.decode_consensus_state(data)


@rule(CODEC)
def client_state_well_formed(client_state: bytes) -> ClientState:
    """Decodes the client state; the last 64 different ones are remembered by their bytes.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    return _client_state_of(client_state)


@rule(CODEC)
def states_well_formed(client_state: bytes, consensus_state: bytes) -> tuple[ClientState, ConsensusState]:
    """Decodes both states of a proof.

    Raises:
        MalformedInput: one of them is not the canonical encoding, or has a field out of bounds.
    """
    return _client_state_of(client_state), codec.decode_consensus_state(consensus_state)


@rule(ICS02)
def client_active(client: ClientState, consensus_states: ConsensusStates, now_ns: int) -> ConsensusState:
    """Not frozen, and the latest consensus state, which is returned, is within the trusting period (ibc-go 02-client).

    Raises:
        ClientFrozen, ClientExpired: it is not active.
        UnknownHeight: no state is stored at the client's latest height.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    predicates.client_not_frozen(client)
    latest = stored_state(consensus_states, client.latest_height, client.latest_height)
    predicates.within_trusting_period(latest.timestamp_ns, client.trusting_period_ns, now_ns)
    return latest


header_well_formed = cited(codec.decode_tendermint_header, CODEC, "header_well_formed")
misbehaviour_well_formed = cited(codec.decode_misbehaviour, CODEC, "misbehaviour_well_formed")
upgrade_well_formed = cited(codec.decode_upgrade, CODEC, "upgrade_well_formed")
trusted_state_known = cited(stored_state, UPDATE, "trusted_state_known")


def _states_known(
    consensus_states: ConsensusStates, evidence: Misbehaviour, latest: Height
) -> tuple[ConsensusState, ConsensusState]:
    one, two = evidence.header_1.trusted_height, evidence.header_2.trusted_height
    return stored_state(consensus_states, one, latest), stored_state(consensus_states, two, latest)


both_trusted_states_known = cited(_states_known, UPDATE, "trusted_state_known")
_not_expired = cited(predicates.within_trusting_period, ICS02)
_not_from_future = cited(predicates.header_not_from_future, CODEC)


class TendermintClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`. Heights carry the revision of the chain id."""

    client_type: ClassVar[str] = "07-tendermint"

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`: well-formed, not yet sound.

        Raises:
            MalformedInput: not the canonical encoding.
        """
        return codec.decode_client_state(data)

    def decode_state(self, data: bytes) -> ConsensusState:
        """See `codec.decode_consensus_state`: well-formed, not yet sound.

        Raises:
            MalformedInput: not the canonical encoding.
        """
        return codec.decode_consensus_state(data)

    def height_of(self, client: ClientState) -> Height:
        """Of the revision that the chain id carries, once the client was created."""
        return client.latest_height

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """The chain's name without its revision; a Cosmos chain has one store, so the router is empty.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        return ProvenStore(chain_name(codec.decode_client_state(client_state).chain_id), b"")

    def followed_chain_id(self, client_state: bytes) -> str:
        """The chain id with its revision, as the chain's nodes say it.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        return codec.decode_client_state(client_state).chain_id

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        """A new client: sound parameters, neither frozen nor expired, no state from the future.

        Raises:
            ClientFrozen, ClientExpired: see `LightClient.create`.
            PredicateFailed, MalformedInput: a parameter or the first state is unsound.
        """
        _judge_parameters(judge, client)
        judge(predicates.client_not_frozen, client)
        judge(predicates.consensus_state_is_sound, state)
        judge(_not_expired, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns)

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. Only a header of the trusted height's revision updates a client.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client is not active, or the trusted height has no state.
            InsufficientTrust: too little of the trusted power signed; a nearer header may do.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        judge(client_active, client, consensus_states, now_ns)
        update = judge(header_well_formed, header)
        trusted = judge(trusted_state_known, consensus_states, update.trusted_height, client.latest_height)
        block_header = update.signed_header.header
        judge(predicates.revision_matches, block_header, update.trusted_height)
        judge(predicates.consensus_fields_present, block_header)
        judge_update(
            judge,
            client.chain_id,
            LightBlock(update.signed_header, update.validator_set),
            TrustedState(update.trusted_height.revision_height, trusted.timestamp_ns, trusted.next_validators_hash),
            update.trusted_validators,
            Options(client.trust_level, client.trusting_period_ns, client.max_clock_drift_ns),
            now_ns,
        )
        return _judge_proven(client, consensus_states, update)

    def judge_misbehaviour(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """Every rule of evidence, then the frozen client state.

        Raises:
            InsufficientTrust: too little of the trusted power signed one of the headers.
            ClientFrozen, ClientExpired, UnknownHeight: the client is not active, or a trusted height has no state.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        judge(client_active, client, consensus_states, now_ns)
        evidence = judge(misbehaviour_well_formed, misbehaviour)
        trusted = judge(both_trusted_states_known, consensus_states, evidence, client.latest_height)
        judge_evidence(judge, client, evidence, trusted, now_ns)
        one, two = evidence.header_1.height, evidence.header_2.height
        reason = f"two blocks at height {one}" if one == two else f"block {one} is not later than block {two}"
        return Misbehaved(one, codec.encode_client_state(client.frozen()), reason)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: `judge_misbehaviour`, where lack of trust refuses the evidence.

        Raises:
            PredicateFailed: `trusted_power_signed` in place of InsufficientTrust, or another rule that does not hold.
            VerificationError: otherwise as `judge_misbehaviour`.
        """
        try:
            return self.judge_misbehaviour(VERIFY, client_state, consensus_states, misbehaviour, now_ns)
        except InsufficientTrust as error:
            raise PredicateFailed(
                "trusted_power_signed",
                "a header of the evidence is not believed",
                got=error.signed_power,
                expected=f"> {error.needed_power}",
            ) from error

    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """See `LightClient.judge_membership`: a chained ICS-23 proof under the app hash, one tree a proof spec.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: a state is unsound, or the proof does not show it.
            UnsupportedOperation: a hash or length op that is not offered.
        """
        client, state = judge(states_well_formed, client_state, consensus_state)
        judge(predicates.client_not_frozen, client)
        judge(predicates.consensus_state_is_sound, state)
        ics23.judge_chained(judge, client.proof_specs, proof, state.root, path, value)

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        """A substitute may stand in for a frozen or expired subject. Its own expiry is the owner's to judge (`status`).

        Raises:
            ClientFrozen: the substitute is frozen.
            PredicateFailed: its parameters are unsound or differ, or its latest height is not above the subject's.
            MalformedInput: one of the two states cannot be decoded.
        """
        old, new = codec.decode_client_state(subject), codec.decode_client_state(substitute)
        _judge_parameters(VERIFY, new)
        VERIFY(predicates.substitute_not_frozen, new)
        VERIFY(predicates.substitute_matches, old, new)
        VERIFY(predicates.substitute_is_ahead, old, new)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """See `predicates.recovered_state`, of two states that pass `check_substitute`.

        Raises:
            VerificationError: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        state = predicates.recovered_state(codec.decode_client_state(subject), codec.decode_client_state(substitute))
        return codec.encode_client_state(state)

    def judge_upgrade(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, upgrade: bytes, now_ns: int
    ) -> Updated:
        """See `UpgradableClient.judge_upgrade`. The new states also pass every rule of a new client at `now_ns`.

        The new revision's first state is a stand-in, with the last block's time and next validators but no root.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client is not active.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: a proof asks for a hash or length op that is not offered.
        """
        client = judge(client_state_well_formed, client_state)
        last = judge(client_active, client, consensus_states, now_ns)
        committed = judge(upgrade_well_formed, upgrade)
        judge_commitments(judge, client, last, committed)
        new_client, stand_in = upgraded_states(client, committed)
        self.judge_creation(judge, new_client, stand_in, now_ns)
        return Updated(
            new_client.latest_height, codec.encode_client_state(new_client), codec.encode_consensus_state(stand_in)
        )

    def verify_upgrade(
        self, client_state: bytes, consensus_states: ConsensusStates, upgrade: bytes, now_ns: int
    ) -> Updated:
        """`judge_upgrade` without a record.

        Raises:
            VerificationError: as `judge_upgrade`.
        """
        return self.judge_upgrade(VERIFY, client_state, consensus_states, upgrade, now_ns)


def _judge_parameters(judge: Judge, client: ClientState) -> None:
    """The parameters of a client state are sound (ClientState.Validate)."""
    judge(predicates.chain_id_is_usable, client)
    judge(predicates.trust_level_in_range, client.trust_level)
    judge(predicates.periods_in_order, client)
    judge(predicates.clock_drift_positive, client)
    judge(predicates.latest_height_of_chain, client)
    judge(predicates.proof_specs_present, client)
    judge(predicates.upgrade_path_elements_present, client)


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
