"""The `clique` light client: proof-of-authority chains whose signers seal in turn (EIP-225)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, TypeAlias

from light_clients.clique import codec, predicates
from light_clients.clique.types import ClientState, ConsensusState, Header, Misbehaviour, TrustedState
from light_clients.clique.verification import SPEC, Branch, Options, evidence_checks, options_of, update_checks
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
    PredicateFailed,
    ProvenStore,
    Slot,
    UnknownHeight,
    Updated,
    check_substitute_fits,
    run_checks,
)

IMMUTABLE = ("chain_id", "router_address", "period_s", "epoch_length", "confirmations", "max_clock_drift_s")
"""What a substitute must have in common with its subject."""


class CliqueClient:
    """See `light_clients.interface.LightClient`. Heights are of revision 0, header times seconds.

    Updates are whole branches, so there is never `NotEnoughTrust`: a block is linked to the trusted one or it is not.
    """

    client_type: ClassVar[str] = "clique"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_consensus_state(consensus_state)
        evm.client_not_frozen(is_frozen=client.is_frozen)
        for name, got, expected in (
            ("latest_height", client.latest_height, state.height),
            ("head_total_difficulty", client.head_total_difficulty, state.total_difficulty),
            ("head_hash", client.head_hash, state.block_hash),
        ):
            if got != expected:
                raise PredicateFailed("consensus_state_is_the_latest", f"{name} differs", got=got, expected=expected)
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
        return _update_checks(client_state, consensus_states, header, now_ns, Slot(), Slot())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        client: Slot[ClientState] = Slot()
        proven: Slot[_Proven] = Slot()
        run_checks(_update_checks(client_state, consensus_states, header, now_ns, client, proven))
        return proven.get().verdict(client.get(), consensus_states)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour)
        run_checks(misbehaviour_checks(client, consensus_states, evidence, now_ns))
        return Misbehaved(
            evidence.header_1.height,
            codec.encode_client_state(client.frozen()),
            f"two blocks are buried at height {evidence.header_1.number}",
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
        """Everything is the substitute's: sums of difficulties are counted as its creator began."""
        self.check_substitute(subject, substitute)
        return substitute


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


class _Proven:
    """A branch and the trusted state it starts from, before and after its checks."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.branch = Branch(header)
        self.trusted: TrustedState | None = None
        self.storage_root = b""

    def state(self) -> ConsensusState:
        """What the believed block leaves behind; MalformedInput where its snapshot is out of bounds."""
        block = self.header.block_at(self.header.number)
        if self.trusted is None or block is None:
            raise RuntimeError("a check was run before the one that it stands on")
        return ConsensusState(
            block.execution.timestamp_s,
            self.storage_root,
            block.hash,
            self.trusted.total_difficulty + self.branch.weight_at(self.header.number),
            self.branch.believed(),
        )

    def head(self, client: ClientState) -> tuple[int, bytes]:
        """(total difficulty, hash) of the last of the confirmations: by it branches are weighed. What stands above it is not
        counted, or one long branch would be a bar for all that follow it step by step."""
        number = self.header.number + client.confirmations
        block = self.header.block_at(number)
        if self.trusted is None or block is None:
            raise RuntimeError("a check was run before the one that it stands on")
        return self.trusted.total_difficulty + self.branch.weight_at(number), block.hash

    def contradicted(self, consensus_states: ConsensusStates) -> Height | None:
        """The lowest believed block in whose place the branch has another one."""
        stored = consensus_states.after(self.header.trusted_height)
        while stored is not None:
            height, state = stored
            block = self.header.block_at(height.revision_height)
            if block is None:
                return None
            if codec.decode_consensus_state(state).block_hash != block.hash:
                return height
            stored = consensus_states.after(height)
        return None

    def check_place(self, client: ClientState, consensus_states: ConsensusStates) -> None:
        """A branch in which another block is buried in a believed one's place is evidence, however heavy it is. Every other
        branch must hold what is believed, and be the heaviest or reach what is believed."""
        contradicted = self.contradicted(consensus_states)
        if contradicted is not None:
            if not self.branch.buries(contradicted.revision_height, client.confirmations):
                raise PredicateFailed(
                    "branch_holds_believed_blocks", "another block stands in the place of a believed one", contradicted
                )
            return
        if self.header.height > client.latest_height:
            predicates.branch_is_heaviest(client, *self.head(client))
            return
        if consensus_states.get(self.header.height) is None:
            above = consensus_states.after(self.header.height)
            if above is not None:
                predicates.branch_reaches_known_block(self.header, above[0].revision_height)

    def verdict(self, client: ClientState, consensus_states: ConsensusStates) -> HeaderVerdict:
        """Compare what is proven with what is stored: same, contradicting, or new."""
        height = self.header.height
        conflict = self.contradicted(consensus_states)
        if conflict is not None:
            return Misbehaved(
                conflict,
                codec.encode_client_state(client.frozen()),
                f"another block is buried at height {conflict.revision_height}: a reorganisation deeper than the confirmations",
            )
        if consensus_states.get(height) is not None:
            return NoOp(height)
        encoded = codec.encode_consensus_state(self.state())
        updated = client
        if height > client.latest_height:
            total_difficulty, head_hash = self.head(client)
            updated = replace(client, latest_height=height, head_total_difficulty=total_difficulty, head_hash=head_hash)
        return Updated(height, codec.encode_client_state(updated), encoded)


def _update_checks(
    client_state: bytes,
    consensus_states: ConsensusStates,
    message: bytes,
    now_ns: int,
    client: Slot[ClientState],
    proven: Slot[_Proven],
) -> Iterator[Check]:
    yield Check("client_state_well_formed", SPEC, lambda: client.fill(lambda: codec.decode_client_state(client_state)))
    yield Check("header_well_formed", SPEC, lambda: proven.fill(lambda: _Proven(codec.decode_header_message(message))))
    yield Check("client_not_frozen", "ICS-02", lambda: evm.client_not_frozen(is_frozen=client.get().is_frozen))
    update = proven.get()
    yield from _trusted_branch_checks(update_checks, client.get(), consensus_states, update, now_ns)
    yield Check(
        "branch_takes_its_place", f"EIP-225; {SPEC}", lambda: update.check_place(client.get(), consensus_states)
    )
    yield Check("router_account_proven", f"EIP-1186; {SPEC}", lambda: _prove_router(client.get(), update))


def _prove_router(client: ClientState, update: _Proven) -> None:
    block = update.header.block_at(update.header.number)
    if block is None:
        raise RuntimeError("a check was run before the one that it stands on")
    update.storage_root = router_storage_root(
        block.execution.state_root, client.router_address, update.header.account_proof
    )
    update.state()


BranchRules: TypeAlias = Callable[[Branch, TrustedState, Options, int], Iterator[Check]]


def _trusted_branch_checks(
    rules: BranchRules, client: ClientState, consensus_states: ConsensusStates, update: _Proven, now_ns: int
) -> Iterator[Check]:
    """The rules over a branch and the state that it starts from, which must be stored."""

    def find() -> None:
        update.trusted = _trusted_state(client, consensus_states, update.header.trusted_height)

    yield Check("trusted_state_known", "ICS-02", find)
    if update.trusted is not None:
        yield from rules(update.branch, update.trusted, options_of(client), now_ns)


def misbehaviour_checks(
    client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Iterator[Check]:
    """Two buried blocks of one height, each believed from its own trusted state."""
    yield Check("client_not_frozen", "ICS-02", lambda: evm.client_not_frozen(is_frozen=client.is_frozen))
    yield Check("headers_conflict", SPEC, lambda: predicates.headers_conflict(evidence.header_1, evidence.header_2))
    for header in (evidence.header_1, evidence.header_2):
        yield from _trusted_branch_checks(evidence_checks, client, consensus_states, _Proven(header), now_ns)


def _trusted_state(client: ClientState, consensus_states: ConsensusStates, height: Height) -> TrustedState:
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, client.latest_height)
    return codec.decode_consensus_state(data).trusted
