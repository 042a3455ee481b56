"""Every command of `hutong` is in some page, and every command in a page is one."""

import re
from pathlib import Path

import pytest
import typer

from hutong.relay.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
NO_PAGES = {"CHANGELOG.md", "attacks.md", "api.md"}
"""What happened once, and what is generated."""
PAGES = {page: page.read_text() for page in sorted(DOCS.rglob("*.md")) if page.name not in NO_PAGES}
FLAT = {page: re.sub(r"\\\\\n\s*", " ", text) for page, text in PAGES.items()}
OPTIONS = {
    "deploy": ("--admin", "--pauser", "--limiter", "--relayer", "--relayer-role"),
    "keys import": ("--file", "--path", "--stdin", "--mnemonic"),
    "path create": ("--yes", "--trusted-height", "--trusted-hash", "--hub-trusted-height", "--hub-trusted-hash"),
    "transfer limits set": ("--client", "--origin", "--send-cap", "--receive-cap", "--delay-above", "--window-s"),
    "transfer release": ("--refund",),
    "transfer claim": ("--to", "--receive"),
}
"""Those that were in no page."""


def tree(command, words=()):
    """(words, command) of everything that can be run."""
    if not hasattr(command, "list_commands"):
        yield words, command
        return
    for name in command.list_commands(None):
        yield from tree(command.get_command(None, name), (*words, name))


COMMANDS = dict(tree(typer.main.get_command(app)))


def pages_with(text):
    return [page for page, flat in FLAT.items() if re.search(rf"{re.escape(text)}(?![a-z0-9-])", flat)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_parity_section_3_every_command_is_in_a_page(words):
    assert pages_with("hutong " + " ".join(words))


@pytest.mark.parametrize("name", OPTIONS)
def test_parity_section_3_its_options_stand_in_a_page_that_names_it(name):
    pages = pages_with(f"hutong {name}")
    known = {
        option
        for parameter in COMMANDS[tuple(name.split())].params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for option in OPTIONS[name]:
        assert option in known
        assert any(re.search(rf"{option}(?![a-z-])", PAGES[page]) for page in pages), option


def test_a_command_that_no_page_names_would_be_found():
    assert len(COMMANDS) > 90 and ("transfer", "limits", "set") in COMMANDS
    assert pages_with("hutong transfer limits") and not pages_with("hutong transfer limit")
    assert not pages_with("hutong no such")
