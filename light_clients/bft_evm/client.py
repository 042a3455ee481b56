"""The `bft-evm` light client: EVM consortium chains whose headers carry their validators' seals (QBFT)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

from light_clients.bft_evm import codec, predicates
from light_clients.bft_evm.membership import membership_checks, router_storage_root
from light_clients.bft_evm.types import ClientState, ConsensusState, Header, Misbehaviour
from light_clients.interface import (
    Check,
    ClientStatus,
    ConsensusStates,
    Created,
    HeaderVerdict,
    Height,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    Updated,
    run_checks,
)

ValueT = TypeVar("ValueT")

SPEC = "docs/spec/bft-evm-client.md"
BESU_RULES = "hyperledger/besu QbftBlockHeaderValidationRulesetFactory"
BESU_SEALS = "hyperledger/besu BftCommitSealsValidationRule"


@dataclass(slots=True)
class _Slot(Generic[ValueT]):
    """A value that one check finds and later ones read."""

    value: ValueT | None = None

    def fill(self, make: Callable[[], ValueT]) -> None:
        self.value = make()

    def get(self) -> ValueT:
        if self.value is None:
            raise RuntimeError("a check was run before the one that it stands on")
        return self.value


class BftEvmClient:
    """See `light_clients.interface.LightClient`. Heights are of revision 0, header times seconds."""

    client_type: ClassVar[str] = "bft-evm"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_consensus_state(consensus_state)
        predicates.client_not_frozen(client)
        predicates.within_trusting_period(client, state, now_ns)
        predicates.header_not_from_future(state.timestamp_ns, client.max_clock_drift_s, now_ns)
        return Created(client.latest_height)

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        client = codec.decode_client_state(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(client.latest_height)
        if latest is None or predicates.expires_at_ns(client, codec.decode_consensus_state(latest)) <= now_ns:
            return ClientStatus.EXPIRED
        return ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return codec.decode_client_state(client_state).latest_height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_consensus_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return self._update_checks(client_state, consensus_states, header, now_ns, _Slot(), _Slot(), _Slot())

    def _update_checks(
        self,
        client_state: bytes,
        consensus_states: ConsensusStates,
        message: bytes,
        now_ns: int,
        client: _Slot[ClientState],
        header: _Slot[Header],
        storage_root: _Slot[bytes],
    ) -> Iterator[Check]:
        yield Check(
            "client_state_well_formed", SPEC, lambda: client.fill(lambda: codec.decode_client_state(client_state))
        )
        yield Check("header_well_formed", SPEC, lambda: header.fill(lambda: codec.decode_header_message(message)))
        yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client.get()))
        yield from sealed_header_checks(client.get(), consensus_states, header.get(), now_ns)
        yield Check(
            "router_account_proven",
            f"EIP-1186; {SPEC}",
            lambda: storage_root.fill(lambda: router_storage_root(client.get(), header.get())),
        )

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client: _Slot[ClientState] = _Slot()
        decoded: _Slot[Header] = _Slot()
        storage_root: _Slot[bytes] = _Slot()
        try:
            run_checks(
                self._update_checks(client_state, consensus_states, header, now_ns, client, decoded, storage_root)
            )
        except predicates.TooLittleOverlap as overlap:
            return NotEnoughTrust(overlap.signed, overlap.needed, overlap.total)
        return _judge_proven(client.get(), consensus_states, decoded.get(), storage_root.get())

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour)
        run_checks(evidence_checks(client, consensus_states, evidence, now_ns))
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are sealed at height {evidence.header_1.height.revision_height}",
        )

    def membership_checks(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
    ) -> Iterator[Check]:
        return membership_checks(client_state, consensus_state, proof, path, value)

    def verify_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes
    ) -> None:
        run_checks(membership_checks(client_state, consensus_state, proof, path, value))

    def verify_non_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...]
    ) -> None:
        run_checks(membership_checks(client_state, consensus_state, proof, path, None))

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        old = codec.decode_client_state(subject)
        new = codec.decode_client_state(substitute)
        if new.is_frozen:
            raise PredicateFailed("substitute_not_frozen", "the substitute is frozen itself")
        for name in ("chain_id", "consensus", "router_address", "max_clock_drift_s"):
            if getattr(old, name) != getattr(new, name):
                raise PredicateFailed(
                    "substitute_parameters_match",
                    f"{name} differs",
                    got=getattr(new, name),
                    expected=getattr(old, name),
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


def sealed_header_checks(
    client: ClientState, consensus_states: ConsensusStates, header: Header, now_ns: int
) -> Iterator[Check]:
    """What makes a header believed, in an update and in evidence alike. Cheap rules come before signatures."""
    trusted: _Slot[ConsensusState] = _Slot()
    committers: _Slot[frozenset[bytes]] = _Slot()
    yield Check(
        "trusted_state_known",
        "ICS-02",
        lambda: trusted.fill(lambda: _stored(consensus_states, header.trusted_height, client.latest_height)),
    )
    yield Check(
        "within_trusting_period",
        f"LCV-INV-TP.1; {SPEC}",
        lambda: predicates.within_trusting_period(client, trusted.get(), now_ns),
    )
    yield from header_rule_checks(
        header, header.trusted_height, trusted.get, client.max_clock_drift_s, now_ns, committers
    )


def header_rule_checks(
    header: Header,
    trusted_height: Height,
    trusted: Callable[[], ConsensusState],
    max_clock_drift_s: int,
    now_ns: int,
    committers: _Slot[frozenset[bytes]],
) -> Iterator[Check]:
    """The rules over one header and one trusted state, wherever that state is kept."""
    yield Check("height_increases", SPEC, lambda: predicates.height_increases(header.height, trusted_height))
    yield Check("time_does_not_decrease", SPEC, lambda: predicates.time_does_not_decrease(header, trusted()))
    yield Check(
        "header_not_from_future",
        SPEC,
        lambda: predicates.header_not_from_future(header.timestamp_ns, max_clock_drift_s, now_ns),
    )
    yield Check("qbft_constant_fields", BESU_RULES, lambda: predicates.qbft_constant_fields(header))
    yield Check("validators_are_listed", SPEC, lambda: predicates.validators_are_listed(header))
    yield Check(
        "commit_seals_of_validators",
        BESU_SEALS,
        lambda: committers.fill(lambda: predicates.recover_committers(header)),
    )
    yield Check(
        "quorum_of_own_validators", BESU_SEALS, lambda: predicates.quorum_of_own_validators(header, committers.get())
    )
    yield Check(
        "overlap_with_trusted_validators",
        SPEC,
        lambda: predicates.overlap_with_trusted_validators(committers.get(), trusted()),
    )


def evidence_checks(
    client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Iterator[Check]:
    """Both headers are believed, each from its own trusted state, and contradict each other."""
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    yield Check("headers_conflict", SPEC, lambda: predicates.headers_conflict(evidence.header_1, evidence.header_2))
    yield from sealed_header_checks(client, consensus_states, evidence.header_1, now_ns)
    yield from sealed_header_checks(client, consensus_states, evidence.header_2, now_ns)


def _stored(consensus_states: ConsensusStates, height: Height, latest: Height) -> ConsensusState:
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    return codec.decode_consensus_state(data)


def _judge_proven(
    client: ClientState, consensus_states: ConsensusStates, header: Header, storage_root: bytes
) -> HeaderVerdict:
    """Compare a proven header with what is stored: same, contradicting, or new."""
    height = header.height
    state = ConsensusState(header.execution.timestamp_s, storage_root, tuple(sorted(header.extra.validators)))
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
