"""Organisations of a running hub on the explorer's pages: tree, lists, history; a proof by keyboard, judged offline."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.audit.records import Asked
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.verify.credentials.identity_records import DidQuestion, judge_did_file
from tests.adapters.conformance.lane import CHAIN_ID
from tests.browser.test_explorer import NARROW, is_settled
from tests.nodes.provision import axe
from tests.relay.api.organisations.identity_hub import identity_api
from tests.relay.hub.application.identity.organisations import SCHEMA

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with identity_api(tmp_path_factory.mktemp("identity")) as served:
        yield served


def page_of(world, organisation):
    return f"{world[0]}/#/identity/did%3Ahutong%3A{hub_name(CHAIN_ID)}%3A{organisation.did.hex()}"


def test_organisations_tree_and_lists_are_shown(world, open_page, complaints):
    page = open_page(f"{world[0]}/#/identity")
    is_settled(page)
    expect(page.get_by_role("region", name="Organisations").locator("tbody tr")).to_have_count(3)
    tree = page.locator(".tree")
    expect(tree).to_contain_text("The hub's governance")
    expect(tree.locator("ul ul ul li")).to_have_count(1)
    (clinic,) = tree.locator("ul ul ul li").all()
    expect(clinic).to_contain_text("issues, and accredits nobody")
    row = page.get_by_role("region", name="Status lists").locator("tbody tr")
    for words in ("1,024", "of 1 bit", "update 1", "ago"):
        expect(row).to_contain_text(words)
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Identity")
    tree.get_by_role("link").nth(0).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Organisation", exact=True)).to_be_visible()
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Identity")
    assert complaints.said == []


def test_a_history_has_proofs_that_hold_offline(world, open_page, tmp_path, complaints):
    clinic = world[2]["clinic"]
    page = open_page(page_of(world, clinic))
    is_settled(page)
    history = page.get_by_role("region", name="History").locator("tbody tr")
    for words in ("registered", "key retired", "list updated", "log appended"):
        expect(history.filter(has_text=words).first).to_be_visible()
    link = page.get_by_role("link", name="Proof of this accreditation, with every level above it")
    link.focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    started.value.save_as(tmp_path / "proof")
    question = DidQuestion(hub_name(CHAIN_ID), clinic.did, SCHEMA)
    now_ns = world[1].time_ns + 600 * NANOSECONDS_PER_SECOND
    report = judge_did_file(Path(tmp_path / "proof"), world[1], question, now_ns, Asked())
    assert not report.is_refused and report.proven is not None and len(report.proven.chain) == 3
    assert complaints.said == []


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_no_grave_fault_wide_and_narrow(world, open_page, scheme):
    for address in (f"{world[0]}/#/identity", page_of(world, world[2]["clinic"])):
        for size in ({"width": 1280, "height": 900}, NARROW):
            page = open_page(address, viewport=size, color_scheme=scheme)
            is_settled(page)
            expect(page.get_by_role("region", name="Status lists")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing scrolls sideways"
            page.evaluate(axe().read_text())
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
