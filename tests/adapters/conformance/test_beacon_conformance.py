"""The evm adapter passes the suite with a chain that a (simulated) beacon chain finalizes, as source and as destination."""

import pytest

from tests.adapters.conformance.ethereum_lane import running_ethereum_lane
from tests.adapters.conformance.suite import CHECKS

pytestmark = pytest.mark.long


async def test_conformance(tmp_path):
    async with running_ethereum_lane(tmp_path) as lane:
        link = lane.first_leg()
        for check in CHECKS:
            try:
                await check(link)
            except BaseException as error:
                error.add_note(f"in {check.__name__}")
                raise
