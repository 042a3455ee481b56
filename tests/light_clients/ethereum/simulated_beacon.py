"""A beacon chain in memory: committees with real keys, blocks with states and execution payloads, signed updates.

A state is a tree of which three leaves are real (finalized root, current and next committee) and every other node is some
hash; a body one of which the execution payload is. Tests say "sign with 21 members, prove another field, rotate" and read
like the attack that they prevent. The execution state is that of the simulated QBFT chain: a router among accounts.
"""

from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from trie import HexaryTrie

from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum import (
    MINIMAL_PRESET,
    BeaconBlockHeader,
    Bootstrap,
    ClientState,
    ConsensusState,
    ExecutionPayloadHeader,
    Fork,
    ForkActivation,
    Header,
    LightClientHeader,
    Misbehaviour,
    Network,
    Preset,
    SyncAggregate,
    SyncCommittee,
    TrustedCommittees,
    Update,
    beacon_block_root,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_misbehaviour,
    execution_payload_root,
    supermajority,
    sync_committee_root,
)
from hutong.light_clients.ethereum.forks import EXECUTION_PAYLOAD_GINDEX, signing_root, state_indices
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MemoryConsensusStates
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State, proof_nodes, slot_of

CHAIN_ID = 3_151_908
GENESIS_TIME_S = 1_700_000_000
FIRST_SLOT = 130
SIGNED_SLOTS_LATER = 2
"""A block is final in the state of the next slot's block, which is signed in the slot after that."""


def hashed(*parts: object) -> bytes:
    return sha256(repr(parts).encode()).digest()


def network_of(newest: Fork = Fork.ELECTRA, preset: Preset = MINIMAL_PRESET, epochs: dict | None = None) -> Network:
    """Every fork through `newest` from genesis on, or from the epochs given."""
    epochs = epochs or {}
    forks = tuple(
        ForkActivation(fork, bytes([fork + 1, 0, 0, 0x38]), epochs.get(fork, 0)) for fork in Fork if fork <= newest
    )
    return Network(preset, hashed("genesis validators"), GENESIS_TIME_S, 6, forks)


@cache
def secret_of(period: int, member: int) -> bytes:
    scalar = int.from_bytes(hashed("member", period, member), "big") % (bls.ORDER - 1) + 1
    return scalar.to_bytes(32, "big")


@cache
def committee_of(period: int, size: int) -> SyncCommittee:
    keys = [bls.public_key_of(secret_of(period, member)) for member in range(size)]
    total = bls.add_keys([bls.decode_public_key(key) for key in keys])
    return SyncCommittee(b"".join(keys), bls.encode_public_key(total))


def bits_of(members, size: int) -> bytes:
    return sum(1 << member for member in members).to_bytes(size // 8, "little")


def tries_of(state: State) -> tuple[HexaryTrie, HexaryTrie]:
    """Account and storage trie. Most blocks leave the state as it is, and a trie costs more than an update."""
    return _tries_of(tuple(sorted(state.storage.items())), state.code_hash, state.router)


@cache
def _tries_of(storage: tuple, code_hash: bytes, router: bytes) -> tuple[HexaryTrie, HexaryTrie]:
    state = State(dict(storage), code_hash, router)
    return state.account_trie, state.storage_trie


class Tree:
    """Nodes by generalized index; those that nothing defines are hashes of their own."""

    def __init__(self, label: object, leaves: dict[int, bytes]) -> None:
        self.label = label
        self.leaves = leaves

    def node(self, index: int) -> bytes:
        if index in self.leaves:
            return self.leaves[index]
        above = any((leaf >> shift) == index for leaf in self.leaves for shift in range(1, leaf.bit_length()))
        if above:
            return sha256(self.node(2 * index) + self.node(2 * index + 1)).digest()
        return hashed("node", self.label, index)

    @property
    def root(self) -> bytes:
        return self.node(1)

    def branch(self, index: int) -> tuple[bytes, ...]:
        nodes = []
        while index > 1:
            nodes.append(self.node(index ^ 1))
            index >>= 1
        return tuple(nodes)


@dataclass(frozen=True)
class Block:
    """A block with its state's tree and the execution state under it."""

    header: LightClientHeader
    state: Tree
    execution_state: State

    @property
    def slot(self) -> int:
        return self.header.beacon.slot

    @property
    def root(self) -> bytes:
        return beacon_block_root(self.header.beacon)


class SimulatedBeacon:
    """Slots from FIRST_SLOT on, each with a block, each final a slot later."""

    def __init__(self, network: Network | None = None, first_slot: int = FIRST_SLOT) -> None:
        self.network = network or network_of()
        self.storage: dict[bytes, bytes] = {}
        self.blocks: dict[int, Block] = {}
        self.first_slot = first_slot
        self.commit(b"client-0\x01" + bytes(8), b"\x11" * 32)
        self.advance()

    @property
    def size(self) -> int:
        return self.network.preset.sync_committee_size

    @property
    def slot(self) -> int:
        """Of the newest block."""
        return max(self.blocks)

    @property
    def now_ns(self) -> int:
        """Once the newest block is final and signed for."""
        return self.time_ns(self.slot + SIGNED_SLOTS_LATER) + 1

    def time_ns(self, slot: int) -> int:
        return self.network.slot_time_s(slot) * NANOSECONDS_PER_SECOND

    def commit(self, key: bytes, value: bytes) -> None:
        self.storage = {**self.storage, slot_of(key): value}

    def advance(self, blocks: int = 1) -> int:
        for _ in range(blocks):
            slot = self.slot + 1 if self.blocks else self.first_slot
            self.blocks[slot] = self.propose(slot, State(self.storage))
        return self.slot

    def committee(self, period: int) -> SyncCommittee:
        return committee_of(period, self.size)

    def propose(
        self,
        slot: int,
        execution_state: State | None = None,
        *,
        finalized_root: bytes = b"\2" * 32,
        time_s: int | None = None,
        next_committee: SyncCommittee | None = None,
        label: object = "",
    ) -> Block:
        """A block at `slot` that need not be the chain's own: a fork's, or a witness that shows another one to be final."""
        fork = self.network.fork_at(slot)
        execution_state = execution_state or State(self.storage)
        period = self.network.period_at(slot)
        indices = state_indices(fork)
        state = Tree(
            ("state", slot, label),
            {
                indices.finalized_root: finalized_root,
                indices.current_sync_committee: sync_committee_root(self.committee(period)),
                indices.next_sync_committee: sync_committee_root(next_committee or self.committee(period + 1)),
            },
        )
        execution, body = None, Tree(("body", slot, label), {})
        if fork >= Fork.CAPELLA:
            execution = payload_header(slot, execution_state, time_s or self.network.slot_time_s(slot), fork)
            root = execution_payload_root(execution, fork)
            body = Tree(("body", slot, label), {EXECUTION_PAYLOAD_GINDEX: root})
        beacon = BeaconBlockHeader(slot, slot % 7, hashed("parent", slot, label), state.root, body.root)
        branch = body.branch(EXECUTION_PAYLOAD_GINDEX) if execution is not None else ()
        return Block(LightClientHeader(beacon, execution, branch), state, execution_state)

    def sign(self, block: Block, signature_slot: int, members=None, period: int | None = None) -> SyncAggregate:
        """By all members of the period's committee, or by those named."""
        period = self.network.period_at(signature_slot) if period is None else period
        signers = range(self.size) if members is None else members
        message = signing_root(block.root, self.network.sync_committee_domain(signature_slot))
        signature = bls.sign_aggregate((secret_of(period, member) for member in signers), message)
        return SyncAggregate(bits_of(signers, self.size), signature)

    def update(
        self,
        finalized: Block | int | None,
        *,
        attested_slot: int | None = None,
        signature_slot: int | None = None,
        members=None,
        with_committee: bool = False,
        **proposed: object,
    ) -> Update:
        """An update that shows `finalized` (a block, or the chain's own at a slot) to be final, or with None that nothing is."""
        block = self.blocks[finalized] if isinstance(finalized, int) else finalized
        base = self.slot if block is None else block.slot
        attested_slot = base + 1 if attested_slot is None else attested_slot
        signature_slot = attested_slot + 1 if signature_slot is None else signature_slot
        witness = self.propose(
            attested_slot, finalized_root=bytes(32) if block is None else block.root, label="witness", **proposed
        )
        indices = state_indices(self.network.fork_at(attested_slot))
        next_period = self.network.period_at(attested_slot) + 1
        return Update(
            witness.header,
            self.sign(witness, signature_slot, members),
            signature_slot,
            None if block is None else block.header,
            witness.state.branch(indices.finalized_root),
            (proposed.get("next_committee") or self.committee(next_period)) if with_committee else None,
            witness.state.branch(indices.next_sync_committee) if with_committee else (),
        )

    def bootstrap(self, slot: int) -> Bootstrap:
        block = self.blocks[slot]
        index = state_indices(self.network.fork_at(slot)).current_sync_committee
        return Bootstrap(block.header, self.committee(self.network.period_at(slot)), block.state.branch(index))

    def trusted(self, slot: int, *, next_known: bool = True) -> TrustedCommittees:
        period = self.network.period_at(slot)
        following = sync_committee_root(self.committee(period + 1)) if next_known else None
        return TrustedCommittees(slot, sync_committee_root(self.committee(period)), following)

    def client(self, slot: int, **changed: object) -> ClientState:
        state = ClientState(
            chain_id=CHAIN_ID,
            network=self.network,
            router_address=ROUTER,
            min_participants=supermajority(self.size),
            trusting_period_s=1_000,
            max_clock_drift_s=15,
            committees=self.trusted(slot),
        )
        return replace(state, **changed)

    def client_state(self, slot: int, **changed: object) -> bytes:
        return encode_client_state(self.client(slot, **changed))

    def consensus_state(self, slot: int, block: Block | None = None) -> bytes:
        block = block or self.blocks[slot]
        execution = block.header.execution
        return encode_consensus_state(
            ConsensusState(
                execution.timestamp_s,
                tries_of(block.execution_state)[1].root_hash,
                execution.state_root,
                execution.block_number,
                block.root,
            )
        )

    def header(self, finalized: Block | int, **how: object) -> Header:
        """The message of `update`, with the committee that signs it and the router's account proof."""
        update = self.update(finalized, **how)
        return self.header_of(update, self.blocks[finalized] if isinstance(finalized, int) else finalized)

    def header_of(self, update: Update, finalized: Block) -> Header:
        state = finalized.execution_state
        return Header(
            self.network.fork_at(update.attested_slot),
            update,
            self.committee(self.network.period_at(update.signature_slot)),
            proof_nodes(tries_of(state)[0], state.router),
        )

    def message(self, finalized: Block | int, **how: object) -> bytes:
        return encode_header_message(self.header(finalized, **how))

    def misbehaviour(self, first: Header, second: Header) -> bytes:
        return encode_misbehaviour(Misbehaviour(first, second))

    def value(self, slot: int, key: bytes) -> bytes | None:
        return self.blocks[slot].execution_state.storage.get(slot_of(key))

    def proof(self, slot: int, key: bytes) -> bytes:
        _, trie = tries_of(self.blocks[slot].execution_state)
        return encode_storage_proof(StorageProof(proof_nodes(trie, slot_of(key))))


def payload_header(slot: int, state: State, time_s: int, fork: Fork) -> ExecutionPayloadHeader:
    blob_gas = {"blob_gas_used": 131_072, "excess_blob_gas": 7} if fork >= Fork.DENEB else {}
    return ExecutionPayloadHeader(
        parent_hash=hashed("execution parent", slot),
        fee_recipient=hashed("fees")[:20],
        state_root=tries_of(state)[0].root_hash,
        receipts_root=hashed("receipts", slot),
        logs_bloom=hashed("bloom", slot) * 8,
        prev_randao=hashed("randao", slot),
        block_number=slot - 3,
        gas_limit=30_000_000,
        gas_used=21_000,
        timestamp_s=time_s,
        extra_data=b"simulated",
        base_fee_per_gas_wei=7,
        block_hash=hashed("block", slot),
        transactions_root=hashed("transactions", slot),
        withdrawals_root=hashed("withdrawals", slot),
        **blob_gas,
    )


def trusting(chain: SimulatedBeacon, *slots: int, **changed: object) -> tuple[bytes, MemoryConsensusStates]:
    """Client state and stored states of a client that has been brought to `slots`."""
    states = {Height(0, slot): chain.consensus_state(slot) for slot in slots}
    return chain.client_state(max(slots), **changed), MemoryConsensusStates(states)
