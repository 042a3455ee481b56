"""Kept evidence judged again: every predicate that the destination's light client ran, by name."""

from collections.abc import Iterator
from functools import partial

from light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from light_clients.interface import (
    Check,
    CheckVerdict,
    LightClient,
    MemoryConsensusStates,
    PredicateFailed,
    UnknownHeight,
    Updated,
    VerificationError,
    audit_checks,
)
from relay.archive import Evidence
from relay.core.clients import light_client

ICS04 = "ICS-04 v2"


def judge_again(evidence: Evidence) -> tuple[CheckVerdict, ...]:
    """From the states that the destination's client trusted, at the time at which the relay verified; stops at the
    first predicate that fails. Whether those states may be trusted is for `hutong audit` to say."""
    verdicts: list[CheckVerdict] = []
    try:
        client = light_client(evidence.client_type)
        for verdict in _verdicts(client, evidence):
            verdicts.append(verdict)
            if not verdict.held:
                break
    except VerificationError as error:
        verdicts.append(CheckVerdict("evidence_can_be_judged", ICS04, error))
    return tuple(verdicts)


def _verdicts(client: LightClient, evidence: Evidence) -> Iterator[CheckVerdict]:
    state = evidence.trusted_client_state
    states = MemoryConsensusStates({evidence.trusted_height: evidence.trusted_consensus_state})
    for header in evidence.headers:
        yield from audit_checks(client.header_checks(state, states, header, evidence.verified_at_ns))
        verdict = client.verify_header(state, states, header, evidence.verified_at_ns)
        if not isinstance(verdict, Updated):
            error = PredicateFailed(
                "header_updates", "the header does not bring the client forward", type(verdict).__name__
            )
            yield CheckVerdict("header_updates", "ICS-02", error)
            return
        state = verdict.client_state
        states = states.with_state(verdict.height, verdict.consensus_state)
    at = states.get(evidence.proof_height)
    if at is None:
        error_height = UnknownHeight(evidence.proof_height, client.latest_height(state))
        yield CheckVerdict("proof_height_known", "ICS-02", error_height)
        return
    yield CheckVerdict("proof_height_known", "ICS-02", None)
    yield from audit_checks([Check("proves_the_packet", ICS04, partial(_proves_the_packet, evidence))])
    yield from audit_checks(client.membership_checks(state, at, evidence.proof, evidence.path, evidence.value))


def _proves_the_packet(evidence: Evidence) -> None:
    """What is proven is what the packet says: not some other entry of the chain."""
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
