"""JSON of credentials: one value that every parser reads alike, or MalformedInput."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jose import (
    MAX_SAFE_INTEGER,
    JsonValue,
    read_json,
    read_json_object,
    write_json,
)

LIMIT = 1 << 16


def read(text: str) -> JsonValue:
    return read_json(text.encode(), "payload", LIMIT)


def refusal(data: bytes) -> str:
    with pytest.raises(MalformedInput) as refused:
        read_json(data, "payload", LIMIT)
    assert refused.value.field == "payload"
    return refused.value.reason


def test_attack_N1_a_repeated_name_is_refused_at_any_depth():
    assert read('{"a":{"b":[{"c":1,"d":1}]}}') == {"a": {"b": [{"c": 1, "d": 1}]}}
    for text in (
        '{"c":1,"c":1}',
        '{"a":1,"\\u0061":2}',
        '{"a":{"b":[{"c":1,"c":2}]}}',
        '[[[{"exp":1,"x":{},"exp":2}]]]',
        '{"a":{"":1,"":1}}',
    ):
        assert "repeats the name" in refusal(text.encode())


@pytest.mark.long
def test_attack_N1_the_last_of_very_many_names_repeats():
    """A search that looks back over all names before each takes minutes for the 600 000 that a status list can have."""
    names = [f'"{number}":0' for number in range(300_000)]
    text = "{" + ",".join(names) + "}"
    assert len(read_json_object(text.encode(), "payload", len(text))) == len(names)
    repeated = text[:-1] + ',"299999":1}'
    with pytest.raises(MalformedInput, match="repeats the name '299999'"):
        read_json(repeated.encode(), "payload", len(repeated))


def test_attack_N1_names_are_compared_by_code_point():
    composed, decomposed = "\u00e9", "e\u0301"
    assert read(json.dumps({composed: 1, decomposed: 2})) == {composed: 1, decomposed: 2}


def test_attack_N2_numbers_that_parsers_read_differently():
    assert read(f"[0, -1, 0.0, 1.5, 1E2, {MAX_SAFE_INTEGER}, -{MAX_SAFE_INTEGER}, 0e9]") == [
        0, -1, 0.0, 1.5, 100.0, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER, 0.0,
    ]  # fmt: skip
    reasons = {
        "NaN": "NaN is no number",
        "Infinity": "Infinity is no number",
        "-Infinity": "-Infinity is no number",
        "1e400": "too large",
        "-1e400": "too large",
        "1e-400": "too small",
        "-0": "minus zero",
        "-0.0": "minus zero",
        "-0e1": "minus zero",
        str(MAX_SAFE_INTEGER + 1): "beyond 2^53",
        str(-MAX_SAFE_INTEGER - 1): "beyond 2^53",
        "1" * 65: "more than 64 characters",
        "0." + "1" * 65: "more than 64 characters",
    }
    for number, reason in reasons.items():
        assert reason in refusal(f'{{"exp":[{number}]}}'.encode()), number
    for number in ("01", "+1", "1.", ".5", "0x10", "1_0", "\u0661"):
        assert refusal(f'{{"exp":{number}}}'.encode()) == "is not JSON"


def test_attack_N2_text_depth_and_size_out_of_bounds():
    assert read("[" * 64 + "]" * 64)
    assert read('"\\ud83d\\ude00\\u0000"') == "\U0001f600\0"
    assert "nested deeper than 64" in refusal(b"[" * 65 + b"]" * 65)
    assert "nested deeper than 64" in refusal(b'{"a":' * 13_000)
    assert "more than 65536 bytes" in refusal(b" " * (LIMIT + 1))
    assert "half a surrogate pair" in refusal(b'["\\ud83d"]')
    assert "half a surrogate pair" in refusal(b'{"\\uDE00":1}')
    for data in (b"\xef\xbb\xbf{}", b"\xff", b'"\xed\xa0\x80"', b"", b"{} {}", b'"\n"', b"[1,]", b"{'a':1}", b"//\n1"):
        assert refusal(data) == "is not JSON", data


def test_an_object_is_asked_for():
    assert read_json_object(b'{"a":null}', "header", LIMIT) == {"a": None}
    with pytest.raises(MalformedInput, match="is not a JSON object"):
        read_json_object(b"[]", "header", LIMIT)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: math.copysign(1, number) > 0 or number)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(value=values)
def test_what_is_written_is_read_back(value: JsonValue) -> None:
    assert read_json(write_json(value), "payload", LIMIT) == value


@settings(max_examples=150)
@given(data=st.binary(max_size=80) | st.text(alphabet='[]{}",:\\0aue-. ', max_size=80).map(str.encode))
def test_any_bytes_end_in_a_value_or_a_refusal(data: bytes) -> None:
    try:
        value = read_json(data, "payload", LIMIT)
    except MalformedInput as error:
        assert error.field == "payload"
    else:
        assert read_json(write_json(value), "payload", LIMIT) == value
