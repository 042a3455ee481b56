"""DCQL: queries read within bounds, what answers them, and answers that do not."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.dcql import (
    HeldCredential,
    judge_answer,
    judge_credential,
    matches,
    query_well_formed,
    read_query,
    sets_are_answered,
    write_query,
)
from hutong.relay.services.identity.rules.jose import write_json

PID_TYPE = "https://credentials.example.com/identity_credential"
PID = {
    "vct": PID_TYPE,
    "family_name": "Doe",
    "given_name": "John",
    "age": 42,
    "adult": True,
    "address": {"street_address": "42 Market Street", "postal_code": "90210"},
    "nationalities": ["British", "Betelgeusian"],
}


def credential_query(**changes):
    query = {
        "id": "pid",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [PID_TYPE]},
        "claims": [{"path": ["family_name"]}],
    }
    return {name: value for name, value in {**query, **changes}.items() if value is not None}


def query(*credentials, sets=None):
    return query_well_formed({"credentials": list(credentials), **({} if sets is None else {"credential_sets": sets})})


def held(bound=True, authorities=None, **claims):
    return HeldCredential({**PID, **claims}, bound, authorities or {})


def disclosed(query_json, credential):
    return judge_credential(VERIFY, query(query_json).credentials[0], credential)


def test_without_claims_nothing_is_disclosed():
    assert disclosed(credential_query(claims=None), held()) == ()


def test_all_claims_are_disclosed_where_there_are_no_sets():
    claims = [{"path": ["family_name"]}, {"path": ["address", "postal_code"]}, {"path": ["nationalities", None]}]
    places = disclosed(credential_query(claims=claims), held())
    assert places == (("family_name",), ("address", "postal_code"), ("nationalities", 0), ("nationalities", 1))


def test_the_first_set_that_is_whole_is_disclosed():
    claims = [
        {"id": "a", "path": ["family_name"]},
        {"id": "b", "path": ["locality"]},
        {"id": "c", "path": ["given_name"]},
    ]
    wanted = credential_query(claims=claims, claim_sets=[["a", "b"], ["c"], ["a"]])
    assert disclosed(wanted, held()) == (("given_name",),)
    assert disclosed(wanted, held(locality="Milliways")) == (("family_name",), ("locality",))
    with pytest.raises(PredicateFailed, match="no set of claims"):
        disclosed(credential_query(claims=claims, claim_sets=[["a", "b"], ["b", "c"]]), held())


def test_of_a_list_only_the_values_asked_for_are_disclosed():
    claims = [{"path": ["nationalities", None], "values": ["Betelgeusian", "Vogon"]}]
    assert disclosed(credential_query(claims=claims), held()) == (("nationalities", 1),)


@pytest.mark.parametrize(
    ("name", "value", "equal"),
    [("age", 42, True), ("age", "42", False), ("age", True, False), ("adult", True, True), ("adult", 1, False)]
    + [("family_name", "Doe", True), ("family_name", "doe", False), ("family_name", "Doe ", False)],
)
def test_values_are_equal_in_type_and_code_points(name, value, equal):
    wanted = credential_query(claims=[{"path": [name], "values": [value]}])
    if equal:
        assert disclosed(wanted, held()) == ((name,),)
    else:
        with pytest.raises(PredicateFailed, match="values"):
            disclosed(wanted, held())


def test_a_whole_number_is_not_a_fraction_nor_a_composed_name_a_decomposed_one():
    for wanted, claims in (
        ({"path": ["age"], "values": [1]}, {"age": 1.0}),
        ({"path": ["n"], "values": ["\u00e9"]}, {"n": "e\u0301"}),
    ):
        with pytest.raises(PredicateFailed):
            disclosed(credential_query(claims=[wanted]), held(**claims))


@pytest.mark.parametrize("vct", ["https://other.example", PID_TYPE + "/", None, [PID_TYPE]])
def test_another_type_does_not_answer(vct):
    with pytest.raises(PredicateFailed, match="type_is_asked_for"):
        disclosed(credential_query(), held(vct=vct))


def test_a_credential_of_no_holder_answers_only_where_the_query_says_so():
    with pytest.raises(PredicateFailed, match="holder_is_bound"):
        disclosed(credential_query(), held(bound=False))
    disclosed(credential_query(require_cryptographic_holder_binding=False), held(bound=False))


def test_an_issuer_is_known_under_one_of_the_authorities():
    wanted = credential_query(
        trusted_authorities=[{"type": "aki", "values": ["s9tIpP"]}, {"type": "new", "values": ["x"]}]
    )
    disclosed(wanted, held(authorities={"aki": frozenset({"s9tIpP"})}))
    for authorities in ({}, {"aki": frozenset({"other"})}, {"etsi_tl": frozenset({"s9tIpP"})}):
        with pytest.raises(PredicateFailed, match="issuer_is_trusted"):
            disclosed(wanted, held(authorities=authorities))


def test_another_format_is_read_and_answered_by_nothing():
    read = query(credential_query(), {"id": "mdl", "format": "mso_mdoc", "meta": {"doctype_value": "x"}})
    assert list(matches(VERIFY, read, [held()])) == ["pid"]
    with pytest.raises(UnsupportedOperation, match="mso_mdoc"):
        judge_credential(VERIFY, read.credentials[1], held())


def test_what_is_held_is_matched_in_its_order():
    read = query(credential_query(multiple=True), credential_query(id="other", meta={"vct_values": ["x"]}))
    found = matches(VERIFY, read, [held(vct="x"), held(), held(family_name="Roe")])
    assert [match.position for match in found["pid"]] == [1, 2]
    assert [match.position for match in found["other"]] == [0]


def test_sets_say_what_must_be_presented():
    three = [credential_query(id=name) for name in "abc"]
    assert sets_are_answered(query(*three), "abc") == ("a", "b", "c")
    with pytest.raises(PredicateFailed):
        sets_are_answered(query(*three), "ab")
    sets = [{"options": [["a", "b"], ["c"]]}, {"options": [["b"]], "required": False}]
    assert sets_are_answered(query(*three, sets=sets), "bc") == ("b", "c")
    assert sets_are_answered(query(*three, sets=sets), "c") == ("c",)
    with pytest.raises(PredicateFailed, match="required set"):
        sets_are_answered(query(*three, sets=sets), "b")


def test_an_answer_is_what_was_asked_for():
    read = query(credential_query(), credential_query(id="b", multiple=True), sets=[{"options": [["pid"], ["b"]]}])
    judge_answer(VERIFY, read, {"pid": [held()]})
    judge_answer(VERIFY, read, {"b": [held(), held()]})


@pytest.mark.parametrize(
    "presented",
    [
        {},
        {"pid": []},
        {"pid": [held(), held()]},
        {"stranger": [held()]},
        {"pid": [held()], "stranger": [held()]},
        {"pid": [HeldCredential({"vct": PID_TYPE}, bound=True)]},
        {"pid": [held(vct="other")]},
        {"pid": [held(bound=False)]},
    ],
)
def test_an_answer_that_is_not_is_refused(presented):
    with pytest.raises(PredicateFailed):
        judge_answer(VERIFY, query(credential_query()), presented)


WHOLE = {
    "credentials": [
        credential_query(
            claims=[{"id": "a", "path": ["x", None, 3], "values": ["v", 1, True]}, {"id": "b", "path": ["y"]}],
            claim_sets=[["a"], ["b"]],
            trusted_authorities=[{"type": "aki", "values": ["v"]}],
            multiple=True,
            require_cryptographic_holder_binding=False,
        ),
        credential_query(id="two", claims=None),
    ],
    "credential_sets": [{"options": [["pid"], ["two"]], "required": False}, {"options": [["two"]]}],
}


def test_a_query_that_is_read_is_written_as_it_was():
    assert write_query(read_query(write_json(WHOLE))) == WHOLE


def test_members_that_nobody_knows_are_passed_over():
    assert query_well_formed({**WHOLE, "more": 1}) == query_well_formed(WHOLE)


def places(value, at=()):
    yield at
    for step, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*at, step))


def changed(at, new):
    document = copy.deepcopy(WHOLE)
    if not at:
        return new
    parent = document
    for step in at[:-1]:
        parent = parent[step]
    parent[at[-1]] = new
    return document


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(places(WHOLE))),
    st.sampled_from([None, True, -1, 1.5, "", "a b", [], {}, [[]], [{}], ["pid"] * 99]),
)
def test_a_changed_query_is_refused_or_reads_as_it_is_written(at, new):
    try:
        read = query_well_formed(changed(at, new))
    except VerificationError:
        return
    if all(credential.format == "dc+sd-jwt" for credential in read.credentials):
        assert query_well_formed(write_query(read)) == read
    else:
        with pytest.raises(ValueError, match="queries are written for"):
            write_query(read)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"credentials": []},
        {"credentials": [credential_query()] * 2},
        {"credentials": [credential_query(id="a b")]},
        {"credentials": [credential_query(meta=None)]},
        {"credentials": [credential_query(meta={})]},
        {"credentials": [credential_query(meta={"vct_values": []})]},
        {"credentials": [credential_query(claims=[])]},
        {"credentials": [credential_query(claims=[{"path": ["x"]}, {"path": ["x"]}])]},
        {"credentials": [credential_query(claims=[{"id": "a", "path": ["x"]}, {"id": "a", "path": ["y"]}])]},
        {"credentials": [credential_query(claims=[{"path": ["x"], "values": [1.5]}])]},
        {"credentials": [credential_query(claim_sets=[["a"]])]},
        {"credentials": [credential_query(claims=None, claim_sets=[["a"]])]},
        {"credentials": [credential_query(claims=[{"id": "a", "path": ["x"]}], claim_sets=[["b"]])]},
        {"credentials": [credential_query(multiple=1)]},
        {"credentials": [credential_query()], "credential_sets": []},
        {"credentials": [credential_query()], "credential_sets": [{"options": [["other"]]}]},
        {"credentials": [credential_query()], "credential_sets": [{"options": [["pid", "pid"]]}]},
        {"credentials": [credential_query(id=f"c{number}") for number in range(33)]},
    ],
)
def test_what_is_not_a_query_is_refused(wrong):
    with pytest.raises(MalformedInput):
        query_well_formed(wrong)


def test_text_beyond_the_bound_is_refused_before_it_is_parsed():
    with pytest.raises(MalformedInput, match="65536 bytes"):
        read_query(write_json(WHOLE) + b" " * 65536)
