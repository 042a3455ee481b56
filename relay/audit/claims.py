"""The claims of one leg: who sent what to whom, and what is proven of it."""

from collections.abc import Iterator, Mapping
from functools import partial

from light_clients.crypto import keccak256
from light_clients.ibc.abi import encode_packet_abi
from light_clients.ibc.commitment import (
    RECEIPT_VALUE,
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    merkle_path,
    packet_commitment,
    receipt_key,
)
from light_clients.interface import NANOSECONDS_PER_SECOND, Check, Height, PredicateFailed
from relay.archive.bundle import ChainKind, Claim, Leg, StateProof
from relay.archive.checkpoint import Checkpoint, Remote, TendermintTrust
from relay.audit.blocks import SPEC, ProvenState, Step
from relay.audit.chains import JudgedChain
from relay.audit.light_clients import LIGHT_CLIENTS

ICS04 = "ICS-04 v2"


def leg_steps(leg: Leg, number: int, chains: Mapping[str, JudgedChain]) -> Iterator[Step]:
    """Every predicate of a leg whose chains' headers are believed."""
    subject = f"leg {number}, packet {leg.packet_id}"
    source, destination = chains[leg.source_chain_id].checkpoint, chains[leg.destination_chain_id].checkpoint
    yield Step(
        subject,
        Check("source_client_follows_destination", SPEC, partial(_source_follows, leg, source)),
    )
    yield Step(
        subject,
        Check("destination_client_follows_source", SPEC, partial(_destination_follows, leg, destination)),
    )
    acknowledgement = leg.acknowledgement
    if acknowledgement is not None:
        yield Step(
            subject,
            Check("acknowledgement_fits_packet", ICS04, lambda: acknowledgement.check_matches(leg.packet)),
        )
    for proof in leg.proofs:
        yield from _proof_steps(leg, number, proof, chains[leg.chain_id_of(proof.claim)])


def _proof_steps(leg: Leg, number: int, proof: StateProof, chain: JudgedChain) -> Iterator[Step]:
    subject = f"leg {number}, {proof.claim.value} on {chain.chain.chain_id} at {proof.height}"
    found: list[ProvenState] = []
    yield Step(subject, Check("proof_height_known", "ICS-02", lambda: found.append(_state(chain, proof.height))))
    if proof.claim is Claim.TIMED_OUT:
        yield Step(subject, Check("timeout_has_passed", ICS04, partial(_has_timed_out, leg, found[0])))
    if proof.claim is Claim.SETTLED:
        yield Step(subject, Check("settled_after_sent", ICS04, partial(_settled_after_sent, leg, proof)))
    path, value = path_and_value(leg, proof.claim, chain.checkpoint)
    light_client = LIGHT_CLIENTS[chain.chain.kind]
    state = found[0]
    for check in light_client.membership_checks(state.client_state, state.consensus_state, proof.proof, path, value):
        yield Step(subject, check)


def path_and_value(leg: Leg, claim: Claim, checkpoint: Checkpoint) -> tuple[tuple[bytes, ...], bytes | None]:
    """Where the claim is stored on the checkpoint's chain, and what; None for a claim of absence."""
    trust = checkpoint.trust
    prefix = trust.merkle_prefix if isinstance(trust, TendermintTrust) else (b"",)
    packet = leg.packet
    match claim:
        case Claim.SENT | Claim.SETTLED:
            key, value = commitment_key(packet), packet_commitment(packet)
        case Claim.ACKNOWLEDGED:
            if leg.acknowledgement is None:
                raise PredicateFailed("acknowledgement_fits_packet", "is missing")
            key, value = acknowledgement_key(packet), acknowledgement_commitment(leg.acknowledgement)
        case Claim.RECEIVED | Claim.TIMED_OUT:
            key = receipt_key(packet)
            # ibc-go and the hub store one byte, the Solidity router the hash of the packet.
            on_tendermint = checkpoint.kind is ChainKind.TENDERMINT
            value = RECEIPT_VALUE if on_tendermint else keccak256(encode_packet_abi(packet))
    return merkle_path(prefix, key), None if claim.is_absence else value


def _state(chain: JudgedChain, height: Height) -> ProvenState:
    state = chain.states.get(height)
    if state is None:
        raise PredicateFailed("proof_height_known", "the bundle has no header at the proof's height", got=height)
    return state


def _follows(name: str, client_id: str, checkpoint: Checkpoint, followed: Remote) -> None:
    """Client ids mean nothing across chains, and nothing keeps two clients of a chain from naming one counterparty: so
    both ends must name each other."""
    got = checkpoint.clients.get(client_id)
    if got != followed:
        raise PredicateFailed(
            name,
            f"the checkpoint of {checkpoint.chain_id} says otherwise of its client {client_id}",
            got=followed,
            expected=got or "no client of that name",
        )


def _source_follows(leg: Leg, checkpoint: Checkpoint) -> None:
    name, packet = "source_client_follows_destination", leg.packet
    _follows(name, packet.source_client, checkpoint, Remote(leg.destination_chain_id, packet.destination_client))


def _destination_follows(leg: Leg, checkpoint: Checkpoint) -> None:
    name, packet = "destination_client_follows_source", leg.packet
    _follows(name, packet.destination_client, checkpoint, Remote(leg.source_chain_id, packet.source_client))


def _has_timed_out(leg: Leg, state: ProvenState) -> None:
    time_s = state.time_ns // NANOSECONDS_PER_SECOND
    if time_s < leg.packet.timeout_timestamp_s:
        raise PredicateFailed(
            "timeout_has_passed",
            "the destination's time at the proof is before the timeout",
            got=time_s,
            expected=f">= {leg.packet.timeout_timestamp_s}",
        )


def _settled_after_sent(leg: Leg, proof: StateProof) -> None:
    sent = next(item.height for item in leg.proofs if item.claim is Claim.SENT)
    if proof.height <= sent:
        raise PredicateFailed(
            "settled_after_sent", "the commitment was gone before it was seen", proof.height, f"> {sent}"
        )
