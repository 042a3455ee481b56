"""A deterministic chain in memory: QBFT headers with real seals over a real trie, transactions, a pool, reorgs.

Nothing here waits or reads a clock: the owner says when a block is made and at what time. Two chains made with the same
arguments and driven by the same calls are equal byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import rlp
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from hutong.adapters.ics26.abi import RELAY_BATCH, selector
from hutong.adapters.ics26.events import BATCH_CALL_FAILED_TOPIC, Log
from hutong.adapters.ics26.noops import noops
from hutong.adapters.ics26.reverts import ROUTER_REVERTS
from hutong.adapters.interface import (
    AlreadyKnown,
    BroadcastRefused,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    RefusedByChain,
    Underpriced,
)
from hutong.adapters.rpc import HeadSignal
from hutong.adapters.simulated.router import App, Emitted, HostedClient, Reverted, Router, RouterState
from hutong.adapters.simulated.sealing import GAS_LIMIT, seal, unsealed, validator_address, validator_key
from hutong.adapters.simulated.store import ProvableStore
from hutong.light_clients.bft_evm import (
    BftEvmClient,
    ClientState,
    Consensus,
    ConsensusState,
    Header,
    Misbehaviour,
    block_hash,
    decode_extra_data,
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    header_of,
)
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.ibc.identifiers import client_id_for
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, LightClient

ROUTER_ADDRESS = bytes.fromhex("5117000000000000000000000000000000001000")
BASE_FEE_WEI = 7
CALL_GAS = 90_000
MAX_NONCE_AHEAD = 64
REPLACEMENT_PERCENT = 10


def echo(_: Packet) -> bytes:
    """The app of the port `echo`: acknowledges with one byte."""
    return b"\x01"


@dataclass(frozen=True, slots=True)
class PoolTransaction:
    hash: bytes
    raw: bytes
    sender: str
    nonce: int
    gas: int
    max_fee_wei: int
    to: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class SimulatedReceipt:
    transaction: PoolTransaction
    height: int
    gas_used: int
    reverted: str | None
    failures: tuple[tuple[int, bytes], ...]
    noops: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedBlock:
    """A block with the state after it."""

    header: ExecutionHeader
    hash: bytes
    router: RouterState
    nonces: Mapping[str, int]
    balances_wei: Mapping[str, int]
    logs: tuple[Log, ...]
    receipts: tuple[SimulatedReceipt, ...]

    @property
    def time_ns(self) -> int:
        """The header's time, nanoseconds of Unix time; a multiple of a second."""
        return self.header.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class _Send:
    source_client: str
    timeout_timestamp_s: int
    payload: Payload


def revert_reason(reason: str) -> bytes:
    """`Error(string)` data."""
    return selector("Error(string)") + encode(["string"], [reason])


@dataclass(frozen=True, slots=True)
class ChainTraits:
    """What kind of chain it is, from its first block on."""

    seed: int = 0
    """Of the validators' keys; chains of other numbers have others in any case."""
    validators: int = 4
    """How many begin."""
    finality_depth: int = 0
    """How many of the newest blocks `reorganise` may still undo."""
    atomic_batches: bool = False
    """One failing message undoes its whole transaction."""


class SimulatedChain:
    """`reorganise` may still undo the newest `finality_depth` blocks."""

    def __init__(
        self,
        name: str,
        chain_id: int,
        *,
        genesis_time_s: int,
        traits: ChainTraits = ChainTraits(),
        light_clients: Sequence[LightClient] = (),
        apps: Mapping[str, App] | None = None,
    ) -> None:
        self.name = name
        self.atomic_batches = traits.atomic_batches
        self.names_culprits = True
        """Where batches are atomic: outcomes say which message undid the others."""
        self.chain_id = chain_id
        self.hide_pool = False
        """Endpoints keep it to themselves."""
        self.finality_depth = traits.finality_depth
        self.router_address = ROUTER_ADDRESS
        self.store = ProvableStore(ROUTER_ADDRESS)
        self.light_clients = {client.client_type: client for client in (BftEvmClient(), *light_clients)}
        self.apps: dict[str, App] = {"echo": echo, **(apps or {})}
        self.signal = HeadSignal()
        self.pool: dict[tuple[str, int], PoolTransaction] = {}
        self._seed = traits.seed + 1_000_003 * chain_id
        self._key_of: dict[bytes, bytes] = {}
        self.set_validators(range(traits.validators))
        self._sends: list[_Send] = []
        self._pending_clients: dict[str, HostedClient] = {}
        self._pending_balances: dict[str, int] = {}
        self.blocks: list[SimulatedBlock] = []
        self._append(genesis_time_s, RouterState(), {}, {}, (), ())

    # what the owner drives

    @property
    def newest(self) -> SimulatedBlock:
        """The newest block, which `reorganise` may still undo."""
        return self.blocks[-1]

    @property
    def final_height(self) -> int:
        """The height that no reorganisation reaches: `finality_depth` below the newest, at least 0."""
        return max(0, len(self.blocks) - 1 - self.finality_depth)

    def final(self, height: int) -> SimulatedBlock | None:
        """The block at a height; None if it is not final or there is none yet."""
        return self.blocks[height] if 0 <= height <= self.final_height else None

    def fund(self, address: str, amount_wei: int) -> None:
        """Give an address (as text) wei from nowhere; takes effect in the next block."""
        held_wei = self._pending_balances.get(address, self.newest.balances_wei.get(address, 0))
        self._pending_balances[address] = held_wei + amount_wei

    def create_client(self, client_type: str, client_state: bytes, consensus_state: bytes) -> str:
        """Add a light client, whose identifier is returned; it is there from the next block on.

        It is checked as the hub checks it, at the newest block's time.

        Raises:
            KeyError: no light client of that type was given to the constructor.
            VerificationError: the states do not make a client.
        """
        light_client = self.light_clients[client_type]
        created = light_client.create(client_state, consensus_state, self.newest.time_ns)
        known = {*self.newest.router.clients, *self._pending_clients}
        client_id = client_id_for(client_type, sum(known_id.startswith(client_type) for known_id in known))
        self._pending_clients[client_id] = HostedClient(
            client_type, client_state, {created.latest_height: consensus_state}
        )
        return client_id

    def register_counterparty(self, client_id: str, counterparty_id: str, prefix: tuple[bytes, ...]) -> None:
        """Name a client's counterparty from the next block on; unlike a router, it lets the owner do so again.

        Raises:
            KeyError: no such client.
        """
        client = self._pending_clients.get(client_id) or self.newest.router.clients[client_id]
        self._pending_clients[client_id] = replace(client, counterparty=(counterparty_id, prefix))

    def send(self, source_client: str, timeout_timestamp_s: int, payload: Payload) -> None:
        """An app's `sendPacket`, executed in the next block; a refusal by the router raises there.

        Args:
            timeout_timestamp_s: Unix seconds on the destination's clock.
        """
        self._sends.append(_Send(source_client, timeout_timestamp_s, payload))

    def set_validators(self, numbers: Sequence[int]) -> None:
        """Who seals the blocks from the next one on, and is listed in their headers.

        Args:
            numbers: of `validator_key`, with the chain's seed.
        """
        self._validators = tuple(numbers)
        self._key_of |= {validator_address(key): key for key in self.validator_keys()}

    def produce_block(self, time_s: int | None = None) -> SimulatedBlock:
        """Execute what is pending, and wake those who wait on `signal`.

        Args:
            time_s: of the block, Unix seconds; one second after the newest block by default.

        Raises:
            ValueError: `time_s` is before the newest block's.
            Reverted: the router refuses what `send` was called with.
        """
        parent = self.newest
        now_s = parent.header.timestamp_s + 1 if time_s is None else time_s
        if now_s < parent.header.timestamp_s:
            raise ValueError("time goes back")
        height = len(self.blocks)
        state = replace(parent.router, clients={**parent.router.clients, **self._pending_clients})
        balances = {**parent.balances_wei, **self._pending_balances}
        nonces = dict(parent.nonces)
        self._pending_clients, self._pending_balances = {}, {}
        logs: list[tuple[bytes, Emitted]] = []
        receipts: list[SimulatedReceipt] = []
        for number, send in enumerate(self._sends):
            router = self._router(state, now_s)
            router.send(send.source_client, send.timeout_timestamp_s, send.payload)
            state = router.state
            transaction_hash = keccak256(f"{self.name} {height} send {number}".encode())
            logs += [(transaction_hash, emitted) for emitted in router.emitted]
        self._sends = []
        for transaction in self._executable(nonces, balances):
            router = self._router(state, now_s)
            receipt = self._execute(router, transaction, height)
            state = router.state
            nonces[transaction.sender] = transaction.nonce + 1
            balances[transaction.sender] -= receipt.gas_used * BASE_FEE_WEI
            receipts.append(receipt)
            logs += [(transaction.hash, emitted) for emitted in router.emitted]
            del self.pool[transaction.sender, transaction.nonce]
        return self._append(now_s, state, nonces, balances, logs, receipts)

    def reorganise(self, depth: int, *, lose_transactions: bool = False) -> None:
        """Undo the newest `depth` blocks; their transactions return to the pool, or are lost.

        Raises:
            ValueError: `depth` is not 1 to the finality depth, or the chain is too short.
        """
        if not 0 < depth <= min(self.finality_depth, len(self.blocks) - 1):
            raise ValueError("final blocks stay")
        undone = self.blocks[-depth:]
        del self.blocks[-depth:]
        for receipt in (receipt for block in undone for receipt in block.receipts):
            if not lose_transactions:
                key = (receipt.transaction.sender, receipt.transaction.nonce)
                self.pool.setdefault(key, receipt.transaction)

    def drop_pool(self) -> None:
        """All pending transactions vanish, as a node's pool does on restart."""
        self.pool.clear()

    # what the adapter asks

    def states_at(self, height: int, trusting_period_s: int, max_clock_drift_s: int) -> tuple[bytes, bytes]:
        """Encoded client and consensus state of a `bft-evm` client of this chain at block `height`.

        Raises:
            IndexError: there is no such block.
        """
        block = self.blocks[height]
        client_state = ClientState(
            self.chain_id, Consensus.QBFT, ROUTER_ADDRESS, trusting_period_s, max_clock_drift_s, Height(0, height)
        )
        consensus_state = ConsensusState(
            block.header.timestamp_s, block.router.storage_root, decode_extra_data(block.header.extra_data).validators
        )
        return encode_client_state(client_state), encode_consensus_state(consensus_state)

    def update_header(self, trusted: Height, height: int) -> Header:
        """The content of the update message that brings a client from `trusted` to the block at `height`.

        Whether enough of the trusted validators sealed it is not checked.
        """
        header = self.blocks[height].header
        return header_of(trusted, header, self.store.account_proof(header.state_root))

    def misbehaviour(self, trusted: Height, height: int) -> bytes:
        """Encoded evidence that the validators sealed a second block at `height`, which this makes and seals.

        The twin is one second later, and sealed by those who sealed the block.
        """
        honest = self.blocks[height].header
        keys = [self._key_of[address] for address in decode_extra_data(honest.extra_data).validators]
        twin = seal(replace(honest, timestamp_s=honest.timestamp_s + 1, extra_data=b""), keys)
        proof = self.store.account_proof(honest.state_root)
        return encode_misbehaviour(Misbehaviour(header_of(trusted, honest, proof), header_of(trusted, twin, proof)))

    def submit(self, raw: bytes) -> bytes:
        """Take a signed EIP-1559 transaction into the pool, and return its hash.

        Raises:
            AlreadyKnown: it is in the pool, or in a block.
            NonceTooLow, NonceTooHigh: below the sender's nonce, or more than MAX_NONCE_AHEAD above it.
            Underpriced: below the base fee, or less than REPLACEMENT_PERCENT above what it would replace.
            InsufficientFunds: the sender cannot pay all of its gas.
            BroadcastRefused: it cannot be read, or is for another chain.
        """
        transaction = self._parse(raw)
        sender, nonce = transaction.sender, transaction.nonce
        known = self.pool.get((sender, nonce))
        mined = {receipt.transaction.hash for block in self.blocks for receipt in block.receipts}
        if known == transaction or transaction.hash in mined:
            raise AlreadyKnown(transaction.hash, "already known")
        current = self.newest.nonces.get(sender, 0)
        if nonce < current:
            raise NonceTooLow(transaction.hash, f"nonce {nonce} is below {current}")
        if nonce > current + MAX_NONCE_AHEAD:
            raise NonceTooHigh(transaction.hash, f"nonce {nonce} is more than {MAX_NONCE_AHEAD} above {current}")
        if transaction.max_fee_wei < BASE_FEE_WEI:
            raise Underpriced(transaction.hash, f"fee {transaction.max_fee_wei} is below {BASE_FEE_WEI}")
        if known is not None and transaction.max_fee_wei * 100 < known.max_fee_wei * (100 + REPLACEMENT_PERCENT):
            raise Underpriced(transaction.hash, "replacement transaction underpriced")
        if self.newest.balances_wei.get(sender, 0) < transaction.gas * transaction.max_fee_wei:
            raise InsufficientFunds(transaction.hash, "insufficient funds for gas * price")
        self.pool[sender, nonce] = transaction
        return transaction.hash

    def simulate(self, data: bytes) -> tuple[tuple[bool, ...], int]:
        """(whether each message of a `relayBatch` call succeeds on the newest state, the gas that it used).

        Args:
            data: the call's data.

        Raises:
            RefusedByChain: not `relayBatch`, or malformed.
        """
        router = self._router(self.newest.router, self.newest.header.timestamp_s)
        failures, count = self._run_batch(router, data)
        failed = {index for index, _ in failures}
        return tuple(index not in failed for index in range(count)), self._gas_used(data, count)

    def refusals(self, data: bytes) -> dict[int, str]:
        """Why messages of a `relayBatch` call fail on the newest state, by index; those that succeed are left out.

        Raises:
            RefusedByChain: not `relayBatch`, or malformed.
        """
        router = self._router(self.newest.router, self.newest.header.timestamp_s)
        failures, _ = self._run_batch(router, data)
        return {index: ROUTER_REVERTS.read(reason).reason for index, reason in failures}

    def _router(self, state: RouterState, now_s: int) -> Router:
        return Router(state, self.store, self.light_clients, self.apps, now_s)

    def _parse(self, raw: bytes) -> PoolTransaction:
        transaction_hash = keccak256(raw)
        try:
            fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
            sender = to_checksum_address(Account.recover_transaction(raw))
            chain_id = int(fields["chainId"])
            transaction = PoolTransaction(
                hash=transaction_hash,
                raw=raw,
                sender=sender,
                nonce=int(fields["nonce"]),
                gas=int(fields["gas"]),
                max_fee_wei=int(fields["maxFeePerGas"]),
                to=bytes(fields["to"]),
                data=bytes(fields["data"]),
            )
        except (ValueError, TypeError, KeyError, rlp.exceptions.RLPException) as error:
            raise BroadcastRefused(transaction_hash, f"is not an EIP-1559 transaction: {error}") from error
        if chain_id != self.chain_id:
            raise BroadcastRefused(transaction_hash, f"is for chain {chain_id}, not {self.chain_id}")
        return transaction

    def _executable(self, nonces: Mapping[str, int], balances: Mapping[str, int]) -> list[PoolTransaction]:
        """In order of sender and nonce, without gaps, as far as each sender can pay and the block's gas reaches."""
        chosen: list[PoolTransaction] = []
        gas_left = GAS_LIMIT
        for sender in sorted({sender for sender, _ in self.pool}):
            nonce, balance = nonces.get(sender, 0), balances.get(sender, 0)
            while (transaction := self.pool.get((sender, nonce))) is not None:
                cost_wei = transaction.gas * BASE_FEE_WEI
                if cost_wei > balance or transaction.gas > gas_left:
                    break
                balance -= cost_wei
                gas_left -= transaction.gas
                chosen.append(transaction)
                nonce += 1
        return chosen

    @staticmethod
    def _gas_used(data: bytes, count: int) -> int:
        return 21_000 + 16 * len(data) + CALL_GAS * count

    def _execute(self, router: Router, transaction: PoolTransaction, height: int) -> SimulatedReceipt:
        state = router.state
        try:
            if transaction.to != ROUTER_ADDRESS:
                raise Reverted("only the router has code")
            failures, count = self._run_batch(router, transaction.data)
            gas_used = self._gas_used(transaction.data, count)
            if gas_used > transaction.gas:
                raise Reverted("InsufficientBatchGas")
        except (Reverted, RefusedByChain) as error:
            router.state = state
            router.emitted.clear()
            return SimulatedReceipt(transaction, height, transaction.gas, str(error), ())
        if failures and self.atomic_batches:
            router.state = state
            router.emitted.clear()
            reason = ROUTER_REVERTS.read(failures[0][1]).reason
            named = failures[:1] if self.names_culprits else ()
            return SimulatedReceipt(transaction, height, gas_used, reason, named)
        logs = [
            Log(ROUTER_ADDRESS, log.topics, log.data, height, b"", transaction.hash, index, removed=False)
            for index, log in enumerate(router.emitted)
        ]
        done_before = noops(transaction.data, [index for index, _ in failures], logs)
        return SimulatedReceipt(transaction, height, gas_used, None, failures, done_before)

    def _run_batch(self, router: Router, data: bytes) -> tuple[tuple[tuple[int, bytes], ...], int]:
        if data[:4] != RELAY_BATCH.selector:
            raise RefusedByChain("empty", "the router knows relayBatch only")
        try:
            (calls,) = decode(RELAY_BATCH.inputs, data[4:])
        except DecodingError as error:
            raise RefusedByChain("empty", "undecodable call data") from error
        failures: list[tuple[int, bytes]] = []
        for index, (_, call) in enumerate(calls):
            try:
                router.execute(call)
            except Reverted as error:
                reason = revert_reason(str(error))
                failures.append((index, reason))
                topics = (BATCH_CALL_FAILED_TOPIC, index.to_bytes(32, "big"))
                router.emitted.append(Emitted(topics, encode(["bytes"], [reason])))
        return tuple(failures), len(calls)

    def validator_keys(self) -> list[bytes]:
        """The private keys (32 bytes) of those who seal the next block."""
        return [validator_key(self._seed, number) for number in self._validators]

    def _append(
        self,
        time_s: int,
        state: RouterState,
        nonces: Mapping[str, int],
        balances_wei: Mapping[str, int],
        emitted: Sequence[tuple[bytes, Emitted]],
        receipts: Sequence[SimulatedReceipt],
    ) -> SimulatedBlock:
        height = len(self.blocks)
        keys = self.validator_keys()
        parent_hash = self.blocks[-1].hash if self.blocks else bytes(32)
        proposer = validator_address(keys[height % len(keys)])
        header = seal(unsealed(parent_hash, height, time_s, self.store.state_root(state.storage_root), proposer), keys)
        hash_ = block_hash(header, decode_extra_data(header.extra_data))
        logs = tuple(
            Log(ROUTER_ADDRESS, log.topics, log.data, height, hash_, transaction_hash, index, removed=False)
            for index, (transaction_hash, log) in enumerate(emitted)
        )
        block = SimulatedBlock(header, hash_, state, nonces, balances_wei, logs, tuple(receipts))
        self.blocks.append(block)
        self.signal.notify()
        return block
