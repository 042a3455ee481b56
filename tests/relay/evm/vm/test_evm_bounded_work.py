"""What a free transaction may cost in time and memory (audit C1, C2, H5, M6), by counting; `bench worst_program` measures.

Each is run on py-evm's own machine too, where it is what it was: else a program that has lost its sting would pass.
"""

import gc
import sys
import tracemalloc
import weakref

import pytest
from eth.db.accesslog import KeyAccessLoggerAtomicDB
from eth.db.hash_trie import HashTrie
from eth.db.storage import AccountStorageDB, StorageLookup
from eth.vm.computation import BaseComputation
from eth.vm.memory import Memory

from hutong.relay.evm.store.database import MemoryStore, WriteBatch
from hutong.relay.evm.vm import program
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.frames import OneCopyMemory
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.evm.vm.program import STRIDE_BYTES, Program
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.stack import run_with_evm_stack
from tests.relay.evm.evm_bytecode import assemble, call, push
from tests.relay.evm.vm.plain_evm import plain_rules

CALLER, CALLEE = b"\xca" * 20, b"\xce" * 20
SENDER = b"\x5e" * 20
CONTEXT = BlockContext(1, 1_700_000_000, bytes(20), 2**24, bytes(32), lambda number: b"")
INPUT_BYTES = 256 * 1024
ROUNDS = 60
KIB = 1024


def state_with(rules_of, accounts):
    batch, rules = WriteBatch(MemoryStore()), rules_of("prague", 7)
    state = EvmState(batch, EMPTY_STATE_ROOT, rules, CONTEXT)
    for address, account in accounts.items():
        state.set_account(address, account)
    return EvmState(batch, state.persist(), rules, CONTEXT)


def executed(rules_of, accounts, measure):
    """`measure(call)` in a thread that can hold the deepest call."""

    def run():
        state = state_with(rules_of, accounts)
        return measure(lambda: state.call(CallMessage(SENDER, CALLER, gas=2**24)))

    return run_with_evm_stack(run)


def peak_kib(call_it):
    """Of what is allocated while it runs. No collector: what is only in a cycle stays."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        result = call_it()
        return tracemalloc.get_traced_memory()[1] / KIB, result
    finally:
        tracemalloc.stop()
        gc.enable()


def calls_with_input(size, rounds=ROUNDS):
    return GenesisAccount(nonce=1, code=(call("STATICCALL", CALLEE, 100, input_size=size) + assemble("POP")) * rounds)


@pytest.mark.long
@pytest.mark.parametrize("callee", [b"", b"\xfe", b"\x5f\x5f\xfd"], ids=["empty", "halts", "reverts"])
def test_audit_C1_a_finished_call_keeps_nothing_of_its_input(callee):
    accounts = {CALLER: calls_with_input(INPUT_BYTES), CALLEE: GenesisAccount(nonce=1, code=callee)}
    ours, result = executed(EvmRules, accounts, peak_kib)
    plain, before = executed(plain_rules, accounts, peak_kib)
    assert result == before and result.success
    assert ours < 3 * INPUT_BYTES / KIB + 512  # the memory, one input, and the frames
    assert plain > ROUNDS * INPUT_BYTES / KIB


def test_audit_C1_of_a_thousand_children_none_is_left(monkeypatch):
    """Whether they succeed or fail, while the transaction still runs; their logs are in its result."""
    alive, most = weakref.WeakSet(), []
    build = BaseComputation.__init__

    def counted(self, *arguments):
        alive.add(self)
        most.append(len(alive))
        build(self, *arguments)

    monkeypatch.setattr(BaseComputation, "__init__", counted)
    accounts = {
        CALLER: GenesisAccount(nonce=1, code=(call("CALL", CALLEE, 2_000) + call("STATICCALL", CALLEE, 2_000)) * 500),
        CALLEE: GenesisAccount(nonce=1, code=assemble(0, 0, "LOG0")),
    }
    gc.disable()
    try:
        assert executed(EvmRules, accounts, lambda call_it: call_it().success)
        assert len(most) == 1_001 and max(most) == 2
    finally:
        gc.enable()


PUSHES = b"\x7f" * 24_547


def pushes_with_a_jump(fill=PUSHES):
    """A jump to the end, which is a JUMPDEST only if all before it is read from the start."""
    whole = fill[: (len(fill) - 4) // 33 * 33]
    return push((len(whole) + 4).to_bytes(2, "big")) + b"\x56" + whole + b"\x5b"


@pytest.mark.long
def test_audit_C2_a_jump_in_code_full_of_pushes_costs_what_other_gas_does():
    code = pushes_with_a_jump()
    assert code[len(code) - 1] == 0x5B and Program(code).allows(len(code) - 1)
    accounts = {CALLER: calls_with_input(0, 40), CALLEE: GenesisAccount(nonce=1, code=code)}
    accounts[CALLER] = GenesisAccount(nonce=1, code=(call("STATICCALL", CALLEE, 100) + assemble("POP")) * 40)
    jumpdests = {CALLER: GenesisAccount(nonce=1, code=b"\x5b" * 24_000)}

    def lines_per_gas(call_it):
        """Lines of Python: counted, for a clock says what else the machine did."""
        lines = 0

        def count(frame, event, argument):
            nonlocal lines
            lines += event == "line"
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            result = call_it()
        finally:
            sys.settrace(before)
        return lines / (result.gas_used - 21_000)

    usual = executed(plain_rules, jumpdests, lines_per_gas)
    assert executed(EvmRules, accounts, lines_per_gas) < 20 * usual
    accounts[CALLER] = GenesisAccount(nonce=1, code=(call("STATICCALL", CALLEE, 100) + assemble("POP")) * 3)
    assert executed(plain_rules, accounts, lines_per_gas) > 200 * usual


def test_audit_C2_code_is_read_once_however_often_it_is_entered(monkeypatch):
    read = []
    starts = program._starts_of
    monkeypatch.setattr(program, "_starts_of", lambda code, size: read.append(size) or starts(code, size))
    code = pushes_with_a_jump(b"\x7e" * 24_547)
    accounts = {
        CALLER: GenesisAccount(nonce=1, code=(call("STATICCALL", CALLEE, 100) + assemble("POP")) * 50),
        CALLEE: GenesisAccount(nonce=1, code=code),
    }
    assert executed(EvmRules, accounts, lambda call_it: call_it().success)
    assert read == [len(code)]


def test_audit_C2_codes_are_read_once_when_more_are_called_than_are_kept(monkeypatch):
    """Or a block would go round them, each read anew for the price of a call."""
    read = []
    starts = program._starts_of
    monkeypatch.setattr(program, "_starts_of", lambda code, size: read.append(size) or starts(code, size))
    monkeypatch.setattr(program, "MOST_CODES", 4)
    codes = [pushes_with_a_jump(bytes([0x70 + number]) * 400) for number in range(8)]
    accounts = {bytes([number + 1]) * 20: GenesisAccount(nonce=1, code=code) for number, code in enumerate(codes)}
    rounds = b"".join(call("STATICCALL", address, 100) + assemble("POP") for address in accounts) * 5
    assert executed(
        EvmRules, accounts | {CALLER: GenesisAccount(nonce=1, code=rounds)}, lambda call_it: call_it().success
    )
    assert len(read) == len(codes)


def test_codes_are_kept_by_their_hash_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(program, "MOST_CODES", 2)
    monkeypatch.setattr(program, "MOST_STRIDES", 3)
    codes = program.KnownCodes()
    for number in range(5):
        assert codes.add(bytes([number]), b"\x5b" * number) == b"\x5b" * number
    assert codes.get(bytes([2])) is None and codes.get(bytes([4])) == b"\x5b" * 4
    assert len(codes._codes) == 2 and len(codes._strides) == 3


@pytest.mark.parametrize("fill", [b"\x60", b"\x7f", b"\x5b", b"\x6f\x5b", b"\x60\x5b\x5b", bytes(range(256))])
def test_each_jump_target_is_what_a_walk_from_the_start_says(fill):
    code = (fill * 400)[: 3 * STRIDE_BYTES + 7] + b"\x5b"
    at, starts = 0, set()
    while at < len(code):
        starts.add(at)
        at += code[at] - 0x5E if 0x60 <= code[at] <= 0x7F else 1
    read = Program(code)
    for target in (*range(len(code) + 40), 2**256 - 1):
        assert read.allows(target) == (target in starts and code[target] == 0x5B)


DIRTY = 120


def dirty_then_calls():
    """One changed slot in each of many contracts, then empty calls."""
    contracts = [number.to_bytes(20, "big") for number in range(0x10_000, 0x10_000 + DIRTY)]
    changes = b"".join(call("CALL", address, 30_000) + assemble("POP") for address in contracts)
    calls = (call("STATICCALL", CALLEE, 100) + assemble("POP")) * 200
    accounts = {address: GenesisAccount(nonce=1, code=assemble(1, 0, "SSTORE")) for address in contracts}
    return accounts | {CALLER: GenesisAccount(nonce=1, code=changes + calls)}


def test_audit_H5_a_call_costs_the_same_however_many_stores_are_dirty(monkeypatch):
    walked = []
    for name in ("record", "commit", "discard"):
        own = getattr(AccountStorageDB, name)
        monkeypatch.setattr(AccountStorageDB, name, lambda self, mark, own=own: walked.append(1) or own(self, mark))

    def touches(call_it):
        walked.clear()
        assert call_it().success
        return len(walked)

    accounts = dirty_then_calls()
    assert executed(EvmRules, accounts, touches) <= 3 * DIRTY
    assert executed(plain_rules, accounts, touches) > 200 * DIRTY


def test_audit_M6_call_input_is_copied_once():
    def peak_of(memory):
        memory.extend(0, INPUT_BYTES)
        size, copied = peak_kib(lambda: memory.read_bytes(0, INPUT_BYTES))
        assert copied == bytes(INPUT_BYTES)
        return size

    assert peak_of(OneCopyMemory()) < 1.1 * INPUT_BYTES / KIB
    assert peak_of(Memory()) > 1.9 * INPUT_BYTES / KIB


ROUND = 40
"""More than is kept in these tests."""


@pytest.mark.parametrize("piece", ["SLOAD", "BALANCE", "CALL"])
def test_audit_H5_what_was_read_in_a_block_is_not_read_again(piece, monkeypatch):
    """Each for a first price, then again and again for 100 gas, with failing frames in between: the trie is asked once."""
    asked = []
    for reader in (StorageLookup, HashTrie):
        own = reader.__getitem__
        monkeypatch.setattr(reader, "__getitem__", lambda self, key, own=own: asked.append(key) or own(self, key))
    fails = assemble(1, 0, "SSTORE", 0, 0, "REVERT")
    code = b""
    for number in range(ROUND):
        address = (0x20_000 + number).to_bytes(20, "big")
        code += {
            "SLOAD": push(number) + b"\x54\x50",
            "BALANCE": push(address) + b"\x31\x50",
            "CALL": call("STATICCALL", address, 0) + assemble("POP"),
        }[piece]
    code = (code + call("CALL", CALLER, 30_000) + assemble("POP")) * 3
    guarded = assemble("CALLER", CALLER) + b"\x14\x61" + (len(code) + 60).to_bytes(2, "big") + b"\x57"
    whole = (guarded + code + b"\x00").ljust(len(code) + 60, b"\x00") + b"\x5b" + fails
    accounts = {CALLER: GenesisAccount(nonce=1, code=whole, storage=dict.fromkeys(range(ROUND), 7))}

    def reads(call_it):
        asked.clear()
        assert call_it().success
        return len(asked)

    assert executed(EvmRules, accounts, reads) <= ROUND + 10
    if piece == "SLOAD":  # py-evm keeps 2 048 accounts, more than a test has
        assert executed(plain_rules, accounts, reads) > 2 * ROUND


def test_audit_H5_reading_a_code_costs_the_same_however_much_was_read(monkeypatch):
    """py-evm copies the set of all keys read in the block each time."""
    copied = []
    own = KeyAccessLoggerAtomicDB.keys_read.fget
    monkeypatch.setattr(KeyAccessLoggerAtomicDB, "keys_read", property(lambda self: copied.append(1) or own(self)))
    monkeypatch.setattr(program, "MOST_CODES", 1)
    accounts = {bytes([number + 1]) * 20: GenesisAccount(nonce=1, code=bytes([number])) for number in range(4)}
    rounds = b"".join(call("STATICCALL", address, 100) + assemble("POP") for address in accounts) * 5

    def copies(call_it):
        copied.clear()
        assert call_it().success
        return len(copied)

    accounts[CALLER] = GenesisAccount(nonce=1, code=rounds)
    assert executed(EvmRules, accounts, copies) == 0
    assert executed(plain_rules, accounts, copies) >= 20
