"""Merkle-Patricia proofs of Ethereum accounts and storage (EIP-1186) on strict RLP."""

from hutong.light_clients.proofs.mpt.account import (
    EMPTY_ACCOUNT,
    EMPTY_CODE_HASH,
    Account,
    account_path_is_proven,
    decode_account,
    decode_word,
    judge_account,
    judge_storage,
    verify_account,
    verify_storage,
)
from hutong.light_clients.proofs.mpt.eip1186 import AccountClaim, SlotClaim, judge_eip1186
from hutong.light_clients.proofs.mpt.node_set import NodeSet, account_proven, every_node_used, slot_proven
from hutong.light_clients.proofs.mpt.rlp import RlpItem, decode_fixed, decode_rlp, decode_uint
from hutong.light_clients.proofs.mpt.slots import IBC_STORE_SLOT, commitment_slot, erc7201_slot, mapping_slot
from hutong.light_clients.proofs.mpt.trie import EMPTY_TRIE_ROOT, MAX_NODE_BYTES, MAX_NODES, walk

__all__ = [
    "EMPTY_ACCOUNT",
    "EMPTY_CODE_HASH",
    "EMPTY_TRIE_ROOT",
    "IBC_STORE_SLOT",
    "MAX_NODES",
    "MAX_NODE_BYTES",
    "Account",
    "AccountClaim",
    "NodeSet",
    "RlpItem",
    "SlotClaim",
    "account_path_is_proven",
    "account_proven",
    "commitment_slot",
    "decode_account",
    "decode_fixed",
    "decode_rlp",
    "decode_uint",
    "decode_word",
    "erc7201_slot",
    "every_node_used",
    "judge_account",
    "judge_eip1186",
    "judge_storage",
    "mapping_slot",
    "slot_proven",
    "verify_account",
    "verify_storage",
    "walk",
]
