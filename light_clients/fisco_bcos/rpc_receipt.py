"""Transactions and receipts as nodes serve them with their Merkle paths, and what those paths show under a header.

Generation 2: the path ends in a leaf of index and hash; a receipt's hash is computed from its fields. Generation 3: a bare
hash, as inner nodes are. Fields that give the hash show that it is a leaf; what else the same bytes could say is not shown,
since they are hashed without lengths between them (`leaf_v3`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rlp.codec import encode_raw

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import leaf_v3, rpc_json, suite
from hutong.light_clients.fisco_bcos.merkle import MAX_INDEX, verify_v2, verify_v3
from hutong.light_clients.fisco_bcos.receipt import MAX_LOGS, MAX_RECEIPT_BYTES, MAX_TOPICS
from hutong.light_clients.fisco_bcos.types import (
    LOGS_BLOOM_BYTES,
    BlockHeader,
    BlockHeaderV2,
    CryptoSuite,
    MerkleStep,
)
from hutong.light_clients.interface import MalformedInput, PredicateFailed


class Kind(StrEnum):
    """Which of a header's trees."""

    TRANSACTION = "transaction"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A claim that a transaction, or its receipt, of this hash is in a block. `index` is None in generation 3.

    `is_leaf` False, in generation 3 alone: nothing shows that the hash is of a leaf, it may be an inner node's.
    """

    kind: Kind
    leaf_hash: bytes
    index: int | None
    steps: tuple[MerkleStep, ...]
    is_leaf: bool

    @property
    def predicate(self) -> str:
        """What `verify` shows: that the transaction or receipt is in the block, or of a bare hash only that it is in
        the tree.
        """
        return f"{self.kind}_included" if self.is_leaf else f"{self.kind}_hash_in_tree"

    def verify(self, crypto_suite: CryptoSuite, header: BlockHeader, transactions: int | None = None) -> int:
        """The place in the block, of which the node says that it has `transactions` (None: it does not say).

        Whether the header is believed is not judged here.

        Raises:
            PredicateFailed: named by `predicate`: the path does not lead to the header's root.
            MalformedInput: a path out of bounds, or an index that is missing or not the path's.
            UnsupportedOperation: the suite is not installed.
        """
        name = self.predicate
        root = header.transactions_root if self.kind is Kind.TRANSACTION else header.receipts_root
        if isinstance(header, BlockHeaderV2):
            if self.index is None:
                raise MalformedInput(self.kind, "has no transactionIndex, which generation 2 hashes")
            verify_v2(crypto_suite, root, self.index, self.leaf_hash, self.steps, name)
            return self.index
        if not self.steps and not self.is_leaf and transactions != 1:
            # Every root is "a tree of one leaf" to whoever serves no path, and a root is an inner node of any other tree.
            raise PredicateFailed(
                name,
                "a lone leaf is the root itself: the block must have one transaction",
                got=transactions,
                expected=1,
            )
        place = verify_v3(crypto_suite, root, self.leaf_hash, self.steps, name)
        if self.index not in (None, place):
            raise MalformedInput(f"{self.kind}.transactionIndex", "is not the place in the path", self.index, place)
        return place


_PROOFS = {
    Kind.TRANSACTION: ("txProof", "transactionProof"),
    Kind.RECEIPT: ("receiptProof", "txReceiptProof"),
}


def has_proof(answer: Mapping[str, Any], kind: Kind) -> bool:
    """Whether a node's answer has a Merkle path of the kind: one of a receipt may have both."""
    return any(answer.get(name) is not None for name in _PROOFS[kind])


def inclusion_from_rpc(
    answer: Mapping[str, Any], kind: Kind, crypto_suite: CryptoSuite, *, is_generation_2: bool
) -> Inclusion:
    """Of `get…WithProof` (2.x), or of `getTransaction` and `getTransactionReceipt` with `requireProof` (3.x).

    Each path is taken by its own field, and its leaf by its kind: a receipt's answer also names the transaction's hash.

    Raises:
        MalformedInput: no path, or fields that are not of their form.
        UnsupportedOperation: the suite is not installed.
    """
    inner = answer.get("transaction" if kind is Kind.TRANSACTION else "transactionReceipt", answer)
    if not isinstance(inner, Mapping):
        raise MalformedInput(kind, "is not an object")
    proof = next((answer[name] for name in _PROOFS[kind] if answer.get(name) is not None), None)
    if proof is None:
        raise MalformedInput(kind, f"has no Merkle path under {' or '.join(_PROOFS[kind])}")
    if kind is Kind.RECEIPT and is_generation_2:
        leaf_hash = suite.digest(crypto_suite, receipt_rlp_from_rpc(inner))
    else:
        names_both = kind is Kind.TRANSACTION and inner.get("transactionHash") is not None
        leaf_hash = rpc_json.sized(inner, "transactionHash" if names_both else "hash", HASH_BYTES, kind)
    index = inner.get("transactionIndex")
    place = None if index is None else rpc_json.number(index, f"{kind}.transactionIndex")
    if place is not None and place > MAX_INDEX:
        raise MalformedInput(f"{kind}.transactionIndex", f"more than {MAX_INDEX}", got=place)
    steps = rpc_json.steps_from_rpc(proof, leaf_hash, crypto_suite)
    return Inclusion(kind, leaf_hash, place, steps, is_generation_2 or _gives(inner, kind, leaf_hash, crypto_suite))


def _gives(fields: Mapping[str, Any], kind: Kind, leaf_hash: bytes, crypto_suite: CryptoSuite) -> bool:
    """Whether the fields that a node of generation 3 serves hash to `leaf_hash`, and to no inner node's."""
    read = leaf_v3.transaction_bytes if kind is Kind.TRANSACTION else leaf_v3.receipt_bytes
    try:
        hashed = read(fields)
    except MalformedInput:
        return False
    return len(hashed) not in leaf_v3.INNER_NODE_BYTES and suite.digest(crypto_suite, hashed) == leaf_hash


def receipt_rlp_from_rpc(receipt: Mapping[str, Any]) -> bytes:
    """RLP of a receipt of generation 2, as its hash is over it; nothing is believed.

    Raises:
        MalformedInput: a key is missing, or a value is not of its form and size (named).
    """
    field = "receipt"
    items: list[Any] = [
        rpc_json.sized(receipt, "root", HASH_BYTES, field),
        _integer(receipt, "gasUsed"),
        rpc_json.sized(receipt, "contractAddress", ADDRESS_BYTES, field),
        rpc_json.sized(receipt, "logsBloom", LOGS_BLOOM_BYTES, field),
        _integer(receipt, "status"),
        rpc_json.hex_bytes(receipt.get("output"), f"{field}.output", MAX_RECEIPT_BYTES),
    ]
    if receipt.get("remainGas") is not None:
        items.append(_integer(receipt, "remainGas"))
    logs = receipt.get("logs")
    if not isinstance(logs, list) or len(logs) > MAX_LOGS:
        raise MalformedInput("receipt.logs", f"is not a list of at most {MAX_LOGS}", got=logs)
    encoded: bytes = encode_raw([*items, [_log(log, f"receipt.logs[{n}]") for n, log in enumerate(logs)]])
    return encoded


def _integer(receipt: Mapping[str, Any], key: str) -> bytes:
    value = rpc_json.number(receipt.get(key), f"receipt.{key}")
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _log(log: object, field: str) -> list[Any]:
    if not isinstance(log, Mapping):
        raise MalformedInput(field, "is not an object")
    topics = log.get("topics")
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS:
        raise MalformedInput(f"{field}.topics", f"is not a list of at most {MAX_TOPICS}", got=topics)
    return [
        rpc_json.sized(log, "address", ADDRESS_BYTES, field),
        [rpc_json.hex_bytes(topic, f"{field}.topics", HASH_BYTES) for topic in topics],
        rpc_json.hex_bytes(log.get("data"), f"{field}.data", MAX_RECEIPT_BYTES),
    ]
