"""The `bft-evm` light client: EVM consortium chains whose headers carry their validators' seals (QBFT, IBFT 2.0, Istanbul)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, TypeAlias

from light_clients.bft_evm import codec, predicates
from light_clients.bft_evm.types import ClientState, ConsensusState, Header, Misbehaviour, TrustedState
from light_clients.bft_evm.verification import SPEC, Committers, Options, evidence_checks, update_checks
from light_clients.evm_header import rules as evm
from light_clients.ibc.evm_router import ProofContext, commitment_checks, router_storage_root
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
    Updated,
    check_substitute_fits,
    run_checks,
)

IMMUTABLE = ("chain_id", "consensus", "router_address", "max_clock_drift_s", "quorum_rule", "validator_contract")
"""What a substitute must have in common with its subject."""


class BftEvmClient:
    """See `light_clients.interface.LightClient`. Heights are of revision 0, header times seconds."""

    client_type: ClassVar[str] = "bft-evm"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_consensus_state(consensus_state)
        evm.client_not_frozen(is_frozen=client.is_frozen)
        evm.within_trusting_period(state.timestamp_s, client.trusting_period_s, now_ns)
        evm.header_not_from_future(state.timestamp_s, client.max_clock_drift_s, now_ns)
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
        expired = evm.expires_at_ns(timestamp_s, client.trusting_period_s) <= now_ns
        return ClientStatus.EXPIRED if expired else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return codec.decode_client_state(client_state).latest_height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_consensus_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return _update_checks(client_state, consensus_states, header, now_ns, Slot(), Slot(), Slot())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client: Slot[ClientState] = Slot()
        committers: Slot[Committers] = Slot()
        storage_root: Slot[bytes] = Slot()
        try:
            run_checks(_update_checks(client_state, consensus_states, header, now_ns, client, committers, storage_root))
        except predicates.TooLittleOverlap as overlap:
            return NotEnoughTrust(overlap.signed, overlap.needed, overlap.total)
        return _judge_proven(client.get(), consensus_states, committers.get(), storage_root.get())

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour, client.seal_rules)
        run_checks(misbehaviour_checks(client, consensus_states, evidence, now_ns))
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are sealed at height {evidence.header_1.height.revision_height}",
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
        check_substitute_fits(
            ((name, getattr(new, name), getattr(old, name)) for name in IMMUTABLE), is_frozen=new.is_frozen
        )

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
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


_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many proofs are judged under one state; its bytes are all that is read."""


def _membership_checks(
    client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    def context() -> ProofContext:
        return ProofContext(
            _client_state_of(client_state).is_frozen, codec.decode_consensus_state(consensus_state).storage_root
        )

    return commitment_checks(SPEC, context, proof, path, value)


def proven_storage_root(client: ClientState, header: Header) -> bytes:
    """The storage root of the client's router under the header's state root."""
    return router_storage_root(header.execution.state_root, client.router_address, header.account_proof)


def _update_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    message: bytes,
    now_ns: int,
    client: Slot[ClientState],
    committers: Slot[Committers],
    storage_root: Slot[bytes],
) -> Iterator[Check]:
    yield Check("client_state_well_formed", SPEC, lambda: client.fill(lambda: codec.decode_client_state(client_state)))
    rules = client.get().seal_rules
    yield Check(
        "header_well_formed",
        SPEC,
        lambda: committers.fill(lambda: Committers(codec.decode_header_message(message, rules))),
    )
    yield Check("client_not_frozen", "ICS-02", lambda: evm.client_not_frozen(is_frozen=client.get().is_frozen))
    yield from _trusted_header_checks(update_checks, client.get(), consensus_states, committers.get(), now_ns)
    yield Check(
        "router_account_proven",
        f"EIP-1186; {SPEC}",
        lambda: storage_root.fill(lambda: proven_storage_root(client.get(), committers.get().header)),
    )


HeaderRules: TypeAlias = Callable[[Header, TrustedState, Options, int, Committers], Iterator[Check]]


def _trusted_header_checks(
    rules: HeaderRules, client: ClientState, consensus_states: ConsensusStates, committers: Committers, now_ns: int
) -> Iterator[Check]:
    """The rules over a header and the state that it names as trusted, which must be stored."""
    header = committers.header
    trusted: list[TrustedState] = []
    yield Check(
        "trusted_state_known",
        "ICS-02",
        lambda: trusted.append(_trusted_state(consensus_states, header.trusted_height, client.latest_height)),
    )
    options = Options(client.trusting_period_s, client.max_clock_drift_s, client.seal_rules)
    yield from rules(header, trusted[0], options, now_ns, committers)


def misbehaviour_checks(
    client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Iterator[Check]:
    """Both headers are believed, each from its own trusted state, and contradict each other."""
    yield Check("client_not_frozen", "ICS-02", lambda: evm.client_not_frozen(is_frozen=client.is_frozen))
    yield Check("headers_conflict", SPEC, lambda: predicates.headers_conflict(evidence.header_1, evidence.header_2))
    for header in (evidence.header_1, evidence.header_2):
        yield from _trusted_header_checks(evidence_checks, client, consensus_states, Committers(header), now_ns)


def _trusted_state(consensus_states: ConsensusStates, height: Height, latest: Height) -> TrustedState:
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    state = codec.decode_consensus_state(data)
    return TrustedState(height, state.timestamp_s, state.validators)


def _judge_proven(
    client: ClientState, consensus_states: ConsensusStates, committers: Committers, storage_root: bytes
) -> HeaderVerdict:
    """Compare a proven header with what is stored: same, contradicting, or new."""
    header = committers.header
    height = header.height
    state = ConsensusState(header.execution.timestamp_s, storage_root, tuple(sorted(committers.validators)))
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
