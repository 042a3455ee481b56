"""Ethereum block records: header, receipts, bloom and the two list roots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import rlp
from eth_bloom.bloom import get_bloom_bits
from eth_hash.auto import keccak
from rlp.codec import encode_raw

from hutong.relay.evm.chain.list_root import list_root
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.outcomes import Log, TransactionOutcome
from hutong.relay.evm.vm.transaction import SignedTransaction

EMPTY_OMMERS_HASH: bytes = keccak(rlp.encode([]))
BLOOM_BYTES = 256


@dataclass(frozen=True, slots=True)
class Receipt:
    """The consensus fields first, then what JSON-RPC shows beside them."""

    type: int
    success: bool
    cumulative_gas_used: int
    logs: tuple[Log, ...]
    gas_used: int
    effective_gas_price_wei: int
    contract_address: Address | None

    @property
    def bloom(self) -> bytes:
        """The 256-byte bloom of this receipt's logs; computed anew at each call."""
        return logs_bloom(self.logs)

    def encode(self) -> bytes:
        """The EIP-2718 encoding, as it stands in the receipts trie: RLP of status, cumulative gas, bloom and logs.

        A typed receipt has its type as one byte before the RLP.
        """
        payload: bytes = encode_raw(
            [
                b"\x01" if self.success else b"",
                self.cumulative_gas_used.to_bytes((self.cumulative_gas_used.bit_length() + 7) // 8, "big"),
                self.bloom,
                [[log.address, log.topics, log.data] for log in self.logs],
            ]
        )
        return payload if self.type == 0 else bytes([self.type]) + payload


@dataclass(frozen=True, slots=True)
class EvmHeader:
    """Every header field that JSON-RPC serves. The optional ones end the RLP list, present in this order.

    On a chain whose block hash is not the hash of this RLP (the hub) the fields still stand, for wallets and tools.
    """

    parent_hash: bytes
    coinbase: Address
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    number: int
    gas_limit: int
    gas_used: int
    timestamp_s: int
    extra_data: bytes = b""
    prev_randao: bytes = bytes(32)
    """`mixHash`"""
    difficulty: int = 0
    nonce: bytes = bytes(8)
    ommers_hash: bytes = EMPTY_OMMERS_HASH
    base_fee_wei: int | None = None
    withdrawals_root: bytes | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    parent_beacon_block_root: bytes | None = None
    requests_hash: bytes | None = None

    def fields(self) -> list[bytes | int]:
        """The items of the RLP list in the order of the yellow paper.

        Optional ones follow up to the first that is absent: a later one is then left out even if it is set.
        """
        items: list[bytes | int] = [
            self.parent_hash,
            self.ommers_hash,
            self.coinbase,
            self.state_root,
            self.transactions_root,
            self.receipts_root,
            self.logs_bloom,
            self.difficulty,
            self.number,
            self.gas_limit,
            self.gas_used,
            self.timestamp_s,
            self.extra_data,
            self.prev_randao,
            self.nonce,
        ]
        for optional in (
            self.base_fee_wei,
            self.withdrawals_root,
            self.blob_gas_used,
            self.excess_blob_gas,
            self.parent_beacon_block_root,
            self.requests_hash,
        ):
            if optional is None:
                break
            items.append(optional)
        return items

    def encode(self) -> bytes:
        """The header's RLP; its Keccak-256 is the block hash only where the chain hashes so, unlike the hub."""
        encoded: bytes = rlp.encode(self.fields())
        return encoded


@dataclass(frozen=True, slots=True)
class EvmBlock:
    """`hash` is the chain's own: CometBFT's on the hub, the QBFT on-chain hash on dev chains."""

    hash: bytes
    header: EvmHeader
    transactions: tuple[SignedTransaction, ...] = ()

    @property
    def number(self) -> int:
        """The header's; on the hub it equals the height."""
        return self.header.number

    @property
    def size_bytes(self) -> int:
        """What JSON-RPC calls `size`: the bytes of header and transactions in RLP.

        The heads of the three lists are counted as 8 bytes, whatever they take.
        """
        encoded = [item.raw if item.type == 0 else rlp.encode(item.raw) for item in self.transactions]
        return len(self.header.encode()) + sum(len(item) for item in encoded) + 8


@dataclass(frozen=True, slots=True)
class BlockBody:
    """What a header states about executed transactions."""

    transactions: tuple[SignedTransaction, ...]
    receipts: tuple[Receipt, ...]
    transactions_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    gas_used: int


@dataclass(frozen=True, slots=True)
class LocatedTransaction:
    block: EvmBlock
    index: int

    @property
    def transaction(self) -> SignedTransaction:
        """The transaction itself, which `block` has at `index`."""
        return self.block.transactions[self.index]


def block_body(executed: Sequence[tuple[SignedTransaction, TransactionOutcome]], base_fee_wei: int = 0) -> BlockBody:
    """Receipts, roots and bloom of the transactions of one block, in order.

    Args:
        executed: each transaction with its outcome, refused ones left out.
        base_fee_wei: the block's own, from which each receipt's effective price follows.
    """
    receipts: list[Receipt] = []
    cumulative = bloom = 0
    for transaction, outcome in executed:
        cumulative += outcome.gas_used
        bloom |= _bloom_of(outcome.logs)
        receipts.append(
            Receipt(
                type=transaction.type,
                success=outcome.success,
                cumulative_gas_used=cumulative,
                logs=outcome.logs,
                gas_used=outcome.gas_used,
                effective_gas_price_wei=transaction.effective_gas_price_wei(base_fee_wei),
                contract_address=outcome.contract_address,
            )
        )
    return BlockBody(
        transactions=tuple(transaction for transaction, _ in executed),
        receipts=tuple(receipts),
        transactions_root=list_root(transaction.raw for transaction, _ in executed),
        receipts_root=list_root(receipt.encode() for receipt in receipts),
        logs_bloom=bloom.to_bytes(BLOOM_BYTES, "big"),
        gas_used=cumulative,
    )


def logs_bloom(logs: Iterable[Log]) -> bytes:
    """The 256-byte bloom of addresses and topics, the lowest bit in the last byte (yellow paper, receipts)."""
    return _bloom_of(logs).to_bytes(BLOOM_BYTES, "big")


def _bloom_of(logs: Iterable[Log]) -> int:
    bloom = 0
    for log in logs:
        bloom |= _bloom_bits(log.address)
        for topic in log.topics:
            bloom |= _bloom_bits(topic)
    return bloom


@lru_cache(maxsize=4096)
def _bloom_bits(item: bytes) -> int:
    """Each log is asked about for its receipt and for its block, and most have an address and topics seen before."""
    bits = 0
    for bit in get_bloom_bits(item):
        bits |= bit
    return bits


def bloom_may_contain(bloom: bytes, item: bytes) -> bool:
    """Whether an address or topic may be in a 256-byte bloom. False is certain, True is not."""
    bits = _bloom_bits(item)
    return int.from_bytes(bloom, "big") & bits == bits
