"""Errors carry evidence, heights order by revision, and one list of checks serves verifier and audit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients.interface import (
    Check,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    VerificationError,
    audit_checks,
    run_checks,
)
from light_clients.interface.errors import SHOWN_BYTES

UINT64 = st.integers(0, 2**64 - 1)


def test_errors_say_what_was_got_and_expected_and_never_print_a_whole_proof():
    error = PredicateFailed("root_matches", "another root", got=b"\1" * 32, expected=b"\2" * 32)
    assert str(error) == f"root_matches: another root; expected 0x{'02' * 32}, got 0x{'01' * 32}"
    long = MalformedInput("proof", "is too long", got=bytes(10_000))
    assert len(str(long)) < 200
    assert "10000 bytes" in str(long)
    assert len(str(MalformedInput("text", "is odd", got="x" * 10_000))) < 5 * SHOWN_BYTES


def test_attack_H_an_error_about_json_that_is_too_deep_to_print_still_has_a_sentence():
    shallow: list[object] = []
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert str(MalformedInput("file", "is not a JSON object", got=shallow)).endswith("got list of 0")
    assert "is not a JSON object" in str(MalformedInput("file", "is not a JSON object", got=deep))
    assert "is not a JSON object" in str(MalformedInput("file", "is not a JSON object", got={"a": deep}))


@pytest.mark.parametrize(
    "error",
    [
        MalformedInput("field", "reason"),
        PredicateFailed("predicate", "reason"),
        ClientExpired(1, 2),
        ClientFrozen(),
        UnknownHeight(Height(0, 5), Height(0, 4)),
        UnsupportedOperation("batch"),
    ],
)
def test_every_refusal_has_one_base_and_a_sentence(error):
    assert isinstance(error, VerificationError)
    assert str(error)
    with pytest.raises(type(error)):
        raise error


@given(UINT64, UINT64, UINT64, UINT64)
def test_heights_order_by_revision_first_and_keys_keep_the_order(a, b, c, d):
    one, other = Height(a, b), Height(c, d)
    assert (one < other) == ((a, b) < (c, d)) == (one.to_key() < other.to_key())
    assert Height.from_key(one.to_key()) == one == Height.parse(str(one))


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "01-1", "1-01", "1-1-1", "a-1", "1 - 1", "1-1\n", "1--1", "9" * 20 + "-1"]
)
def test_heights_that_are_invalid(text):
    assert Height.parse("0-1") == Height(0, 1)
    with pytest.raises(MalformedInput):
        Height.parse(text)


@pytest.mark.parametrize(("number", "height"), [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
def test_heights_out_of_range(number, height):
    with pytest.raises(MalformedInput):
        Height(number, height)
    with pytest.raises(MalformedInput):
        Height.from_key(bytes(15))


def test_zero_is_the_height_of_nothing():
    assert Height(0, 0).is_zero
    assert not Height(0, 1).is_zero
    assert not Height(1, 0).is_zero


def failing():
    raise PredicateFailed("second", "does not hold")


def test_audit_prints_what_verify_runs_and_both_stop_at_the_first_failure():
    ran = []
    checks = [
        Check("first", "spec 1", lambda: ran.append(1)),
        Check("second", "spec 2", failing),
        Check("third", "spec 3", lambda: ran.append(3)),
    ]
    verdicts = list(audit_checks(checks))
    assert [(v.name, v.source, v.held) for v in verdicts] == [("first", "spec 1", True), ("second", "spec 2", False)]
    with pytest.raises(PredicateFailed) as caught:
        run_checks(checks)
    assert caught.value == verdicts[1].error
    assert ran == [1, 1]


def test_a_bug_in_a_check_stays_loud():
    with pytest.raises(ZeroDivisionError):
        list(audit_checks([Check("broken", "nowhere", lambda: 1 // 0)]))


def test_checks_are_run_one_by_one_so_that_later_ones_may_build_on_earlier_ones():
    held = []

    def checks():
        yield Check("decode", "spec", lambda: held.append("value"))
        yield Check("judge", held[0], lambda: None)

    assert [verdict.source for verdict in audit_checks(checks())] == ["spec", "value"]


def test_attack_H_evidence_of_an_error_is_printed_alike_under_every_python():
    """Python 3.13 prints U+2EBF0 as it is where 3.12 escapes it, and a hub stores the sentence."""
    assert (
        str(MalformedInput("memo", "must be text", got=["\U0002ebf0"])) == "malformed memo: must be text, got list of 1"
    )
    assert str(MalformedInput("memo", "must be text", got={"a": 1})) == "malformed memo: must be text, got dict of 1"
    assert str(MalformedInput("memo", "must be text", got="\U0002ebf0")).endswith("got \U0002ebf0")
