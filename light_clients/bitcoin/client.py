"""The `bitcoin` light client: proof of work, blocks believed at a depth, messages in OP_RETURN outputs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from light_clients.bitcoin import codec, predicates
from light_clients.bitcoin.membership import membership_checks
from light_clients.bitcoin.types import ClientState, ConsensusState, Misbehaviour, display
from light_clients.bitcoin.verification import SPEC, Standing, Update, evidence_checks, update_checks
from light_clients.interface import (
    Check,
    ClientStatus,
    ConsensusStates,
    Created,
    Destination,
    HeaderVerdict,
    Height,
    MalformedInput,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    Updated,
    check_substitute_fits,
    run_checks,
)

IMMUTABLE = ("network", "publisher_script", "confirmation_depth")


@dataclass(slots=True)
class _Judged:
    """What the first checks decode, for those behind them."""

    client: ClientState | None = None
    update: Update | None = None


class BitcoinClient:
    """See `light_clients.interface.LightClient`. Heights are of revision 0; the time of a state is its median time past.

    Absence cannot be proven by headers and branches: `verify_non_membership` raises UnsupportedOperation.
    """

    client_type: ClassVar[str] = "bitcoin"

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        client = codec.decode_client_state(client_state)
        state = codec.decode_consensus_state(consensus_state)
        predicates.client_not_frozen(client)
        _states_agree(client, state)
        predicates.within_trusting_period(state, client.trusting_period_s, now_ns)
        predicates.header_not_from_future(state.time_s, state.height, now_ns)
        return Created(client.latest_height)

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """Headers and proofs are the chain's own, whoever reads them."""

    def proven_store(self, client_state: bytes) -> ProvenStore:
        client = codec.decode_client_state(client_state)
        return ProvenStore(str(client.network), client.publisher_script)

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        client = codec.decode_client_state(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(client.latest_height)
        if latest is None:
            return ClientStatus.EXPIRED
        state = codec.decode_consensus_state(latest)
        expired = predicates.expires_at_ns(state, client.trusting_period_s) <= now_ns
        return ClientStatus.EXPIRED if expired else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        return codec.decode_client_state(client_state).latest_height

    def timestamp_ns(self, consensus_state: bytes) -> int:
        return codec.decode_consensus_state(consensus_state).timestamp_ns

    def header_checks(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> Iterator[Check]:
        return _header_checks(client_state, consensus_states, header, now_ns, _Judged())

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        judged = _Judged()
        run_checks(_header_checks(client_state, consensus_states, header, now_ns, judged))
        if judged.update is None:
            raise RuntimeError("the rules ended without an update")
        return _verdict(judged.update)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour)
        run_checks(misbehaviour_checks(client, consensus_states, evidence, now_ns))
        height = evidence.header_1.height
        return Misbehaved(
            height,
            codec.encode_client_state(client.frozen()),
            f"two blocks have {client.confirmation_depth} confirmations at height {height.revision_height}",
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
                best_chainwork=new.best_chainwork,
            )
        )


def _states_agree(client: ClientState, state: ConsensusState) -> None:
    """A new client's two states are of one block, and no heavier chain is known than the one that ends in it."""
    if state.height != client.latest_height.revision_height:
        raise MalformedInput(
            "consensus_state.height",
            "is not the client's latest height",
            got=state.height,
            expected=client.latest_height.revision_height,
        )
    if client.best_chainwork < state.chainwork:
        raise MalformedInput(
            "client_state.best_chainwork",
            "is less than the first state's own",
            got=f"{client.best_chainwork:x}",
            expected=f">= {state.chainwork:x}",
        )


def _header_checks(
    client_state: bytes, consensus_states: ConsensusStates, message: bytes, now_ns: int, judged: _Judged
) -> Iterator[Check]:
    def decode_client() -> None:
        judged.client = codec.decode_client_state(client_state)

    yield Check("client_state_well_formed", SPEC, decode_client)
    client = judged.client
    if client is None:
        raise RuntimeError("a check was run before the one that it stands on")

    def decode_header() -> None:
        judged.update = Update(client, codec.decode_header_message(message), consensus_states)

    yield Check("header_well_formed", SPEC, decode_header)
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    if judged.update is None:
        raise RuntimeError("a check was run before the one that it stands on")
    yield from update_checks(judged.update, now_ns)


def misbehaviour_checks(
    client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Iterator[Check]:
    """Both blocks are confirmed, each on its own trusted state, and only one of them can be on the chain."""
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    yield Check("headers_conflict", SPEC, lambda: _heights_conflict(evidence))
    updates = [Update(client, header, consensus_states) for header in (evidence.header_1, evidence.header_2)]
    for update in updates:
        yield from evidence_checks(update, now_ns)
    yield Check("headers_conflict", SPEC, lambda: _blocks_conflict(updates[0], updates[1]))


def _heights_conflict(evidence: Misbehaviour) -> None:
    """Cheap, before anything is hashed: one height, and not the same message twice."""
    first, second = evidence.header_1, evidence.header_2
    if first.height != second.height or first == second:
        raise PredicateFailed(
            "headers_conflict",
            "the two are of different heights, or the same",
            got=str(second.height),
            expected=str(first.height),
        )


def _blocks_conflict(first: Update, second: Update) -> None:
    predicates.headers_conflict(
        first.header.height, first.state.block_hash, second.header.height, second.state.block_hash
    )


def _verdict(update: Update) -> HeaderVerdict:
    """What a believed block does to the client: nothing, a new state, or the end of it."""
    client, height = update.client, update.header.height
    if update.standing is Standing.REPLACES:
        tip = update.linked.tip
        return Misbehaved(
            height,
            codec.encode_client_state(client.frozen()),
            f"a heavier chain to {tip.height} ({display(tip.block_hash)}) replaces a block that was believed",
        )
    encoded = codec.encode_consensus_state(update.state)
    if update.trusted_states.get(height) == encoded:
        return NoOp(height)
    latest = max(height, client.latest_height)
    best = max(client.best_chainwork, update.linked.tip.chainwork)
    return Updated(
        height, codec.encode_client_state(replace(client, latest_height=latest, best_chainwork=best)), encoded
    )
