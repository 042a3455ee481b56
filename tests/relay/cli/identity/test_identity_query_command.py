"""`hutong identity query`: what answers, what would be disclosed, and why something does not."""

import json

import pytest
from cryptography import x509

from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.verify.credentials.credential_queries import authority_keys
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.identity.rules.actors import ISSUER_KEY, VCT, issued
from tests.relay.services.identity.rules.jose.test_certificate_attacks import ROOT, certificate, x5c

PID = {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}}


@pytest.fixture
def ask(tmp_path):
    (tmp_path / "licence.txt").write_text(f"{issued()}\n")

    def run(query, *words):
        (tmp_path / "query.json").write_text(json.dumps(query) if isinstance(query, dict) else query)
        return within_this_process("identity", "query", tmp_path / "query.json", tmp_path / "licence.txt", *words)

    return run


def test_what_answers_is_told_with_what_it_discloses(ask):
    done = ask(
        {
            "credentials": [
                {**PID, "claims": [{"path": ["given_name"]}, {"path": ["nationalities", None], "values": ["DE"]}]}
            ]
        }
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'licence.txt\n  ["given_name"]\n  ["nationalities", 0]\n' in done.stdout
    assert "answered: present pid" in done.stdout


def test_what_does_not_answer_is_told_with_the_rule(ask):
    other = {**PID, "id": "other", "meta": {"vct_values": ["https://credentials.example/passport"]}}
    done = ask({"credentials": [PID, other]})
    assert done.returncode == 1
    assert "other: nothing answers it" in done.stdout and "type_is_asked_for" in done.stdout
    found = json.loads(ask({"credentials": [PID, other]}, "--json").stdout)
    assert found["answered"] is False and list(found["credentials"]) == ["pid"]
    assert "type_is_asked_for" in found["unanswered"]["other"][0]["reason"]
    either = {"credentials": [PID, other], "credential_sets": [{"options": [["other"], ["pid"]]}]}
    assert json.loads(ask(either, "--json").stdout)["present"] == ["pid"]


def test_input_that_cannot_be_read_ends_with_2(ask, tmp_path):
    for query in ("{", '{"credentials": []}', '{"credentials": [], "credentials": []}'):
        assert ask(query).returncode == 2
    (tmp_path / "query.json").write_text(json.dumps({"credentials": [PID]}))
    done = within_this_process("identity", "query", tmp_path / "query.json", tmp_path / "query.json")
    assert done.returncode == 2 and "query.json" in done.stderr


def test_an_issuer_is_known_by_the_key_of_who_certified_it():
    identifier = x509.AuthorityKeyIdentifier(b"key of the root", None, None)
    certified = x5c(certificate("leaf", ISSUER_KEY, "root", ROOT, (identifier, False)))
    assert authority_keys(certified) == {encode_base64url(b"key of the root")}
    assert authority_keys(["no base64", "AAAA", 7, *certified]) == {encode_base64url(b"key of the root")}
    assert authority_keys(None) == authority_keys(["AAAA"]) == frozenset()
