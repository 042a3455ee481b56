"""Gas for what py-evm works long for: charged before the work, and never where the fork's own prices stand."""

import pytest

from hutong.relay.evm.store.database import MemoryStore, WriteBatch
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult
from hutong.relay.evm.vm.rules import EvmRules, ForkChanges
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.evm.vm.work_prices import (
    BOUNDED_WORK_PRICES,
    FORK_PRICES,
    SLOW_CURVE_PRICES,
    WorkPrices,
    priced_opcodes,
)

CONTRACT = bytes.fromhex("c0" * 20)
SENDER = bytes.fromhex("5e" * 20)
CONTEXT = BlockContext(1, 1_700_000_000, bytes(20), 30_000_000, bytes(32), lambda number: b"")


def run(code: bytes, prices: WorkPrices, gas: int = 16_000_000, callee: bytes = b"") -> CallResult:
    rules = EvmRules("prague", 7, changes=ForkChanges(prices))

    def execute() -> CallResult:
        state = EvmState(WriteBatch(MemoryStore()), EMPTY_STATE_ROOT, rules, CONTEXT)
        state.set_account(CONTRACT, GenesisAccount(nonce=1, code=code))
        state.set_account(b"\xdd" * 20, GenesisAccount(nonce=1, code=callee))
        return state.call(CallMessage(SENDER, CONTRACT, gas=gas))

    return run_with_evm_stack(execute)


def calling(number: int, size: int) -> bytes:
    """Calls the precompile with `size` zero bytes and all gas, and returns whether that succeeded."""
    return bytes.fromhex(f"6000600061{size:04x}600060{number:02x}5afa" + "600052" + "60206000f3")


FORK_GAS = {0x06: 150, 0x07: 6_000, 0x08: 45_000}
"""EIP-1108; the pairing of no pairs."""


@pytest.mark.parametrize("number", [0x06, 0x07, 0x08])
def test_a_slow_precompile_costs_its_factor_more_and_gives_the_same_answer(number: int) -> None:
    code = calling(number, {0x06: 128, 0x07: 96, 0x08: 0}[number])
    plain, priced = run(code, FORK_PRICES), run(code, SLOW_CURVE_PRICES)
    assert plain.success and priced.success
    assert plain.return_data == priced.return_data == (1).to_bytes(32, "big")
    more = FORK_GAS[number] * (SLOW_CURVE_PRICES.factors[number] - 1)
    assert priced.gas_used == plain.gas_used + more + SLOW_CURVE_PRICES.frame_gas


@pytest.mark.parametrize("number", [0x0C, 0x0E, 0x0F])
def test_work_that_is_not_paid_for_is_not_done(number: int) -> None:
    """One element of the largest curves with gas for the fork's price only: out of gas before any arithmetic."""
    code = calling(number, {0x0C: 160, 0x0E: 288, 0x0F: 384}[number])
    result = run(code, SLOW_CURVE_PRICES, gas=200_000)
    assert result.success and result.return_data == bytes(32)


def test_blake2_rounds_cost_what_they_take() -> None:
    """A million rounds take py-evm 20 seconds and cost a million gas in the fork."""
    few, many = (bytes.fromhex(f"63{rounds:08x}60e01b600052") + calling(0x09, 213) for rounds in (2, 1_000_000))
    plain, priced = run(few, FORK_PRICES), run(few, SLOW_CURVE_PRICES)
    assert plain.return_data == priced.return_data == (1).to_bytes(32, "big")
    assert priced.gas_used == plain.gas_used + 2 * 63 + SLOW_CURVE_PRICES.frame_gas
    assert run(many, SLOW_CURVE_PRICES, gas=2_000_000).return_data == bytes(32)


def test_each_frame_is_paid_by_its_caller() -> None:
    code = bytes.fromhex("6000600060006000600073" + "aa" * 20 + "5af15000")
    plain, priced = run(code, FORK_PRICES), run(code, SLOW_CURVE_PRICES)
    assert priced.gas_used == plain.gas_used + 200
    assert not run(code, SLOW_CURVE_PRICES, gas=plain.gas_used + 50).success
    assert run(bytes(1), FORK_PRICES).gas_used == run(bytes(1), SLOW_CURVE_PRICES).gas_used  # the outermost is free


def test_every_factor_belongs_to_a_precompile_of_the_fork() -> None:
    assert set(SLOW_CURVE_PRICES.factors) <= set(range(1, 0x12))
    EvmRules("paris", 7, changes=ForkChanges(SLOW_CURVE_PRICES))  # which has no BLS12-381: the factors wait for nothing


def gas_of(code: bytes, prices: WorkPrices, callee: bytes = b"") -> int:
    return run(code, prices, callee=callee).gas_used


@pytest.mark.parametrize("size", [0, 1, 32, 33, 3_200])
def test_audit_M6_copied_input_is_paid_by_the_word(size: int) -> None:
    code = bytes.fromhex("600061100053" + f"6000600061{size:04x}600073" + "dd" * 20 + "5afa5000")
    before, after = gas_of(code, SLOW_CURVE_PRICES), gas_of(code, BOUNDED_WORK_PRICES)
    assert after - before == (size + 31) // 32
    assert before - gas_of(code, FORK_PRICES) == 200


@pytest.mark.parametrize("size", [0, 255, 256, 24_576])
def test_audit_C2_entered_code_is_paid_by_its_length(size: int) -> None:
    code = bytes.fromhex("6000600060006000600073" + "dd" * 20 + "5af15000")
    before = gas_of(code, SLOW_CURVE_PRICES, bytes(size))
    assert gas_of(code, BOUNDED_WORK_PRICES, bytes(size)) - before == size // 256


@pytest.mark.long
def test_audit_C1_the_program_that_stopped_the_hub_pays_for_what_it_copies() -> None:
    """Its 1.6 MB a call cost 330 gas: 51 GiB a transaction."""
    code = bytes.fromhex("5f620ea5e052" + "5b" + "5f5f620ea6005f73" + "aa" * 20 + "5ffa50" + "61000656")
    copied, gas = 0x0EA600, 4_000_000
    before, after = (run(code, prices, gas=gas) for prices in (SLOW_CURVE_PRICES, BOUNDED_WORK_PRICES))
    assert not before.success and not after.success
    assert (
        run(code[:39], BOUNDED_WORK_PRICES, gas=gas).gas_used - run(code[:39], SLOW_CURVE_PRICES, gas=gas).gas_used
        == copied // 32
    )


@pytest.mark.parametrize(("opcode", "arguments"), [(0x3C, 4), (0x49, 1)])
def test_instructions_that_take_long_cost_more(opcode: int, arguments: int) -> None:
    code = b"\x5f" * arguments + bytes([opcode])
    assert gas_of(code, BOUNDED_WORK_PRICES) - gas_of(code, FORK_PRICES) == BOUNDED_WORK_PRICES.opcode_gas[opcode]


def test_a_precompile_has_a_price_before_its_factor() -> None:
    two_rounds = bytes.fromhex("630000000260e01b600052") + calling(0x09, 213)
    before, after = gas_of(two_rounds, SLOW_CURVE_PRICES), gas_of(two_rounds, BOUNDED_WORK_PRICES)
    assert after == before + BOUNDED_WORK_PRICES.precompile_gas[0x09] + 213 // 32 + 1


def test_an_instruction_whose_price_is_in_its_own_code_is_not_repriced() -> None:
    with pytest.raises(TypeError, match="0xf0"):
        priced_opcodes({0xF0: object()}, {0xF0: 5})
    assert priced_opcodes({}, {0x5F: 5}) == {}


def test_usual_instructions_cost_what_the_fork_says() -> None:
    """What contracts mostly are made of is not dearer in version 3."""
    assert set(BOUNDED_WORK_PRICES.opcode_gas) == {0x3C, 0x49}
    assert BOUNDED_WORK_PRICES.frame_gas == SLOW_CURVE_PRICES.frame_gas
