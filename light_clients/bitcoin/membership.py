"""What a block proves of messages: a transaction under its Merkle root, paid for by the publisher, with a commitment in it."""

from functools import lru_cache

from hutong.light_clients.bitcoin import codec
from hutong.light_clients.bitcoin.merkle import coinbase_sets_depth, included, not_ambiguous
from hutong.light_clients.bitcoin.messages import Places, judge_message, message_for
from hutong.light_clients.bitcoin.predicates import SPEC
from hutong.light_clients.bitcoin.types import ClientState, ConsensusState, MembershipProof, display
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Judge,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
    cited,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen

CORE_BLOCK = "Bitcoin Core CheckMerkleRoot"

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many proofs are judged under one state; its bytes are all that is read."""


@rule(SPEC)
def client_state_well_formed(client_state: bytes) -> ClientState:
    """Decodes the client state; the last 64 different ones are remembered by their bytes.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
        UnsupportedOperation: a network that is named but not offered.
    """
    return _client_state_of(client_state)


@rule(SPEC)
def proof_well_formed(consensus_state: bytes, proof: bytes) -> tuple[ConsensusState, MembershipProof]:
    """Decodes the consensus state and the proof.

    Raises:
        MalformedInput: one of them is not the canonical encoding, or has a part out of bounds.
    """
    return codec.decode_consensus_state(consensus_state), codec.decode_membership_proof(proof)


_coinbase_sets_depth = cited(coinbase_sets_depth, SPEC)
_transaction_not_64_bytes = cited(not_ambiguous, "CVE-2017-12842", "transaction_not_64_bytes")
_transaction_included = cited(included, f"{CORE_BLOCK}; CVE-2012-2459", "transaction_included")


def judge_membership(
    judge: Judge,
    client_state: bytes,
    consensus_state: bytes,
    proof: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> None:
    """`value` was published under `path` in the state's block or an ancestor. No value: absence, which has no proof.

    Raises:
        UnsupportedOperation: `value` is None.
        ClientFrozen: the client state is frozen.
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    client = judge(client_state_well_formed, client_state)
    judge(client_not_frozen, client)
    if value is None:
        judge(absence_is_provable)
        raise AssertionError("absence was proven")
    state, shown = judge(proof_well_formed, consensus_state, proof)
    root = shown.headers[0].merkle_root
    judge(path_is_one_key, path)
    judge(value_is_one_word, value)
    judge(headers_lead_to_state, shown, state)
    judge(_coinbase_sets_depth, shown.coinbase, shown.coinbase_siblings, root)
    judge(_transaction_not_64_bytes, shown.transaction)
    judge(_transaction_included, shown.transaction, shown.branch, len(shown.coinbase_siblings), root)
    judge_message(
        judge,
        shown.transaction,
        Places(shown.input_index, shown.output_index),
        shown.funding,
        client.publisher_script,
        message_for(path[0], value),
    )


@rule("docs/adr/0012-bitcoin-absence.md")
def absence_is_provable() -> None:
    """Never holds.

    Raises:
        UnsupportedOperation: always.
    """
    raise UnsupportedOperation("proof of absence on bitcoin: headers and Merkle branches show only what a block holds")


@rule("ICS-24")
def path_is_one_key(path: tuple[bytes, ...]) -> None:
    """Messages have one key: a path of one element.

    Raises:
        MalformedInput: another number of elements, or one that does not have 1 to `MAX_PATH_ELEMENT_BYTES` bytes.
    """
    if len(path) != 1:
        raise MalformedInput("path", "messages have one key: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


@rule(SPEC)
def value_is_one_word(value: bytes) -> None:
    """A commitment has 32 bytes; all zero commits to nothing.

    Raises:
        MalformedInput: another length.
        PredicateFailed: the zero word.
    """
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if not any(value):
        raise PredicateFailed("value_is_one_word", "the zero word commits to nothing", got=value)


@rule(SPEC)
def headers_lead_to_state(proof: MembershipProof, state: ConsensusState) -> None:
    """Each header is the parent of the next, and the last is the block of the state: its hash vouches for all of them.

    Raises:
        PredicateFailed: the last header is another block, or a header has another parent.
    """
    name = "headers_lead_to_state"
    hashes = [header.block_hash for header in proof.headers]
    if hashes[-1] != state.block_hash:
        raise PredicateFailed(
            name, "the last header is another block", got=display(hashes[-1]), expected=display(state.block_hash)
        )
    for parent_hash, header in zip(hashes, proof.headers[1:], strict=False):
        if header.previous_block_hash != parent_hash:
            raise PredicateFailed(
                name,
                "a header has another parent",
                got=display(header.previous_block_hash),
                expected=display(parent_hash),
            )
