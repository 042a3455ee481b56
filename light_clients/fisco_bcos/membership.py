"""What a consensus state proves: in generation 2 the packet events of its own block; of absence, nothing.

No FISCO BCOS header commits to stored keys: its state root is a digest of the block's changes. Commitments are therefore
shown by the router's event in a receipt of the very block, and what was not stored cannot be shown at all.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from light_clients.fisco_bcos import codec, suite
from light_clients.fisco_bcos.merkle import verify_v2
from light_clients.fisco_bcos.predicates import client_not_frozen
from light_clients.fisco_bcos.receipt import STATUS_SUCCESS, Log, Receipt, decode_receipt, stored_by
from light_clients.fisco_bcos.types import HASH_BYTES, ClientState, ConsensusState, EventProof, Generation
from light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Check,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
)

SPEC = "docs/spec/fisco-bcos-client.md"
TREE = "FISCO-BCOS v2.9.1 libdevcore/TrieHash2.cpp"

NO_ABSENCE = "absence on FISCO BCOS: no header commits to what is not stored"
NO_EVENTS_V3 = (
    "events on FISCO BCOS 3: a receipt's hash does not say where its output ends and its logs begin, so any contract could"
    " return what reads as an event of the router; follow this chain through attestors"
)

DecodeClient: TypeAlias = Callable[[bytes], ClientState]


def membership_checks(
    decode_client: DecodeClient,
    client_state: bytes,
    consensus_state: bytes,
    proof: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> Iterator[Check]:
    """The router stored `value` under `path` in the state's block. None, absence, is not supported."""
    states: list[tuple[ClientState, ConsensusState]] = []
    yield Check(
        "states_well_formed",
        SPEC,
        lambda: states.append((decode_client(client_state), codec.decode_consensus_state(consensus_state))),
    )
    client, state = states[0]
    yield Check("client_not_frozen", "ICS-02", lambda: client_not_frozen(client))
    yield Check("claim_can_be_proven", SPEC, lambda: _claim_can_be_proven(client, value))
    yield Check("path_is_one_key", "ICS-24", lambda: _path_is_one_key(path))
    if value is None:
        raise RuntimeError("a check was run before the one that it stands on")
    yield Check("value_is_one_word", SPEC, lambda: _value_is_one_word(value))
    decoded: list[tuple[EventProof, Receipt]] = []

    def decode() -> None:
        event_proof = codec.decode_event_proof(proof)
        decoded.append((event_proof, decode_receipt(event_proof.receipt_rlp)))

    yield Check("proof_well_formed", SPEC, decode)
    event_proof, receipt = decoded[0]
    yield Check("receipt_included", TREE, lambda: _receipt_included(client, state, event_proof))
    yield Check("transaction_succeeded", SPEC, lambda: _transaction_succeeded(receipt))
    logs: list[Log] = []
    yield Check("log_is_the_routers", SPEC, lambda: logs.append(_router_log(client, receipt, event_proof.log_index)))
    yield Check("commitment_is_logged", SPEC, partial(_commitment_is_logged, client, logs[0], path[0], value))


def _claim_can_be_proven(client: ClientState, value: bytes | None) -> None:
    if value is None:
        raise UnsupportedOperation(NO_ABSENCE)
    if client.generation is Generation.V3:
        raise UnsupportedOperation(NO_EVENTS_V3)


def _path_is_one_key(path: tuple[bytes, ...]) -> None:
    if len(path) != 1:
        raise MalformedInput("path", "a router has one store: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


def _value_is_one_word(value: bytes) -> None:
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if not any(value):
        raise PredicateFailed("value_is_one_word", "the zero word means absence, it is no member", got=value)


def _receipt_included(client: ClientState, state: ConsensusState, proof: EventProof) -> None:
    receipt_hash = suite.digest(client.crypto_suite, proof.receipt_rlp)
    verify_v2(
        client.crypto_suite,
        state.receipts_root,
        proof.transaction_index,
        receipt_hash,
        proof.steps,
        "receipt_included",
    )


def _transaction_succeeded(receipt: Receipt) -> None:
    if receipt.status != STATUS_SUCCESS:
        raise PredicateFailed("transaction_succeeded", "the transaction failed", receipt.status, STATUS_SUCCESS)


def _router_log(client: ClientState, receipt: Receipt, index: int) -> Log:
    name = "log_is_the_routers"
    if index >= len(receipt.logs):
        raise PredicateFailed(name, "the receipt has no such log", got=index, expected=f"< {len(receipt.logs)}")
    log = receipt.logs[index]
    if log.address != client.router_address:
        raise PredicateFailed(name, "the log is another contract's", got=log.address, expected=client.router_address)
    return log


def _commitment_is_logged(client: ClientState, log: Log, key: bytes, value: bytes) -> None:
    name = "commitment_is_logged"
    stored_key, commitment = stored_by(client.crypto_suite, log, name)
    if stored_key != key:
        raise PredicateFailed(name, "the event is of another packet", got=stored_key, expected=key)
    if commitment != value:
        raise PredicateFailed(name, "the event's packet has another commitment", got=commitment, expected=value)
