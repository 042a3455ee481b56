"""An instant-seal chain: every transaction is a block. The smallest thing that is an `EvmChain`."""

import threading
from contextlib import contextmanager

import trio
from eth_hash.auto import keccak

from hutong.relay.evm.chain.block_store import BlockStore, store_block
from hutong.relay.evm.chain.blocks import EvmBlock, EvmHeader, block_body
from hutong.relay.evm.chain.head_feed import HeadFeed
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.error_string import error_string
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.server import JsonRpcApp, serve
from hutong.relay.evm.store.database import MemoryStore, Table, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.evm.vm.transaction import decode_transaction
from tests.relay.evm.evm_bytecode import OPCODES, assemble, deploy_code

CHAIN_ID = 1337
GENESIS_TIME_S = 1_700_000_000


class InstantChain:
    client_version = "instant/1"
    call_gas_limit = 30_000_000
    next_base_fee_wei = 0

    def __init__(self, genesis, fork="paris"):
        self.store = MemoryStore()
        self.chain_id = CHAIN_ID
        self.rules = EvmRules(fork, CHAIN_ID)
        self.blocks = BlockStore(self.store, CHAIN_ID)
        self.mempool = Mempool()
        self.heads = HeadFeed()
        self.hold = False
        with self.store.batch() as batch:
            state = EvmState(WritableTable(batch, b"state/"), EMPTY_STATE_ROOT, self.rules, self._context(0, 0))
            for address, account in genesis.items():
                state.set_account(address, account)
            self._seal(batch, state.persist(), [], bytes(32), 0)

    def _context(self, number, time_s):
        return BlockContext(
            number, GENESIS_TIME_S + time_s, bytes(20), 30_000_000, bytes(32),
            lambda asked: (self.blocks.header(asked) or (b"",))[0],
        )  # fmt: skip

    def _seal(self, batch, root, executed, parent, number):
        body = block_body(executed)
        header = EvmHeader(
            parent_hash=parent, coinbase=bytes(20), state_root=root, transactions_root=body.transactions_root,
            receipts_root=body.receipts_root, logs_bloom=body.logs_bloom, number=number, gas_limit=30_000_000,
            gas_used=body.gas_used, timestamp_s=GENESIS_TIME_S + number, base_fee_wei=0,
        )  # fmt: skip
        block = EvmBlock(keccak(header.encode()), header, body.transactions)
        store_block(batch, block, body.receipts)

    def state_after(self, block):
        context = self._context(block.number, block.number)
        return EvmState(Table(self.store, b"state/"), block.header.state_root, self.rules, context)

    async def submit_transaction(self, raw):
        transaction = decode_transaction(raw, CHAIN_ID)
        state = self.state_after(self.blocks.head())
        state.check_sender(transaction)
        self.mempool.add(transaction, state.nonce(transaction.sender))
        if not self.hold:
            await trio.to_thread.run_sync(run_with_evm_stack, self.seal)
            self.heads.publish(self.blocks.head_number())
        return transaction.hash

    def seal(self):
        head = self.blocks.head()
        with self.store.batch() as batch:
            context = self._context(head.number + 1, head.number + 1)
            state = EvmState(WritableTable(batch, b"state/"), head.header.state_root, self.rules, context)
            executed = [(item, state.apply_transaction(item)) for item in self.mempool.select()]
            self._seal(batch, state.persist(), executed, head.hash, head.number + 1)
        self.mempool.remove_included(tuple(item for item, _ in executed))


@contextmanager
def served(chain, **options):
    """The chain's JSON-RPC on a free port, in a thread of its own; yields the port."""
    started, stop, ports = threading.Event(), [], []

    async def main():
        async with trio.open_nursery() as nursery:
            service = JsonRpcService(chain, options.pop("extra_methods", None))
            ports.append(await nursery.start(serve, JsonRpcApp(service, **options), "127.0.0.1", 0))
            stop.append((trio.lowlevel.current_trio_token(), nursery.cancel_scope))
            started.set()

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    assert started.wait(20)
    try:
        yield ports[0]
    finally:
        token, scope = stop[0]
        token.run_sync_soon(scope.cancel)
        thread.join(20)
        assert not thread.is_alive()


def funded(*addresses):
    return {address: GenesisAccount(balance_wei=10**21) for address in addresses}


# --- a contract: set(uint256) emits Set(value), get(), fail() reverts with a sentence, custom() with Custom(uint256)

ABI = [
    {"type": "function", "name": "set", "stateMutability": "nonpayable", "outputs": [],
     "inputs": [{"name": "value", "type": "uint256"}]},
    {"type": "function", "name": "get", "stateMutability": "view", "inputs": [],
     "outputs": [{"name": "", "type": "uint256"}]},
    {"type": "function", "name": "fail", "stateMutability": "nonpayable", "inputs": [], "outputs": []},
    {"type": "function", "name": "custom", "stateMutability": "nonpayable", "inputs": [], "outputs": []},
    {"type": "error", "name": "Custom", "inputs": [{"name": "value", "type": "uint256"}]},
    {"type": "event", "name": "Set", "anonymous": False,
     "inputs": [{"name": "value", "type": "uint256", "indexed": True}]},
]  # fmt: skip
SET_TOPIC = keccak(b"Set(uint256)")


def _selector(signature):
    return keccak(signature.encode())[:4]


def _program(*parts):
    """Assemble with labels: ("at", name) places one, ("to", name) pushes it."""
    places, size, chunks = {}, 0, []
    for part in parts:
        chunk = b"\x5b" if isinstance(part, tuple) and part[0] == "at" else b"\x61\0\0" if isinstance(part, tuple) else (
            part if isinstance(part, bytes) else assemble(part)
        )  # fmt: skip
        if isinstance(part, tuple) and part[0] == "at":
            places[part[1]] = size
        chunks.append((part, chunk))
        size += len(chunk)
    return b"".join(
        b"\x61" + places[part[1]].to_bytes(2, "big") if isinstance(part, tuple) and part[0] == "to" else chunk
        for part, chunk in chunks
    )


def _revert_with(data):
    stores = b"".join(assemble(data[at : at + 32].ljust(32, b"\0"), at, "MSTORE") for at in range(0, len(data), 32))
    return stores + assemble(len(data), 0, "REVERT")


OPCODES.update({"SHR": 0x1C, "EQ": 0x14, "DUP1": 0x80, "JUMPI": 0x57})
_NAMES = ("set(uint256)", "get()", "fail()", "custom()")
_DISPATCH = [
    item
    for name in _NAMES
    for item in ("DUP1", assemble(_selector(name)), "EQ", ("to", name), "JUMPI")
]  # fmt: skip
RUNTIME = _program(
    assemble(0, "CALLDATALOAD", 0xE0, "SHR"), *_DISPATCH, assemble(0, 0, "REVERT"),
    ("at", "set(uint256)"), assemble(4, "CALLDATALOAD", 0, "SSTORE", 4, "CALLDATALOAD", SET_TOPIC, 0, 0),
    b"\xa2", assemble("STOP"),
    ("at", "get()"), assemble(0, "SLOAD", 0, "MSTORE", 32, 0, "RETURN"),
    ("at", "fail()"), _revert_with(error_string("no way")),
    ("at", "custom()"), _revert_with(_selector("Custom(uint256)") + (7).to_bytes(32, "big")),
)  # fmt: skip
INIT_CODE = deploy_code(RUNTIME)
