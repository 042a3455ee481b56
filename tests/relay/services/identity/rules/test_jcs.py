"""Canonical JSON: numbers and order of names as RFC 8785 has them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import read_json

NUMBERS = {
    "1e21": "1e+21",
    "1e20": "100000000000000000000",
    "1E30": "1e+30",
    "0.000001": "0.000001",
    "1e-7": "1e-7",
    "333333333.33333329": "333333333.3333333",
    "4.50": "4.5",
    "2e-3": "0.002",
    "-33.25": "-33.25",
    "10.0": "10",
    "9.999999999999997e22": "9.999999999999997e+22",
    "5e-324": "5e-324",
    "1.7976931348623157e308": "1.7976931348623157e+308",
    "9007199254740991": "9007199254740991",
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALAR = (
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(SCALAR | TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


def test_numbers_are_written_as_ecmascript_writes_them():
    written = {text: canonical_json(read_json(text.encode(), "n", 64)).decode() for text in NUMBERS}
    assert written == NUMBERS
    assert canonical_json(-0.0) == b"0"


def test_names_are_ordered_by_utf_16_units():
    value = {"\ufb33": 1, "\U0001f600": 2, "€": 3, "\r": 4, "1": 5}
    assert canonical_json(value).decode() == '{"\\r":4,"1":5,"€":3,"\U0001f600":2,"\ufb33":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, 10**400, "\ud800", {"\ud800": 1}])
def test_what_has_no_canonical_text_is_refused(value):
    with pytest.raises(MalformedInput):
        canonical_json(value)


@settings(max_examples=40)
@given(JSON)
def test_canonical_text_reads_back_and_is_its_own_canonical_text(value):
    text = canonical_json(value)
    again = json.loads(text, parse_int=float)
    assert again == value
    assert canonical_json(again) == text
