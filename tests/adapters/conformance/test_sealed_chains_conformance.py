"""The evm adapter passes the suite in front of running IBFT 2.0, Istanbul and Clique chains, with the hub's clients of them."""

import pytest

from tests.adapters.conformance.lane import running_lane
from tests.adapters.conformance.suite import CHECKS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("leg", ["first_leg", "second_leg"])
@pytest.mark.parametrize("consensus", ["ibft2", "istanbul", "clique"])
async def test_conformance(consensus, leg, tmp_path):
    async with running_lane(tmp_path, consensus=consensus) as lane:
        link = getattr(lane, leg)()
        for check in CHECKS:
            try:
                await check(link)
            except BaseException as error:
                error.add_note(f"in {check.__name__} of {leg} under {consensus}")
                raise
