"""Terms by the pinned table: what is one word, what is another spelling of it, and that no interpreter's table is asked."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import sha256
from hutong.relay.services.directory.rules.terms import table
from hutong.relay.services.directory.rules.terms.folding import fold
from hutong.relay.services.directory.rules.terms.words import MAX_TERM_CHARS, all_terms, terms_in_order
from tests.relay.services.directory.rules.terms.unicode_table import TABLE

ASSIGNED = st.characters(exclude_categories=("Cs", "Cn", "Co")).filter(
    lambda one: unicodedata.ucd_3_2_0.category(one) != "Cn"
)
"""Of Unicode 3.2, which every interpreter has: normalisation and folding of what was assigned there never changed."""


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Road traffic, 2024", ["road", "traffic", "2024"]),
        ("can't data.gov 3.5 x_1", ["can't", "data.gov", "3.5", "x_1"]),
        ("end. 'quoted' 1,000.", ["end", "quoted", "1,000"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ＡＢＣ １２ ﬁ", ["abc", "12", "fi"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("交通流量", ["交通", "通流", "流量"]),
        ("水 PM2.5浓度", ["水", "pm2.5", "浓度"]),
        ("ｶﾞｽ 데이터", ["ガス", "데이터"]),
        ("ข้อมูล", ["ข้อ", "อมู", "มูล"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("___ -- …", []),
        ("", []),
    ],
)
def test_terms_of_a_text(text, terms):
    assert terms_in_order(text) == terms


def test_single_characters_are_terms_of_the_index_alone():
    assert all_terms("交通 road") == {"交通", "交", "通", "road"}
    assert terms_in_order("交通 road") == ["交通", "road"]


def test_a_word_without_an_end_has_one_short_term():
    (term,) = all_terms("a" * 10_000)
    assert term == "a" * MAX_TERM_CHARS
    assert all_terms("." + "a:" * 5_000) == {("a:" * 32)[:63]}
    assert max(map(len, all_terms("水" + "\u0301" * 5_000 + "水"))) <= MAX_TERM_CHARS


def test_characters_of_later_versions_are_no_letters():
    later = "\u1c89"  # CYRILLIC CAPITAL LETTER TJE of Unicode 16
    assert fold(later) == later
    assert all_terms(f"a{later}b") == {"a", "b"}


@settings(max_examples=25)
@given(st.text(ASSIGNED))
def test_folding_is_that_of_unicode(text):
    """The interpreter is the oracle where its version cannot matter; what may be left out of a text is left out of both."""
    ignorable = {point for point, to in table.unicode_table().fold.items() if to == ""}
    plain = "".join(one for one in text if ord(one) not in ignorable)
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", plain).casefold())
    assert fold(plain) == unicodedata.normalize("NFKC", once.casefold())


@settings(max_examples=25)
@given(st.text())
def test_a_term_is_the_term_of_itself(text):
    for term in all_terms(text):
        assert term in all_terms(term)
        assert len(term) <= MAX_TERM_CHARS
        assert "\0" not in term


@settings(max_examples=25)
@given(st.text())
def test_spellings_of_one_text_have_the_same_terms(text):
    composed = unicodedata.normalize("NFC", text)
    if composed == unicodedata.normalize("NFC", unicodedata.ucd_3_2_0.normalize("NFD", text)):
        assert all_terms(unicodedata.ucd_3_2_0.normalize("NFD", text)) == all_terms(composed)
    assert set(terms_in_order(text)) <= all_terms(text)


def test_attack_R6_another_table_is_refused(monkeypatch):
    assert sha256(TABLE.read_bytes()) == table.TABLE_HASH
    assert table.unicode_table.__wrapped__().fold[ord("A")] == ord("a")
    monkeypatch.setattr(table, "TABLE_HASH", bytes(32))
    with pytest.raises(RuntimeError, match="was changed"):
        table.unicode_table.__wrapped__()
