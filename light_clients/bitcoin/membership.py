"""What a block proves of messages: a transaction under its Merkle root, paid for by the publisher, with a commitment in it."""

from collections.abc import Iterator
from functools import lru_cache

from light_clients.bitcoin import codec, predicates
from light_clients.bitcoin.merkle import coinbase_sets_depth, included, not_ambiguous
from light_clients.bitcoin.messages import Places, message_checks, message_for
from light_clients.bitcoin.types import HASH_BYTES, ClientState, ConsensusState, MembershipProof, display
from light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Check,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
)

SPEC = "docs/spec/bitcoin-client.md"
CORE_BLOCK = "Bitcoin Core CheckMerkleRoot"

_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many proofs are judged under one state; its bytes are all that is read."""


def membership_checks(
    client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    """`value` was published under `path` in the state's block or an ancestor. Without a value: absence, which has no proof."""
    clients: list[ClientState] = []
    yield Check("client_state_well_formed", SPEC, lambda: clients.append(_client_state_of(client_state)))
    client = clients[0]
    yield Check("client_not_frozen", "ICS-02", lambda: predicates.client_not_frozen(client))
    if value is None:
        yield Check("absence_is_provable", "docs/adr/0012-bitcoin-absence.md", _absence_is_not_provable)
        return
    decoded: list[tuple[ConsensusState, MembershipProof]] = []
    yield Check(
        "proof_well_formed",
        SPEC,
        lambda: decoded.append((codec.decode_consensus_state(consensus_state), codec.decode_membership_proof(proof))),
    )
    state, shown = decoded[0]
    root = shown.headers[0].merkle_root
    yield Check("path_is_one_key", "ICS-24", lambda: _path_is_one_key(path))
    yield Check("value_is_one_word", SPEC, lambda: _value_is_one_word(value))
    yield Check("headers_lead_to_state", SPEC, lambda: _headers_lead_to_state(shown, state))
    yield Check("coinbase_sets_depth", SPEC, lambda: coinbase_sets_depth(shown.coinbase, shown.coinbase_siblings, root))
    yield Check("transaction_not_64_bytes", "CVE-2017-12842", lambda: not_ambiguous(shown.transaction))
    yield Check(
        "transaction_included",
        f"{CORE_BLOCK}; CVE-2012-2459",
        lambda: included(shown.transaction, shown.branch, len(shown.coinbase_siblings), root),
    )
    yield from message_checks(
        shown.transaction,
        Places(shown.input_index, shown.output_index),
        shown.funding,
        client.publisher_script,
        message_for(path[0], value),
    )


def _absence_is_not_provable() -> None:
    raise UnsupportedOperation("proof of absence on bitcoin: headers and Merkle branches show only what a block holds")


def _path_is_one_key(path: tuple[bytes, ...]) -> None:
    if len(path) != 1:
        raise MalformedInput("path", "messages have one key: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


def _value_is_one_word(value: bytes) -> None:
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if not any(value):
        raise PredicateFailed("value_is_one_word", "the zero word commits to nothing", got=value)


def _headers_lead_to_state(proof: MembershipProof, state: ConsensusState) -> None:
    """Each header is the parent of the next, and the last is the block of the state: its hash vouches for all of them."""
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
