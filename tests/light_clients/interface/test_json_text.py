"""The one JSON parser for outside bytes: a verdict or MalformedInput, also where libraries raised the recursion limit."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import MAX_JSON_DEPTH, deeper_than, parse_json

LIMIT = 1 << 20

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=values)
def test_what_json_writes_is_read_back(value: object) -> None:
    assert parse_json(json.dumps(value).encode(), "file", LIMIT) == value


@settings(max_examples=300)
@given(data=st.binary(max_size=200) | st.text(alphabet='[]{}",:\\0a ', max_size=200).map(str.encode))
def test_any_bytes_end_in_a_value_or_a_refusal(data: bytes) -> None:
    try:
        parse_json(data, "file", LIMIT)
    except MalformedInput as error:
        assert error.field == "file"


def _depth_by_the_byte(data: bytes) -> int:
    deepest = depth = 0
    inside = escaped = False
    for byte in data:
        if inside:
            inside, escaped = escaped or byte != ord('"'), not escaped and byte == ord("\\")
        elif byte == ord('"'):
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


@pytest.mark.long
@settings(max_examples=500)
@given(data=st.text(alphabet='[]{}"a', max_size=60) | st.text(alphabet='[]{}"\\a', max_size=60))
def test_depth_is_that_of_a_reader_byte_by_byte(data: str) -> None:
    depth = _depth_by_the_byte(data.encode())
    assert not deeper_than(data.encode(), depth)
    assert depth == 0 or deeper_than(data.encode(), depth - 1)


def test_the_deepest_document_and_one_deeper() -> None:
    fits = b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH
    assert parse_json(fits, "file", LIMIT) is not None
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = opening * (MAX_JSON_DEPTH + 1) + b"1" + closing * (MAX_JSON_DEPTH + 1)
        with pytest.raises(MalformedInput) as refused:
            parse_json(deep, "file", LIMIT)
        assert refused.value.reason == f"nested deeper than {MAX_JSON_DEPTH}"


def test_brackets_in_strings_do_not_nest_and_escapes_do_not_end_strings() -> None:
    assert not deeper_than(json.dumps(["[" * 1_000, '"' + "{" * 1_000, "\\"]).encode(), 2)
    assert deeper_than(b'["\\\\",' + b"[" * 3, 2)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'"\\ud800"',
        b'{"\\uDFFF":1}',
        b"NaN",
        b"[Infinity]",
        b"\xff\xfe[\x00]\x00",
        b"1" * 5_000,
        b"",
        b"{",
        b"[1] 2",
    ],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_json(data, "file", LIMIT)


def test_a_document_at_the_bound_and_one_byte_longer() -> None:
    assert parse_json(b"[" + b" " * 8 + b"]", "file", 10) == []
    with pytest.raises(MalformedInput) as refused:
        parse_json(b"[" + b" " * 9 + b"]", "file", 10)
    assert refused.value.got == 11


BOMBED = """
import sys, tempfile, os
from pathlib import Path
import hutong.relay.cli.common.verdicts, hutong.relay.core.daemon, hutong.relay.hub.rpc.cometbft_http
sys.setrecursionlimit(100_000)  # as py_ecc does at import
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import parse_json
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint import rpc_json
from hutong.relay.archive.evidence import decode_evidence
from hutong.relay.dispatch.record import RecordRefused, decode_job
from hutong.relay.hub.application.genesis import decode_genesis
from hutong.relay.hub.home.home import decode_validator_key
from hutong.relay.hub.home.last_signed import decode_last_signed
from hutong.relay.keys.keystore import KeyUnavailable, read_keyfile

keystore = Path(tempfile.mkdtemp()) / "key.json"
def read_keystore(data):
    keystore.touch(mode=0o600)
    keystore.write_bytes(data)
    return read_keyfile(keystore)

expected = (MalformedInput, BadAnswer, RecordRefused, ValueError, KeyUnavailable)
readers = [
    lambda data: rpc_json.parse_json(data),
    lambda data: parse_json(data, "status", 1 << 24),
    decode_evidence, decode_job, decode_genesis, decode_validator_key, decode_last_signed, read_keystore,
]
for size in (15_000, 60_000, 1_000_000):
    for opening in (b"[", b'{"a":'):
        bomb = opening * (size // len(opening))
        for read in readers:
            try:
                read(bomb)
            except expected:
                continue
            raise SystemExit(f"not refused: {read}")
print("all refused")
"""


@pytest.mark.long
def test_a_bomb_of_brackets_ends_no_process_by_a_signal() -> None:
    """In a process of its own, with the recursion limit that py_ecc sets: a parser that recurses would be killed."""
    ended = subprocess.run([sys.executable, "-c", BOMBED], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.strip() == "all refused"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,}', "is not JSON"),
        (b"[1,]", "is not JSON"),
        (b'"\xff"', "is not JSON"),
        (b'"\\ud800"', "is not JSON"),
        (b"1" * 640 + b"1", "is not JSON: an integer has more than 640 characters"),
        (b'{"a":1,"a":2}', "is not JSON: an object repeats a key"),
        (b"NaN", "is not JSON: NaN is no number"),
    ],
)
def test_attack_H_json_refusals_have_the_same_words_under_every_python(data: bytes, reason: str) -> None:
    """The hub stores and hashes them: 3.13 has other words than 3.12 for a trailing comma."""
    with pytest.raises(MalformedInput) as refused:
        parse_json(data, "file", LIMIT)
    assert refused.value.reason == reason


def test_attack_H_the_longest_integer_does_not_depend_on_the_environment() -> None:
    longest = "-" + "9" * 639
    script = f"""
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
print(parse_json(b'{longest}', 'file', 9999) == int('{longest}'))
try:
    parse_json(b'{longest}9', 'file', 9999)
except MalformedInput as error:
    print(error)
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-X", f"int_max_str_digits={digits}", "-c", script], capture_output=True, text=True
        ).stdout
        for digits in (640, 4300, 0)
    }
    assert outputs == {"True\nmalformed file: is not JSON: an integer has more than 640 characters\n"}
