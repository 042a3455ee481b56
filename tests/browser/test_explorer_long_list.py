"""A ledger of 100 000 messages: the list shows a window of rows, wherever the reader is."""

import time

import pytest
import trio
from playwright.sync_api import expect

from tests.browser.messages import packet_id, way, write, write_many
from tests.relay.api.api_world import NOW_NS, api_under_uvicorn, config_of

pytestmark = pytest.mark.nodes

MESSAGES = 100_000
MAX_ELEMENTS = 2_500
MAX_ROWS = 80
SCREENS = 60
HOLDS_MORE_THAN = "count => parseInt(document.getElementById('counted').textContent.replaceAll(',', '')) > count"
ROW_AT_THE_MIDDLE = (
    "document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('tbody tr:not(.spacer)')?.dataset.id"
)


@pytest.fixture(scope="module")
def long_ledger(tmp_path_factory):
    home = tmp_path_factory.mktemp("long")
    trio.run(write_many, home, MESSAGES)
    with api_under_uvicorn(config_of(home)) as (url, _service):
        yield home, url


def test_the_document_stays_small_while_thousands_of_rows_pass(long_ledger, open_page, complaints):
    home, url = long_ledger
    started = time.monotonic()
    page = open_page(f"{url}/#/messages")
    rows = page.locator("table.messages tbody tr:not(.spacer)")
    expect(rows.first).to_have_attribute("data-id", packet_id(MESSAGES))
    first_rows_s = time.monotonic() - started
    for screen in range(1, SCREENS + 1):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_function(HOLDS_MORE_THAN, arg=screen * 100)
        assert rows.count() <= MAX_ROWS
        assert page.evaluate("document.querySelectorAll('*').length") <= MAX_ELEMENTS
    print(
        f"first rows after {first_rows_s:.2f} s, {SCREENS} pages in {time.monotonic() - started - first_rows_s:.1f} s"
    )
    sequences = [int(one.get_attribute("data-id").rpartition("/")[2]) for one in rows.all()]
    assert sequences == sorted(sequences, reverse=True)
    assert MESSAGES - sequences[-1] >= SCREENS * 100 - MAX_ROWS

    page.evaluate("scrollTo(0, 80 * innerHeight)")
    top = row_at_the_middle(page)
    page.mouse.click(640, 450)
    expect(page.locator(".verdict")).to_be_visible()
    page.go_back()
    expect(page.locator("table.messages a:focus")).to_have_text(top, timeout=30_000)
    assert row_at_the_middle(page) == top

    trio.run(write, home, way(MESSAGES + 1, NOW_NS + 10**9))
    newer = page.get_by_role("button", name="1 newer message")
    expect(newer).to_be_visible(timeout=15_000)
    assert row_at_the_middle(page) == top
    newer.click()
    expect(rows.first).to_have_attribute("data-id", packet_id(MESSAGES + 1))
    expect(rows.first).to_be_in_viewport()
    expect(newer).to_be_hidden()
    assert complaints.said == []


def row_at_the_middle(page) -> str:
    """As soon as there is one: a list that was just scrolled shows its spacer until the rows are there."""
    return page.wait_for_function(ROW_AT_THE_MIDDLE).json_value()
