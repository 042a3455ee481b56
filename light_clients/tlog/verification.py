"""The rules in their order: what makes a checkpoint believed, and what its tree is to the trees that are stored."""

from dataclasses import dataclass
from enum import Enum

from hutong.light_clients.interface import (
    ConsensusStates,
    Height,
    Judge,
    MalformedInput,
    PredicateFailed,
    UnknownHeight,
    rule,
)
from hutong.light_clients.proofs.merkle import ConsistencyProof, judge_consistency
from hutong.light_clients.tlog import codec, predicates
from hutong.light_clients.tlog.checkpoints import Checkpoint
from hutong.light_clients.tlog.predicates import SPEC
from hutong.light_clients.tlog.types import ClientState, ConsensusState, Header, Misbehaviour


class Standing(Enum):
    """What a signed tree is to the stored ones."""

    LARGER = "larger"
    """It grew out of the largest."""
    REFRESHED = "refreshed"
    """It is the largest, cosigned anew later."""
    KNOWN = "known"
    """It is stored, or smaller than the largest: nothing to write."""
    CONFLICTS = "conflicts"
    """It has another root, or another beginning, than a stored one."""


@dataclass(frozen=True, slots=True)
class Place:
    """`at` is the height of the stored tree that the standing is about."""

    standing: Standing
    at: Height


@rule("ICS-02")
def trusted_state_known(client: ClientState, stored: ConsensusStates, height: Height) -> ConsensusState:
    """The stored tree that a proof begins at.

    Raises:
        UnknownHeight: none of that size is stored.
        MalformedInput: what is stored is not a state of this client's kind.
    """
    data = stored.get(height)
    if data is None:
        raise UnknownHeight(height, client.latest_height)
    return codec.decode_consensus_state(data)


def judge_checkpoint(judge: Judge, client: ClientState, checkpoint: Checkpoint) -> int:
    """Log and quorum signed it. Returns the lowest time of the quorum, Unix seconds.

    Raises:
        PredicateFailed, MalformedInput: the first rule that does not hold.
    """
    judge(predicates.checkpoint_is_of_the_log, checkpoint, client.origin)
    judge(predicates.log_signed, checkpoint, client.log_key)
    timestamp_s = judge(predicates.quorum_cosigned, checkpoint, client)
    judge(predicates.time_is_told, timestamp_s)
    return timestamp_s


def judge_update(
    judge: Judge, client: ClientState, stored: ConsensusStates, header: Header, now_ns: int
) -> tuple[Place, int]:
    """What an update's tree is to the stored ones, and the lowest time of its quorum in Unix seconds.

    Raises:
        ClientExpired, UnknownHeight: the trusted state is not usable.
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    trusted = judge(trusted_state_known, client, stored, header.trusted_height)
    judge(predicates.within_trusting_period, trusted.timestamp_ns, client.trusting_period_ns, now_ns)
    timestamp_s = judge_checkpoint(judge, client, header.checkpoint)
    judge(predicates.header_not_from_future, timestamp_s, client.max_clock_drift_ns, now_ns)
    judge(proof_where_it_grew, header, trusted)
    if header.checkpoint.size >= trusted.size:
        proof = ConsistencyProof(trusted.size, header.checkpoint.size, header.growth.nodes)
        judge_consistency(judge, proof, header.growth.first_root, header.checkpoint.root)
    place = judge(place_among_stored, client, stored, header, timestamp_s)
    if place.standing is Standing.LARGER:
        judge(predicates.proof_begins_at_the_latest, trusted, client)
        judge(predicates.time_does_not_go_back, timestamp_s, trusted)
    return place, timestamp_s


@rule(SPEC)
def proof_where_it_grew(header: Header, trusted: ConsensusState) -> None:
    """A tree of the trusted size or larger comes with the root that it began with, a smaller one with no proof at all.

    Raises:
        MalformedInput: the root is missing, or there is a root or nodes where nothing is to be proven.
    """
    growth = header.growth
    if header.checkpoint.size >= trusted.size:
        if not growth.first_root:
            raise MalformedInput("header.first_root", "is missing")
    elif growth.first_root or growth.nodes:
        raise MalformedInput("header.nodes", "a checkpoint below the trusted height has no consistency proof")


@rule(SPEC)
def place_among_stored(client: ClientState, stored: ConsensusStates, header: Header, timestamp_s: int) -> Place:
    """Compare what is signed with the tree that the proof begins at, and with the stored tree of the same size.

    Raises:
        MalformedInput: what is stored is not a state of this client's kind.
    """
    checkpoint, first_root = header.checkpoint, header.growth.first_root
    trusted = stored.get(header.trusted_height)
    if first_root and trusted is not None and codec.decode_consensus_state(trusted).root != first_root:
        return Place(Standing.CONFLICTS, header.trusted_height)
    height = Height(0, checkpoint.size)
    same_size = stored.get(height)
    if same_size is None:
        return Place(Standing.LARGER if height > client.latest_height else Standing.KNOWN, height)
    known = codec.decode_consensus_state(same_size)
    if known.root != checkpoint.root:
        return Place(Standing.CONFLICTS, height)
    if height == client.latest_height and timestamp_s > known.timestamp_s:
        return Place(Standing.REFRESHED, height)
    return Place(Standing.KNOWN, height)


def judge_evidence(
    judge: Judge, client: ClientState, stored: ConsensusStates, evidence: Misbehaviour, now_ns: int
) -> Height:
    """Two trees, of which the second did not grow out of the first. Returns the height of the first.

    Raises:
        ClientExpired, UnknownHeight: the client, or the stored tree that is named, is not usable.
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    latest = judge(trusted_state_known, client, stored, client.latest_height)
    judge(predicates.within_trusting_period, latest.timestamp_ns, client.trusting_period_ns, now_ns)
    if evidence.checkpoint_1 is not None:
        first = evidence.checkpoint_1
        size, root = first.size, first.root
        judge(headers_conflict, evidence, root)
        judge_checkpoint(judge.under("checkpoint 1: "), client, first)
    else:
        assert evidence.stored_height is not None
        named = judge(trusted_state_known, client, stored, evidence.stored_height)
        size, root = named.size, named.root
        judge(headers_conflict, evidence, root)
    judge_checkpoint(judge.under("checkpoint 2: "), client, evidence.checkpoint_2)
    proof = ConsistencyProof(size, evidence.checkpoint_2.size, evidence.growth.nodes)
    judge_consistency(judge, proof, evidence.growth.first_root, evidence.checkpoint_2.root)
    return Height(0, size)


@rule(SPEC)
def headers_conflict(evidence: Misbehaviour, root: bytes) -> None:
    """The second tree's beginning has another root than the first tree. An empty tree begins every tree.

    Raises:
        PredicateFailed: it has the same root, or the first tree is empty.
    """
    if evidence.growth.first_root == root:
        raise PredicateFailed("headers_conflict", "the second tree begins with the first", got=root)
    if evidence.checkpoint_1 is not None and not evidence.checkpoint_1.size:
        raise PredicateFailed("headers_conflict", "an empty tree begins every tree", got=0)
