"""Accounts and storage words under a state root, as `eth_getProof` serves them (EIP-1186)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, cited, rule
from hutong.light_clients.proofs.mpt.rlp import decode_fixed, decode_rlp, decode_uint
from hutong.light_clients.proofs.mpt.trie import EMPTY_TRIE_ROOT, walk

ADDRESS_BYTES = 20
WORD_BYTES = 32
EMPTY_CODE_HASH = keccak256(b"")
ZERO_WORD = bytes(WORD_BYTES)

EIP1186_SOURCE = "EIP-1186; yellow paper, appendix D"


@dataclass(frozen=True, slots=True)
class Account:
    """A leaf of the state trie. `storage_root` is the empty trie's where nothing is stored."""

    nonce: int
    balance_wei: int
    storage_root: bytes
    code_hash: bytes

    @property
    def has_code(self) -> bool:
        """Whether its code hash is another than that of no bytes."""
        return self.code_hash != EMPTY_CODE_HASH

    @property
    def has_storage(self) -> bool:
        """Whether any word is stored: an account proof alone shows it."""
        return self.storage_root != EMPTY_TRIE_ROOT


EMPTY_ACCOUNT = Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)


def decode_account(data: bytes) -> Account:
    """`rlp([nonce, balance, storage_root, code_hash])`, canonical.

    Raises:
        MalformedInput: not strict RLP, not four fields, or a field out of bounds (named).
    """
    fields = decode_rlp(data, "account", max_bytes=256)
    if isinstance(fields, bytes) or len(fields) != 4:
        raise MalformedInput("account", "is not a list of four fields")
    nonce, balance, storage_root, code_hash = fields
    return Account(
        decode_uint(nonce, "account.nonce", 8),
        decode_uint(balance, "account.balance"),
        decode_fixed(storage_root, "account.storage_root", 32),
        decode_fixed(code_hash, "account.code_hash", 32),
    )


def decode_word(data: bytes) -> bytes:
    """The 32-byte word of a storage leaf: RLP of the word without leading zeros; zero is never stored.

    Raises:
        MalformedInput: not strict RLP, or not 1 to 32 bytes without leading zeros.
    """
    stripped = decode_rlp(data, "storage_value", max_bytes=64)
    if not isinstance(stripped, bytes) or not 0 < len(stripped) <= WORD_BYTES or stripped[0] == 0:
        raise MalformedInput("storage_value", "is not 1 to 32 bytes without leading zeros", got=data)
    return stripped.rjust(WORD_BYTES, b"\0")


def verify_account(state_root: bytes, address: bytes, nodes: Sequence[bytes]) -> Account | None:
    """The account of a 20-byte `address`, or None where its absence is proven.

    Raises:
        MalformedInput, PredicateFailed: as `trie.walk`, or the leaf is no account.
    """
    if len(address) != ADDRESS_BYTES:
        raise MalformedInput("address", "must be 20 bytes", got=address)
    leaf = walk(state_root, keccak256(address), nodes)
    return None if leaf is None else decode_account(leaf)


def verify_storage(storage_root: bytes, slot: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """The 32-byte word in the 32-byte `slot`, or None where its absence (a zero word) is proven.

    `storage_root` must come from a proven account, and `slot` from what the caller asks, never from the proof.

    Raises:
        MalformedInput, PredicateFailed: as `trie.walk`, or the leaf is no word.
    """
    if len(slot) != WORD_BYTES:
        raise MalformedInput("slot", "must be 32 bytes", got=slot)
    leaf = walk(storage_root, keccak256(slot), nodes)
    return None if leaf is None else decode_word(leaf)


storage_path_is_proven = cited(verify_storage, EIP1186_SOURCE, "storage_path_is_proven")
account_path_is_proven = cited(verify_account, EIP1186_SOURCE, "account_path_is_proven")


@rule(EIP1186_SOURCE)
def word_matches(proven: bytes | None, expected: bytes) -> None:
    """The slot holds exactly this word of 32 bytes; zero is never stored.

    Raises:
        PredicateFailed: another word or none, or the zero word is expected.
        MalformedInput: `expected` is not 32 bytes.
    """
    if len(expected) != WORD_BYTES:
        raise MalformedInput("value", "a storage word has 32 bytes", got=expected)
    if expected == ZERO_WORD:
        raise PredicateFailed("word_matches", "a zero word is absent, it is never a member")
    if proven != expected:
        raise PredicateFailed("word_matches", "word in the slot", "nothing" if proven is None else proven, expected)


@rule(EIP1186_SOURCE)
def slot_is_absent(proven: bytes | None) -> None:
    """The slot holds nothing.

    Raises:
        PredicateFailed: a word is proven.
    """
    if proven is not None:
        raise PredicateFailed("slot_is_absent", "word in the slot", got=proven, expected="nothing")


def judge_storage(
    judge: Judge, storage_root: bytes, slot: bytes, nodes: Sequence[bytes], expected_word: bytes | None
) -> None:
    """`slot` holds `expected_word` (32 bytes, not zero), or with None holds nothing.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    proven = judge(storage_path_is_proven, storage_root, slot, nodes)
    if expected_word is None:
        judge(slot_is_absent, proven)
    else:
        judge(word_matches, proven, expected_word)


@rule(EIP1186_SOURCE)
def account_matches(proven: Account | None, expected: Account | None) -> None:
    """All four fields agree, or both are absent.

    Raises:
        PredicateFailed: the first field that differs.
    """
    if proven is None or expected is None:
        if proven is not expected:
            raise PredicateFailed("account_matches", "account", got=proven or "absent", expected=expected or "absent")
        return
    for name in ("nonce", "balance_wei", "storage_root", "code_hash"):
        got, wanted = getattr(proven, name), getattr(expected, name)
        if got != wanted:
            raise PredicateFailed("account_matches", name, got=got, expected=wanted)


def judge_account(
    judge: Judge, state_root: bytes, address: bytes, nodes: Sequence[bytes], expected: Account | None
) -> None:
    """`address` has exactly the `expected` account, or with None does not exist.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    proven = judge(account_path_is_proven, state_root, address, nodes)
    judge(account_matches, proven, expected)
