"""The `fisco-bcos` light client: chains of FISCO BCOS 2 and 3, whose blocks carry their sealers' signatures (PBFT)."""

from dataclasses import replace
from typing import ClassVar

from hutong.light_clients.fisco_bcos import codec, predicates, suite
from hutong.light_clients.fisco_bcos.membership import DecodeClient, judge_membership
from hutong.light_clients.fisco_bcos.predicates import SPEC
from hutong.light_clients.fisco_bcos.types import (
    ClientState,
    ConsensusState,
    CryptoSuite,
    Generation,
    Header,
    Misbehaviour,
    TrustedState,
)
from hutong.light_clients.fisco_bcos.verification import Options, judge_evidence, judge_update
from hutong.light_clients.interface import (
    VERIFY,
    ConsensusStates,
    HeaderVerdict,
    Height,
    Judge,
    Misbehaved,
    NoOp,
    ProvenStore,
    StoredClient,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen


class FiscoBcosClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`. Heights are of revision 0, header times milliseconds.

    Packets are proven by events (generation 2); absence, and so timeouts, cannot be: `UnsupportedOperation`.
    """

    client_type: ClassVar[str] = "fisco-bcos"
    proves_absence: ClassVar[bool] = False
    immutable: ClassVar[tuple[str, ...]] = (
        "chain_id",
        "generation",
        "crypto_suite",
        "router_address",
        "max_clock_drift_s",
    )

    def __init__(self, crypto_suites: frozenset[CryptoSuite] = frozenset(CryptoSuite)) -> None:
        """`crypto_suites` are those that are offered.

        Hub nodes must agree, so pass only suites that every node has installed.
        """
        self._crypto_suites = crypto_suites

    @property
    def offers_gm(self) -> bool:
        """Whether chains under SM2 and SM3 are among them."""
        return CryptoSuite.GM in self._crypto_suites

    def without_extras(self) -> "FiscoBcosClient":
        """Of the suite ECDSA alone: SM2 and SM3 come from the extra `gm`."""
        return FiscoBcosClient(self._crypto_suites & {CryptoSuite.ECDSA})

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`; the suite must also be one that this client offers.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
            UnsupportedOperation: the suite is not offered, or not installed.
        """
        client = codec.decode_client_state(data)
        if client.crypto_suite not in self._crypto_suites:
            raise UnsupportedOperation(f"FISCO BCOS chains of the suite {client.crypto_suite.name} here")
        suite.check_installed(client.crypto_suite)
        return client

    def decode_state(self, data: bytes) -> ConsensusState:
        """See `codec.decode_consensus_state`; the last 64 different ones are remembered by their bytes.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_consensus_state(data)

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
        """The chain's own id as its nodes say it, and the router's address.

        Raises:
            MalformedInput, UnsupportedOperation: as `decode_client`.
        """
        client = self.decode_client(client_state)
        return ProvenStore(client.chain_id, client.router_address)

    def followed_chain_id(self, client_state: bytes) -> str:
        """The chain's own id as its nodes say it, whether its suite is offered here or not.

        Raises:
            MalformedInput: `client_state` is not the canonical encoding, or a field is out of bounds.
        """
        return codec.decode_client_state(client_state).chain_id

    def trusting_period_ns(self, client_state: bytes) -> int:
        """See `LightClient.trusting_period_ns`, whether the suite is offered here or not.

        Raises:
            MalformedInput: `client_state` is not the canonical encoding, or a field is out of bounds.
        """
        return codec.decode_client_state(client_state).trusting_period_ns

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. A header above the newest state must also not be much older than it.

        Raises:
            TooLittleOverlap: too few trusted sealers signed it; a nearer header may do.
            ClientFrozen, ClientExpired, UnknownHeight: the client or the named trusted state is not usable.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: the suite is not offered, or sealers of generation 3 changed.
        """
        client = judge(client_state_well_formed, self.decode_client, client_state)
        shown = judge(header_well_formed, client.generation, header)
        judge(client_not_frozen, client)
        judge(newest_time_does_not_decrease, client, consensus_states, shown)
        trusted = judge(trusted_state_known, consensus_states, shown.trusted_height, client.latest_height)
        judge_update(judge, shown, trusted, _options_of(client), now_ns)
        return _judge_proven(client, consensus_states, shown)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: two signed headers of one height with different block hashes.

        Raises:
            VerificationError: as `judge_misbehaviour`, or where state or message cannot be decoded.
        """
        client = self.decode_client(client_state)
        evidence = codec.decode_misbehaviour(client.generation, misbehaviour)
        judge_misbehaviour(VERIFY, client, consensus_states, evidence, now_ns)
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are signed at height {evidence.header_1.height.revision_height}",
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
        """See `membership.judge_membership`: an event in a receipt of the very block, of generation 2.

        Raises:
            UnsupportedOperation: `value` is None, the chain is of generation 3, or the suite is not offered.
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        judge_membership(judge, (client_state, consensus_state), self.decode_client, proof, path, value)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """See `LightClient.recovered`: latest height and trusting period are the substitute's.

        Raises:
            PredicateFailed, MalformedInput, UnsupportedOperation: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        new = self.decode_client(substitute)
        return codec.encode_client_state(
            replace(
                self.decode_client(subject),
                is_frozen=False,
                latest_height=new.latest_height,
                trusting_period_s=new.trusting_period_s,
            )
        )


def _options_of(client: ClientState) -> Options:
    return Options(client.generation, client.crypto_suite, client.trusting_period_s, client.max_clock_drift_s)


@rule(SPEC)
def client_state_well_formed(decode_client: DecodeClient, client_state: bytes) -> ClientState:
    """Decodes the client state by the client's own `decode_client`.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
        UnsupportedOperation: its suite is not offered or not installed.
    """
    return decode_client(client_state)


@rule(SPEC)
def header_well_formed(generation: Generation, header: bytes) -> Header:
    """Decodes the update, down to the block header's fields.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    return codec.decode_header_message(generation, header)


@rule(SPEC)
def newest_time_does_not_decrease(client: ClientState, consensus_states: ConsensusStates, header: Header) -> None:
    """See `predicates.newest_time_does_not_decrease`; the newest state is the client's latest.

    Where no state is stored at the latest height nothing is judged.

    Raises:
        PredicateFailed: the header is much older than the newest state.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    latest = consensus_states.get(client.latest_height)
    if latest is not None:
        timestamp_ms = codec.decode_consensus_state(latest).timestamp_ms
        predicates.newest_time_does_not_decrease(header, client.latest_height, timestamp_ms, client.max_clock_drift_s)


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
    state = codec.decode_consensus_state(data)
    return TrustedState(height, state.timestamp_ms, state.sealers)


def judge_misbehaviour(
    judge: Judge, client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> None:
    """Both headers are believed, each from its own trusted state, and contradict each other.

    Raises:
        ClientFrozen, ClientExpired, UnknownHeight: the client or a trusted state is not usable.
        PredicateFailed: the first rule that does not hold; TooLittleOverlap is one of them.
        UnsupportedOperation: sealers of generation 3 changed.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    judge(client_not_frozen, client)
    judge(predicates.headers_conflict, client.crypto_suite, evidence.header_1, evidence.header_2)
    for header in (evidence.header_1, evidence.header_2):
        trusted = judge(trusted_state_known, consensus_states, header.trusted_height, client.latest_height)
        judge_evidence(judge, header, trusted, _options_of(client), now_ns)


def consensus_state_of(header: Header) -> ConsensusState:
    """What a believed header leaves behind, its sealers in ascending order.

    Raises:
        MalformedInput: a sealer is listed twice.
    """
    block = header.block
    return ConsensusState(
        block.timestamp_ms, block.transactions_root, block.receipts_root, tuple(sorted(block.sealers))
    )


def _judge_proven(client: ClientState, consensus_states: ConsensusStates, header: Header) -> HeaderVerdict:
    """Compare a proven header with what is stored: same, contradicting, or new.

    Times out of order are no contradiction: no rule of the chain orders them, so that one leader would freeze the
    client.
    """
    height = header.height
    state = consensus_state_of(header)
    encoded = codec.encode_consensus_state(state)
    stored = consensus_states.get(height)
    if stored == encoded:
        return NoOp(height)
    if stored is not None:
        frozen = codec.encode_client_state(client.frozen())
        return Misbehaved(height, frozen, f"another state is stored at height {height.revision_height}")
    return Updated(
        height, codec.encode_client_state(replace(client, latest_height=max(height, client.latest_height))), encoded
    )
