"""The explorer in a headless Chromium, served by the API over a written ledger and simulated chains."""

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
import trio

from tests.browser.line import CuttableLine
from tests.browser.messages import write_hostile_messages
from tests.relay.api.api_world import api_under_uvicorn, config_of, write_ledger

WIDE = {"width": 1280, "height": 900}


ASKS_FOR_NODES = re.compile(r"(?<!not )\bnodes\b")


def pytest_ignore_collect(config):
    """Without the extra `browser` there is nothing here, but for those who ask for node tests: they learn what is missing."""
    missing = find_spec("playwright") is None
    return True if missing and ASKS_FOR_NODES.search(config.option.markexpr) is None else None


@dataclass
class Complaints:
    """What the browser said against the page: failed scripts, refused resources, errors on the console."""

    said: list[str] = field(default_factory=list)

    def watch(self, page) -> None:
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message) -> None:
        if message.type == "error":
            self.said.append(f"{message.text} ({message.location['url']})")


@pytest.fixture
def complaints():
    return Complaints()


@pytest.fixture
def open_page(browser, complaints):
    """Makes pages, each with storage of its own; they end with the test."""
    contexts = []

    def open_one(url: str, **options):
        context = browser.new_context(**{"viewport": WIDE} | options)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()


@dataclass(frozen=True)
class World:
    """`home` has the ledger, `url` is the explorer's through `line`."""

    home: Path
    url: str
    line: CuttableLine


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = tmp_path_factory.mktemp("explorer")
    trio.run(write_ledger, home)
    trio.run(write_hostile_messages, home)
    with api_under_uvicorn(config_of(home)) as (url, _service), CuttableLine.to(url) as line:
        yield World(home, line.url, line)
