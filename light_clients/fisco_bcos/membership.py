"""What a consensus state proves: in generation 2 the packet events of its own block; of absence, nothing.

No FISCO BCOS header commits to stored keys: its state root is a digest of the block's changes. Commitments are therefore
shown by the router's event in a receipt of the very block, and what was not stored cannot be shown at all.
"""

from collections.abc import Callable
from typing import TypeAlias

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import codec, suite
from hutong.light_clients.fisco_bcos.merkle import verify_v2
from hutong.light_clients.fisco_bcos.predicates import SPEC
from hutong.light_clients.fisco_bcos.receipt import STATUS_SUCCESS, Log, Receipt, decode_receipt, stored_by
from hutong.light_clients.fisco_bcos.types import ClientState, ConsensusState, EventProof, Generation
from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Judge,
    MalformedInput,
    PredicateFailed,
    UnsupportedOperation,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen

TREE = "FISCO-BCOS v2.9.1 libdevcore/TrieHash2.cpp"

NO_ABSENCE = "absence on FISCO BCOS: no header commits to what is not stored"
NO_EVENTS_V3 = (
    "events on FISCO BCOS 3: a receipt's hash does not say where its output ends and its logs begin, so any contract could"
    " return what reads as an event of the router; follow this chain through attestors"
)

DecodeClient: TypeAlias = Callable[[bytes], ClientState]


def judge_membership(
    judge: Judge,
    states: tuple[bytes, bytes],
    decode_client: DecodeClient,
    proof: bytes,
    path: tuple[bytes, ...],
    value: bytes | None,
) -> None:
    """The router stored `value` under `path` in the block of `states`, a client and a consensus state.

    Only the very block of the consensus state is read, not those before it.

    Raises:
        UnsupportedOperation: `value` is None, which means absence, or the chain is of generation 3.
        ClientFrozen: the client state is frozen.
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    client, state = judge(states_well_formed, decode_client, *states)
    judge(client_not_frozen, client)
    stored = judge(claim_can_be_proven, client, value)
    judge(path_is_one_key, path)
    judge(value_is_one_word, stored)
    event_proof, receipt = judge(proof_well_formed, proof)
    judge(receipt_included, client, state, event_proof)
    judge(transaction_succeeded, receipt)
    log = judge(log_is_the_routers, client, receipt, event_proof.log_index)
    judge(commitment_is_logged, client, log, path[0], stored)


@rule(SPEC)
def states_well_formed(
    decode_client: DecodeClient, client_state: bytes, consensus_state: bytes
) -> tuple[ClientState, ConsensusState]:
    """Decodes both states.

    Raises:
        MalformedInput: one of them is not the canonical encoding, or has a field out of bounds.
        UnsupportedOperation: as `decode_client`.
    """
    return decode_client(client_state), codec.decode_consensus_state(consensus_state)


@rule(SPEC)
def proof_well_formed(proof: bytes) -> tuple[EventProof, Receipt]:
    """Decodes the proof and the receipt in it.

    Raises:
        MalformedInput: one of them is not canonical, or out of bounds.
    """
    event_proof = codec.decode_event_proof(proof)
    return event_proof, decode_receipt(event_proof.receipt_rlp)


@rule(SPEC)
def claim_can_be_proven(client: ClientState, value: bytes | None) -> bytes:
    """What is stored can be, in generation 2. Returns the value.

    Raises:
        UnsupportedOperation: `value` is None, or the chain is of generation 3.
    """
    if value is None:
        raise UnsupportedOperation(NO_ABSENCE)
    if client.generation is Generation.V3:
        raise UnsupportedOperation(NO_EVENTS_V3)
    return value


@rule("ICS-24")
def path_is_one_key(path: tuple[bytes, ...]) -> None:
    """A router has one store: a path of one element.

    Raises:
        MalformedInput: another number of elements, or one that does not have 1 to `MAX_PATH_ELEMENT_BYTES` bytes.
    """
    if len(path) != 1:
        raise MalformedInput("path", "a router has one store: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


@rule(SPEC)
def value_is_one_word(value: bytes) -> None:
    """A commitment has 32 bytes; all zero means absence and is never a member.

    Raises:
        MalformedInput: another length.
        PredicateFailed: the zero word.
    """
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if not any(value):
        raise PredicateFailed("value_is_one_word", "the zero word means absence, it is no member", got=value)


@rule(TREE)
def receipt_included(client: ClientState, state: ConsensusState, proof: EventProof) -> None:
    """The receipt is a leaf of the block's tree of receipts, at the index that the proof says.

    Raises:
        PredicateFailed, MalformedInput: the path does not lead from it to the root.
        UnsupportedOperation: the suite is not installed.
    """
    receipt_hash = suite.digest(client.crypto_suite, proof.receipt_rlp)
    verify_v2(
        client.crypto_suite,
        state.receipts_root,
        proof.transaction_index,
        receipt_hash,
        proof.steps,
        "receipt_included",
    )


@rule(SPEC)
def transaction_succeeded(receipt: Receipt) -> None:
    """Only a transaction that succeeded leaves its events.

    Raises:
        PredicateFailed: another status than 0.
    """
    if receipt.status != STATUS_SUCCESS:
        raise PredicateFailed("transaction_succeeded", "the transaction failed", receipt.status, STATUS_SUCCESS)


@rule(SPEC)
def log_is_the_routers(client: ClientState, receipt: Receipt, index: int) -> Log:
    """The event is the router's own. Returns it; `index` counts the receipt's logs from 0.

    Raises:
        PredicateFailed: no such log, or another contract's.
    """
    name = "log_is_the_routers"
    if index >= len(receipt.logs):
        raise PredicateFailed(name, "the receipt has no such log", got=index, expected=f"< {len(receipt.logs)}")
    log = receipt.logs[index]
    if log.address != client.router_address:
        raise PredicateFailed(name, "the log is another contract's", got=log.address, expected=client.router_address)
    return log


@rule(SPEC)
def commitment_is_logged(client: ClientState, log: Log, key: bytes, value: bytes) -> None:
    """The event stored this commitment of this packet; `key` is the ICS-24 key.

    Raises:
        PredicateFailed: no packet event, another packet, or another commitment.
        MalformedInput: the event's data are not the canonical encoding of their type.
        UnsupportedOperation: the suite is not installed.
    """
    name = "commitment_is_logged"
    stored_key, commitment = stored_by(client.crypto_suite, log, name)
    if stored_key != key:
        raise PredicateFailed(name, "the event is of another packet", got=stored_key, expected=key)
    if commitment != value:
        raise PredicateFailed(name, "the event's packet has another commitment", got=commitment, expected=value)
