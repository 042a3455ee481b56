"""EIP-1559's rule against py-evm's, and the bounds that it keeps."""

from types import SimpleNamespace

import pytest
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.evm.vm.base_fee import CHANGE_DENOMINATOR, next_base_fee_wei

GAS_LIMITS = st.integers(1_000_000, 100_000_000)


@st.composite
def blocks(draw):
    """Base fee, gas used, gas limit, least fee."""
    gas_limit = draw(GAS_LIMITS)
    minimum_wei = draw(st.integers(0, 10**18))
    gas_used = draw(st.one_of(st.integers(0, gas_limit), st.sampled_from((0, gas_limit // 2, gas_limit))))
    return minimum_wei + draw(st.integers(0, 10**30)), gas_used, gas_limit, minimum_wei


@given(blocks())
def test_property_without_a_minimum_it_is_what_py_evm_computes(block):
    base_fee_wei, gas_used, gas_limit, _ = block
    parent = SimpleNamespace(base_fee_per_gas=base_fee_wei, gas_limit=gas_limit, gas_used=gas_used)
    if gas_used == gas_limit // 2:
        assert next_base_fee_wei(base_fee_wei, gas_used, gas_limit) == base_fee_wei
    assert next_base_fee_wei(base_fee_wei, gas_used, gas_limit) == calculate_expected_base_fee_per_gas(parent)


@given(blocks())
def test_property_it_moves_by_an_eighth_at_most_and_never_below_the_minimum(block):
    base_fee_wei, gas_used, gas_limit, minimum_wei = block
    following_wei = next_base_fee_wei(base_fee_wei, gas_used, gas_limit, minimum_wei)
    assert following_wei >= minimum_wei
    target = gas_limit // 2
    if gas_used <= 2 * target:  # of an odd limit the last unit is above twice the target
        assert abs(following_wei - base_fee_wei) <= max(base_fee_wei // CHANGE_DENOMINATOR, 1)
    assert (following_wei > base_fee_wei) == (gas_used > target)
    if gas_used == target:
        assert following_wei == base_fee_wei


@pytest.mark.parametrize(
    ("base_fee_wei", "gas_used", "minimum_wei", "following_wei"),
    [
        (1_000, 500_000, 0, 1_000),
        (1_000, 1_000_000, 0, 1_125),
        (1_000, 0, 0, 875),
        (1_000, 0, 900, 900),
        (1_000, 500_001, 0, 1_001),
        (1, 1_000_000, 0, 2),
        (7, 0, 0, 7),
        (0, 1_000_000, 0, 1),
    ],
)
def test_figures(base_fee_wei, gas_used, minimum_wei, following_wei):
    assert next_base_fee_wei(base_fee_wei, gas_used, 1_000_000, minimum_wei) == following_wei
