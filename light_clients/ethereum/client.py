"""The `ethereum` light client: chains whose blocks a sync committee signs (Ethereum's proof of stake, Capella through Fulu)."""

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

from hutong.light_clients.ethereum import codec, predicates
from hutong.light_clients.ethereum.predicates import SPEC
from hutong.light_clients.ethereum.roots import beacon_block_root
from hutong.light_clients.ethereum.types import (
    ClientState,
    ConsensusState,
    ExecutionPayloadHeader,
    Header,
    LightClientHeader,
    Misbehaviour,
)
from hutong.light_clients.ethereum.verification import after_update, judge_trusted_update
from hutong.light_clients.ibc.evm_router import CommitmentRules, router_storage_root
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    ConsensusStates,
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
    nothing_shown,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen

header_well_formed = cited(codec.decode_header_message, SPEC, "header_well_formed")

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many headers and proofs are judged under one state; its bytes are all that is read."""


@rule(SPEC)
def client_state_well_formed(client_state: bytes) -> ClientState:
    """Decodes the client state; the last 64 different ones are remembered by their bytes.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    return _client_state_of(client_state)


@rule("ICS-02")
def latest_state_known(client: ClientState, consensus_states: ConsensusStates) -> ConsensusState:
    """The state at the client's latest height, by whose time the client's own expiry is judged.

    Raises:
        UnknownHeight: none is stored there.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    data = consensus_states.get(client.latest_height)
    if data is None:
        raise UnknownHeight(client.latest_height, client.latest_height)
    return codec.decode_consensus_state(data)


@rule(f"EIP-1186; {SPEC}")
def router_account_proven(client: ClientState, header: Header) -> bytes:
    """The storage root of the client's router under the finalized execution block's state root.

    Raises:
        PredicateFailed, MalformedInput: the account proof does not lead to a contract there.
    """
    state_root = execution_of(finalized_header_of(header)).state_root
    return router_storage_root(state_root, client.router_address, header.account_proof)


_COMMITMENTS = CommitmentRules(SPEC, codec.decode_client_state, codec.decode_consensus_state)


class EthereumClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`. Heights are slots of finalized beacon headers, of revision 0.

    A header names no trusted height: as in the specification's store, only the committees of the newest finalized
    period and the next one are believed, so that keys of earlier committees open nothing, however young the states they
    signed.
    """

    client_type: ClassVar[str] = "ethereum"
    immutable: ClassVar[tuple[str, ...]] = ("chain_id", "router_address", "min_participants", "max_clock_drift_s")

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_client_state(data)

    def decode_state(self, data: bytes) -> ConsensusState:
        """See `codec.decode_consensus_state`.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_consensus_state(data)

    def height_of(self, client: ClientState) -> Height:
        """The slot of the newest finalized header, of revision 0."""
        return client.latest_height

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        """Not frozen, and the first state neither expired nor from the future. Decoding has judged the parameters.

        Whether the committee is the chain's is not judged: `start.states_from_bootstrap` makes states that are proven.

        Raises:
            ClientFrozen, ClientExpired, PredicateFailed: the first of these that does not hold.
        """
        judge(client_not_frozen, client)
        judge(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(predicates.state_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """The EIP-155 chain id in decimal, and the router's address.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        return ProvenStore(str(client.chain_id), client.router_address)

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. An update without finality is refused, however many signed it.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client is not active.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: a header under the rules of a fork that is not offered.
        """
        client = judge(client_state_well_formed, client_state)
        shown = judge(header_well_formed, header, client.network.preset)
        _judge_active(judge, client, consensus_states, now_ns)
        judge(predicates.shows_finality, shown.update)
        block_ns = execution_of(finalized_header_of(shown)).timestamp_s * NANOSECONDS_PER_SECOND
        judge(predicates.execution_not_from_future, block_ns, client.max_clock_drift_ns, now_ns)
        judge_trusted_update(
            judge,
            shown.update,
            shown.sync_committee,
            client.committees,
            client.network,
            client.min_participants,
            _current_slot(client, now_ns),
        )
        storage_root = judge(router_account_proven, client, shown)
        return _judge_proven(client, consensus_states, shown, storage_root)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: two updates that show different finalized headers of one slot.

        Raises:
            VerificationError: as `judge_misbehaviour`, or MalformedInput where the message cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour, client.network.preset)
        judge_misbehaviour(VERIFY, client, consensus_states, evidence, now_ns)
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two headers of slot {evidence.header_1.height.revision_height} are shown to be final",
        )

    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """See `evm_router.CommitmentRules.judge`: a storage proof under the state's storage root.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        _COMMITMENTS.judge(judge, client_state, consensus_state, proof, path, value)

    def judge_state_root(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_states: ConsensusStates,
        height: Height,
        shown: bytes,
        now_ns: int,
    ) -> ProvenStateRoot:
        """See `StateProver.judge_state_root`: the consensus state holds it, so nothing is shown.

        Raises:
            ClientFrozen, UnknownHeight: the client is frozen, or no state is stored at `height`.
            PredicateFailed: something is shown.
            MalformedInput: one of the two states cannot be decoded.
        """
        client = judge(client_state_well_formed, client_state)
        judge(client_not_frozen, client)
        state = codec.decode_consensus_state(judge(known_height, consensus_states, height, client.latest_height))
        judge(nothing_shown, shown)
        return ProvenStateRoot(state.state_root)

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        """Also how a client learns of a fork: forks after the subject's newest header may differ, earlier ones may not.

        Raises:
            PredicateFailed: the substitute is frozen, an immutable parameter differs, or a fork that ruled already.
            MalformedInput: one of the two states cannot be decoded.
        """
        super().check_substitute(subject, substitute)
        old = codec.decode_client_state(subject)
        new = codec.decode_client_state(substitute)
        if not old.network.agrees_until(old.committees.finalized_slot, new.network):
            raise PredicateFailed(
                "substitute_parameters_match", "network differs", got=new.network, expected=old.network
            )

    def check_rescheduled(self, subject: bytes, substitute: bytes) -> None:
        """See `hutong.light_clients.interface.Reschedulable`.

        It is safe, since no committee signs under a fork that never happened.

        Raises:
            PredicateFailed: `subject_needs_recovery`: something else differs, a fork that ruled already, or nothing.
            MalformedInput: one of the two states cannot be decoded.
        """
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
        """The substitute's schedule, trusting period, height and committees; everything else they have in common.

        Raises:
            PredicateFailed, MalformedInput: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        return substitute


def judge_misbehaviour(
    judge: Judge, client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> None:
    """Both updates are believed and contradict each other. Their dates are not judged, and no account is proven.

    Raises:
        ClientFrozen, ClientExpired, UnknownHeight: the client is not active.
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    _judge_active(judge, client, consensus_states, now_ns)
    judge(predicates.headers_conflict, evidence.header_1, evidence.header_2)
    for header in (evidence.header_1, evidence.header_2):
        judge_trusted_update(
            judge,
            header.update,
            header.sync_committee,
            client.committees,
            client.network,
            client.min_participants,
            None,
        )


def _judge_active(judge: Judge, client: ClientState, consensus_states: ConsensusStates, now_ns: int) -> None:
    judge(client_not_frozen, client)
    latest = judge(latest_state_known, client, consensus_states)
    judge(predicates.within_trusting_period, latest.timestamp_ns, client.trusting_period_ns, now_ns)


def _current_slot(client: ClientState, now_ns: int) -> int:
    """The newest slot that began earlier than now plus the allowed drift."""
    return client.network.slot_before_ns(now_ns + client.max_clock_drift_ns)


def finalized_header_of(header: Header) -> LightClientHeader:
    """Of an update that `shows_finality`.

    Raises:
        RuntimeError: the rule was not applied before; a bug of the caller.
    """
    finalized = header.update.finalized_header
    if finalized is None:
        raise RuntimeError("an update without a finalized header came past its check")
    return finalized


def execution_of(header: LightClientHeader) -> ExecutionPayloadHeader:
    """Of a header from Capella on, once a rule has shown that it has a payload.

    Raises:
        RuntimeError: it has none; a bug of the caller.
    """
    if header.execution is None:
        raise RuntimeError("a header without an execution payload came past its check")
    return header.execution


def consensus_state_of(header: LightClientHeader, storage_root: bytes) -> ConsensusState:
    """What a finalized header leaves behind; `storage_root` is the router's, proven under the payload's state root.

    Raises:
        MalformedInput: a root is zero or not 32 bytes, or the time is zero.
        RuntimeError: the header has no payload; a bug of the caller.
    """
    execution = execution_of(header)
    return ConsensusState(
        execution.timestamp_s,
        storage_root,
        execution.state_root,
        execution.block_number,
        beacon_block_root(header.beacon),
    )


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
