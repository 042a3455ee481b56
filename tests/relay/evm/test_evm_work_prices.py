"""Gas for what py-evm works long for: charged before the work, and never where the fork's own prices stand."""

import pytest

from relay.evm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from relay.evm.database import MemoryStore, WriteBatch
from relay.evm.execution import BlockContext, EvmState
from relay.evm.outcomes import CallMessage, CallResult
from relay.evm.rules import EvmRules
from relay.evm.stack import run_with_evm_stack
from relay.evm.work_prices import FORK_PRICES, SLOW_CURVE_PRICES, WorkPrices

CONTRACT = bytes.fromhex("c0" * 20)
SENDER = bytes.fromhex("5e" * 20)
CONTEXT = BlockContext(1, 1_700_000_000, bytes(20), 30_000_000, bytes(32), lambda number: b"")


def run(code: bytes, prices: WorkPrices, gas: int = 16_000_000) -> CallResult:
    rules = EvmRules("prague", 7, prices=prices)

    def execute() -> CallResult:
        state = EvmState(WriteBatch(MemoryStore()), EMPTY_STATE_ROOT, rules, CONTEXT)
        state.set_account(CONTRACT, GenesisAccount(nonce=1, code=code))
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
    EvmRules("paris", 7, prices=SLOW_CURVE_PRICES)  # which has no BLS12-381: the factors wait for nothing
