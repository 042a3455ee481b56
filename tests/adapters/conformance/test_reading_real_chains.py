"""A value of a real chain of each kind becomes a record of the hub, is read on an EVM chain and offline, and tampered with is refused.

Chains that are programs of others are in `tests/nodes/test_reading_outside_chains.py`.
"""

import pytest

from tests.adapters.conformance.reading.dev_chains import beacon_chain, dev_chain
from tests.adapters.conformance.reading.read_lane import read_lane
from tests.adapters.conformance.reading.suite import check_audited_offline, observed_and_read

pytestmark = pytest.mark.long

BLS_STEP = 17
"""Each file of an `ethereum` chain costs a committee's pairing, wherever it is another; `test_record_audit` changes every byte
of a smaller one."""
CHAINS = {
    "qbft": (dev_chain("qbft"), 1),
    "ibft2": (dev_chain("ibft2"), 1),
    "ethereum": (beacon_chain, BLS_STEP),
}


@pytest.mark.parametrize("kind", CHAINS)
async def test_attack_J3_a_value_of_a_real_chain_is_read_elsewhere_and_each_changed_byte_refused(kind, tmp_path):
    start, word_step = CHAINS[kind]
    async with read_lane(tmp_path, start) as lane:
        bundles = await observed_and_read(lane)
    check_audited_offline(bundles, word_step)
