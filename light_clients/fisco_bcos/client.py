"""The `fisco-bcos` light client: chains of FISCO BCOS 2 and 3, whose blocks carry their sealers' signatures (PBFT)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar, TypeAlias

from light_clients.fisco_bcos import codec, predicates, suite
from light_clients.fisco_bcos.membership import DecodeClient, membership_checks
from light_clients.fisco_bcos.types import (
    ClientState,
    ConsensusState,
    CryptoSuite,
    Header,
    Misbehaviour,
    TrustedState,
)
from light_clients.fisco_bcos.verification import SPEC, Options, evidence_checks, update_checks
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
    NotEnoughTrust,
    ProvenStore,
    Slot,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    check_substitute_fits,
    run_checks,
)

IMMUTABLE = ("chain_id", "generation", "crypto_suite", "router_address", "max_clock_drift_s")
"""What a substitute must have in common with its subject."""


class FiscoBcosClient:
    """See `light_clients.interface.LightClient`. Heights are of revision 0, header times milliseconds.

    Packets are proven by events (generation 2); absence, and so timeouts, cannot be: `UnsupportedOperation`.
    """

    client_type: ClassVar[str] = "fisco-bcos"

    def __init__(self, crypto_suites: frozenset[CryptoSuite] = frozenset(CryptoSuite)) -> None:
        """`crypto_suites` are those that are offered. Hub nodes must agree, so pass only suites that every node has installed."""
        self._crypto_suites = crypto_suites

    def _client(self, client_state: bytes) -> ClientState:
        client = codec.decode_client_state(client_state)
        if client.crypto_suite not in self._crypto_suites:
            raise UnsupportedOperation(f"FISCO BCOS chains of the suite {client.crypto_suite.name} here")
        suite.check_installed(client.crypto_suite)
        return client

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = self._client(client_state)
        state = codec.decode_consensus_state(consensus_state)
        predicates.client_not_frozen(client)
        predicates.within_trusting_period(state.timestamp_ms, client.trusting_period_s, now_ns)
        predicates.header_not_from_future(state.timestamp_ms, client.max_clock_drift_s, now_ns)
        return Created(client.latest_height)

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """Headers and proofs are the chain's own, whoever reads them."""

    def proven_store(self, client_state: bytes) -> ProvenStore:
        client = self._client(client_state)
        return ProvenStore(client.chain_id, client.router_address)

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        client = self._client(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(client.latest_height)
        if latest is None:
            return ClientStatus.EXPIRED
        timestamp_ms = codec.decode_consensus_state(latest).timestamp_ms
        expired = predicates.expires_at_ns(timestamp_ms, client.trusting_period_s) <= now_ns
        return ClientStatus.EXPIRED if expired else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return self._client(client_state).latest_height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_consensus_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return _update_checks(self._client, client_state, consensus_states, header, now_ns, Slot(), Slot())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client: Slot[ClientState] = Slot()
        decoded: Slot[Header] = Slot()
        try:
            run_checks(_update_checks(self._client, client_state, consensus_states, header, now_ns, client, decoded))
        except predicates.TooLittleOverlap as overlap:
            return NotEnoughTrust(overlap.signed, overlap.needed, overlap.total)
        return _judge_proven(client.get(), consensus_states, decoded.get())

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client = self._client(client_state)
        evidence = codec.decode_misbehaviour(client.generation, misbehaviour)
        run_checks(misbehaviour_checks(client, consensus_states, evidence, now_ns))
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are signed at height {evidence.header_1.height.revision_height}",
        )

    def membership_checks(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
    ) -> Iterator[Check]:
        return membership_checks(self._client, client_state, consensus_state, proof, path, value)

    def verify_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes
    ) -> None:
        run_checks(membership_checks(self._client, client_state, consensus_state, proof, path, value))

    def verify_non_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...]
    ) -> None:
        run_checks(membership_checks(self._client, client_state, consensus_state, proof, path, None))

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        old = self._client(subject)
        new = self._client(substitute)
        check_substitute_fits(
            ((name, getattr(new, name), getattr(old, name)) for name in IMMUTABLE), is_frozen=new.is_frozen
        )

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        self.check_substitute(subject, substitute)
        new = self._client(substitute)
        return codec.encode_client_state(
            replace(
                self._client(subject),
                is_frozen=False,
                latest_height=new.latest_height,
                trusting_period_s=new.trusting_period_s,
            )
        )


def _update_checks(
    decode_client: DecodeClient,
    client_state: bytes,
    consensus_states: ConsensusStates,
    message: bytes,
    now_ns: int,
    client: Slot[ClientState],
    header: Slot[Header],
) -> Iterator[Check]:
    yield Check("client_state_well_formed", SPEC, lambda: client.fill(lambda: decode_client(client_state)))
    yield Check(
        "header_well_formed",
        SPEC,
        lambda: header.fill(lambda: codec.decode_header_message(client.get().generation, message)),
    )
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client.get()))
    yield Check(
        "newest_time_does_not_decrease",
        SPEC,
        lambda: _newest_time_does_not_decrease(client.get(), consensus_states, header.get()),
    )
    yield from _trusted_header_checks(update_checks, client.get(), consensus_states, header.get(), now_ns)


def _newest_time_does_not_decrease(client: ClientState, consensus_states: ConsensusStates, header: Header) -> None:
    latest = consensus_states.get(client.latest_height)
    if latest is not None:
        timestamp_ms = codec.decode_consensus_state(latest).timestamp_ms
        predicates.newest_time_does_not_decrease(header, client.latest_height, timestamp_ms, client.max_clock_drift_s)


HeaderRules: TypeAlias = Callable[[Header, TrustedState, Options, int], Iterator[Check]]


def _trusted_header_checks(
    rules: HeaderRules, client: ClientState, consensus_states: ConsensusStates, header: Header, now_ns: int
) -> Iterator[Check]:
    """The rules over a header and the state that it names as trusted, which must be stored."""
    trusted: Slot[TrustedState] = Slot()
    yield Check(
        "trusted_state_known",
        "ICS-02",
        lambda: trusted.fill(lambda: _trusted_state(consensus_states, header.trusted_height, client.latest_height)),
    )
    options = Options(client.generation, client.crypto_suite, client.trusting_period_s, client.max_clock_drift_s)
    yield from rules(header, trusted.get(), options, now_ns)


def misbehaviour_checks(
    client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Iterator[Check]:
    """Both headers are believed, each from its own trusted state, and contradict each other."""
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    yield Check(
        "headers_conflict",
        SPEC,
        lambda: predicates.headers_conflict(client.crypto_suite, evidence.header_1, evidence.header_2),
    )
    for header in (evidence.header_1, evidence.header_2):
        yield from _trusted_header_checks(evidence_checks, client, consensus_states, header, now_ns)


def _trusted_state(consensus_states: ConsensusStates, height: Height, latest: Height) -> TrustedState:
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    state = codec.decode_consensus_state(data)
    return TrustedState(height, state.timestamp_ms, state.sealers)


def consensus_state_of(header: Header) -> ConsensusState:
    """What a believed header leaves behind."""
    block = header.block
    return ConsensusState(
        block.timestamp_ms, block.transactions_root, block.receipts_root, tuple(sorted(block.sealers))
    )


def _judge_proven(client: ClientState, consensus_states: ConsensusStates, header: Header) -> HeaderVerdict:
    """Compare a proven header with what is stored: same, contradicting, or new.

    Times out of order are no contradiction: no rule of the chain orders them, so that one leader would freeze the client.
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
