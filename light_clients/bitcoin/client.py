"""The `bitcoin` light client: proof of work, blocks believed at a depth, messages in OP_RETURN outputs."""

from dataclasses import replace
from typing import ClassVar

from hutong.light_clients.bitcoin import codec, predicates
from hutong.light_clients.bitcoin.chain import Weighed
from hutong.light_clients.bitcoin.membership import judge_membership
from hutong.light_clients.bitcoin.predicates import SPEC
from hutong.light_clients.bitcoin.types import ClientState, ConsensusState, Header, Misbehaviour, display
from hutong.light_clients.bitcoin.verification import Standing, judge_evidence, judge_update
from hutong.light_clients.interface import (
    VERIFY,
    ConsensusStates,
    HeaderVerdict,
    Height,
    Judge,
    MalformedInput,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    StoredClient,
    Updated,
    cited,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen

client_state_well_formed = cited(codec.decode_client_state, SPEC, "client_state_well_formed")
header_well_formed = cited(codec.decode_header_message, SPEC, "header_well_formed")
header_not_from_future = cited(predicates.header_not_from_future, SPEC)


class BitcoinClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`.

    Heights are of revision 0; the time of a state is its median time past. Absence cannot be proven by headers and
    branches: `verify_non_membership` raises UnsupportedOperation.
    """

    client_type: ClassVar[str] = "bitcoin"
    proves_absence: ClassVar[bool] = False
    immutable: ClassVar[tuple[str, ...]] = ("network", "publisher_script", "confirmation_depth")

    def decode_client(self, data: bytes) -> ClientState:
        """See `codec.decode_client_state`.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
            UnsupportedOperation: a network that is named but not offered.
        """
        return codec.decode_client_state(data)

    def decode_state(self, data: bytes) -> ConsensusState:
        """See `codec.decode_consensus_state`.

        Raises:
            MalformedInput: not the canonical encoding, or a field out of bounds.
        """
        return codec.decode_consensus_state(data)

    def height_of(self, client: ClientState) -> Height:
        """The highest block that is believed, of revision 0; the tip that confirmed it is not kept."""
        return client.latest_height

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        """Not frozen, both states of one height, and the first state neither expired nor from the future.

        Whether the block is on the chain with most work is the creator's to know.

        Raises:
            ClientFrozen, ClientExpired, MalformedInput, PredicateFailed: the first of these that does not hold.
        """
        judge(client_not_frozen, client)
        judge(states_agree, client, state)
        judge(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(header_not_from_future, state.time_s, state.height, now_ns)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """The network's number in decimal, and the publisher's output script in the place of a router.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        return ProvenStore(str(client.network), client.publisher_script)

    def followed_chain_id(self, client_state: bytes) -> str:
        """`bitcoin-` and the network's name in lower case.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """
        return f"bitcoin-{codec.decode_client_state(client_state).network.name.lower()}"

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. A heavier chain without a block that was believed freezes the client.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client or the named trusted state is not usable.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: the client state is of a network that is not offered.
        """
        client = judge(client_state_well_formed, client_state)
        shown = judge(header_well_formed, header)
        judge(client_not_frozen, client)
        run, standing = judge_update(judge, client, shown, consensus_states, now_ns)
        return _verdict(client, consensus_states, shown, run, standing)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: two runs that confirm different blocks at one height.

        Raises:
            VerificationError: as `judge_misbehaviour`, or MalformedInput where the message cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour)
        judge_misbehaviour(VERIFY, client, consensus_states, evidence, now_ns)
        height = evidence.header_1.height
        return Misbehaved(
            height,
            codec.encode_client_state(client.frozen()),
            f"two blocks have {client.confirmation_depth} confirmations at height {height.revision_height}",
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
        """See `membership.judge_membership`.

        Raises:
            UnsupportedOperation: `value` is None, since absence has no proof.
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        judge_membership(judge, client_state, consensus_state, proof, path, value)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """See `LightClient.recovered`: latest height, trusting period and best work are the substitute's.

        Raises:
            PredicateFailed, MalformedInput, UnsupportedOperation: as `check_substitute`.
        """
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


@rule(SPEC)
def states_agree(client: ClientState, state: ConsensusState) -> None:
    """A new client's two states are of one height, and the best work known is at least the first state's own.

    Raises:
        MalformedInput: two heights, or a best work below the first state's own.
    """
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


def judge_misbehaviour(
    judge: Judge, client: ClientState, consensus_states: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> None:
    """Both blocks are confirmed, each on its own trusted state, and only one of them can be on the chain.

    Raises:
        ClientFrozen, ClientExpired, UnknownHeight: the client or a trusted state is not usable.
        PredicateFailed, MalformedInput: the first rule that does not hold, such as less work than the best chain's.
    """
    judge(client_not_frozen, client)
    judge(_heights_conflict, evidence)
    first, second = evidence.header_1, evidence.header_2
    first_run = judge_evidence(judge, client, first, consensus_states, now_ns)
    second_run = judge_evidence(judge, client, second, consensus_states, now_ns)
    judge(_blocks_conflict, first.height, _hash_in(first_run, first), second.height, _hash_in(second_run, second))


def _same_height(evidence: Misbehaviour) -> None:
    """Cheap, before anything is hashed: one height, and not the same message twice."""
    first, second = evidence.header_1, evidence.header_2
    if first.height != second.height or first == second:
        raise PredicateFailed(
            "headers_conflict",
            "the two are of different heights, or the same",
            got=str(second.height),
            expected=str(first.height),
        )


_heights_conflict = cited(_same_height, SPEC, "headers_conflict")
_blocks_conflict = cited(predicates.headers_conflict, SPEC)


def _hash_in(run: Weighed, header: Header) -> bytes:
    """Of the block to believe."""
    return run.at(header.height.revision_height).block_hash


def _verdict(
    client: ClientState, stored: ConsensusStates, header: Header, run: Weighed, standing: Standing
) -> HeaderVerdict:
    """What a believed block does to the client: nothing, a new state, or the end of it."""
    height = header.height
    if standing is Standing.REPLACES:
        return Misbehaved(
            height,
            codec.encode_client_state(client.frozen()),
            f"a heavier chain to {run.tip.height} ({display(run.tip.block_hash)}) replaces a block that was believed",
        )
    encoded = codec.encode_consensus_state(run.at(height.revision_height))
    if stored.get(height) == encoded:
        return NoOp(height)
    latest = max(height, client.latest_height)
    best = max(client.best_chainwork, run.tip.chainwork)
    return Updated(
        height, codec.encode_client_state(replace(client, latest_height=latest, best_chainwork=best)), encoded
    )
