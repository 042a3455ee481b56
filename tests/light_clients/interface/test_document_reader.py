"""The reader of documents: what is within type and bounds comes out as it was, anything else names its place."""

import ast
import json
import re
from base64 import b64encode
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, HexForm

ROOT = Path(__file__).parents[3]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


READS = {
    "text": lambda one: one.text(5),
    "ascii": lambda one: one.ascii(5, least=1),
    "matching": lambda one: one.matching(re.compile("[a-z]{1,4}"), "a word"),
    "integer": lambda one: one.integer(-3, 3),
    "decimal": lambda one: one.decimal(1, 1000),
    "any decimal": lambda one: one.decimal(),
    "flag": lambda one: one.flag(),
    "choice": lambda one: one.choice(Colour),
    "exactly": lambda one: one.exactly(1),
    "hex": lambda one: one.hex(2),
    "prefixed": lambda one: one.hex(2, HexForm.PREFIXED),
    "any case": lambda one: one.hex(2, HexForm.ANY_CASE),
    "some hex": lambda one: one.hex_of_at_most(3),
    "base64": lambda one: one.base64(4),
    "items": lambda one: one.items(2, least=1),
    "entries": lambda one: one.entries(2),
    "members": lambda one: one.members().end(),
    "of format": lambda one: one.of_format("a thing", "hutong-thing", 1),
}


@pytest.mark.parametrize("name", READS)
@given(value=JSON)
def test_a_value_is_read_or_its_place_is_named(name, value):
    document = Document({"list": [value]}, "file").members()["list"].items(1)[0]
    try:
        READS[name](document)
    except MalformedInput as error:
        assert error.field == "file.list[0]" or error.field.startswith("file.list[0].")
        assert str(error).startswith(f"malformed {error.field}: ")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("text", "é\n", "é\n"),
        ("ascii", "hello", "hello"),
        ("matching", "abc", "abc"),
        ("integer", -3, -3),
        ("integer", 3, 3),
        ("decimal", "1000", 1000),
        ("any decimal", "0", 0),
        ("any decimal", "9" * 100, 10**100 - 1),
        ("flag", False, False),
        ("choice", "blue", Colour.BLUE),
        ("exactly", 1, None),
        ("hex", "ab01", b"\xab\x01"),
        ("prefixed", "0xab01", b"\xab\x01"),
        ("any case", "0xAb01", b"\xab\x01"),
        ("some hex", "", b""),
        ("some hex", "abcdef", b"\xab\xcd\xef"),
        ("base64", "AQIDBA==", b"\1\2\3\4"),
    ],
)
def test_what_is_within_bounds_comes_out(name, value, read):
    assert READS[name](Document(value, "one")) == read


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("text", [None, 1, "abcdef", ["a"]]),
        ("ascii", ["", "é", "abcdef", b"a".hex]),
        ("matching", ["", "abc\n", "ABC", 1, "abcde"]),
        ("integer", [-4, 4, True, 1.0, "1", None]),
        ("decimal", ["0", "1001", "01", "+1", " 1", "1 ", "1_0", "١", 1, "", "1" * 101]),
        ("any decimal", ["00", "-1", "1" * 101]),
        ("flag", [0, 1, "true", None]),
        ("choice", ["green", "RED", "", None, [], {}]),
        ("exactly", [True, 1.0, "1", 2, None]),
        ("hex", ["AB01", "ab0", "ab01ab", "0xab01", "ab 1", "ab01\n", "  01", "é001", 1]),
        ("prefixed", ["0XAB01", "0xAB01", "ab01", "0xab0", "0x"]),
        ("any case", ["0Xab01", "ab01", "0x ab0"]),
        ("some hex", ["abcdef01", "a", "0xab", "ab ", "AB"]),
        ("base64", ["AQIDBA", "AQ ==", "é", "AQIDBAU=", "AQIDBAUG", "AQIDBAUGBwg=", 1, None, "AQ==\n"]),
        ("items", [[], [1, 2, 3], {}, "ab", ()]),
        ("entries", [{"a": 1, "b": 2, "c": 3}, [], None]),
        ("members", [{"a": 1}, [], "a", None]),
        (
            "of format",
            [[], {}, {"format": "hutong-thing"}, {"format": "hutong-thing", "version": True}, {"version": 1}],
        ),
    ],
)
def test_what_is_beyond_them_is_refused(name, values):
    for value in values:
        with pytest.raises(MalformedInput):
            READS[name](Document(value, "one"))


@given(st.binary(max_size=40), st.integers(0, 40))
def test_bytes_are_read_within_their_bound(data, most):
    for form in HexForm:
        text = ("" if form is HexForm.PLAIN else "0x") + data.hex()
        assert Document(text, "one").hex(len(data), form) == data
        if len(data) <= most:
            assert Document(text, "one").hex_of_at_most(most, form) == data
        else:
            with pytest.raises(MalformedInput, match=f"of at most {most} bytes"):
                Document(text, "one").hex_of_at_most(most, form)
    text = b64encode(data).decode()
    if len(data) <= most:
        assert Document(text, "one").base64(most) == data
    else:
        with pytest.raises(MalformedInput, match=f"of at most {most} bytes"):
            Document(text, "one").base64(most)


@pytest.mark.long
@given(fields=st.dictionaries(st.text(max_size=4), JSON, min_size=1), data=st.data())
def test_a_field_that_nobody_takes_is_refused_and_one_that_is_missing_named(fields, data):
    taken = data.draw(st.sets(st.sampled_from(sorted(fields))))
    left = sorted(fields.keys() - taken)

    def read():
        with Document(fields, "file").members() as members:
            for name in taken:
                assert members[name].value is fields[name]

    if left:
        with pytest.raises(MalformedInput, match="is not a known field") as caught:
            read()
        assert caught.value.field == f"file.{left[0]}"
    else:
        read()
    absent = data.draw(st.text(max_size=4))
    assume(absent not in fields)
    with pytest.raises(MalformedInput, match="is missing") as caught, Document(fields, "file").members() as members:
        assert members.optional(absent) is None and absent not in members
        members[absent]
    assert caught.value.field == f"file.{absent}"


def test_an_error_inside_is_not_hidden_by_what_is_left():
    with pytest.raises(ZeroDivisionError), Document({"left": 1}, "file").members():
        raise ZeroDivisionError


def test_fields_are_taken_once_and_some_are_passed_over():
    with Document({"a": 1, "for people": 2}, "file").members() as fields:
        assert "a" in fields and fields["a"].integer(0, 1) == 1
        with pytest.raises(MalformedInput, match="is missing"):
            fields["a"]
        fields.pass_over("for people", "absent")
    with pytest.raises(MalformedInput, match=r"malformed file\.b: is of another kind"):
        Document({"b": 1}, "file").members().end("is of another kind")


def test_paths_are_those_of_the_document():
    document = Document({"legs": [{"proofs": [1]}], "": {"x": 1}}, "bundle").members()
    proof = document["legs"].items(1)[0].members()["proofs"].items(1)[0]
    assert proof.path == "bundle.legs[0].proofs[0]"
    assert document[""].members()["x"].path == "bundle..x"
    for name, value in Document({"a": {"b": [1]}}, "").entries(1):
        assert (name.value, name.path, value.path) == ("a", "", "a")
        assert value.members()["b"].items(1)[0].path == "a.b[0]"
    with pytest.raises(MalformedInput) as caught, Document({"x" * 5_000: 1}, "file").members():
        pass
    assert len(caught.value.field) < 80, "a name of the sender's does not fill a log"


def test_a_secret_is_in_no_error():
    one = Document({"key": ["very secret"]}, "file").members()["key"].items(1)[0]
    with pytest.raises(MalformedInput, match="very secret"):
        one.integer(0, 1)
    for read in READS.values():
        with pytest.raises(MalformedInput) as caught:
            read(one.concealed())
        assert "secret" not in str(caught.value) and caught.value.got is None
        assert caught.value.field.startswith("file.key[0]")


def test_the_error_is_the_caller_s_kind():
    class Refused(Exception):
        pass

    document = Document([{"a": "x"}], "answer", lambda *said: Refused(*said))
    with pytest.raises(Refused) as caught:
        document.items(1)[0].members()["a"].integer(0, 9)
    assert caught.value.args == ("answer[0].a", "is not an integer from 0 to 9", "x", None)


def test_formats_are_told_apart():
    good = {"format": "hutong-thing", "version": 1, "a": 2}
    with Document(good, "file").of_format("a thing", "hutong-thing", 1) as fields:
        assert fields["a"].value == 2
    for wrong, sentence in (
        (good | {"format": "hutong-other"}, "malformed file.format: is not a thing; expected hutong-thing"),
        ([good], "malformed file.format: is not a thing; expected hutong-thing"),
        (good | {"version": 2}, "malformed file.version: unknown; expected 1, got 2"),
    ):
        with pytest.raises(MalformedInput) as caught:
            Document(wrong, "file").of_format("a thing", "hutong-thing", 1)
        assert str(caught.value) == sentence


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_malformed(data):
    try:
        document = Document.parse(data, "file", 50)
    except MalformedInput as error:
        assert error.field == "file"
    else:
        assert json.loads(data) == document.value and len(data) <= 50


def strictness(source: str) -> tuple[int, int]:
    """How often fields are asked for, and how often by a `with`, which refuses what is left."""
    tree = ast.parse(source)
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("members", "of_format")
    ]
    within = {id(item.context_expr) for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items}
    return len(calls), sum(id(call) in within for call in calls)


def test_every_reader_of_documents_is_strict():
    """But for results of an audit, where a later hutong may say more, for what solc writes, and for documents of DIDs and
    of OpenID4VCI, which their standards let say more."""
    lenient = {
        "relay/audit/period/document.py",
        "relay/services/identity/rules/dids/document.py",
        "relay/services/identity/rules/dids/verification_method.py",
        "relay/services/identity/rules/wallet/authorisation.py",
        "relay/services/identity/rules/wallet/encryption_offered.py",
        "relay/services/identity/rules/wallet/issuer_answers.py",
        "relay/services/identity/rules/wallet/issuer_metadata.py",
        "relay/services/identity/rules/wallet/offers.py",
        "relay/services/identity/rules/wallet/proof_demands.py",
        "relay/storage_layout/compiler_output.py",
        "relay/storage_layout/layout_document.py",
        "relay/storage_layout/words.py",
    }
    found = 0
    for folder in ("adapters", "light_clients", "relay"):
        for path in (ROOT / folder).rglob("*.py"):
            source, name = path.read_text(), str(path.relative_to(ROOT))
            if "interface.document import" in source and name not in lenient:
                asked, strict = strictness(source)
                assert asked == strict, name
                found += asked
    assert found > 20
