"""Kept evidence judged again: every predicate that the destination's light client ran, by name."""

from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.interface import (
    Audit,
    CheckVerdict,
    HeaderVerdict,
    Judge,
    LightClient,
    MemoryConsensusStates,
    PredicateFailed,
    UnknownHeight,
    Updated,
    VerificationError,
    rule,
)
from hutong.light_clients.table import light_client
from hutong.relay.archive import Evidence

ICS04 = "ICS-04 v2"


def judge_again(evidence: Evidence) -> tuple[CheckVerdict, ...]:
    """Judge evidence from the states that the destination's client trusted, at the time at which the relay verified.

    Whether those states may be trusted is for `hutong audit` to say.

    Returns:
        Each predicate's verdict in order, up to the first that fails. Nothing is raised for evidence of any content.
    """
    try:
        client = light_client(evidence.client_type)
    except VerificationError as error:
        return (_not_judged(error),)
    verdicts: list[CheckVerdict] = []
    try:
        _judge_evidence(Audit(verdicts.append), client, evidence)
    except VerificationError as error:
        if not verdicts or verdicts[-1].error is not error:
            verdicts.append(_not_judged(error))
    return tuple(verdicts)


def _not_judged(error: VerificationError) -> CheckVerdict:
    return CheckVerdict("evidence_can_be_judged", ICS04, error)


def _judge_evidence(judge: Judge, client: LightClient, evidence: Evidence) -> None:
    state = evidence.trusted_client_state
    states = MemoryConsensusStates({evidence.trusted_height: evidence.trusted_consensus_state})
    for header in evidence.headers:
        verdict = client.judge_header(judge, state, states, header, evidence.verified_at_ns)
        updated = judge.tacitly(header_updates, verdict)
        state = updated.client_state
        states = states.with_state(updated.height, updated.consensus_state)
    at = judge(proof_height_known, client, state, states, evidence)
    judge(proves_the_packet, evidence)
    client.judge_membership(judge, state, at, evidence.proof, evidence.path, evidence.value)


@rule("ICS-02")
def header_updates(verdict: HeaderVerdict) -> Updated:
    """The header brings the client forward: it shows no misbehaviour, and enough of the trusted power signed it.

    Raises:
        PredicateFailed: the verdict is another; `got` names its type.
    """
    if not isinstance(verdict, Updated):
        raise PredicateFailed("header_updates", "the header does not bring the client forward", type(verdict).__name__)
    return verdict


@rule("ICS-02")
def proof_height_known(client: LightClient, state: bytes, states: MemoryConsensusStates, evidence: Evidence) -> bytes:
    """The consensus state that the proof stands on is one of those that the headers left.

    Returns:
        That state, encoded.

    Raises:
        UnknownHeight: no header of the evidence brought the client to the proof's height.
    """
    at = states.get(evidence.proof_height)
    if at is None:
        raise UnknownHeight(evidence.proof_height, client.latest_height(state))
    return at


@rule(ICS04)
def proves_the_packet(evidence: Evidence) -> None:
    """What is proven is what the packet says: not some other entry of the chain.

    The last path element must end with the ICS-24 key of the packet's step, and the value be its commitment (none for a
    timeout). That the proof is right is not checked here.

    Raises:
        PredicateFailed: path or value are of something else; `got` and `expected` have the bytes.
    """
    packet, acknowledgement = evidence.packet, evidence.acknowledgement
    value: bytes | None
    if evidence.kind == "receive":
        key, value = commitment_key(packet), packet_commitment(packet)
    elif acknowledgement is not None:
        key, value = acknowledgement_key(packet), acknowledgement_commitment(acknowledgement)
    else:
        key, value = receipt_key(packet), None
    if not evidence.path[-1].endswith(key):
        raise PredicateFailed("proves_the_packet", "the path is of something else", evidence.path[-1], key)
    if evidence.value != value:
        raise PredicateFailed("proves_the_packet", "the value is not the packet's", evidence.value, value)
