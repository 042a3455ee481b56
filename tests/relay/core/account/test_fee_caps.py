"""What a transaction may cost: cut per gas, refused as a whole."""

from dataclasses import replace

import pytest

from hutong.adapters.interface import PreparedTransaction
from hutong.relay.config import FeeLimits
from hutong.relay.core.account.fee_caps import within_caps
from hutong.relay.core.errors import TooDear

PREPARED = PreparedTransaction(1, "0x", "0x", b"", 0, 100, 50, 20, None)


def test_fees_per_gas_are_cut_and_the_whole_is_refused_above_its_cap():
    limits = FeeLimits(max_fee_per_gas_wei=10, max_fee_wei=1_000)
    assert within_caps("hub", limits, PREPARED) == replace(
        PREPARED, max_fee_per_gas_wei=10, max_priority_fee_per_gas_wei=10
    )
    legacy = replace(PREPARED, gas_price_wei=50)
    assert within_caps("hub", limits, legacy) == replace(legacy, gas_price_wei=10)
    fixed = replace(PREPARED, max_fee_per_gas_wei=0, max_priority_fee_per_gas_wei=0, fee_wei=1_000)
    assert within_caps("hub", limits, fixed) == fixed
    for dear in (replace(PREPARED, gas=101), replace(fixed, fee_wei=1_001)):
        with pytest.raises(TooDear, match="the cap is 1000"):
            within_caps("hub", limits, dear)
