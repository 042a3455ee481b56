"""The report: complete in itself, no scripts, and every text from outside escaped."""

import shlex
from dataclasses import replace
from html import escape, unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.audit.period import (
    Entry,
    EntryState,
    Failure,
    Finding,
    FindingKind,
    Inputs,
    PacketId,
    Replay,
    TrustRoot,
)
from hutong.relay.audit.period.missing import SentRange
from hutong.relay.audit.period.page import MAX_LISTED_ENTRIES, page_of
from hutong.relay.audit.period.page_words import FINDINGS
from hutong.relay.audit.period.supply import Conservation, SupplyLine
from hutong.relay.audit.period.totals import ChainTotals, RouteTotals, TokenTotals

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; background: url(http://x.example/)",
    "</style><script>1</script>",
    "<!-- ",
    "\u202egnp.exe",
    "\x1b[31mred\x00",
    "&lt;already&gt;",
    "\ud800 half a pair",
)


def replay_of(text: str, kind: FindingKind = FindingKind.REFUSED) -> Replay:
    """Every text that comes from outside is `text`."""
    failure = Failure(text, text, text, text)
    entry = Entry(text, b"\1" * 32, 7, EntryState.REFUSED, 3, (), (PacketId(text, text, 1),), failure, (), text)
    route = RouteTotals((text, text), 1, 1, 0)
    route.tokens[text] = TokenTotals(text, 1, 2, 3, 4)
    line = SupplyLine(text, text, text, text, 1, 2, 3, 9, 5, 6, Conservation.UNDETERMINED, text)
    return Replay(
        Inputs(text, 10**18, (TrustRoot(text, b"\2" * 32, text, text, 5, b"\3" * 32, 10**18, 2 * 10**18),), text),
        (entry,),
        0,
        (ChainTotals(text),),
        (route,),
        (SentRange(text, text, 1, 9, 7, ((3, 4),)),),
        (line,),
        ((text, text),),
        (Finding(kind, (text,), (text,), text, text, text),),
    )


class Tags(HTMLParser):
    """Names of tags, and every attribute, as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.depth = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.depth += tag not in ("meta", "img", "br")

    def handle_endtag(self, tag):
        self.depth -= 1


PLAIN = Tags(page_of(replay_of("plain")))


def test_the_page_is_complete_in_itself():
    page = page_of(replay_of("plain"))
    assert PLAIN.depth == 0
    assert not PLAIN.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not {name for name in PLAIN.attributes if name.startswith("on")}
    assert "http://" not in page and "https://" not in page and "url(" not in page
    assert "default-src 'none'" in page and "@media print" in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_and_do_nothing(text):
    page = page_of(replay_of(text))
    found = Tags(page)
    assert (found.tags, found.attributes, found.depth) == (PLAIN.tags, PLAIN.attributes, PLAIN.depth)
    assert "\u202e" not in page and "\x1b" not in page and "\x00" not in page
    page.encode()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_a_tag(text):
    found = Tags(page_of(replay_of(text)))
    assert (found.tags - {"span"}, found.depth) == (PLAIN.tags - {"span"}, PLAIN.depth)


SHELL = ("'; reboot; '", "a'\"b", "$(reboot)", "`reboot`", "--pre", "-", "a b", "a\\", "x\nreboot", "\x1b[2J", "*", "~")


def words_of(page: str) -> list[str]:
    """What a POSIX shell makes of the commands that a reader copies."""
    shown = unescape(page.partition("<pre>")[2].partition("</pre>")[0])
    return shlex.split(shown.replace(" \\\n", " "))


@pytest.mark.parametrize("text", SHELL)
def test_names_in_the_commands_to_copy_stay_single_words(text):
    seen = text.replace("\n", "\\n").replace("\x1b", "\\x1b")
    pip, hutong = ["pip", "install", "-c", "constraints.txt", ".[audit]"], ["hutong", "audit", "replay", "--now"]
    after = [f"--checkpoint={seen}", "--", seen]
    words = words_of(page_of(replay_of(text)))
    assert words == [*pip, *hutong, "2001-09-09T01:46:40Z", *after]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_names_leave_the_commands_as_many_words(text):
    assert len(words_of(page_of(replay_of(text)))) == 13


@pytest.mark.parametrize("kind", FindingKind)
def test_every_kind_of_finding_is_explained(kind):
    page = page_of(replay_of("plain", kind))
    assert escape(FINDINGS[kind][0]) in page and "F1" in page


def test_long_periods_do_not_print_every_fingerprint():
    one = replay_of("plain")
    entries = tuple(replace(one.entries[0], name=f"entry-{n}") for n in range(MAX_LISTED_ENTRIES + 1))
    page = page_of(replace(one, entries=entries))
    assert "entry-17<" not in page and "machine-readable" in page
    assert "entry-17<" in page_of(replace(one, entries=entries[:MAX_LISTED_ENTRIES]))
