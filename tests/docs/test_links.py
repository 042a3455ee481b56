"""Links of README.md and of every page lead somewhere, anchors included; commands that stand twice are the same."""

import re
from pathlib import Path

import pytest

from docs.site.reading import anchor, prose_lines
from tests.attack_index import LATER, LINES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings."""
    headings = [
        line.lstrip("#").strip()
        for line, is_prose in prose_lines(page.read_text())
        if is_prose and line.startswith("#")
    ]
    return {anchor(heading) for heading in headings}


def broken(page: Path, text: str) -> list[str]:
    """Links of a page's text that lead nowhere."""
    found = []
    for line, is_prose in prose_lines(text):
        for target in LINK.findall(re.sub(r"`[^`]*`", "``", line)) if is_prose else ():
            path, _, anchor = target.partition("#")
            if ":" in path:
                continue
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_hold(page):
    assert broken(page, page.read_text()) == []


def test_links_that_lead_nowhere_are_found():
    text = (
        "[a](spec/router.md) [b](no.md) [c](architecture.md#no-such) [d](#the-tree)\n```\n[e](no.md)\n```\n`[f](no.md)`"
    )
    assert broken(ROOT / "docs" / "architecture.md", text) == ["no.md", "architecture.md#no-such"]


def commands(page: Path) -> list[str]:
    """Text of every ```sh block."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_five_minute_start_has_the_commands_of_the_readme():
    assert commands(ROOT / "docs" / "start.md") == commands(ROOT / "README.md") != []


def test_the_security_model_names_lines_of_the_attack_page_that_have_tests():
    text = (ROOT / "docs" / "security-model.md").read_text()
    codes = set(re.findall(r"`([A-I][0-9]{0,2})`", text))
    attacks = (ROOT / "docs" / "attacks.md").read_text()
    assert len(codes) > 50
    for code in codes:
        row = re.search(rf"^\| {code} \|.*$", attacks, re.MULTILINE)
        assert row and re.search(r"\| x \|", row[0]) or "tests/oracle" in LINES[code][1], code
        assert not LINES[code][1].startswith(LATER), code
