"""The claims of one leg: who sent what to whom, and what is proven of it."""

from collections.abc import Mapping

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_packet_abi
from hutong.light_clients.ibc.commitment import (
    RECEIPT_VALUE,
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    merkle_path,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, PredicateFailed, rule
from hutong.relay.archive.bundle import ChainKind, Claim, Leg, StateProof
from hutong.relay.archive.checkpoint import Checkpoint, Remote, TendermintTrust
from hutong.relay.audit.blocks import SPEC, ProvenState
from hutong.relay.audit.chains import JudgedChain
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.light_clients import LIGHT_CLIENTS

ICS04 = "ICS-04 v2"


def judge_leg(inquiry: Inquiry, leg: Leg, number: int, chains: Mapping[str, JudgedChain]) -> None:
    """Every rule of a leg whose chains' headers are believed.

    Args:
        number: of the leg in its bundle, 1 or 2, for the verdicts.
        chains: by chain id.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    judge = inquiry.about(f"leg {number}, packet {leg.packet_id}")
    judge(source_client_follows_destination, leg, chains[leg.source_chain_id].checkpoint)
    judge(destination_client_follows_source, leg, chains[leg.destination_chain_id].checkpoint)
    if chains[leg.destination_chain_id].chain.kind is ChainKind.TLOG:
        judge(destination_receives, leg)
    if leg.acknowledgement is not None:
        judge(acknowledgement_fits_packet, leg.acknowledgement, leg.packet)
    for proof in leg.proofs:
        _judge_proof(inquiry, leg, number, proof, chains[leg.chain_id_of(proof.claim)])


def _judge_proof(inquiry: Inquiry, leg: Leg, number: int, proof: StateProof, chain: JudgedChain) -> None:
    judge = inquiry.about(f"leg {number}, {proof.claim.value} on {chain.chain.chain_id} at {proof.height}")
    state = judge(proof_height_known, chain, proof.height)
    if proof.claim is Claim.TIMED_OUT:
        judge(timeout_has_passed, leg, state)
    if proof.claim is Claim.SETTLED:
        judge(settled_after_sent, leg, proof)
    path, value = path_and_value(leg, proof.claim, chain.checkpoint)
    LIGHT_CLIENTS[chain.chain.kind].judge_membership(
        judge, state.client_state, state.consensus_state, proof.proof, path, value
    )


@rule("docs/adr/0012-bitcoin-absence.md")
def destination_receives(leg: Leg) -> None:
    """Never holds: nothing is sent to a signed log, whose publisher could write any receipt that it likes.

    Raises:
        PredicateFailed: always.
    """
    raise PredicateFailed("destination_receives", "a signed log receives nothing", got=leg.destination_chain_id)


@rule(ICS04)
def acknowledgement_fits_packet(acknowledgement: Acknowledgement, packet: Packet) -> None:
    """The acknowledgement can be one of this packet (`Acknowledgement.check_matches`).

    Raises:
        VerificationError: it cannot.
    """
    acknowledgement.check_matches(packet)


def path_and_value(leg: Leg, claim: Claim, checkpoint: Checkpoint) -> tuple[tuple[bytes, ...], bytes | None]:
    """Where the claim is stored on the checkpoint's chain (prefix with the ICS-24 key), and what is stored there.

    Returns:
        A value of None for a claim of absence.

    Raises:
        PredicateFailed: ACKNOWLEDGED is claimed by a leg without an acknowledgement.
    """
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


@rule("ICS-02")
def proof_height_known(chain: JudgedChain, height: Height) -> ProvenState:
    """The bundle has a believed header at the proof's height. Returns what it proves.

    Raises:
        PredicateFailed: it has none.
    """
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


@rule(SPEC)
def source_client_follows_destination(leg: Leg, checkpoint: Checkpoint) -> None:
    """The source's client is of the destination, as the checkpoint of the source says.

    Raises:
        PredicateFailed: the checkpoint says otherwise, or does not know the client.
    """
    name, packet = "source_client_follows_destination", leg.packet
    _follows(name, packet.source_client, checkpoint, Remote(leg.destination_chain_id, packet.destination_client))


@rule(SPEC)
def destination_client_follows_source(leg: Leg, checkpoint: Checkpoint) -> None:
    """The destination's client is of the source, as the checkpoint of the destination says.

    Raises:
        PredicateFailed: the checkpoint says otherwise, or does not know the client.
    """
    name, packet = "destination_client_follows_source", leg.packet
    _follows(name, packet.destination_client, checkpoint, Remote(leg.source_chain_id, packet.source_client))


@rule(ICS04)
def timeout_has_passed(leg: Leg, state: ProvenState) -> None:
    """The destination's time at the proof is not before the packet's timeout, in whole seconds.

    Raises:
        PredicateFailed: it is before.
    """
    time_s = state.time_ns // NANOSECONDS_PER_SECOND
    if time_s < leg.packet.timeout_timestamp_s:
        raise PredicateFailed(
            "timeout_has_passed",
            "the destination's time at the proof is before the timeout",
            got=time_s,
            expected=f">= {leg.packet.timeout_timestamp_s}",
        )


@rule(ICS04)
def settled_after_sent(leg: Leg, proof: StateProof) -> None:
    """The commitment was proven gone at a greater height than it was proven to stand.

    Raises:
        PredicateFailed: the heights are equal or the other way round.
    """
    sent = next(item.height for item in leg.proofs if item.claim is Claim.SENT)
    if proof.height <= sent:
        raise PredicateFailed(
            "settled_after_sent", "the commitment was gone before it was seen", proof.height, f"> {sent}"
        )
