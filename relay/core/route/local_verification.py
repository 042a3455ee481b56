"""Judging headers and proofs with the destination's own code before paying for them."""

from dataclasses import dataclass, field

from hutong.adapters.interface import Proof
from hutong.light_clients.interface import (
    Height,
    LightClient,
    Misbehaved,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    Updated,
)
from hutong.light_clients.interface.memory import MemoryConsensusStates

MAX_CLOCK_LEAD_NS = 15 * 1_000_000_000


def verification_time_ns(destination_time_ns: int, host_time_ns: int) -> int:
    """The time with which the destination's next block would judge, as far as can be known.

    At least its head's time, at most a little more: so that a wrong clock of this host (attack list G12) changes nothing.
    """
    return min(max(destination_time_ns, host_time_ns), destination_time_ns + MAX_CLOCK_LEAD_NS)


@dataclass(frozen=True, slots=True)
class VerifiedClient:
    """A client as it will be after its headers, with the consensus state under which proofs are judged."""

    client_state: bytes
    consensus_state: bytes
    height: Height
    states: MemoryConsensusStates = field(default_factory=lambda: MemoryConsensusStates({}))
    """All that were there or came with the headers."""


def verify_update(
    light_client: LightClient,
    client_state: bytes,
    trusted: Height,
    trusted_state: bytes,
    headers: tuple[bytes, ...],
    target: Height,
    now_ns: int,
) -> VerifiedClient:
    """Run every header through the light client, from the states that the destination has stored.

    Raises:
        VerificationError: a header would be refused there, shows misbehaviour, or `target` is not reached.
    """
    states = MemoryConsensusStates({trusted: trusted_state})
    for header in headers:
        verdict = light_client.verify_header(client_state, states, header, now_ns)
        if isinstance(verdict, Updated):
            client_state = verdict.client_state
            states = states.with_state(verdict.height, verdict.consensus_state)
        elif isinstance(verdict, NotEnoughTrust):
            raise PredicateFailed(
                "enough_trust", "too little of the trusted power signed", verdict.signed_power, verdict.needed_power
            )
        elif isinstance(verdict, Misbehaved):
            raise PredicateFailed("no_misbehaviour", verdict.reason, got=verdict.height)
    consensus_state = states.get(target)
    if consensus_state is None:
        raise UnknownHeight(target, light_client.latest_height(client_state))
    return VerifiedClient(client_state, consensus_state, target, states)


def verify_proof(light_client: LightClient, client: VerifiedClient, proof: Proof, path: tuple[bytes, ...]) -> None:
    """The proof shows its value, or its absence, under `path`, as the destination's light client will judge it.

    What the value should be is not checked here.

    Args:
        path: the Merkle prefix with the ICS-24 key applied; the proof must be for it and for `client.height`.

    Raises:
        VerificationError: it does not.
    """
    if proof.path != path:
        raise PredicateFailed("proof_path", "is not the path asked for")
    if proof.height != client.height:
        raise PredicateFailed("proof_height", "is not the height asked for", got=proof.height, expected=client.height)
    if proof.value is None:
        light_client.verify_non_membership(client.client_state, client.consensus_state, proof.proof, path)
    else:
        light_client.verify_membership(client.client_state, client.consensus_state, proof.proof, path, proof.value)
