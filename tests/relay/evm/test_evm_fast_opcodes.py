"""The short ways through common opcodes against py-evm's own: the same bytes, gas, storage and error for any code."""

import pytest
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.prague.computation import PragueComputation
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.evm.database import MemoryStore, WriteBatch
from relay.evm.execution import EMPTY_STATE_ROOT, BlockContext, CallMessage, CallResult, EvmState, GenesisAccount
from relay.evm.fast_opcodes import with_fast_opcodes
from relay.evm.rules import EvmRules, Fork
from relay.evm.stack import run_with_evm_stack

CHAIN_ID = 77
CONTRACT = bytes.fromhex("c0" * 20)
SENDER = bytes.fromhex("5e" * 20)
CONTEXT = BlockContext(1, 1_700_000_000, bytes(20), 30_000_000, bytes(32), lambda number: b"")
PLAIN = {"paris": ParisComputation.opcodes, "prague": PragueComputation.opcodes}
SHORTENED = [
    value for value in PLAIN["prague"] if with_fast_opcodes(PLAIN["prague"])[value] is not PLAIN["prague"][value]
]

push = st.binary(min_size=1, max_size=32).map(lambda word: bytes([0x5F + len(word)]) + word)
small = st.integers(0, 90).map(lambda value: bytes([0x60, value]))
common = st.sampled_from(SHORTENED).map(lambda value: bytes([value]))
other = st.sampled_from([0x04, 0x05, 0x0B, 0x19, 0x20, 0x35, 0x53, 0x54, 0x55, 0x58, 0x59, 0x5A, 0xF3, 0xFD, 0xFE]).map(
    lambda value: bytes([value])
)
code = st.lists(st.one_of(small, small, push, common, common, common, other), max_size=60).map(b"".join)


def run(fork: Fork, program: bytes, gas: int, *, plain: bool) -> tuple[CallResult, bytes]:
    rules = EvmRules(fork, CHAIN_ID)
    if plain:
        rules.state_class.computation_class.opcodes = PLAIN[fork]

    def execute() -> tuple[CallResult, bytes]:
        state = EvmState(WriteBatch(MemoryStore()), EMPTY_STATE_ROOT, rules, CONTEXT)
        state.set_account(SENDER, GenesisAccount(balance_wei=10**18))
        state.set_account(CONTRACT, GenesisAccount(nonce=1, code=program, storage={0: 5, 1: 2**255}))
        result = state.call(CallMessage(SENDER, CONTRACT, bytes(range(64)), gas=gas))
        return result, state.state_root()

    return run_with_evm_stack(execute)


@settings(max_examples=400, deadline=None)
@given(program=code, gas=st.integers(22_000, 24_000) | st.just(200_000), fork=st.sampled_from(["paris", "prague"]))
def test_any_code_ends_the_same_both_ways(program: bytes, gas: int, fork: Fork) -> None:
    assert run(fork, program, gas, plain=False) == run(fork, program, gas, plain=True)


def returning(program: str) -> bytes:
    """The program, then the top of its stack returned as a word."""
    return bytes.fromhex(program + "600052" + "60206000f3")


@pytest.mark.parametrize(
    "program",
    [
        "6001600003",  # SUB below zero wraps
        "7fff00000000000000000000000000000000000000000000000000000000000000" + "61010011",  # GT
        "6001610100" + "1b",  # SHL by 256
        "6001610100" + "1c",  # SHR by 256
        "60ff15",  # ISZERO of bytes
        "5f15",  # ISZERO of nothing
        "600051",  # MLOAD that grows memory
        "60017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff01",  # ADD past the top
        "6005565b5b6007",  # JUMP over a JUMPDEST
        "60016007575b60ff",  # JUMPI to what is no JUMPDEST
    ],
)
def test_edges_both_ways(program: str) -> None:
    whole = returning(program)
    assert run("prague", whole, 200_000, plain=False) == run("prague", whole, 200_000, plain=True)


def test_a_jump_into_push_data_and_a_full_stack_are_refused_as_py_evm_refuses_them() -> None:
    into_data = bytes.fromhex("6004565b605b00")
    full = bytes.fromhex("5b60006000565b") + bytes(1)
    endless_push = bytes.fromhex("5b6001600056")
    for program in (into_data, full, endless_push, b"\x60", b"\x7f\x01", b"\x80", b"\x90", b"\x01", b"\x50", b"\x57"):
        fast, plain = (run("prague", program, 400_000, plain=flag) for flag in (False, True))
        assert fast == plain
    assert run("prague", endless_push, 400_000, plain=False)[0].failure_detail.startswith("FullStack")


def test_the_table_of_the_fork_is_left_alone() -> None:
    assert len(SHORTENED) == 83
    assert with_fast_opcodes(PLAIN["paris"]).keys() == PLAIN["paris"].keys()
    assert PLAIN["prague"][0x01].mnemonic == "ADD"
