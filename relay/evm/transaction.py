"""Signed Ethereum transactions: legacy (EIP-155), access-list (EIP-2930) and dynamic-fee (EIP-1559)."""

from dataclasses import dataclass
from typing import TypeAlias

MAX_TRANSACTION_BYTES = 128 * 1024
"""The pool limit of common nodes (geth's txMaxSize)."""

AccessList: TypeAlias = tuple[tuple[bytes, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A decoded transaction with its recovered sender. `to` is None for contract creation.

    For types 0 and 1 both fee fields equal `gasPrice`.
    """

    raw: bytes
    hash: bytes
    sender: bytes
    type: int
    chain_id: int
    nonce: int
    gas_limit: int
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    to: bytes | None
    value_wei: int
    data: bytes
    access_list: AccessList
    v: int
    """As encoded: 35 + 2 * chain id + parity for type 0, else the parity."""
    r: int
    s: int


def decode_transaction(raw: bytes, chain_id: int) -> SignedTransaction:
    """Decode the canonical encoding and recover the sender. Raises InvalidTransaction."""
    raise NotImplementedError
