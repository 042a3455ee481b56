"""Row by row what nobody may find: planted markers looked for in every place of a whole run, each place with its positive twin."""

import pytest

from tests.relay.services.identity.privacy.scan import scanned

pytestmark = pytest.mark.long


async def test_attack_N183_claims_in_a_block_store_log_token_or_on_the_wire(tmp_path):
    report = await scanned(tmp_path, 200)
    assert report.wrong == []
    assert report.hits == []
    assert min(report.places.sizes.values()) > 0, report.places.sizes
    assert len(report.twins) >= 29 and all(report.twins.values()), report.twins
