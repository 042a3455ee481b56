"""Hash tree roots of the containers, written out for the few shapes on the verifying path (20 times the speed of a library).

Sources: consensus-specs `specs/{phase0,altair,bellatrix,capella,deneb}/beacon-chain.md`. Tests hold them to remerkleable.
"""

from functools import lru_cache
from hashlib import sha256

from hutong.light_clients.ethereum.forks import Fork
from hutong.light_clients.ethereum.types import (
    MAX_EXTRA_DATA_BYTES,
    BeaconBlockHeader,
    ExecutionPayloadHeader,
    SyncCommittee,
)
from hutong.light_clients.proofs.ssz import (
    bytes_root,
    container_root,
    hash_pair,
    merkle_root,
    mix_in_length,
    uint64_chunk,
    uint256_chunk,
)

_KEY_PADDING = bytes(16)
CACHED_COMMITTEES = 64
"""Committees of some chains, each for two days: one has 25 KiB of bytes and 106 KiB of decoded keys, all of them 8 MiB."""


def beacon_block_root(header: BeaconBlockHeader) -> bytes:
    """hash_tree_root(BeaconBlockHeader): the block's root."""
    return container_root(
        (
            uint64_chunk(header.slot),
            uint64_chunk(header.proposer_index),
            header.parent_root,
            header.state_root,
            header.body_root,
        )
    )


def execution_payload_root(header: ExecutionPayloadHeader, fork: Fork) -> bytes:
    """hash_tree_root(ExecutionPayloadHeader) as `fork` has it: 16 leaves, from Deneb on 32.

    Fields that the fork does not have are left out, whatever they hold.

    Raises:
        ValueError: extra data of more than 32 bytes, which no decoder lets through.
    """
    fields = [
        header.parent_hash,
        header.fee_recipient.ljust(32, b"\0"),
        header.state_root,
        header.receipts_root,
        bytes_root(header.logs_bloom),
        header.prev_randao,
        uint64_chunk(header.block_number),
        uint64_chunk(header.gas_limit),
        uint64_chunk(header.gas_used),
        uint64_chunk(header.timestamp_s),
        mix_in_length(bytes_root(header.extra_data, MAX_EXTRA_DATA_BYTES), len(header.extra_data)),
        uint256_chunk(header.base_fee_per_gas_wei),
        header.block_hash,
        header.transactions_root,
    ]
    if fork >= Fork.CAPELLA:
        fields.append(header.withdrawals_root)
    if fork >= Fork.DENEB:
        fields += (uint64_chunk(header.blob_gas_used), uint64_chunk(header.excess_blob_gas))
    return container_root(fields)


@lru_cache(maxsize=CACHED_COMMITTEES)
def sync_committee_root(committee: SyncCommittee) -> bytes:
    """hash_tree_root(SyncCommittee); the last `CACHED_COMMITTEES` are remembered."""
    keys = committee.pubkeys
    leaves = [sha256(keys[at : at + 48] + _KEY_PADDING).digest() for at in range(0, len(keys), 48)]
    return hash_pair(merkle_root(leaves), sha256(committee.aggregate_pubkey + _KEY_PADDING).digest())
