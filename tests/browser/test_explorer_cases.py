"""Cases of a city on the explorer's page: outcomes and checks by name, evidence downloaded by keyboard, none without a folder."""

import pytest
import trio
from playwright.sync_api import expect

from tests.browser.test_explorer import NARROW, is_settled
from tests.nodes.provision import axe
from tests.relay.api.api_world import api_under_uvicorn, config_of, write_ledger
from tests.relay.api.reading.test_cases import report, written

pytestmark = pytest.mark.nodes

EVIDENCE = b'{"format":"hutong-case-evidence"}\n'


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """A relay's API with two cases, of which one failed."""
    home = tmp_path_factory.mktemp("cases")
    trio.run(write_ledger, home)
    failed = {"name": "<b>a replayed leg</b> is refused", "held": False, "negative": True, "said": "it was paid"}
    written(home, "swaps", report("swaps", number=11, good=False, checks=[failed], audit={"valid": False}))
    written(home, "food-lots", report())
    (home / "evidence" / "food-lots.json").write_bytes(EVIDENCE)
    config = config_of(home)
    config = config.model_copy(update={"api": config.api.model_copy(update={"cases_folder": home})})
    with api_under_uvicorn(config) as (url, _):
        yield url


def test_outcomes_and_checks_are_shown_by_name(cases, open_page, complaints):
    page = open_page(f"{cases}/#/cases")
    is_settled(page)
    rows = page.get_by_role("region", name="Cases with their last run").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("swaps")
    expect(rows.first).to_contain_text("Failed")
    expect(rows.last).to_contain_text("Held")
    checks = page.get_by_role("region", name="Checks of swaps")
    expect(checks).to_contain_text("<b>a replayed leg</b> is refused")
    expect(checks).to_contain_text("had to be refused")
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Cases")
    assert complaints.said == []


def test_the_evidence_is_downloaded_by_keyboard(cases, open_page, tmp_path):
    page = open_page(f"{cases}/#/cases")
    is_settled(page)
    link = page.get_by_role("link", name="Download the evidence of food-lots")
    link.focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename == "food-lots.evidence.json"
    started.value.save_as(tmp_path / "evidence")
    assert (tmp_path / "evidence").read_bytes() == EVIDENCE
    expect(page.get_by_text("hutong audit case food-lots.evidence.json")).to_be_visible()


def test_a_relay_without_a_folder_says_so(world, open_page):
    page = open_page(f"{world.url}/#/cases")
    is_settled(page)
    expect(page.get_by_text("This relay serves no cases")).to_be_visible()


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_no_grave_fault_wide_and_narrow(cases, open_page, scheme):
    for size in ({"width": 1280, "height": 900}, NARROW):
        page = open_page(f"{cases}/#/cases", viewport=size, color_scheme=scheme)
        is_settled(page)
        expect(page.get_by_role("region", name="Checks of swaps")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "nothing scrolls sideways but the tables"
        )
        page.evaluate(axe().read_text())
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
