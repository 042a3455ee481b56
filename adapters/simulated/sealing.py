"""QBFT headers with real seals."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from hutong.light_clients.bft_evm import ExtraData, commit_seal_hash, encode_extra_data
from hutong.light_clients.bft_evm.predicates import EMPTY_OMMERS_HASH, MIX_HASH
from hutong.light_clients.crypto import eth_address, secp256k1
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.proofs.mpt import EMPTY_TRIE_ROOT

GAS_LIMIT = 30_000_000


def validator_key(seed: int, number: int) -> bytes:
    """The 32-byte private key of validator `number`, the same for the same seed: for nothing of value."""
    return keccak256(f"hutong simulated validator {seed} {number}".encode())


@cache
def validator_address(private_key: bytes) -> bytes:
    """The 20-byte address that a validator is listed by.

    Raises:
        ValueError: not a private key of secp256k1.
    """
    address = eth_address(secp256k1.public_key_of(private_key))
    if address is None:
        raise ValueError("not a private key")
    return address


def seal(header: ExecutionHeader, private_keys: Sequence[bytes]) -> ExecutionHeader:
    """`header` with the validators of `private_keys` listed, by ascending address, and a commit seal of each.

    Extra data that the header had is replaced.

    Raises:
        ValueError: one of them is not a private key of secp256k1.
    """
    addresses = {validator_address(key): key for key in private_keys}
    extra = ExtraData(bytes(32), tuple(sorted(addresses)), None, 0, ())
    digest = commit_seal_hash(replace(header, extra_data=encode_extra_data(extra)), extra)
    seals = tuple(secp256k1.sign_recoverable(addresses[address], digest) for address in extra.validators)
    return replace(header, extra_data=encode_extra_data(replace(extra, seals=seals)))


def unsealed(parent_hash: bytes, number: int, timestamp_s: int, state_root: bytes, proposer: bytes) -> ExecutionHeader:
    """A header before its extra data. The state root is a real trie's; transaction and receipt roots are the empty
    trie's, since no light client here reads them."""
    return ExecutionHeader(
        parent_hash=parent_hash,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=proposer,
        state_root=state_root,
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        logs_bloom=bytes(256),
        difficulty=1,
        number=number,
        gas_limit=GAS_LIMIT,
        gas_used=0,
        timestamp_s=timestamp_s,
        extra_data=b"",
        mix_hash=MIX_HASH,
        nonce=bytes(8),
    )
