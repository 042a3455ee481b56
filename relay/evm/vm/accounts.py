"""Accounts of the EVM's state, and their proofs (EIP-1186)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import rlp
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from hutong.relay.evm.store.trie_database import TrieDatabase
from hutong.relay.evm.vm.native import Address

EMPTY_STATE_ROOT: bytes = BLANK_ROOT_HASH
EMPTY_CODE_HASH: bytes = EMPTY_SHA3


@dataclass(frozen=True, slots=True)
class Account:
    nonce: int
    balance_wei: int
    storage_root: bytes
    code_hash: bytes


EMPTY_ACCOUNT = Account(0, 0, EMPTY_STATE_ROOT, EMPTY_CODE_HASH)


@dataclass(frozen=True, slots=True)
class StorageProof:
    slot: int
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """EIP-1186: RLP nodes from the root down. An absent account has the empty account's fields."""

    address: Address
    account: Account
    nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    balance_wei: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)


def decode_account(encoded: bytes) -> Account:
    """Read an account as the state trie holds it: RLP of nonce, balance, storage root and code hash, in this order.

    Lengths of the two hashes are not checked: the bytes come from a trie whose nodes were verified.

    Raises:
        rlp.DecodingError: the bytes are not RLP.
        ValueError: the list does not have four items.
    """
    nonce, balance, storage_root, code_hash = rlp.decode(encoded)
    return Account(int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage_root, code_hash)


def prove_account(database: TrieDatabase, root: bytes, address: Address, slots: tuple[int, ...]) -> AccountProof:
    """Prove an account, present or absent, and some of its slots under a state root (EIP-1186).

    Args:
        database: trie nodes by their bare Keccak-256; the nodes on each path must be there.
        root: 32 bytes.
        slots: storage keys as numbers below 2**256; an absent slot is proven to be 0.

    Raises:
        trie.exceptions.MissingTrieNode: the database does not hold this state.
    """
    accounts = HexaryTrie(database, root)
    key = keccak(address)
    encoded = bytes(accounts[key])
    account = decode_account(encoded) if encoded else EMPTY_ACCOUNT
    storage = HexaryTrie(database, account.storage_root)
    proofs = []
    for slot in slots:
        slot_key = keccak(slot.to_bytes(32, "big"))
        raw = bytes(storage[slot_key])
        value = int.from_bytes(rlp.decode(raw), "big") if raw else 0
        proofs.append(StorageProof(slot, value, _proof_nodes(storage, slot_key)))
    return AccountProof(address, account, _proof_nodes(accounts, key), tuple(proofs))


def _proof_nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """As nodes serve it: nodes below 32 bytes are inside their parent and not listed; an empty trie has none."""
    if trie.root_hash == EMPTY_STATE_ROOT:
        return ()
    nodes: Iterable[Any] = trie.get_proof(key)  # type: ignore[no-untyped-call]
    encoded = [rlp.encode(node) for node in nodes]
    return tuple(node for index, node in enumerate(encoded) if index == 0 or len(node) >= 32)
