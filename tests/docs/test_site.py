"""The site builds without a warning and asks nobody for anything."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//|<link\b[^>]*\bhref=["']?(?:https?:)?//"""
)

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        "docs/site/mkdocs.yml",
        "-d",
        str(folder),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there_and_in_the_navigation(site):
    first = (site / "index.html").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        made = name.with_name("index.html") if name.name == "README.html" else name
        assert (site / made).is_file(), page
        assert f'href="{made.as_posix()}"' in first or made == Path("index.html"), f"{page} is not in the navigation"


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        found = OUTSIDE.search(page.read_text())
        assert found is None, f"{page}: {found and found[0]}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//|@import", style.read_text()), style


def test_linked_sources_are_copied_whole(site):
    copy = (site / "source/contracts/src/examples/ExampleReceiver.sol.html").read_text()
    assert "Smallest receiver" in copy


def test_the_search_finds_pages_and_no_copies(site):
    index = json.loads((site / "search" / "search_index.json").read_text())
    places = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {"concepts.html", "contracts/IMailbox.html", "spec/router.html"} <= places
    assert not any(place.startswith("source/") or place == "attacks.html" for place in places)


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    yield page
    page.close()


def test_opened_from_a_file_it_searches_and_loads_nothing_from_elsewhere(site, page):
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto((site / "spec" / "router.html").as_uri())
    page.wait_for_function("document.querySelector('iframe') !== null")
    page.locator(".md-search__input").click(force=True)
    page.keyboard.type("origin stamp")
    first = page.locator(".md-search-result__link").first
    first.wait_for()
    assert "stamp" in page.locator(".md-search-result__list").inner_text().lower()
    first.click()
    page.wait_for_url(lambda url: url.startswith("file://") and "/spec/router.html" not in url)
    assert [url for url in asked if not url.startswith(("file://", "data:", "blob:"))] == []
    assert complaints == []
