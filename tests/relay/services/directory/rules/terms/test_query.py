"""Queries: a small grammar, bounds, and nothing that could be an operator of an engine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.query import MAX_QUERY_TERMS, Query, matches, parse_query

ENTRY = entry_text(
    {
        "@id": "urn:ds:1",
        "dct:title": {"@value": "道路交通流量", "@language": "zh"},
        "description": ["Road traffic flow", "of the sixth ring"],
        "keyword": "bus",
        "theme": ["urn:theme:traffic"],
        "distribution": [{"format": "CSV"}],
        "publisher": {"@id": "did:web:traffic.example"},
    },
    {"origin": ("hub:1",)},
)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Traffic  flow traffic", Query(terms=("traffic", "flow"))),
        ("交通流量", Query(terms=("交通", "通流", "流量"))),
        ('"traffic flow" x', Query(terms=("x",), phrases=(("traffic", "flow"),))),
        ('"traffic"', Query(terms=("traffic",))),
        ("Traf*", Query(prefixes=("traf",))),
        ("theme:urn:a:b id:x", Query(facets=(("theme", "urn:a:b"), ("id", "x")))),
        ("a AND b OR (c) -d +e", Query(terms=("a", "and", "b", "or", "c", "d", "e"))),
    ],
)
def test_a_query_is_read(text, query):
    assert parse_query(text) == query


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "...",
        '"a b',
        "tr*",
        "*",
        "a*b",
        "*road",
        "roa**",
        "流量交*",
        "theme:",
        "id:\udc80",
        "x" * 513,
        "交" * 171,
    ]
    + [" ".join(map(str, range(MAX_QUERY_TERMS + 1))), '"' + " ".join(map(str, range(MAX_QUERY_TERMS + 1))) + '"'],
)
def test_attack_R7_queries_beyond_the_grammar_are_refused(text):
    with pytest.raises(MalformedInput):
        parse_query(text)


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        ("traffic BUS 交通", True),
        ("traffic water", False),
        ("交", True),
        ('"traffic flow"', True),
        ('"flow traffic"', False),
        ('"flow of"', False),
        ('"道路交通"', True),
        ("traf*", True),
        ("watr*", False),
        ("theme:urn:theme:traffic format:CSV id:urn:ds:1 publisher:did:web:traffic.example origin:hub:1", True),
        ("theme:urn:theme", False),
        ("format:csv", False),
    ],
)
def test_what_matches(text, is_match):
    assert matches(parse_query(text), ENTRY) is is_match


def test_members_of_another_form_have_no_text():
    assert (
        entry_text({"title": 3, "description": {"x": "y"}, "keyword": [["a"], {"@value": 1}], "theme": 1}).terms
        == frozenset()
    )
    assert entry_text({"theme": [1, "", "x" * 600, {"@id": "a"}]}).facets == {"theme": ("a",)}


@settings(max_examples=25)
@given(st.text(max_size=600))
def test_attack_R7_any_text_is_a_query_or_is_refused(text):
    try:
        query = parse_query(text)
    except MalformedInput:
        return
    assert (
        0 < len(query.terms) + len(query.prefixes) + len(query.facets) + sum(map(len, query.phrases)) <= MAX_QUERY_TERMS
    )
    matches(query, ENTRY)
