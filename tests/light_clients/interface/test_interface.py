"""Errors carry evidence, heights order by revision, and one list of checks serves verifier and audit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    VERIFY,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    VerificationError,
    audit,
    cited,
    rule,
)
from hutong.light_clients.interface.errors import SHOWN_BYTES

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


RAN = []


@rule("spec 1")
def first(value):
    RAN.append(value)
    return value + 1


@rule("spec 2")
def second(value):
    raise PredicateFailed("second", "does not hold", value)


@rule("spec 3")
def third():
    RAN.append("third")


def judge_three(judge, value):
    found = judge(first, value)
    judge.under("part.")(second, found)
    judge(third)


def test_one_verifier_is_audited_and_verified_and_both_stop_at_the_first_refusal():
    RAN.clear()
    verdicts = audit(judge_three, 7)
    said = [(v.name, v.source, v.held) for v in verdicts]
    assert said == [("first", "spec 1", True), ("part.second", "spec 2", False)]
    with pytest.raises(PredicateFailed) as caught:
        judge_three(VERIFY, 7)
    assert caught.value == verdicts[1].error == PredicateFailed("second", "does not hold", 8)
    assert RAN == [7, 7]


def test_labels_of_parts_in_parts_stand_one_after_the_other():
    (verdict,) = audit(lambda judge: judge.under("outer.").under("inner.")(first, 1))
    assert verdict.name == "outer.inner.first"
    assert VERIFY.under("any") is VERIFY


def test_what_is_tacit_is_said_only_where_it_is_refused():
    assert audit(lambda judge: judge.tacitly(first, 1)) == ()
    (verdict,) = audit(lambda judge: judge.tacitly(second, 1))
    assert (verdict.name, verdict.held) == ("second", False)
    with pytest.raises(PredicateFailed):
        VERIFY.tacitly(second, 1)


def test_a_cited_rule_is_another_ones_with_its_own_source_and_name():
    other = cited(first, "spec 9", "renamed")
    assert (other.__name__, other.source, first.__name__, first.source) == ("renamed", "spec 9", "first", "spec 1")
    assert [(v.name, v.source) for v in audit(lambda judge: judge(other, 1))] == [("renamed", "spec 9")]
    with pytest.raises(TypeError, match="a rule is a function"):
        cited(len, "spec 9")


def test_a_bug_in_a_rule_stays_loud():
    @rule("nowhere")
    def broken():
        return 1 // 0

    with pytest.raises(ZeroDivisionError):
        audit(lambda judge: judge(broken))


def test_a_refusal_that_no_rule_raised_is_never_swallowed():
    def verifier(judge):
        judge(first, 1)
        raise MalformedInput("client_state", "is read outside of any rule")

    with pytest.raises(MalformedInput, match="outside of any rule"):
        audit(verifier)

    def converts(judge):
        try:
            judge(second, 1)
        except PredicateFailed:
            raise MalformedInput("evidence", "in place of the rule's own refusal") from None

    with pytest.raises(MalformedInput, match="in place of"):
        audit(converts)


def test_attack_H_evidence_of_an_error_is_printed_alike_under_every_python():
    """Python 3.13 prints U+2EBF0 as it is where 3.12 escapes it, and a hub stores the sentence."""
    assert (
        str(MalformedInput("memo", "must be text", got=["\U0002ebf0"])) == "malformed memo: must be text, got list of 1"
    )
    assert str(MalformedInput("memo", "must be text", got={"a": 1})) == "malformed memo: must be text, got dict of 1"
    assert str(MalformedInput("memo", "must be text", got="\U0002ebf0")).endswith("got \U0002ebf0")
