"""What a root proves: that an entry stands at an index, and so a message under an ICS-24 key. Never absence."""

from dataclasses import dataclass
from functools import lru_cache

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Judge,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen
from hutong.light_clients.proofs.merkle import MerkleProof, judge_inclusion, leaf_hash
from hutong.light_clients.tlog import codec
from hutong.light_clients.tlog.messages import message_data, publisher_signed
from hutong.light_clients.tlog.predicates import SPEC
from hutong.light_clients.tlog.types import MAX_ENTRY_BYTES, ClientState, ConsensusState, MembershipProof

ENTRY = b"entry"
"""First element of the path of an entry; the second one is its index, 8 bytes, big-endian."""
INDEX_BYTES = 8

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many proofs are judged under one state; its bytes are all that is read."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Both halves of what a proof stands on."""

    state: ConsensusState
    proof: MembershipProof


def entry_path(index: int) -> tuple[bytes, bytes]:
    """The path under which the entry at `index` (from 0) is proven.

    Raises:
        OverflowError: the index is negative, or 2^64 or above.
    """
    return ENTRY, index.to_bytes(INDEX_BYTES, "big")


def judge_membership(
    judge: Judge,
    client_state: bytes,
    consensus_state: bytes,
    proof: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> None:
    """`value` is the entry, or committed by the message, that `path` names. No value: absence, which has no proof.

    Raises:
        UnsupportedOperation: `value` is None, or a message of a log without a publisher.
        ClientFrozen: the client state is frozen.
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    client = judge(client_state_well_formed, client_state)
    judge(client_not_frozen, client)
    if value is None:
        judge(absence_is_provable)
        raise AssertionError("absence was proven")
    proven = judge(proof_well_formed, consensus_state, proof)
    if len(path) == 1:
        entry = _judge_message(judge, client, proven.proof, path[0], value)
    else:
        entry = judge(path_names_the_entry, path, proven.proof, value)
    index, siblings = proven.proof.index, proven.proof.siblings
    judge_inclusion(judge, MerkleProof(proven.state.size, index, leaf_hash(entry), siblings), proven.state.root, entry)


def _judge_message(judge: Judge, client: ClientState, proof: MembershipProof, key: bytes, value: bytes) -> bytes:
    judge(log_has_a_publisher, client)
    judge(message_is_one_word, key, value)
    return judge(publisher_signed, client.publisher_key, client.origin, message_data(key, value), proof.signature)


@rule(SPEC)
def client_state_well_formed(client_state: bytes) -> ClientState:
    """Decodes the client state; the last 64 different ones are remembered by their bytes.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    return _client_state_of(client_state)


@rule(SPEC)
def proof_well_formed(consensus_state: bytes, proof: bytes) -> Proven:
    """Decodes the consensus state and the proof.

    Raises:
        MalformedInput: one of them is not the canonical encoding, or has a part out of bounds.
    """
    return Proven(codec.decode_consensus_state(consensus_state), codec.decode_membership_proof(proof))


@rule("docs/adr/0012-bitcoin-absence.md")
def absence_is_provable() -> None:
    """Never holds.

    Raises:
        UnsupportedOperation: always.
    """
    raise UnsupportedOperation("proof of absence in a log: its root shows what it holds, at an index")


@rule(SPEC)
def path_names_the_entry(path: tuple[bytes, ...], proof: MembershipProof, value: bytes) -> bytes:
    """The path is `entry` and the index of the proof, the value the entry's bytes. Returns the entry.

    Raises:
        MalformedInput: another form, an entry that no bundle holds, or a publisher's signature beside it.
        PredicateFailed: the proof is of another index.
    """
    if len(path) != 2 or path[0] != ENTRY or len(path[1]) != INDEX_BYTES:
        raise MalformedInput("path", "is neither one ICS-24 key nor entry and an index of 8 bytes", got=len(path))
    if not 0 < len(value) <= MAX_ENTRY_BYTES:
        raise MalformedInput("value", f"an entry has 1 to {MAX_ENTRY_BYTES} bytes", got=len(value))
    if proof.signature:
        raise MalformedInput("proof.signature", "is of messages alone", got=proof.signature)
    index = int.from_bytes(path[1], "big")
    if index != proof.index:
        raise PredicateFailed("path_names_the_entry", "the proof is of another index", got=proof.index, expected=index)
    return value


@rule(SPEC)
def log_has_a_publisher(client: ClientState) -> None:
    """Somebody speaks for the log's side: else anyone who may append could send packets.

    Raises:
        UnsupportedOperation: nobody does.
    """
    if not client.publisher_key:
        raise UnsupportedOperation("packets of a log without a publisher")


@rule(SPEC)
def message_is_one_word(key: bytes, value: bytes) -> None:
    """A commitment has 32 bytes; all zero commits to nothing. A key has 1 to `MAX_PATH_ELEMENT_BYTES`.

    Raises:
        MalformedInput: another length.
        PredicateFailed: the zero word.
    """
    if not 0 < len(key) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(key))
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if not any(value):
        raise PredicateFailed("message_is_one_word", "the zero word commits to nothing", got=value)
