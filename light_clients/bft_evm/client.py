"""The `bft-evm` light client: EVM consortium chains whose headers carry their validators' seals (QBFT, IBFT 2.0, Istanbul)."""

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

from hutong.light_clients.bft_evm import codec, predicates
from hutong.light_clients.bft_evm.predicates import SPEC
from hutong.light_clients.bft_evm.types import ClientState, ConsensusState, Header, Misbehaviour, TrustedState
from hutong.light_clients.bft_evm.verification import Options, Sealed, judge_evidence, judge_update
from hutong.light_clients.ibc.evm_router import CommitmentRules, router_storage_root
from hutong.light_clients.interface import (
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
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many headers and proofs are judged under one state, and each asks for it several times; its bytes are all that is read."""
_state_of = lru_cache(maxsize=64)(codec.decode_consensus_state)

header_well_formed = cited(codec.decode_header_message, SPEC, "header_well_formed")


@rule(SPEC)
def client_state_well_formed(client_state: bytes) -> ClientState:
    """Decodes the client state; the last 64 different ones are remembered by their bytes.

    Raises:
        MalformedInput: not the canonical encoding, an unknown rule, or a field out of bounds.
        UnsupportedOperation: rules that are known each but not offered together.
    """
    return _client_state_of(client_state)


@rule("ICS-02")
def trusted_state_known(consensus_states: ConsensusStates, height: Height, latest: Height) -> TrustedState:
    """The stored state that a header names as trusted; `latest` is the client's latest height, for the error alone.

    Raises:
        UnknownHeight: none is stored there.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    state = _state_of(data)
    return TrustedState(height, state.timestamp_s, state.validators)


@rule(f"EIP-1186; {SPEC}")
def router_account_proven(client: ClientState, header: Header) -> bytes:
    """The storage root of the client's router under the header's state root.

    Raises:
        PredicateFailed, MalformedInput: the account proof does not lead to a contract there.
    """
    return router_storage_root(header.execution.state_root, client.router_address, header.account_proof)


@rule(SPEC)
def shown_header_is_believed(verdict: HeaderVerdict, height: Height) -> None:
    """The update that is shown would store what is stored at `height` already.

    Raises:
        PredicateFailed: it is of another height, or contradicts what is stored.
    """
    name = "shown_header_is_believed"
    if not isinstance(verdict, NoOp):
        raise PredicateFailed(name, "what the shown update would do", type(verdict).__name__, NoOp.__name__)
    if verdict.height != height:
        raise PredicateFailed(name, "height of the shown update", str(verdict.height), str(height))


_COMMITMENTS = CommitmentRules(SPEC, codec.decode_client_state, codec.decode_consensus_state)


class BftEvmClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`. Heights are of revision 0, header times seconds."""

    client_type: ClassVar[str] = "bft-evm"
    immutable: ClassVar[tuple[str, ...]] = (
        "chain_id",
        "consensus",
        "router_address",
        "max_clock_drift_s",
        "quorum_rule",
        "validator_contract",
    )

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`; the last 64 different ones are remembered by their bytes.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
            UnsupportedOperation: contract selection under a consensus other than QBFT.
        """
        return _client_state_of(data)

    def decode_state(self, data: bytes) -> ConsensusState:
        """See `codec.decode_consensus_state`; the last 64 different ones are remembered by their bytes.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return _state_of(data)

    def height_of(self, client: ClientState) -> Height:
        """The client's latest height: a block number, of revision 0."""
        return client.latest_height

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        """Not frozen, and the first state neither expired nor from the future. Decoding has judged the parameters.

        Raises:
            ClientFrozen, ClientExpired, PredicateFailed: the first of these that does not hold.
        """
        judge(client_not_frozen, client)
        judge(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(predicates.header_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """The EIP-155 chain id in decimal, and the router's address.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        return ProvenStore(str(client.chain_id), client.router_address)

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. The seals are judged before the router's account proof.

        Raises:
            TooLittleOverlap: too few trusted validators sealed it; a nearer header may do.
            ClientFrozen, ClientExpired, UnknownHeight: the client or the named trusted state is not usable.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: the client state is of a kind that is not offered.
        """
        client = judge(client_state_well_formed, client_state)
        shown = judge(header_well_formed, header, client.seal_rules)
        return _judge_shown(judge, client, consensus_states, shown, now_ns)

    def judge_state_root(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_states: ConsensusStates,
        height: Height,
        shown: bytes,
        now_ns: int,
    ) -> ProvenStateRoot:
        """See `StateProver.judge_state_root`: `shown` is an update message of that height.

        It passes every rule of an update, and what it would store is what is stored.

        Raises:
            TooLittleOverlap: too few validators of the trusted state that it names sealed it.
            ClientFrozen, ClientExpired, UnknownHeight: the client or one of the two states is not usable.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: the client state is of a kind that is not offered.
        """
        client = judge(client_state_well_formed, client_state)
        judge(known_height, consensus_states, height, client.latest_height)
        header = judge(header_well_formed, shown, client.seal_rules)
        judge(shown_header_is_believed, _judge_shown(judge, client, consensus_states, header, now_ns), height)
        return ProvenStateRoot(header.execution.state_root)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: two sealed headers of one height with different block hashes.

        Raises:
            VerificationError: as `judge_misbehaviour`, or MalformedInput where the message cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour, client.seal_rules)
        judge_misbehaviour(VERIFY, client, consensus_states, evidence, now_ns)
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are sealed at height {evidence.header_1.height.revision_height}",
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
            UnsupportedOperation: the client state is of a kind that is not offered.
        """
        _COMMITMENTS.judge(judge, client_state, consensus_state, proof, path, value)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """See `LightClient.recovered`: latest height and trusting period are the substitute's.

        Raises:
            PredicateFailed, MalformedInput: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        new = codec.decode_client_state(substitute)
        return codec.encode_client_state(
            replace(
                codec.decode_client_state(subject),
                is_frozen=False,
                latest_height=new.latest_height,
                trusting_period_s=new.trusting_period_s,
            )
        )


def _options_of(client: ClientState) -> Options:
    return Options(client.trusting_period_s, client.max_clock_drift_s, client.seal_rules)


def _judge_shown(
    judge: Judge, client: ClientState, consensus_states: ConsensusStates, shown: Header, now_ns: int
) -> HeaderVerdict:
    """The rules of an update whose bytes are decoded; the seals are judged before the router's account proof."""
    judge(client_not_frozen, client)
    trusted = judge(trusted_state_known, consensus_states, shown.trusted_height, client.latest_height)
    sealed = judge_update(judge, shown, trusted, _options_of(client), now_ns)
    storage_root = judge(router_account_proven, client, shown)
    return _judge_proven(client, consensus_states, shown, sealed, storage_root)


def judge_misbehaviour(
    judge: Judge, client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> None:
    """Both headers are believed, each from its own trusted state, and contradict each other.

    Raises:
        ClientFrozen, ClientExpired, UnknownHeight: the client or a trusted state is not usable.
        PredicateFailed: the first rule that does not hold; TooLittleOverlap is one of them.
        MalformedInput: what is stored is not a state of this client's kind, or a proof of validators is malformed.
    """
    judge(client_not_frozen, client)
    judge(predicates.headers_conflict, evidence.header_1, evidence.header_2)
    for header in (evidence.header_1, evidence.header_2):
        trusted = judge(trusted_state_known, consensus_states, header.trusted_height, client.latest_height)
        judge_evidence(judge, header, trusted, _options_of(client), now_ns)


def _judge_proven(
    client: ClientState, consensus_states: ConsensusStates, header: Header, sealed: Sealed, storage_root: bytes
) -> HeaderVerdict:
    """Compare a proven header with what is stored: same, contradicting, or new."""
    height = header.height
    state = ConsensusState(header.execution.timestamp_s, storage_root, tuple(sorted(sealed.validators)))
    encoded = codec.encode_consensus_state(state)
    stored = consensus_states.get(height)
    frozen = codec.encode_client_state(client.frozen())
    if stored == encoded:
        return NoOp(height)
    if stored is not None:
        return Misbehaved(height, frozen, f"another state is stored at height {height.revision_height}")
    before = consensus_states.before(height)
    if before is not None and codec.decode_consensus_state(before[1]).timestamp_s > state.timestamp_s:
        return Misbehaved(height, frozen, f"time goes back between heights {before[0]} and {height}")
    after = consensus_states.after(height)
    if after is not None and codec.decode_consensus_state(after[1]).timestamp_s < state.timestamp_s:
        return Misbehaved(height, frozen, f"time goes back between heights {height} and {after[0]}")
    return Updated(
        height, codec.encode_client_state(replace(client, latest_height=max(height, client.latest_height))), encoded
    )
