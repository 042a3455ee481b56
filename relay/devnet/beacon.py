"""A beacon chain that finalizes a development chain: real committees sign, nothing else of a beacon chain is there.

Of a state the light client protocol reads three nodes (finalized root, current and next sync committee), of a body one (the
execution payload): these are real, every other node of these trees is a filler. All keys follow from a seed, so that who
knows it can sign anything: for tests and demonstrations alone.

Blocks come one a slot at most; a checkpoint is final when the block two epochs after it begins, as on a healthy chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum import (
    BeaconBlockHeader,
    Bootstrap,
    ExecutionPayloadHeader,
    Fork,
    LightClientHeader,
    Network,
    SyncAggregate,
    SyncCommittee,
    Update,
    beacon_block_root,
    execution_payload_root,
    sync_committee_root,
)
from hutong.light_clients.ethereum.forks import EXECUTION_PAYLOAD_GINDEX, signing_root, state_indices
from hutong.relay.evm.chain.blocks import EvmBlock
from hutong.relay.evm.chain.list_root import EMPTY_LIST_ROOT

FINAL_AFTER_EPOCHS = 2
KEPT_SLOTS = 100_000


class SparseTree:
    """A Merkle tree of which some nodes are given by generalized index; those that nothing defines are fillers."""

    def __init__(self, label: bytes, nodes: Mapping[int, bytes]) -> None:
        self._label = label
        self._nodes = dict(nodes)
        self._above = {index >> shift for index in nodes for shift in range(1, index.bit_length())}

    def node(self, index: int) -> bytes:
        """The node at a generalized index (1 is the root), 32 bytes: given, hashed from its children, or a filler.

        Fillers follow from the tree's label and the index, so a tree says the same each time.
        """
        given = self._nodes.get(index)
        if given is None:
            if index in self._above:
                given = sha256(self.node(2 * index) + self.node(2 * index + 1)).digest()
            else:
                given = sha256(b"filler" + self._label + index.to_bytes(8, "big")).digest()
            self._nodes[index] = given
        return given

    @property
    def root(self) -> bytes:
        """The root of the tree, 32 bytes."""
        return self.node(1)

    def branch(self, index: int) -> tuple[bytes, ...]:
        """The siblings from the node at `index` up to the root, as `is_valid_merkle_branch` takes them (consensus-specs
        phase0).
        """
        return tuple(self.node((index >> shift) ^ 1) for shift in range(index.bit_length() - 1))


@dataclass(frozen=True, slots=True)
class BeaconBlock:
    """`root` is its block root; `state` the tree under its state root."""

    header: LightClientHeader
    root: bytes
    state: SparseTree

    @property
    def slot(self) -> int:
        """The slot that the header names."""
        return self.header.beacon.slot


class Committees:
    """The sync committees of every period, by a seed."""

    def __init__(self, seed: bytes, size: int) -> None:
        self._seed = seed
        self._size = size
        self.of = lru_cache(maxsize=8)(self._of)

    def _secret(self, period: int, member: int) -> bytes:
        drawn = sha256(self._seed + period.to_bytes(8, "big") + member.to_bytes(8, "big")).digest()
        return (int.from_bytes(drawn, "big") % (bls.ORDER - 1) + 1).to_bytes(bls.SECRET_BYTES, "big")

    def _of(self, period: int) -> SyncCommittee:
        keys = [bls.public_key_of(self._secret(period, member)) for member in range(self._size)]
        points = [point for key in keys if (point := bls.decode_public_key(key)) is not None]
        return SyncCommittee(b"".join(keys), bls.encode_public_key(bls.add_keys(points)))

    def sign(self, period: int, message: bytes, absent: int) -> SyncAggregate:
        """The aggregate signature over `message` (a signing root, 32 bytes) by the period's committee, without its last
        `absent`.
        """
        signers = range(self._size - absent)
        signature = bls.sign_aggregate((self._secret(period, member) for member in signers), message)
        bits = ((1 << len(signers)) - 1).to_bytes(self._size // 8, "little")
        return SyncAggregate(bits, signature)


class BeaconChain:
    """Holds blocks, what they finalize, and the updates that prove it. Pure but for its memory."""

    def __init__(self, network: Network, seed: bytes, absent_members: int = 0) -> None:
        """`absent_members` of each committee never sign."""
        self.network = network
        self._committees = Committees(seed, network.preset.sync_committee_size)
        self._absent = absent_members
        self._blocks: dict[int, BeaconBlock] = {}
        self._by_root: dict[bytes, BeaconBlock] = {}
        self._checkpoints: dict[int, int] = {}
        self.newest_update: Update | None = None
        """What `finality_update` serves."""
        self._best: dict[int, Update] = {}

    @property
    def slot(self) -> int:
        """Of the newest block; -1 before the first."""
        return next(reversed(self._blocks), -1)

    @property
    def finality_update(self) -> Update | None:
        """The newest; None while nothing is final."""
        return self.newest_update

    def best_update(self, period: int) -> Update | None:
        """The newest update of a period that shows its next committee to be final; None while there is none.

        Real nodes keep the one with the most signers.
        """
        return self._best.get(period)

    def bootstrap(self, block_root: bytes) -> Bootstrap | None:
        """What a light client begins with, by the root of a block that is the first of its epoch.

        Returns:
            None for other blocks, and for roots that are not of this chain.
        """
        block = self._by_root.get(block_root)
        if block is None:
            return None
        index = state_indices(self.network.fork_at(block.slot)).current_sync_committee
        committee = self._committees.of(self.network.period_at(block.slot))
        return Bootstrap(block.header, committee, block.state.branch(index))

    def propose(self, slot: int, execution: EvmBlock) -> BeaconBlock:
        """The block of `slot` with this execution block; its aggregate signs the block before.

        Args:
            execution: is not judged; each slot should bring the next one.

        Raises:
            ValueError: `slot` is not above the newest block's.
        """
        if slot <= self.slot:
            raise ValueError(f"slot {slot} is not above {self.slot}")
        parent = self._blocks.get(self.slot)
        block = self.made(slot, execution, parent)
        self._blocks[slot] = block
        self._checkpoints.setdefault(self.network.epoch_at(slot), slot)
        if self._checkpoints[self.network.epoch_at(slot)] == slot:
            self._by_root[block.root] = block
        if parent is not None:
            self._sign(parent, slot)
        while len(self._blocks) > KEPT_SLOTS:
            del self._blocks[next(iter(self._blocks))]
        return block

    def _finalized_at(self, slot: int) -> BeaconBlock | None:
        """What the state of a block at `slot` names as final."""
        for epoch in range(self.network.epoch_at(slot) - FINAL_AFTER_EPOCHS, -1, -1):
            checkpoint = self._checkpoints.get(epoch)
            if checkpoint is not None:
                return self._blocks.get(checkpoint)
        return None

    def made(self, slot: int, execution: EvmBlock, parent: BeaconBlock | None) -> BeaconBlock:
        """A block of this network around an execution block. It is not made part of the chain."""
        network = self.network
        fork, period = network.fork_at(slot), network.period_at(slot)
        indices = state_indices(fork)
        label = slot.to_bytes(8, "big")
        finalized = self._finalized_at(slot)
        state = SparseTree(
            b"state" + label,
            {
                indices.finalized_root: bytes(32) if finalized is None else finalized.root,
                indices.current_sync_committee: sync_committee_root(self._committees.of(period)),
                indices.next_sync_committee: sync_committee_root(self._committees.of(period + 1)),
            },
        )
        payload = payload_header(execution)
        body = SparseTree(b"body" + label, {EXECUTION_PAYLOAD_GINDEX: execution_payload_root(payload, fork)})
        parent_root = bytes(32) if parent is None else parent.root
        beacon = BeaconBlockHeader(slot, 0, parent_root, state.root, body.root)
        header = LightClientHeader(beacon, payload, body.branch(EXECUTION_PAYLOAD_GINDEX))
        return BeaconBlock(header, beacon_block_root(beacon), state)

    def _sign(self, attested: BeaconBlock, signature_slot: int) -> None:
        finalized = self._finalized_at(attested.slot)
        if finalized is None or finalized.slot == 0:
            return  # a client of slot 0 cannot be
        known = self.newest_update
        if known is not None and known.finalized_slot >= finalized.slot:
            return
        period_at = self.network.period_at
        attested_period = period_at(attested.slot)
        indices = state_indices(self.network.fork_at(attested.slot))
        domain = self.network.sync_committee_domain(signature_slot)
        aggregate = self._committees.sign(period_at(signature_slot), signing_root(attested.root, domain), self._absent)
        finality = attested.state.branch(indices.finalized_root)
        self.newest_update = Update(attested.header, aggregate, signature_slot, finalized.header, finality)
        if attested_period == period_at(signature_slot) == period_at(finalized.slot):
            self._best[attested_period] = replace(
                self.newest_update,
                next_sync_committee=self._committees.of(attested_period + 1),
                next_sync_committee_branch=attested.state.branch(indices.next_sync_committee),
            )

    def fork_of(self, update: Update) -> Fork:
        """In whose containers a node serves it."""
        return self.network.fork_at(update.attested_slot)


def payload_header(block: EvmBlock) -> ExecutionPayloadHeader:
    """A development block as a beacon block carries it. Its extra data, QBFT's, is longer than a payload may have it."""
    header = block.header
    return ExecutionPayloadHeader(
        parent_hash=header.parent_hash,
        fee_recipient=header.coinbase,
        state_root=header.state_root,
        receipts_root=header.receipts_root,
        logs_bloom=header.logs_bloom,
        prev_randao=header.prev_randao,
        block_number=header.number,
        gas_limit=header.gas_limit,
        gas_used=header.gas_used,
        timestamp_s=header.timestamp_s,
        extra_data=b"hutong devnet",
        base_fee_per_gas_wei=header.base_fee_wei or 0,
        block_hash=block.hash,
        transactions_root=header.transactions_root,
        withdrawals_root=header.withdrawals_root or EMPTY_LIST_ROOT,
        blob_gas_used=header.blob_gas_used or 0,
        excess_blob_gas=header.excess_blob_gas or 0,
    )
