"""The evm and hub adapters pass the suite against running nodes, as sources and as destinations."""

import pytest

from tests.adapters.conformance.lane import running_lane
from tests.adapters.conformance.suite import CHECKS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("leg", ["first_leg", "second_leg"])
async def test_conformance(leg, tmp_path):
    """One lane serves all checks of a leg: starting it costs more than they do."""
    async with running_lane(tmp_path) as lane:
        link = getattr(lane, leg)()
        for check in CHECKS:
            try:
                await check(link)
            except BaseException as error:
                error.add_note(f"in {check.__name__} of {leg}")
                raise
