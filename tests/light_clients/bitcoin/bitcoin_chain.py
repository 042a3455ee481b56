"""A whole regtest chain in memory: mined blocks with transactions in them, forks of it, and proofs.

Tests say "publish this, fork there, outrun the chain by one" and read like the attack that they prevent.
"""

from dataclasses import dataclass, field, replace

from hutong.light_clients.bitcoin import (
    BlockHeader,
    ChainParameters,
    ClientState,
    ConsensusState,
    Header,
    MembershipProof,
    Misbehaviour,
    Network,
    OutPoint,
    Transaction,
    TransactionInput,
    TransactionOutput,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_membership_proof,
    encode_message,
    encode_misbehaviour,
    message_for,
    parameters_of,
    state_after,
    state_from_ancestors,
)
from hutong.light_clients.bitcoin.merkle import merkle_branch, merkle_root
from hutong.light_clients.bitcoin.predicates import meets_target
from hutong.light_clients.bitcoin.types import MAX_UINT32, hash256
from hutong.light_clients.bitcoin.wire import compact_size
from hutong.light_clients.bitcoin.work import required_bits, target_of
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MemoryConsensusStates

REGTEST = parameters_of(Network.REGTEST)
SPACING_S = 600
PUBLISHER = bytes.fromhex("0014") + hash256(b"publisher")[:20]
STRANGER = bytes.fromhex("0014") + hash256(b"stranger")[:20]
DEPTH = 3
TRUSTING_PERIOD_S = 14 * 86_400
GENESIS = BlockHeader(
    1,
    bytes(32),
    bytes.fromhex("3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"),
    1_296_688_602,
    0x207FFFFF,
    2,
)


def transaction(inputs: list[TransactionInput], outputs: list[TransactionOutput], lock_time: int = 0) -> Transaction:
    """Version 2, without witness."""
    serialized = (
        (2).to_bytes(4, "little")
        + compact_size(len(inputs))
        + b"".join(
            i.spent.txid
            + i.spent.index.to_bytes(4, "little")
            + compact_size(len(i.script))
            + i.script
            + i.sequence.to_bytes(4, "little")
            for i in inputs
        )
        + compact_size(len(outputs))
        + b"".join(o.value_sat.to_bytes(8, "little") + compact_size(len(o.script)) + o.script for o in outputs)
        + lock_time.to_bytes(4, "little")
    )
    return Transaction(2, tuple(inputs), tuple(outputs), lock_time, serialized)


def spending(txid: bytes, index: int = 0, script: bytes = b"") -> TransactionInput:
    return TransactionInput(OutPoint(txid, index), script, 0xFFFFFFFD)


def coinbase(height: int, salt: int = 0) -> Transaction:
    """The height in its script (BIP34, as short as it goes), and a push of a salt that tells two blocks of one height apart."""
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")
    pushed = bytes([0x50 + height]) if 0 < height <= 16 else bytes([len(number)]) + number
    script = pushed + b"\x04" + salt.to_bytes(4, "little")
    return transaction(
        [TransactionInput(OutPoint(bytes(32), MAX_UINT32), script, MAX_UINT32)],
        [TransactionOutput(5_000_000_000, STRANGER)],
    )


def payment(number: int) -> Transaction:
    """A transaction of no interest."""
    return transaction([spending(hash256(number.to_bytes(8, "big")))], [TransactionOutput(1_000, STRANGER)])


def funding_of(number: int, script: bytes = PUBLISHER) -> Transaction:
    """Pays the publisher, or whoever owns `script`, in its second output."""
    return transaction(
        [spending(hash256(b"funding" + number.to_bytes(8, "big")))],
        [TransactionOutput(2_000, STRANGER), TransactionOutput(10_000, script)],
    )


def publication(funding: Transaction, *messages: tuple[bytes, bytes]) -> Transaction:
    """Spends `funding`'s second output; one OP_RETURN output a message, from output 1 on."""
    outputs = [TransactionOutput(0, encode_message(message_for(key, value))) for key, value in messages]
    return transaction([spending(funding.txid, 1)], [TransactionOutput(9_000, PUBLISHER), *outputs])


def mine(header: BlockHeader, *, meet: bool = True) -> BlockHeader:
    """The header with the first nonce that meets its own target (or, with `meet` false, that misses it)."""
    target = target_of(header.bits)
    while meets_target(header.block_hash, target) is not meet:
        header = replace(header, nonce=header.nonce + 1)
    return header


@dataclass(frozen=True)
class Block:
    header: BlockHeader
    state: ConsensusState
    transactions: tuple[Transaction, ...] = ()

    @property
    def txids(self) -> list[bytes]:
        return [tx.txid for tx in self.transactions]


def child_of(
    parent: ConsensusState,
    transactions: tuple[Transaction, ...] = (),
    *,
    time_s: int | None = None,
    salt: int = 0,
    parameters: ChainParameters = REGTEST,
    **changed: object,
) -> Block:
    """A mined block on `parent`, with a coinbase before `transactions`."""
    time_s = parent.time_s + SPACING_S if time_s is None else time_s
    transactions = (coinbase(parent.height + 1, salt), *transactions)
    root = merkle_root([tx.txid for tx in transactions])
    bits = required_bits(parent, time_s, parameters)
    header = mine(replace(BlockHeader(0x2000_0000, parent.block_hash, root, time_s, bits, 0), **changed))
    return Block(header, state_after(parent, header, parameters), transactions)


@dataclass
class Published:
    """Where a message stands."""

    height: int
    position: int
    output_index: int
    funding: Transaction
    key: bytes
    value: bytes


@dataclass
class SimulatedChain:
    """Blocks from regtest's genesis up, every ten minutes from `start_s` on. Depths and confirmations are the caller's."""

    start_s: int = GENESIS.time_s + SPACING_S
    blocks: list[Block] = field(default_factory=list)
    published: dict[bytes, Published] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.blocks.append(Block(GENESIS, state_from_ancestors((GENESIS,), 0, REGTEST)))
        self.blocks.append(child_of(self.state(0), time_s=self.start_s))
        self.advance(11)

    @property
    def height(self) -> int:
        return len(self.blocks) - 1

    def state(self, height: int) -> ConsensusState:
        return self.blocks[height].state

    @property
    def now_ns(self) -> int:
        """The tip's own time."""
        return self.state(self.height).time_s * NANOSECONDS_PER_SECOND

    def advance(self, blocks: int = 1, *transactions: Transaction) -> None:
        """Blocks with three payments each; `transactions` go into the first."""
        for index in range(blocks):
            payments = [payment(3 * self.height + n) for n in range(3)]
            self.blocks.append(child_of(self.state(self.height), (*payments, *(transactions if index == 0 else ()))))

    def publish(self, *messages: tuple[bytes, bytes], script: bytes = PUBLISHER) -> None:
        """The next block holds one transaction with the messages."""
        funding = funding_of(self.height, script)
        self.advance(1, publication(funding, *messages))
        position = len(self.blocks[-1].transactions) - 1
        for index, (key, value) in enumerate(messages):
            self.published[key] = Published(self.height, position, index + 1, funding, key, value)

    def fork(self, from_height: int, blocks: int, *, salt: int = 1, time_s: int | None = None) -> list[Block]:
        """A branch whose first block is at `from_height`; `time_s` is the time of its first block."""
        made: list[Block] = []
        parent = self.state(from_height - 1)
        for _ in range(blocks):
            made.append(child_of(parent, salt=salt, time_s=time_s if not made else None))
            parent = made[-1].state
        return made

    def confirmations(self, height: int, blocks: int) -> list[Block]:
        """Empty blocks on the one at `height`, at its own time: what a tip may look like before it is settled."""
        made: list[Block] = []
        parent = self.state(height)
        for _ in range(blocks):
            made.append(child_of(parent, salt=9, time_s=self.state(height).time_s))
            parent = made[-1].state
        return made

    def client_state(self, height: int, **changed: object) -> bytes:
        state = ClientState(
            network=Network.REGTEST,
            publisher_script=PUBLISHER,
            confirmation_depth=DEPTH,
            trusting_period_s=TRUSTING_PERIOD_S,
            latest_height=Height(0, height),
            best_chainwork=self.state(height).chainwork,
        )
        return encode_client_state(replace(state, **changed))

    def consensus_state(self, height: int) -> bytes:
        return encode_consensus_state(self.state(height))

    def run(self, trusted: int, tip: int | None = None) -> list[Block]:
        """Own blocks above `trusted`, to the tip unless another is given."""
        return self.blocks[trusted + 1 : None if tip is None else tip + 1]

    def update(self, height: int, trusted: int, blocks: list[Block] | None = None) -> Header:
        """For the block at `height`: own blocks to the tip, or other ones on the trusted block."""
        shown = self.run(trusted) if blocks is None else blocks
        return Header(Height(0, trusted), Height(0, height), tuple(block.header for block in shown))

    def header(self, height: int, trusted: int, blocks: list[Block] | None = None) -> bytes:
        return encode_header_message(self.update(height, trusted, blocks))

    def misbehaviour(self, first: Header, second: Header) -> bytes:
        return encode_misbehaviour(Misbehaviour(first, second))

    def membership_proof(self, key: bytes, height: int) -> MembershipProof:
        """Of a published message, at the state of `height`, which is its block's or a later one's."""
        at = self.published[key]
        block = self.blocks[at.height]
        return MembershipProof(
            headers=tuple(block.header for block in self.blocks[at.height : height + 1]),
            transaction=block.transactions[at.position],
            branch=merkle_branch(block.txids, at.position),
            output_index=at.output_index,
            input_index=0,
            funding=at.funding,
            coinbase=block.transactions[0],
            coinbase_siblings=merkle_branch(block.txids, 0).siblings,
        )

    def proof(self, key: bytes, height: int) -> bytes:
        return encode_membership_proof(self.membership_proof(key, height))


def trusting(chain: SimulatedChain, *heights: int, **changed: object) -> tuple[bytes, MemoryConsensusStates]:
    """Client state and stored states of a client that was created at the highest of `heights` and holds them all."""
    states = {Height(0, height): chain.consensus_state(height) for height in heights}
    return chain.client_state(max(heights), **changed), MemoryConsensusStates(states)
