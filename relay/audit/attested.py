"""Attested states in a bundle: believed because enough of the checkpoint's attestors signed them for the reading client."""

from hutong.light_clients import attestation
from hutong.light_clients.attestation import AttestationClient, ClientState, Scope, StateAttestation
from hutong.light_clients.interface import Height, Judge, MalformedInput, MemoryConsensusStates, PredicateFailed, rule
from hutong.relay.archive.bundle import Bundle, ChainHeaders, HeaderEntry
from hutong.relay.archive.checkpoint import AttestationTrust, Checkpoint
from hutong.relay.audit.blocks import SPEC, ProvenState

_CLIENT = AttestationClient()


def reading_client(bundle: Bundle, chain_id: str) -> tuple[str, str]:
    """(chain id, client id) of the client that judged the chain's proofs in this bundle.

    Of a chain in both legs, the first leg's client.

    Raises:
        ValueError: no leg of the bundle begins or ends on that chain.
    """
    for leg in bundle.legs:
        if leg.source_chain_id == chain_id:
            return leg.destination_chain_id, leg.packet.destination_client
        if leg.destination_chain_id == chain_id:
            return leg.source_chain_id, leg.packet.source_client
    raise ValueError(chain_id)


@rule(SPEC)
def attested_for_this_client(checkpoint: Checkpoint, trust: AttestationTrust, reader: tuple[str, str]) -> bytes:
    """The state of the reading client, made of the checkpoint alone.

    Raises:
        PredicateFailed: the checkpoint does not say that its attestors sign for that client.
    """
    for one in trust.destinations:
        if (one.chain_id, one.client_id) == reader:
            scope = Scope(checkpoint.chain_id, trust.router_address, one.chain_id, one.router_address, one.client_id)
            state = ClientState(
                scope,
                trust.attestors,
                trust.required_signatures,
                checkpoint.trusting_period_s,
                checkpoint.max_clock_drift_s,
                checkpoint.height,
            )
            return attestation.encode_client_state(state)
    raise PredicateFailed("attested_for_this_client", "the checkpoint names no such client", got="/".join(reader))


def judge_entry(
    judge: Judge, chain: ChainHeaders, entry: HeaderEntry, checkpoint: Checkpoint, state: bytes, now_ns: int
) -> None:
    """The light client's own rules for one attestation, from the checkpoint as its only state.

    Args:
        state: encoded state of the reading client, as `attested_for_this_client` makes it.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(attestation_stands_alone, chain, entry)
    _CLIENT.judge_header(judge, state, states_at(checkpoint), entry.header, now_ns)


def states_at(checkpoint: Checkpoint) -> MemoryConsensusStates:
    """What a client that was made at the checkpoint has stored: height and time of it, whole seconds."""
    trusted = attestation.encode_state(StateAttestation(checkpoint.height, checkpoint.time_ns // 10**9))
    return MemoryConsensusStates({Height(0, checkpoint.height): trusted})


def proven_state(entry: HeaderEntry, state: bytes) -> tuple[int, ProvenState]:
    """Height and state of an attestation that `judge_entry` let pass; nothing is checked again."""
    data = attestation.decode_attestation(entry.header).data
    attested = attestation.decode_state(data)
    return attested.height, ProvenState(state, data, attested.timestamp_ns)


@rule(SPEC)
def attestation_stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    """Nothing stands with the attestation that nobody reads, and it is of a state: what a rotation says, no checkpoint does.

    Raises:
        MalformedInput: a commit, an account proof or a validator set does, or attestors are rotated.
    """
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "an attestation has neither commit, nor account proof, nor validator sets")
    if attestation.is_rotation_update(entry.header):
        raise MalformedInput("headers", "is a rotation of attestors, not a state")
