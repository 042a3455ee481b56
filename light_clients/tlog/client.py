"""The `c2sp-tlog` light client: signed append-only logs, believed by their key and a quorum of witnesses."""

from dataclasses import replace
from typing import ClassVar

from hutong.light_clients.interface import (
    VERIFY,
    ConsensusStates,
    HeaderVerdict,
    Height,
    Judge,
    Misbehaved,
    NoOp,
    PredicateFailed,
    ProvenStore,
    StoredClient,
    Updated,
    cited,
    rule,
    trusting,
)
from hutong.light_clients.interface.trusting import client_not_frozen
from hutong.light_clients.tlog import codec, predicates
from hutong.light_clients.tlog.membership import judge_membership
from hutong.light_clients.tlog.predicates import SPEC
from hutong.light_clients.tlog.types import ClientState, ConsensusState, Header
from hutong.light_clients.tlog.verification import Place, Standing, judge_evidence, judge_update

client_state_well_formed = cited(codec.decode_client_state, SPEC, "client_state_well_formed")
header_well_formed = cited(codec.decode_header_message, SPEC, "header_well_formed")
header_not_from_future = cited(trusting.header_not_from_future, SPEC)


@rule(SPEC)
def consensus_state_is_the_latest(client: ClientState, state: ConsensusState) -> None:
    """A new client's two states are of one tree.

    Raises:
        PredicateFailed: of two sizes.
    """
    if state.height != client.latest_height:
        raise PredicateFailed(
            "consensus_state_is_the_latest",
            "the states are of trees of two sizes",
            got=str(state.height),
            expected=str(client.latest_height),
        )


class TlogClient(StoredClient[ClientState, ConsensusState]):
    """See `hutong.light_clients.interface.LightClient`.

    Heights are sizes of trees, of revision 0; the time of a state is the lowest of the quorum that cosigned it last, so
    that a log which does not grow is kept alive by new cosignatures. Absence cannot be proven by a root:
    `verify_non_membership` raises UnsupportedOperation.
    """

    client_type: ClassVar[str] = "c2sp-tlog"
    proves_absence: ClassVar[bool] = False
    immutable: ClassVar[tuple[str, ...]] = ("origin", "log_key", "publisher_key")

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
        """The size of the largest tree that is believed, of revision 0."""
        return client.latest_height

    def judge_creation(self, judge: Judge, client: ClientState, state: ConsensusState, now_ns: int) -> None:
        """Not frozen, both states of one tree, and the first state neither expired nor from the future.

        Whether log and witnesses signed that tree is the creator's to know: `hutong verify tlog` judges it.

        Raises:
            ClientFrozen, ClientExpired, PredicateFailed: the first of these that does not hold.
        """
        judge(client_not_frozen, client)
        judge(consensus_state_is_the_latest, client, state)
        judge(predicates.within_trusting_period, state.timestamp_ns, client.trusting_period_ns, now_ns)
        judge(header_not_from_future, state.timestamp_ns, client.max_clock_drift_ns, now_ns)

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """`tlog:` and the origin, and the publisher's key in the place of a router.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        return ProvenStore(f"tlog:{client.origin}", client.publisher_key)

    def followed_chain_id(self, client_state: bytes) -> str:
        """The log's origin.

        Raises:
            MalformedInput: `client_state` cannot be decoded.
        """
        return codec.decode_client_state(client_state).origin

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.judge_header`. A smaller checkpoint is `NoOp`, another root for a stored tree `Misbehaved`.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client or the named trusted state is not usable.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        client = judge(client_state_well_formed, client_state)
        shown = judge(header_well_formed, header)
        judge(client_not_frozen, client)
        place, timestamp_s = judge_update(judge, client, consensus_states, shown, now_ns)
        return _verdict(client, shown, place, timestamp_s)

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """See `LightClient.check_misbehaviour`: two signed trees, or a stored one and a signed one, that conflict.

        Raises:
            VerificationError: the first rule that does not hold, or MalformedInput where the message cannot be decoded.
        """
        client = codec.decode_client_state(client_state)
        evidence = codec.decode_misbehaviour(misbehaviour)
        VERIFY(client_not_frozen, client)
        height = judge_evidence(VERIFY, client, consensus_states, evidence, now_ns)
        return _misbehaved(client, height)

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
            UnsupportedOperation: `value` is None, since absence has no proof; or a message without a publisher.
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
        """
        judge_membership(judge, client_state, consensus_state, proof, path, value)

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """Everything that may differ is the substitute's: witnesses, quorum, periods and the latest height.

        Raises:
            PredicateFailed, MalformedInput: as `check_substitute`.
        """
        self.check_substitute(subject, substitute)
        return substitute


def _misbehaved(client: ClientState, height: Height) -> Misbehaved:
    return Misbehaved(
        height,
        codec.encode_client_state(client.frozen()),
        f"log and quorum signed another tree of {height.revision_height} entries",
    )


def _verdict(client: ClientState, header: Header, place: Place, timestamp_s: int) -> HeaderVerdict:
    """What a signed tree does to the client: nothing, a new state, or the end of it."""
    if place.standing is Standing.CONFLICTS:
        return _misbehaved(client, place.at)
    height = Height(0, header.checkpoint.size)
    if place.standing is Standing.KNOWN:
        return NoOp(height)
    state = ConsensusState(header.checkpoint.size, header.checkpoint.root, timestamp_s)
    return Updated(
        height,
        codec.encode_client_state(replace(client, latest_height=height)),
        codec.encode_consensus_state(state),
    )
