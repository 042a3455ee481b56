"""The explorer as a person uses it: every view, by mouse and by keyboard, wide and narrow, light and dark."""

import re
import time
from dataclasses import replace

import pytest
import trio
from playwright.sync_api import expect

from tests.browser.messages import FIRST_HOSTILE, HOSTILE_SENDERS, late_way, packet_id, refused_way, way, write
from tests.relay.api.api_world import ALICE, MESSAGE_ID, SENT_HASH, TOKEN, acknowledged, facts, received, sent

pytestmark = pytest.mark.nodes

VIEWS = (
    "#/",
    "#/messages",
    f"#/message/{packet_id(1)}",
    "#/message/alpha/client-0/4",
    "#/chains",
    "#/stuck",
    "#/tokens",
    "#/observations",
    f"#/search?q={ALICE}",
)
NARROW = {"width": 360, "height": 740}
LIVE_LIMIT_MS = 15_000


def heading(page):
    return page.get_by_role("heading", level=1)


def row_of(page, sequence: int):
    return page.locator(f'tr[data-id="{packet_id(sequence)}"]')


def is_settled(page) -> None:
    """Every part of the view was read."""
    expect(page.locator(".loading")).to_have_count(0, timeout=LIVE_LIMIT_MS)


def test_a_message_appears_and_completes_without_a_reload(world, open_page, complaints):
    page = open_page(f"{world.url}/#/messages")
    expect(page.locator("#standing")).to_have_text("Live")
    page.evaluate("window.unbroken = true")
    expect(row_of(page, 12)).to_be_visible()
    one, now_ns = facts(200), time.time_ns()
    trio.run(write, world.home, [sent(one, now_ns)])
    expect(row_of(page, 200)).to_contain_text("Sent", timeout=LIVE_LIMIT_MS)
    expect(page.locator("table.messages tbody tr:not(.spacer)").first).to_have_attribute("data-id", packet_id(200))
    trio.run(write, world.home, [received(one, now_ns + 10**9), acknowledged(one, now_ns + 2 * 10**9)])
    expect(row_of(page, 200)).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)
    expect(page.locator("#announcements")).to_contain_text("New message from alpha to beta", timeout=LIVE_LIMIT_MS)
    assert page.evaluate("window.unbroken")
    assert complaints.said == []


def test_an_open_message_follows_its_way(world, open_page):
    one, now_ns = facts(201), time.time_ns()
    trio.run(write, world.home, [sent(one, now_ns)])
    page = open_page(f"{world.url}/#/message/{packet_id(201)}")
    expect(page.locator(".verdict")).to_contain_text("Next it is proven on beta")
    expect(page.locator(".milestone")).to_have_count(3)
    trio.run(write, world.home, [received(one, now_ns + 10**9), acknowledged(one, now_ns + 2 * 10**9)])
    expect(page.locator(".verdict")).to_contain_text("Delivered to beta", timeout=LIVE_LIMIT_MS)
    expect(page.locator(".milestone.done")).to_have_count(3)
    expect(page.get_by_role("link", name="Download the bundle")).to_be_visible()


def test_a_lost_line_is_said_and_heals_with_what_was_missed(world, open_page):
    page = open_page(f"{world.url}/#/messages")
    standing = page.locator("#standing")
    expect(standing).to_have_text("Live")
    expect(row_of(page, 12)).to_be_visible()
    world.line.cut()
    try:
        expect(standing).to_have_text("Reconnecting", timeout=LIVE_LIMIT_MS)
        trio.run(write, world.home, way(202, time.time_ns()))
    finally:
        world.line.mend()
    expect(standing).to_have_text("Live", timeout=30_000)
    expect(row_of(page, 202)).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)


def test_trial_T11_the_page_says_what_the_receiver_gave_as_its_reason(world, open_page):
    trio.run(write, world.home, refused_way(203, time.time_ns(), "ReceiverReverted: Error: we are closed today"))
    page = open_page(f"{world.url}/#/message/{packet_id(203)}")
    expect(page.locator(".verdict .why")).to_have_text(
        "Why: it is settled: its acknowledgement is on alpha; its receiver on beta refused it"
        " (ReceiverReverted: Error: we are closed today), the sender was told that it failed."
    )


def test_trial_T5_what_failed_on_a_chain_past_its_timeout_was_not_received(world, open_page):
    minute_ns = 60 * 10**9
    trio.run(write, world.home, late_way(204, time.time_ns() // minute_ns * minute_ns))
    page = open_page(f"{world.url}/#/message/{packet_id(204)}")
    expect(page.locator(".milestone h3")).to_have_text(
        ["Sent on alpha", "Not received by beta in time", "Timeout proven on alpha, given back"]
    )
    expect(page.locator(".milestone").nth(1)).to_have_class(re.compile(r"\bfailed\b"))
    times = page.locator(".milestone .facts li:first-child span[title]").evaluate_all(
        "all => all.map((one) => one.textContent)"
    )
    assert len(times) == 3 and times == sorted(times), "the last try ended after the timeout was proven"


def test_trial_T11_refused_messages_are_not_counted_as_given_back(world, open_page):
    trio.run(write, world.home, refused_way(205, time.time_ns(), "Error: closed"))
    page = open_page(world.url)
    tiles = page.locator(".tiles .tile")
    expect(tiles.filter(has_text="Not delivered")).to_contain_text(re.compile(r"\d+ late, [1-9]\d* refused"))
    expect(page.locator(".tiles")).not_to_contain_text("Given back")


def test_filters_are_in_the_address_and_keep_the_focus(world, open_page):
    page = open_page(f"{world.url}/#/messages")
    page.get_by_label("State").focus()
    page.get_by_label("State").select_option("dead")
    expect(page.locator("table.messages tbody tr:not(.spacer)")).to_have_count(1)
    expect(row_of(page, 3)).to_contain_text("Given up")
    assert "state=dead" in page.url
    expect(page.get_by_label("State")).to_be_focused()
    page.get_by_label("To").select_option("alpha")
    expect(page.locator(".empty")).to_contain_text("No message is like that")
    page.get_by_role("link", name="Show all messages").click()
    expect(row_of(page, 12)).to_be_visible()


@pytest.mark.parametrize("wanted", [packet_id(1), MESSAGE_ID, SENT_HASH])
def test_what_names_one_message_is_opened_at_once(world, open_page, wanted):
    page = open_page(world.url)
    page.get_by_role("searchbox").fill(wanted)
    page.keyboard.press("Enter")
    expect(heading(page)).to_contain_text(packet_id(1))


def test_an_address_finds_its_messages_and_nonsense_finds_nothing(world, open_page):
    page = open_page(f"{world.url}/#/search?q={ALICE}")
    expect(page.locator("main")).to_contain_text("of the sender or receiver")
    assert page.locator("table.messages tbody tr").count() > 5
    page.get_by_role("searchbox").fill("<b>nothing</b>")
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_contain_text("Nothing is known of <b>nothing</b>")


def test_errors_of_the_api_are_sentences(world, open_page):
    page = open_page(f"{world.url}/#/messages?state=nonsense")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("state")
    expect(alert).not_to_contain_text("{")
    page.goto(f"{world.url}/#/message/alpha/{'client-9'}/999")
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"{world.url}/#/nowhere")
    expect(heading(page)).to_have_text("No such page")


def test_dead_letters_say_why_and_what_to_do(world, open_page):
    page = open_page(f"{world.url}/#/stuck")
    given_up = page.locator(".stuck-list > li").first
    expect(given_up).to_contain_text("every endpoint")
    expect(given_up).to_contain_text("What to do")
    expect(given_up).to_contain_text(f"hutong relay retry --config relay.toml receive:{packet_id(3)}")
    expect(page.locator("main")).to_contain_text("the client is Frozen")


def test_a_forwarded_transfer_is_drawn_over_three_chains(world, open_page):
    page = open_page(f"{world.url}/#/message/alpha/client-0/4")
    expect(page.locator(".lane-heads span")).to_have_text(["alpha", "hub", "beta"])
    expect(page.locator(".milestone h3")).to_have_text(
        [
            "Sent on alpha",
            "Received by hub, sent on",
            "Received on beta",
            "Answer received by hub",
            "Confirmed on alpha",
        ]
    )
    expect(page.locator(".milestone.done")).to_have_count(2)
    expect(page.locator("main")).to_contain_text(TOKEN[:10])


def test_chains_and_clients_are_said_in_words(world, open_page):
    page = open_page(f"{world.url}/#/chains")
    expect(page.locator(".chain-card")).to_have_count(3)
    clients = page.get_by_role("table", name="Light clients")
    expect(clients).to_contain_text("Active")
    expect(clients.locator("time[data-shown=countdown]").first).to_be_visible()
    expect(page.get_by_role("table", name="Paths")).to_contain_text("the client is Frozen")


def test_charts_have_words_and_tables(world, open_page):
    page = open_page(world.url)
    charts = page.locator("figure.chart")
    expect(charts).to_have_count(2)
    for chart in charts.all():
        assert chart.locator("svg desc").text_content()
        chart.get_by_text("As a table").click()
        expect(chart.get_by_role("table").locator("tbody tr")).to_have_count(60)
    page.get_by_role("button", name="Week").click()
    expect(charts.first.locator("tbody tr")).to_have_count(84)


def test_attack_hostile_strings_stay_text_and_break_no_layout(world, open_page, complaints):
    for size in (None, NARROW):
        page = open_page(f"{world.url}/#/messages", **({} if size is None else {"viewport": size}))
        for number in range(len(HOSTILE_SENDERS)):
            expect(row_of(page, FIRST_HOSTILE + number)).to_have_count(1)
        assert overflow_px(page) <= 0
        for number in range(len(HOSTILE_SENDERS)):
            page.goto(f"{world.url}/#/message/{packet_id(FIRST_HOSTILE + number)}")
            expect(page.locator(".verdict")).to_be_visible()
            assert overflow_px(page) <= 0
            assert not re.search("[\u202a-\u202e\u2066-\u2069\u0000]", page.locator("main").inner_text())
        assert page.evaluate("document.documentElement.dataset.pwned") is None
        assert page.locator("main script, main img").count() == 0
    assert complaints.said == []


def overflow_px(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_is_wider_than_a_small_phone(world, open_page, complaints, view):
    page = open_page(f"{world.url}/{view}", viewport=NARROW)
    is_settled(page)
    assert overflow_px(page) <= 0
    assert complaints.said == []


def test_trial_T14_on_a_small_phone_the_figure_of_an_amount_is_whole(world, open_page):
    page = open_page(f"{world.url}/#/messages?app=transfer", viewport=NARROW)
    figure = page.locator(".messages tbody tr[data-id] .amount b").first
    expect(figure).to_be_visible()
    shown, whole = figure.evaluate("b => [b.clientWidth || b.getBoundingClientRect().width, b.scrollWidth]")
    assert shown >= whole > 0


@pytest.mark.parametrize("view", ["#/", "#/messages?app=transfer"])
def test_trial_N1_T14_on_a_small_phone_no_part_of_a_row_is_cut(world, open_page, view):
    long = {"source_port": "transfer", "destination_port": "transfer", "app": "transfer", "denom": TOKEN}
    late = [
        replace(note, facts=replace(note.facts, **long, amount=10))
        for note in late_way(206, time.time_ns() - 3 * 60 * 10**9)
    ]
    trio.run(write, world.home, late)
    page = open_page(f"{world.url}/{view}", viewport=NARROW)
    row = row_of(page, 206)
    expect(row.locator(".state")).to_have_text("Timed out, given back")
    for part in ("td.state", "td.sent", "td.packet", "td.what"):
        cell = row.locator(part)
        expect(cell).to_be_visible()
        shown, whole = cell.evaluate("cell => [cell.clientWidth, cell.scrollWidth]")
        assert shown >= whole > 20, part
        inside = cell.evaluate(
            "cell => [cell, ...cell.children].every(each => {"
            " const [box, row] = [each.getBoundingClientRect(), cell.parentElement.getBoundingClientRect()];"
            " return box.left >= row.left && box.right <= row.right && box.top >= row.top && box.bottom <= row.bottom; })"
        )
        assert inside, part


def test_dark_follows_the_system_until_one_is_chosen(world, open_page):
    page = open_page(world.url, color_scheme="dark")
    assert ground_is_dark(page)
    page.get_by_role("button", name="Use the light colours").click()
    assert not ground_is_dark(page)
    page.reload()
    assert not ground_is_dark(page)
    page.get_by_role("button", name="Use the dark colours").click()
    assert ground_is_dark(page)


def ground_is_dark(page) -> bool:
    red, green, blue = map(
        int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    return red + green + blue < 3 * 64


def test_the_whole_way_by_keyboard(world, open_page):
    page = open_page(f"{world.url}/#/messages")
    expect(row_of(page, 12)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Tab")
    first, second, *_ = page.locator("table.messages tbody tr:not(.spacer) a").all()
    expect(first).to_be_focused()
    assert outline_px(page) >= 2
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(packet_id(1))
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()
    expect(heading(page)).to_be_focused()
    assert packet_id(1) in page.title()


def outline_px(page) -> float:
    return page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")


def test_nothing_moves_for_those_who_ask_for_rest(world, open_page):
    page = open_page(f"{world.url}/#/message/alpha/client-0/4", reduced_motion="reduce")
    expect(page.locator(".milestone.moving, .milestone.waiting").first).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


def test_trial_T5_a_step_before_the_one_before_it_says_that_clocks_differ(world, open_page):
    one, now_ns = facts(207), time.time_ns()
    trio.run(write, world.home, [sent(one, now_ns), received(one, now_ns - 3 * 10**9)])
    page = open_page(f"{world.url}/#/message/{packet_id(207)}")
    words = page.locator(".milestone .facts li", has_text="Earlier than the step before: each chain has its own clock")
    expect(words).to_have_count(1)
    expect(page.locator(".milestone").nth(1)).to_contain_text("each chain has its own clock")
