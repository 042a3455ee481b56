"""Documents of VC Data Model 2.0: each rule on a credential that is whole but for one thing."""

import copy
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.vc2 import (
    BASE_CONTEXT,
    bare_credentials_are_the_holders,
    credential_is_in_time,
    date_time_ns,
    judge_credential_model,
    judge_presentation_model,
    members_are_defined,
)
from tests.relay.services.identity.rules.vc2.documents import CREDENTIAL, HOLDER, ISSUER, PRESENTATION

LICENCE = {"Licence": "https://issuer.example/terms#Licence"}


def changed(document, at, new):
    made = copy.deepcopy(document)
    parent = made
    for step in at[:-1]:
        parent = parent[step]
    parent[at[-1]] = new
    return made


def without(document, name):
    return {key: value for key, value in document.items() if key != name}


def test_whole_documents_are_taken():
    judge_credential_model(VERIFY, CREDENTIAL)
    assert judge_presentation_model(VERIFY, PRESENTATION) == HOLDER
    bare_credentials_are_the_holders(PRESENTATION)


@pytest.mark.parametrize("name", ["@context", "type", "issuer", "credentialSubject"])
def test_what_a_credential_must_have(name):
    with pytest.raises(VerificationError):
        judge_credential_model(VERIFY, without(CREDENTIAL, name))


BROKEN = [
    (["@context"], BASE_CONTEXT + "#"),
    (["@context"], [LICENCE, BASE_CONTEXT]),
    (["@context"], [BASE_CONTEXT, BASE_CONTEXT]),
    (["@context"], [BASE_CONTEXT, 7]),
    (["@context"], [BASE_CONTEXT, *({f"t{number}": "https://a.example/"} for number in range(16))]),
    (["@context"], [BASE_CONTEXT, {"VerifiableCredential": "https://evil.example/"}]),
    (["@context"], [BASE_CONTEXT, {"id": "https://evil.example/"}]),
    (["@context"], [BASE_CONTEXT, {**LICENCE, "@protected": True}, {"Licence": "https://evil.example/"}]),
    (
        ["@context"],
        [
            BASE_CONTEXT,
            {"Licence": {"@id": "https://a.example/", "@protected": True}},
            {"Licence": "https://b.example/"},
        ],
    ),
    (["@context"], [BASE_CONTEXT, {"Licence": "no url"}]),
    (["@context"], [BASE_CONTEXT, {"Licence": {"@id": 7}}]),
    (["@context"], [BASE_CONTEXT]),
    (["@context"], [BASE_CONTEXT, {"Licence": None}]),
    (["type"], "Licence"),
    (["type"], []),
    (["type"], ["VerifiableCredential", "VerifiableCredential"]),
    (["type"], ["VerifiableCredential", "Licence", 7]),
    (["id"], "no url"),
    (["id"], None),
    (["issuer"], "issuer"),
    (["issuer"], {"id": [ISSUER]}),
    (["issuer", "name"], {"@value": "a", "more": "b"}),
    (["name"], 7),
    (["name"], {"@language": "en"}),
    (["name"], {"@value": "a", "@direction": 1}),
    (["credentialSubject"], "did:example:subject"),
    (["credentialSubject"], []),
    (["credentialSubject"], [{"a": 1}, {}]),
    (["credentialSubject"], {"id": ["did:example:a", "did:example:b"]}),
    (["validFrom"], "2024-01-01"),
    (["validFrom"], "2024-01-01T00:00:00"),
    (["validFrom"], 1700000000),
    (["validUntil"], "2023-12-31T23:59:59Z"),
    (["credentialStatus"], {"id": "https://issuer.example/s#1"}),
    (["credentialStatus", "type"], "Unheard"),
    (["credentialStatus", "id"], "s1"),
    (["credentialSchema"], {"type": "JsonSchema"}),
    (["evidence"], [{"type": []}]),
    (["proof"], {"proofPurpose": "assertionMethod"}),
]


def test_what_is_broken_is_refused():
    taken = []
    for at, new in BROKEN:
        try:
            judge_credential_model(VERIFY, changed(CREDENTIAL, at, new))
        except VerificationError:
            continue
        taken.append((at, new))
    assert not taken


def test_a_type_is_known_by_a_url_a_context_of_its_own_or_one_that_nobody_here_reads():
    for contexts, types in (
        ([BASE_CONTEXT], ["VerifiableCredential", "https://issuer.example/terms#Licence"]),
        ([BASE_CONTEXT, "https://other.example/v1"], ["VerifiableCredential", "Licence"]),
        ([BASE_CONTEXT, {"@vocab": "https://other.example/"}], ["VerifiableCredential", "Licence"]),
        ([BASE_CONTEXT, "https://other.example/v1", {"@vocab": None}], ["VerifiableCredential", "Licence"]),
        ([BASE_CONTEXT, {**LICENCE, "@protected": True}, dict(LICENCE)], ["VerifiableCredential", "Licence"]),
    ):
        judge_credential_model(VERIFY, {**CREDENTIAL, "@context": contexts, "type": types})


@pytest.mark.parametrize(
    ("at", "new"),
    [
        (["type"], "VerifiableCredential"),
        (["holder"], "holder"),
        (["verifiableCredential"], ["eyJhbGciOiJFUzI1NiJ9.e30.AA"]),
        (["verifiableCredential"], []),
        (["verifiableCredential", 0, "id"], "https://issuer.example/credential"),
        (["verifiableCredential", 0, "id"], "data:text/plain,x"),
        (["verifiableCredential", 0, "id"], "data:application/vc+jwt,"),
        (["verifiableCredential", 0, "id"], "data:application/vc+jwt;charset=x,y"),
        (["verifiableCredential", 0, "@context"], "https://other.example/"),
        (["verifiableCredential", 1, "issuer"], None),
    ],
)
def test_presentations_that_are_broken(at, new):
    with pytest.raises(VerificationError):
        judge_presentation_model(VERIFY, changed(PRESENTATION, at, new))


def test_a_bare_credential_of_another_issuer_is_not_the_holders_to_sign():
    forged = changed(PRESENTATION, ["verifiableCredential", 1, "issuer"], ISSUER)
    judge_presentation_model(VERIFY, forged)
    with pytest.raises(PredicateFailed, match="bare_credentials_are_the_holders"):
        bare_credentials_are_the_holders(forged)
    with pytest.raises(PredicateFailed, match="bare_credentials_are_the_holders"):
        bare_credentials_are_the_holders(without(PRESENTATION, "holder"))


def test_a_credential_holds_from_its_first_to_its_last_instant():
    start_ns, end_ns = (date_time_ns(CREDENTIAL[name], name) for name in ("validFrom", "validUntil"))
    for now_ns, holds in ((start_ns - 1, False), (start_ns, True), (end_ns, True), (end_ns + 1, False)):
        if holds:
            credential_is_in_time(CREDENTIAL, now_ns)
        else:
            with pytest.raises(PredicateFailed, match="credential_is_in_time"):
                credential_is_in_time(CREDENTIAL, now_ns)


def test_an_issuer_signs_no_member_that_it_does_not_know():
    vocabulary = judge_credential_model(VERIFY, CREDENTIAL)
    members_are_defined(CREDENTIAL, vocabulary)
    with pytest.raises(PredicateFailed, match="surprise"):
        members_are_defined({**CREDENTIAL, "surprise": 1}, vocabulary)


def test_a_refusal_names_the_credential_in_a_presentation():
    broken = changed(PRESENTATION, ["verifiableCredential", 1, "credentialSubject"], {})
    with pytest.raises(MalformedInput, match="credentialSubject"):
        judge_presentation_model(VERIFY, broken)


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


@settings(max_examples=60, deadline=None)
@given(st.datetimes(min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30), timezones=zones))
def test_dates_are_those_of_the_calendar(moment):
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds
    assert date_time_ns(moment.isoformat(), "date") == microseconds * 1000


WRONG_DATES = """2024-02-30T00:00:00Z 2023-02-29T00:00:00Z 2024-13-01T00:00:00Z 2024-00-01T00:00:00Z 2024-01-00T00:00:00Z
0000-01-01T00:00:00Z 2024-01-01T24:00:00Z 2024-01-01T00:60:00Z 2024-01-01T00:00:60Z 2024-01-01T00:00:00+14:01
2024-01-01T00:00:00+00:60 2024-01-01t00:00:00Z 2024-01-01T00:00:00z 2024-01-01T00:00:00.Z 2024-01-01T00:00:00.1234567890Z
24-01-01T00:00:00Z 2024-1-1T00:00:00Z 2024-01-01T00:00:00 +2024-01-01T00:00:00Z -2024-01-01T00:00:00Z""".split()


def test_dates_that_there_are_not():
    for text in [*WRONG_DATES, "２024-01-01T00:00:00Z", "2024-01-01T00:00:00Z\n", None, 5]:
        with pytest.raises(MalformedInput):
            date_time_ns(text, "date")


parts = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", "id", BASE_CONTEXT, "VerifiableCredential"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "type", "@context", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(CREDENTIAL)), parts)
def test_any_member_is_taken_or_refused_and_nothing_else_happens(name, value):
    for judge, document in ((judge_credential_model, CREDENTIAL), (judge_presentation_model, PRESENTATION)):
        try:
            judge(VERIFY, {**document, name: value})
        except VerificationError:
            continue
