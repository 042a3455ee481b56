"""Claims path pointers: what they select, and steps that do not fit."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.dcql import claims_at, path_of

CLAIMS = {
    "name": "Arthur Dent",
    "address": {"street_address": "42 Market Street", "locality": "Milliways", "postal_code": "12345"},
    "degrees": [{"type": "Bachelor", "at": "Betelgeuse"}, {"type": "Master", "at": "Betelgeuse"}],
    "nationalities": ["British", "Betelgeusian"],
}
"""OpenID4VP 1.0 §7.3, with `at` for university."""


@pytest.mark.parametrize(
    ("path", "selected"),
    [
        (["name"], {("name",): "Arthur Dent"}),
        (["address"], {("address",): CLAIMS["address"]}),
        (["address", "street_address"], {("address", "street_address"): "42 Market Street"}),
        (["degrees", None, "type"], {("degrees", 0, "type"): "Bachelor", ("degrees", 1, "type"): "Master"}),
        (["nationalities", 1], {("nationalities", 1): "Betelgeusian"}),
        (["nationalities", None], {("nationalities", 0): "British", ("nationalities", 1): "Betelgeusian"}),
    ],
)
def test_paths_of_the_specification(path, selected):
    assert dict(claims_at(CLAIMS, path_of(path, "path"))) == selected


@pytest.mark.parametrize(
    "path",
    [
        ["missing"],
        ["name", "first"],
        ["name", None],
        ["name", 0],
        ["address", 0],
        ["address", None],
        ["nationalities", 2],
    ]
    + [["degrees", "type"], ["degrees", None, "missing"], ["nationalities", None, "x"], ["0"]],
)
def test_paths_that_select_nothing_or_do_not_fit(path):
    with pytest.raises(PredicateFailed, match="claims_at"):
        claims_at(CLAIMS, path_of(path, "path"))


@pytest.mark.parametrize(
    "path", [None, "name", [], [""], ["x" * 257], [True], [1.0], [-1], [["a"]], ["a"] * 17, {"0": "a"}]
)
def test_what_is_not_a_path(path):
    with pytest.raises(MalformedInput):
        path_of(path, "path")


def test_names_of_two_normal_forms_are_two_claims():
    composed, decomposed = (unicodedata.normalize(form, "prénom") for form in ("NFC", "NFD"))
    claims = {composed: "A", decomposed: "B"}
    assert [claims_at(claims, (name,))[0][1] for name in (composed, decomposed)] == ["A", "B"]
    with pytest.raises(PredicateFailed):
        claims_at({composed: "A"}, (decomposed,))


names = st.text(min_size=1, max_size=3)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(documents, st.lists(names | st.none() | st.integers(0, 3), min_size=1, max_size=4))
def test_each_value_found_stands_where_its_own_path_leads(document, path):
    try:
        found = claims_at(document, path_of(path, "path"))
    except PredicateFailed:
        return
    for place, value in found:
        assert claims_at(document, place) == ((place, value),)
