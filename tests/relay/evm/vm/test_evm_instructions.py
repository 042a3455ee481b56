"""The loop of common instructions against py-evm's own functions: the same stack, memory, gas, output and words of failure."""

import pytest
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.message import Message
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT
from hutong.relay.evm.vm.instructions import BINARY, IN_LOOP, NOT_IN_LOOP, growth_gas, loop_costs
from hutong.relay.evm.vm.program import PUSH1
from hutong.relay.evm.vm.rules import EvmRules
from tests.relay.evm.evm_bytecode import assemble, push

STOCK = {"paris": ParisComputation, "prague": PragueComputation}
QUICK = {fork: EvmRules(fork, 1).state_class for fork in STOCK}
SENDER, TARGET = b"\x11" * 20, b"\x22" * 20
CALLDATA = bytes(range(1, 71))
JUMP, JUMPI, JUMPDEST = b"\x56", b"\x57", b"\x5b"
EDGES = (0, 1, 2, 31, 32, 33, 255, 256, 2**255 - 1, 2**255, 2**256 - 1)


def run(fork, computation_class, code, gas, data=CALLDATA):
    context = ExecutionContext(bytes(20), 1, 1, 0, bytes(32), 30_000_000, (), 1, 7, 0)
    state = QUICK[fork](AtomicDB(), context, EMPTY_STATE_ROOT)
    state.block_hash = lambda number: b""
    message = Message(gas=gas, to=TARGET, sender=SENDER, value=0, data=data, code=code)
    frame = computation_class.apply_message(state, message, state.transaction_context_class(0, SENDER))
    return {
        "stack": [value if isinstance(value, int) else int.from_bytes(value, "big") for value in frame._stack.values],
        "memory": bytes(frame._memory._bytes),
        "gas": frame.get_gas_remaining(),
        "refund": frame.get_gas_refund(),
        "error": (type(frame._error), str(frame._error)),
        "output": bytes(frame.output),
        "storage": [state.get_storage(TARGET, slot) for slot in (0, 1, 2)],
    }


def agree(code, gas=60_000, fork="paris", data=CALLDATA):
    own = run(fork, QUICK[fork].computation_class, code, gas, data)
    assert own == run(fork, STOCK[fork], code, gas, data)
    return own


@pytest.mark.parametrize("fork", QUICK)
def test_every_instruction_of_the_loop_costs_what_the_fork_says(fork):
    table = STOCK[fork].opcodes
    costs = loop_costs(table)
    assert QUICK[fork].computation_class.loop_costs == costs and len(costs) == PUSH1
    for opcode in range(PUSH1):
        known = opcode in IN_LOOP and opcode in table
        assert costs[opcode] == (table[opcode].gas_cost if known else NOT_IN_LOOP)
    assert all(table[opcode].gas_cost == 3 for opcode in range(PUSH1, 0xA0))


def test_instructions_of_a_later_fork_are_none_of_an_earlier_one():
    for opcode in (0x5E, 0x5F, 0x4A):
        assert "InvalidInstruction" in str(agree(push(0) * 3 + bytes([opcode]), fork="paris")["error"])
        assert agree(push(0) * 3 + bytes([opcode]), fork="prague")["error"][0] is type(None)


def test_the_loop_is_what_runs(monkeypatch):
    """py-evm's own functions are not asked for an addition."""
    monkeypatch.setitem(QUICK["paris"].computation_class.opcodes, 0x01, None)
    run("paris", QUICK["paris"].computation_class, push(1) + push(2) + b"\x01", 100)


@pytest.mark.parametrize("opcode", BINARY)
def test_two_words_in_one_out(opcode):
    for first in EDGES:
        for second in EDGES:
            agree(push(second) + push(first) + bytes([opcode]))


EVERYTHING = b"".join([
    assemble(7, 40, "MSTORE", 8, "MLOAD", 3, "CALLDATALOAD", 60, "CALLDATALOAD", "ISZERO"),
    b"\x19",  # NOT
    *(push(2**200 + number) for number in range(20)),
    *(bytes([opcode]) for opcode in (*range(0x80, 0xA0), *BINARY)),
    assemble("POP", 1, 0, "SSTORE", "GAS", "CALLER", 0, "ADD"),
    JUMPDEST,
])  # fmt: skip
LOOP = push(5) + JUMPDEST + push(1) + b"\x90\x03\x80" + push(2) + JUMPI + push(77) + b"\x00"


@pytest.mark.parametrize("fork", QUICK)
def test_every_amount_of_gas(fork):
    """An instruction that cannot be paid halts as py-evm says it does, wherever the gas ends."""
    for code, most in ((EVERYTHING, 400), (LOOP, 200)):
        for gas in range(most):
            agree(code, gas, fork)
        assert agree(code, 60_000, fork)["error"][0] is type(None)
    assert agree(LOOP)["stack"] == [0, 77]


@pytest.mark.parametrize("opcode", (*sorted(IN_LOOP), *range(PUSH1, 0xA0)))
def test_too_little_and_too_much_on_the_stack(opcode):
    tail = bytes([opcode]) + bytes(32)
    for count in (0, 1, 2, 3, 15, 16, 17, 1023, 1024):
        agree(push(0) * count + tail)


@pytest.mark.parametrize("jump", [JUMP, push(1) + b"\x90" + JUMPI, push(0) + b"\x90" + JUMPI])
def test_jumps_land_on_a_jumpdest_that_is_code(jump):
    code = jump + b"\x00" + JUMPDEST + push(b"\x5b\x5b") + JUMPDEST + b"\x61\x5b"
    for _ in range(2):  # what the first found is remembered
        for target in (*range(40 + len(code)), 2**16, 2**256 - 1):
            agree(push(target.to_bytes(32, "big")) + code)


def test_code_that_was_seen_before_is_not_other_code():
    """Two codes with the same length, and a JUMPDEST of one in a PUSH of the other."""
    good = push(4) + JUMP + b"\x5f" + JUMPDEST
    bad = push(4) + JUMP + b"\x60" + JUMPDEST
    for _ in range(2):
        assert agree(good)["error"][0] is type(None)
        assert agree(bad)["error"][0] is not type(None)


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(31), bytes(range(32)), bytes(range(64))])
def test_words_of_the_call_data_and_of_memory_at_their_ends(data):
    for start in (0, 1, 31, 32, 33, 64, 2**64, 2**256 - 1):
        agree(push(start) + assemble("CALLDATALOAD"), data=data)
        agree(assemble(9, 33, "MSTORE") + push(start) + assemble("MLOAD"))
        agree(assemble(9, 33, "MSTORE", 5) + push(start) + assemble("MSTORE"))


@pytest.mark.parametrize("opcode", [0x08, 0x09])
def test_three_words_in_one_out(opcode):
    for first in EDGES:
        for modulus in EDGES:
            agree(push(modulus) + push(2**255 + 7) + push(first) + bytes([opcode]))


@pytest.mark.parametrize("fork", QUICK)
@pytest.mark.parametrize("opcode", [0x37, 0x39, 0x3E, 0x5E, 0x20, 0x53])
def test_memory_grows_and_is_paid_as_in_py_evm(opcode, fork):
    """From nothing, inside, to its end, over it, and to where nobody can pay; with each amount of gas at the edge."""
    head = assemble(7, 0, "MSTORE") if opcode != 0x37 else b""
    for start in (0, 1, 31, 32, 95, 2**16, 2**256 - 1):
        for source in (0, 5, 69, 70, 71, 2**256 - 1):
            for size in (0, 1, 32, 33, 300):
                agree(head + push(size) + push(source) + push(start) + bytes([opcode]), fork=fork)
    for gas in range(60):
        agree(push(40) + push(0) + push(3) + bytes([opcode]), gas, fork)


def test_growth_is_priced_as_in_the_yellow_paper():
    def whole(words):
        return 3 * words + words * words // 512

    for before in (0, 1, 23, 700):
        for end in (1, 32, 33, 32 * 700 + 1, 2**20):
            if end > before * 32:
                assert growth_gas(before * 32, end) == whole((end + 31) // 32) - whole(before)


def test_what_is_the_same_in_a_whole_frame_is_asked_once_and_right():
    everything = b"".join(
        bytes([opcode])
        for opcode in range(0x30, 0x4B)
        if opcode not in {0x31, 0x35, 0x37, 0x39, *range(0x3B, 0x41), 0x49}
    )
    for fork in QUICK:
        agree(everything * 3 + assemble(0, 0, "MSTORE") + everything, fork=fork)


NUMBERS = st.sampled_from(EDGES) | st.integers(0, 90)
PIECES = (
    NUMBERS.map(push)
    | st.sampled_from([*IN_LOOP, *range(PUSH1, 0xA0), 0x54, 0x55, 0xF3, 0xFD]).map(lambda op: bytes([op]))
    | st.sampled_from([JUMPDEST, push(0) + assemble("MSTORE"), push(32) + assemble("MLOAD")])
    | st.integers(0, 120).map(lambda target: push(target) + JUMP)
)


@given(st.lists(PIECES, max_size=60).map(b"".join), st.integers(0, 3000), st.sampled_from(list(QUICK)))
@settings(max_examples=150, deadline=None)
@example(b"\x7f\x01", 100, "paris")
def test_any_program_ends_the_same(code, gas, fork):
    agree(push(3) * 6 + code, gas, fork)


@given(st.binary(max_size=80), st.integers(0, 3000), st.sampled_from(list(QUICK)))
@settings(max_examples=100, deadline=None)
def test_any_bytes_end_the_same(code, gas, fork):
    agree(code, gas, fork)
