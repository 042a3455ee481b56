"""One block of a candidate executed on the hub's machine, or on it with mends turned off, and what that took."""

import gc
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth.db.account import AccountDB
from eth.db.storage import AccountStorageDB
from eth.vm.code_stream import CodeStream
from eth.vm.computation import BaseComputation
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.memory import Memory
from eth.vm.transient_storage import TransientStorage

from bench.hub.costly_programs import DIRTY_GAS, MAIN, SOILER, Candidate
from hutong.relay.evm.store.database import MemoryStore, WritableTable, WriteBatch
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.frames import OneCopyMemory
from hutong.relay.evm.vm.program import KnownCode, Program
from hutong.relay.evm.vm.rules import EvmRules, ForkChanges
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.evm.vm.transaction import SignedTransaction
from hutong.relay.hub.application.machine.evm_rules import PRECOMPILE_SETS, PRICES

BLOCK_GAS = 2**24
CHAIN_ID = 7
SENDER = b"\x5e" * 20
WARM_CODES = 400
FILLERS = 2_000
"""Accounts beside, so that the trie has some depth."""
MENDS = ("C1", "C2", "H5", "M6")
EVERYTHING = frozenset((*MENDS, "loop"))
"""py-evm as it is."""


class _WalkedAccounts(AccountDB):
    """py-evm's own, which tells each dirty store of each checkpoint."""

    def code_size(self, address: Any) -> int:
        return len(self.get_code(address))


class _RecursiveProgram(Program):
    """Jump analysis as py-evm does it, anew in each frame."""

    __slots__ = ("_stream",)

    def __init__(self, code: bytes) -> None:
        super().__init__(code)
        self._stream = CodeStream(code)

    def allows(self, target: int) -> bool:
        return target < self.size and self.padded[target] == 0x5B and self._stream.is_valid_opcode(target)


def _recursive_code(code: bytes, build: Any) -> Any:
    stream = build(code)
    stream.program = _RecursiveProgram(code)
    return stream


def machine(rules_version: int, without: frozenset[str] = frozenset()) -> EvmRules:
    """The hub's machine of that version, `without` some of MENDS or, with EVERYTHING, on plain py-evm at the prices of it."""
    prices = PRICES[rules_version]
    if "M6" in without:
        prices = replace(prices, input_word_gas=0, code_bytes_per_gas=0)
    rules = EvmRules("prague", CHAIN_ID, changes=ForkChanges(prices, PRECOMPILE_SETS[rules_version]))
    ours = rules.state_class
    if without == EVERYTHING:
        return _plain(rules)
    attributes: dict[str, Any] = {}
    if "C1" in without:
        attributes["add_child_computation"] = BaseComputation.add_child_computation
    own = ours.computation_class

    def build(self: Any, state: Any, message: Any, context: Any) -> None:
        own.__init__(self, state, message, context)
        if "C2" in without:
            self.code = _recursive_code(message.code, type(self.code))
        if "M6" in without:
            self._memory = Memory()

    attributes["__init__"] = build
    state: dict[str, Any] = {"computation_class": type("Unmended", (own,), attributes)}
    if "H5" in without:
        state |= {"account_db_class": _WalkedAccounts, "_transient_storage_class": TransientStorage}
    if without:
        rules.state_class = type("UnmendedState", (ours,), state)
    return rules


def _plain(rules: EvmRules) -> EvmRules:
    ours = rules.state_class
    paid = {"_precompiles": ours.computation_class._precompiles, "apply_child_computation": _paid_frame}
    paid["prices"] = ours.computation_class.prices
    state = {"computation_class": type("Plain", (PragueComputation,), paid), "account_db_class": AccountDB}
    rules.state_class = type("PlainState", (ours,), {**state, "_transient_storage_class": TransientStorage})
    return rules


def _paid_frame(self: Any, child_msg: Any) -> Any:
    self.consume_gas(self.prices.of_frame(len(child_msg.data), len(child_msg.code)), "call frame")
    return BaseComputation.apply_child_computation(self, child_msg)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of `gas` units in a block. Counts and bytes are the same on any machine; seconds are of one core."""

    gas: int
    seconds: float = 0.0
    peak_bytes: int = 0
    function_calls: int = 0
    copied_bytes: int = 0
    journal_steps: int = 0

    @property
    def s_per_block(self) -> float:
        return self.seconds * BLOCK_GAS / self.gas

    @property
    def mib_per_block(self) -> float:
        return self.peak_bytes / 2**20 * BLOCK_GAS / self.gas


class Machine:
    """Executes candidates under one set of rules."""

    def __init__(self, rules: EvmRules) -> None:
        self.rules = rules
        self._store = MemoryStore()
        with self._store.batch() as batch:
            state = self._state(batch, EMPTY_STATE_ROOT)
            for number in range(FILLERS):
                state.set_account(b"\xf1" + number.to_bytes(19, "big"), GenesisAccount(balance_wei=number + 1))
            self._root = state.persist()

    def seconds(self, candidate: Candidate, gas: int) -> Cost:
        """Processor time of the block's execution, its new state root included."""

        def measure(run: Callable[[], None]) -> float:
            started = time.thread_time()
            run()
            return time.thread_time() - started

        return Cost(gas, seconds=self._executed(candidate, gas, measure))

    def peak(self, candidate: Candidate, gas: int) -> Cost:
        """How far the process grows. In a process of its own: what is freed is not always given back."""

        def measure(run: Callable[[], None]) -> int:
            gc.collect()
            Path("/proc/self/clear_refs").write_text("5")
            before = _status_kib("VmRSS")
            run()
            return (_status_kib("VmHWM") - before) * 1024

        return Cost(gas, peak_bytes=self._executed(candidate, gas, measure))

    def counts(self, candidate: Candidate, gas: int, most_calls_per_gas: int = 10) -> Cost:
        """What does not depend on the machine: functions called, bytes of memory copied out of frames, bytes allocated, stores
        told of a checkpoint. Ends early after `most_calls_per_gas`: a worse one need not be finished."""
        counter: Counter[str] = Counter()
        calls = 0

        def count(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal calls
            calls += event == "call"
            if calls > gas * most_calls_per_gas:
                raise _Enough

        def measure(run: Callable[[], None]) -> int:
            tracemalloc.start()
            with _counted(counter):
                sys.setprofile(count)
                try:
                    run()
                except _Enough:
                    pass
                finally:
                    sys.setprofile(None)
                    peak_bytes = tracemalloc.get_traced_memory()[1]
                    tracemalloc.stop()
            return peak_bytes

        peak_bytes = self._executed(candidate, gas, measure, warm=True)
        return Cost(
            gas,
            peak_bytes=peak_bytes,
            function_calls=calls,
            copied_bytes=counter["bytes"],
            journal_steps=counter["journal"],
        )

    def _executed(
        self, candidate: Candidate, gas: int, measure: Callable[[Callable[[], None]], Any], *, warm: bool = False
    ) -> Any:
        """`warm`: codes are known before, as in a process that has run for long: what it keeps of them is no block's."""

        def run() -> Any:
            batch = WriteBatch(self._store)
            state = self._state(batch, self._root)
            for address, account in candidate.accounts().items():
                state.set_account(address, account)
            root = state.persist()
            state = self._state(batch, root)
            for address in list(candidate.accounts())[:WARM_CODES] if warm else ():
                code = state._vm.get_code(address)
                if isinstance(code, KnownCode):
                    code.program  # noqa: B018  # made when it is asked for
            transactions = list(_transactions(candidate, gas))

            def block() -> None:
                for transaction in transactions:
                    state.apply_transaction(transaction)
                state.persist()

            return measure(block)

        return run_with_evm_stack(run)

    def _state(self, batch: Any, root: bytes) -> EvmState:
        context = BlockContext(1, 1_700_000_000, b"\xcb" * 20, BLOCK_GAS, bytes(32), lambda _number: b"\x01" * 32)
        return EvmState(WritableTable(batch, b"evm"), root, self.rules, context)


def _transactions(candidate: Candidate, gas: int) -> Iterator[SignedTransaction]:
    nonce, left = 0, gas
    if candidate.dirty:
        spent = min(gas // 2, 60_000 + DIRTY_GAS * candidate.dirty)
        yield _transaction(nonce, SOILER, spent, b"")
        nonce, left = 1, gas - spent
    count = max(1, min(candidate.transactions, left // 60_000))
    data = bytes(min(candidate.data_bytes, left // count // 50))
    for _ in range(count):
        yield _transaction(nonce, MAIN, left // count, data)
        nonce += 1


def _transaction(nonce: int, to: bytes, gas: int, data: bytes) -> SignedTransaction:
    return SignedTransaction(
        raw=b"", hash=bytes(32), sender=SENDER, type=0, chain_id=CHAIN_ID, nonce=nonce, gas_limit=gas, max_fee_per_gas_wei=0,
        max_priority_fee_per_gas_wei=0, to=to, value_wei=0, data=data, access_list=(), v=0, r=0, s=0,
    )  # fmt: skip


class _Enough(BaseException):
    """Not for the machine to catch."""


@contextmanager
def _counted(counter: Counter[str]) -> Iterator[None]:
    """Bytes of frames' memory that is read as a whole, which py-evm's own copies twice; and what stores are told."""

    def reading(own: Any, copies: int) -> Any:
        def read(self: Any, start: int, size: int) -> bytes:
            counter["bytes"] += copies * size
            copied: bytes = own(self, start, size)
            return copied

        return read

    def told(own: Any) -> Any:
        def tell(self: Any, checkpoint: Any) -> None:
            counter["journal"] += 1
            own(self, checkpoint)

        return tell

    replaced = [
        (Memory, "read_bytes", reading(Memory.read_bytes, 2)),
        (OneCopyMemory, "read_bytes", reading(OneCopyMemory.read_bytes, 1)),
        *((AccountStorageDB, name, told(getattr(AccountStorageDB, name))) for name in ("record", "commit")),
    ]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, function in replaced:
        setattr(owner, name, function)
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def _status_kib(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1])
