"""`hutong verify attestation`: what attestors signed, judged from a client state that the user trusts."""

from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.attestation import (
    AttestationClient,
    ClientState,
    decode_client_state,
    decode_rotation,
    decode_state,
    decode_update,
)
from hutong.light_clients.attestation.types import AttestationKind
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    Judge,
    MalformedInput,
    MemoryConsensusStates,
    VerificationError,
)
from hutong.relay.verify.checkpoint_files import document_in
from hutong.relay.verify.inputs import UnusableInput, parse_hex, read_file
from hutong.relay.verify.proof_files import protobuf_bytes

_CLIENT = AttestationClient()
MAX_ATTESTATION_FILE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Trusted:
    """A client's state and the consensus state at its latest height, as the chain that hosts it serves them."""

    client_state: bytes
    consensus_state: bytes
    client: ClientState

    @property
    def states(self) -> MemoryConsensusStates:
        """The trusted state as the client's rules look it up, and no other one."""
        return MemoryConsensusStates({self.client.height: self.consensus_state})


@dataclass(frozen=True, slots=True)
class Claim:
    """An ICS-24 key, and its commitment; None: nothing is stored."""

    key: bytes
    value: bytes | None


def read_trusted(path: Path) -> Trusted:
    """`client_state` and `consensus_state` in hex, JSON or by suffix TOML.

    Raises:
        UnusableInput: they are no states, or not of one height.
    """
    document = document_in(path)
    texts = [document.get(name) for name in ("client_state", "consensus_state")]
    if not all(isinstance(text, str) for text in texts):
        raise UnusableInput(f"{path} needs client_state and consensus_state, in hex")
    client_state, consensus_state = (parse_hex(str(text), f"a state in {path}") for text in texts)
    try:
        client = decode_client_state(client_state)
        if decode_state(consensus_state).height != client.latest_height:
            raise UnusableInput(f"{path}: consensus_state is not of the client's latest height {client.latest_height}")
    except VerificationError as error:
        raise UnusableInput(f"{path}: {error}") from error
    return Trusted(client_state, consensus_state, client)


def read_attested(path: Path) -> bytes:
    """An update or a packet proof: raw, in hex or in base64; at most MAX_ATTESTATION_FILE_BYTES. It is not decoded yet.

    Raises:
        UnusableInput: the file cannot be read, is empty or too long.
    """
    return protobuf_bytes(read_file(path, MAX_ATTESTATION_FILE_BYTES), str(path))[0]


def judge_file(judge: Judge, attested: bytes, trusted: Trusted, claim: Claim | None, now_ns: int) -> None:
    """The light client's own rules: of an update, or with a claim of a packet proof at the trusted state.

    Args:
        now_ns: nanoseconds of Unix time; a packet proof does not depend on it.

    Raises:
        VerificationError: of the first rule that does not hold.
    """
    if claim is None:
        _CLIENT.judge_header(judge, trusted.client_state, trusted.states, attested, now_ns)
    else:
        _CLIENT.judge_membership(
            judge, trusted.client_state, trusted.consensus_state, attested, (claim.key,), claim.value
        )


def subject_of(attested: bytes, trusted: Trusted, claim: Claim | None, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the file (not yet believed)."""
    client = trusted.client
    return {
        "what": _described(attested) if claim is None else _claimed(claim),
        "client": f"{client.scope.destination_client_id} of chain {client.scope.source_chain_id}, "
        f"{client.threshold} of {len(client.attestors)} attestors, set {client.set_number}, "
        f"{client.digest_form.name.lower()} digest",
        "trusted height": str(Height(0, client.latest_height)),
        "now": f"{now_ns // NANOSECONDS_PER_SECOND} s",
    }


def _claimed(claim: Claim) -> str:
    value = "nothing" if claim.value is None else f"0x{claim.value.hex()}"
    return f"key 0x{claim.key.hex()} holds {value}"


def _described(attested: bytes) -> str:
    try:
        kind, attestation = decode_update(attested)
        signed = f"{len(attestation.signatures)} signatures"
        if kind is AttestationKind.ROTATION:
            rotation = decode_rotation(attestation.data)
            return (
                f"rotation to set {rotation.set_number}, {rotation.threshold} of {len(rotation.attestors)}, previous until "
                f"{rotation.previous_until_height}, {signed}"
            )
        state = decode_state(attestation.data)
    except MalformedInput:
        return "cannot be read"
    return f"state of height {state.height} at {state.timestamp_s} s, {signed}"
