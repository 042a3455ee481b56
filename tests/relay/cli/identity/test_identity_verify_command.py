"""`hutong identity verify`: exit codes, what is told of a presentation, and that it opens no socket."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.identity.rules.actors import (
    AUDIENCE,
    ISSUER,
    ISSUER_HEADER,
    ISSUER_KEY,
    NONCE,
    NOW_S,
    STRANGER,
    VCT,
    Presented,
    issued,
    presented,
    raw,
)
from tests.relay.services.identity.rules.jose.test_certificate_attacks import leaf, root, x5c

REQUEST = ("--audience", AUDIENCE, "--nonce", NONCE, "--at", NOW_S)


@pytest.fixture
def files(tmp_path):
    """Writes a file and gives its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def verify(file, *words):
    return within_this_process("identity", "verify", file, *words)


def test_what_is_shown_is_told_and_what_is_not_checked(files):
    file = files("p.txt", presented(issued(), ("given_name",), ("nationalities", 0)) + "\n")
    key = files("issuer.json", raw(ISSUER_KEY.jwk))
    done = verify(file, "--issuer-key", key, "--issuer", ISSUER, *REQUEST, "--type", VCT)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "presented_to_this_verifier",
        f"credential: {VCT}",
        f"issuer: {ISSUER}",
        "holder: signed this presentation",
        'shown  given_name: "Erika"',
        'nationalities: ["DE", "EU"]',
        "revocation: not checked; the credential says",
        "valid: 34 predicates held",
    ):
        assert line in done.stdout, line
    assert "Mustermann" not in done.stdout


def test_json_has_claims_and_every_check(files):
    file = files("p.txt", presented(issued(), ("given_name",)))
    key = files("issuer.json", raw({"keys": [ISSUER_KEY.jwk]}))
    found = json.loads(verify(file, "--issuer-key", key, *REQUEST, "--json").stdout)
    assert found["valid"] is True and found["vct"] == VCT
    assert found["issuer"]["name"] is None and "iss" not in found["claims"]
    assert found["disclosed"] == [["given_name"]]
    assert found["status"] == {
        "checked": False,
        "reference": {"status_list": {"idx": 7, "uri": "https://issuer.example/status/1"}},
    }
    assert all(check["held"] and check["source"] for check in found["checks"])


def test_certificates_under_an_anchor(files):
    with_chain = Presented(header={**ISSUER_HEADER, "x5c": x5c(leaf())})
    file, anchor = files("p.txt", with_chain.text), files("root.pem", root().public_bytes(Encoding.PEM))
    found = json.loads(verify(file, "--trust", anchor, *REQUEST, "--json").stdout)
    assert found["issuer"]["name"] == ISSUER and found["issuer"]["subject"] == "CN=issuer"


@pytest.mark.parametrize(
    ("change", "words", "rule"),
    [
        ({"issuer": STRANGER}, (), "signature_verifies"),
        ({"kb": {"nonce": "other"}}, (), "presented_for_this_request"),
        ({"kb": {"iat": NOW_S - 301}}, (), "presented_just_now"),
        ({}, ("--type", "urn:other"), "type_is_accepted"),
    ],
)
def test_a_refusal_names_its_rule_and_ends_with_1(files, change, words, rule):
    file, key = files("p.txt", Presented().but(**change).text), files("issuer.json", raw(ISSUER_KEY.jwk))
    trust = ("--issuer-key", key, "--issuer", ISSUER)
    assert verify(files("good.txt", Presented().text), *trust, *REQUEST).returncode == 0
    done = verify(file, *trust, *REQUEST, *words)
    assert done.returncode == 1 and "invalid" in done.stdout
    assert rule in done.stdout.splitlines()[-3]
    found = json.loads(verify(file, *trust, *REQUEST, *words, "--json").stdout)
    assert found["valid"] is False and found["claims"] is None and found["checks"][-1]["name"] == rule


def test_a_text_that_is_no_presentation_is_refused(files):
    key = files("issuer.json", raw(ISSUER_KEY.jwk))
    for content in ("{}", "a.b.c", "a.b.c~", "\u00e9~", b"\xff\xfe~", "x" * 1_000 + "~"):
        done = verify(files("p.txt", content), "--issuer-key", key, "--json")
        assert done.returncode == 1, content
        assert json.loads(done.stdout)["checks"][-1]["held"] is False


def test_input_that_cannot_be_judged_ends_with_2(files, tmp_path):
    file, key = files("p.txt", Presented().text), files("issuer.json", raw(ISSUER_KEY.jwk))
    for words, sentence in (
        ((), "nobody is trusted"),
        (("--issuer-key", tmp_path / "none"), "cannot be read"),
        (("--issuer-key", file), "is not JSON"),
        (("--issuer-key", files("k", b'{"keys":[]}')), "has no key of a supported curve"),
        (("--trust", key), "is not certificates in PEM"),
        (("--issuer-key", key, "--audience", "a"), "give both, or neither"),
        (("--issuer-key", key, "--audience", "a", "--nonce", ""), "are not empty"),
        (("--issuer-key", key, "--skew", -1), "clock"),
        (("--issuer-key", key, "--at", "yesterday"), "--at"),
    ):
        done = verify(file, *words)
        assert done.returncode == 2 and sentence in done.stderr, (words, done.stderr)
    big = verify(files("big.txt", "x" * 300_000), "--issuer-key", key)
    assert big.returncode == 2 and "more than" in big.stderr
