"""What a running hub observes, on the explorer's page: read, focused by keyboard, its proof downloaded and judged offline."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hutong.relay.audit.records import Asked, RecordAuditor
from tests.browser.test_explorer import NARROW, is_settled
from tests.nodes.provision import axe
from tests.relay.api.observed_hub import CLIENT, observed_api

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    with observed_api(tmp_path_factory.mktemp("observed")) as (url, checkpoint):
        yield url, checkpoint


def test_places_values_trust_and_epoch_are_shown(observed, open_page, complaints):
    page = open_page(f"{observed[0]}/#/observations")
    is_settled(page)
    rows = page.get_by_role("region", name="Observations").locator("tbody tr")
    expect(rows).to_have_count(3)
    account = rows.filter(has_text="Nonce")
    for words in (CLIENT, "Attested", "by 2 of 3", "Readable", "ago"):
        expect(account).to_contain_text(words)
    expect(rows.filter(has_text="nothing")).to_have_count(1)
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Observations")
    assert complaints.said == []


def test_the_proof_is_downloaded_by_keyboard_and_holds_offline(observed, open_page, tmp_path):
    url, checkpoint = observed
    page = open_page(f"{url}/#/observations")
    is_settled(page)
    link = page.get_by_role("link", name="Download the proof of Nonce")
    link.focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename == f"{CLIENT}.record.json"
    started.value.save_as(tmp_path / "proof")
    data = Path(tmp_path / "proof").read_bytes()
    report = RecordAuditor(checkpoint, time.time_ns(), Asked(min_trust=2)).audit(data)
    assert report.failure is None, report.failure
    changed = data.replace(b"A", b"B", 1)
    assert not RecordAuditor(checkpoint, time.time_ns()).audit(changed).is_valid


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_no_grave_fault_wide_and_narrow(observed, open_page, scheme):
    for size in ({"width": 1280, "height": 900}, NARROW):
        page = open_page(f"{observed[0]}/#/observations", viewport=size, color_scheme=scheme)
        is_settled(page)
        expect(page.get_by_role("region", name="Observations")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "nothing scrolls sideways but the table"
        )
        page.evaluate(axe().read_text())
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
