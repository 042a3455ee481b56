"""A whole Clique chain in memory: N keys, a real state trie with a router account, sealed headers, votes, forks and proofs.

Tests say "vote that signer in, seal out of turn, fork here" and read like the attack that they prevent. A branch is a value,
so a fork is another branch of the same chain.
"""

from dataclasses import dataclass, field, replace

from hutong.light_clients.clique import (
    ClientState,
    ConsensusState,
    Header,
    Misbehaviour,
    SealedBlock,
    Snapshot,
    Vote,
    apply_block,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_misbehaviour,
    is_checkpoint,
    sealed_block,
)
from hutong.light_clients.clique.predicates import EMPTY_OMMERS_HASH
from hutong.light_clients.clique.snapshot import NONCE_ADD, NONCE_DROP, difficulty_of, recents_before
from hutong.light_clients.crypto import eth_address, keccak256, secp256k1
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MemoryConsensusStates
from tests.light_clients.bft_evm.simulated_chain import EMPTY_ROOT, ROUTER, State, proof_nodes, slot_of

GENESIS_TIME_S = 1_700_000_000
CHAIN_ID = 1338
CONFIRMATIONS = 2
PERIOD_S = 1
EPOCH = 30_000


def key_of(number: int) -> bytes:
    """The private key of the n-th signer ever."""
    return keccak256(b"signer" + number.to_bytes(4, "big"))


def address_of(private_key: bytes) -> bytes:
    return eth_address(secp256k1.public_key_of(private_key))


def seal(header: ExecutionHeader, key: bytes) -> SealedBlock:
    """Seal with `key`, whoever it is; extra data is vanity and signers so far."""
    unsealed = sealed_block(replace(header, extra_data=header.extra_data + bytes(65)))
    signature = secp256k1.sign_recoverable(key, unsealed.seal_hash)
    return sealed_block(replace(header, extra_data=header.extra_data + signature))


def header_of(
    number: int, parent_hash: bytes, state_root: bytes, time_s: int, difficulty: int, extra_data: bytes
) -> ExecutionHeader:
    return ExecutionHeader(
        parent_hash=parent_hash,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=bytes(20),
        state_root=state_root,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        logs_bloom=bytes(256),
        difficulty=difficulty,
        number=number,
        gas_limit=30_000_000,
        gas_used=0,
        timestamp_s=time_s,
        extra_data=extra_data,
        mix_hash=bytes(32),
        nonce=NONCE_DROP,
        base_fee_per_gas_wei=7,
    )


@dataclass(frozen=True)
class Sealed:
    """A block, the world after it and who may seal the next one."""

    block: SealedBlock
    state: State
    snapshot: Snapshot
    total_difficulty: int


@dataclass
class Branch:
    """Blocks from height 1 on. `fork` makes another branch that shares the first of them."""

    keys: dict[bytes, bytes]
    epoch: int = EPOCH
    storage: dict[bytes, bytes] = field(default_factory=dict)
    blocks: list[Sealed] = field(default_factory=list)
    genesis: tuple[bytes, ...] = ()
    """Who signs at first; nobody named: whoever has a key then."""

    def __post_init__(self) -> None:
        self.genesis = tuple(sorted(self.genesis or self.keys))

    @property
    def height(self) -> int:
        return len(self.blocks)

    @property
    def genesis_block(self) -> SealedBlock:
        """Lists the first signers; nobody sealed it."""
        extra = bytes(32) + b"".join(self.genesis) + bytes(65)
        return sealed_block(header_of(0, bytes(32), EMPTY_ROOT, GENESIS_TIME_S, 1, extra))

    def at(self, number: int) -> Sealed:
        return self.blocks[number - 1]

    def fork(self, after: int) -> "Branch":
        kept = self.blocks[:after]
        return Branch(self.keys, self.epoch, dict(kept[-1].state.storage) if kept else {}, kept, self.genesis)

    def commit(self, key: bytes, value: bytes) -> None:
        self.storage = {**self.storage, slot_of(key): value}

    @property
    def snapshot(self) -> Snapshot:
        if self.blocks:
            return self.blocks[-1].snapshot
        return Snapshot(0, self.genesis, ())

    def allowed(self) -> list[bytes]:
        """Signers that may seal the next block, the one whose turn it is first."""
        snapshot, number = self.snapshot, self.height + 1
        free = [signer for signer in snapshot.signers if signer not in recents_before(snapshot)]
        return sorted(free, key=lambda signer: -difficulty_of(snapshot, number, signer))

    def propose(self, signer: bytes | None = None, key: bytes | None = None, **changed: object) -> tuple[Sealed, bytes]:
        """The next block, which need not be the chain's own or even valid; and who sealed it."""
        number = self.height + 1
        signer = signer or self.allowed()[0]
        state = replace(State(self.storage), balance_wei=number)
        parent = self.blocks[-1].block if self.blocks else self.genesis_block
        time_s = max(GENESIS_TIME_S + number * PERIOD_S, parent.execution.timestamp_s + PERIOD_S)
        difficulty = difficulty_of(self.snapshot, number, signer) if signer in self.snapshot.signers else 1
        checkpoint = b"".join(self.snapshot.signers) if is_checkpoint(number, self.epoch) else b""
        header = header_of(
            number, parent.hash, state.account_trie.root_hash, time_s, difficulty, bytes(32) + checkpoint
        )
        block = seal(replace(header, **changed), self.keys[signer] if key is None else key)
        total = (self.blocks[-1].total_difficulty if self.blocks else 0) + block.execution.difficulty
        return Sealed(block, state, self.snapshot, total), signer

    def advance(self, blocks: int = 1, signer: bytes | None = None, **changed: object) -> None:
        """Seal by the rules, in turn where the turn's signer is free."""
        for _ in range(blocks):
            sealed, by = self.propose(signer, **changed)
            self.blocks.append(replace(sealed, snapshot=apply_block(self.snapshot, sealed.block, by, self.epoch)))

    def add(self, sealed: Sealed) -> None:
        """Append a block that need not be valid; who may seal above it stays as it was."""
        self.blocks.append(replace(sealed, snapshot=replace(sealed.snapshot, number=sealed.block.execution.number)))

    def vote(self, candidate: bytes, *, add: bool, signer: bytes | None = None) -> None:
        self.advance(1, signer, beneficiary=candidate, nonce=NONCE_ADD if add else NONCE_DROP)

    def elect(self, candidate: bytes, *, add: bool) -> None:
        """Votes until the candidate is in or out."""
        for _ in range(4 * len(self.snapshot.signers)):
            if (candidate in self.snapshot.signers) == add:
                return
            self.vote(candidate, add=add)
        raise AssertionError("nobody was elected")

    def open_votes(self) -> tuple[Vote, ...]:
        return self.snapshot.votes


class SimulatedCliqueChain:
    """The chain's own branch `main` and what a client of it is shown. Confirmations above its head are not kept."""

    def __init__(self, signers: int = 3, epoch: int = EPOCH, confirmations: int = CONFIRMATIONS) -> None:
        keys = {address_of(key_of(number)): key_of(number) for number in range(signers)}
        self.confirmations = confirmations
        self.main = Branch(keys, epoch)
        self.main.commit(b"client-0\x01" + bytes(8), b"\x11" * 32)
        self.main.advance()

    def know(self, number: int) -> bytes:
        """Another key that may be voted in; its address."""
        key = key_of(number)
        self.main.keys[address_of(key)] = key
        return address_of(key)

    def client_state(self, height: int, **changed: object) -> bytes:
        at = self.main.at(height)
        state = ClientState(
            chain_id=CHAIN_ID,
            router_address=ROUTER,
            period_s=PERIOD_S,
            epoch_length=self.main.epoch,
            confirmations=self.confirmations,
            trusting_period_s=1_000,
            max_clock_drift_s=15,
            latest_height=Height(0, height),
            head_total_difficulty=at.total_difficulty,
            head_hash=at.block.hash,
        )
        return encode_client_state(replace(state, **changed))

    def consensus_state(self, height: int, **changed: object) -> bytes:
        at = self.main.at(height)
        state = ConsensusState(
            at.block.execution.timestamp_s,
            at.state.storage_trie.root_hash,
            at.block.hash,
            at.total_difficulty,
            at.snapshot,
        )
        return encode_consensus_state(replace(state, **changed))

    def update(self, height: int, trusted: int, branch: Branch | None = None, tip: int | None = None) -> Header:
        """The branch from the child of `trusted` up to `tip`, or to the least depth that the client asks for."""
        branch = branch or self.main
        needed = max(self.confirmations, len(branch.at(height).snapshot.signers) // 2)
        top = max(trusted + 1, height + needed if tip is None else tip)
        if branch.height < top:
            branch = branch.fork(branch.height)
            branch.advance(top - branch.height)
        blocks = tuple(branch.at(number).block for number in range(trusted + 1, top + 1))
        return Header(Height(0, trusted), height, blocks, proof_nodes(branch.at(height).state.account_trie, ROUTER))

    def header(self, height: int, trusted: int, branch: Branch | None = None, tip: int | None = None) -> bytes:
        return encode_header_message(self.update(height, trusted, branch, tip))

    def misbehaviour(self, first: Header, second: Header) -> bytes:
        return encode_misbehaviour(Misbehaviour(first, second))

    def proof(self, height: int, key: bytes) -> bytes:
        return encode_storage_proof(StorageProof(proof_nodes(self.main.at(height).state.storage_trie, slot_of(key))))

    def value(self, height: int, key: bytes) -> bytes | None:
        return self.main.at(height).state.storage.get(slot_of(key))

    def time_ns(self, height: int) -> int:
        return self.main.at(height).block.execution.timestamp_s * NANOSECONDS_PER_SECOND


def trusting(chain: SimulatedCliqueChain, height: int) -> tuple[bytes, MemoryConsensusStates]:
    """Client state and stored states of a client that was created at `height`."""
    return chain.client_state(height), MemoryConsensusStates({Height(0, height): chain.consensus_state(height)})
