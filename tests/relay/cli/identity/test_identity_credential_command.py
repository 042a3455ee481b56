"""`hutong identity credential`: tokens and documents with proofs, by keys that the reader names."""

import json

import pytest

from hutong.relay.services.identity.rules.jose import write_json
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.identity.rules.actors import ISSUER_KEY, STRANGER, raw, token
from tests.relay.services.identity.rules.vc2.documents import CREDENTIAL
from tests.relay.services.identity.rules.vc2.test_data_integrity import METHOD, proof

AT = "2025-06-01T12:00:00Z"


@pytest.fixture
def judge(tmp_path):
    (tmp_path / "issuer.json").write_bytes(raw(ISSUER_KEY.jwk))
    (tmp_path / "stranger.json").write_bytes(raw(STRANGER.jwk))
    (tmp_path / "both.json").write_bytes(raw({"keys": [ISSUER_KEY.jwk, STRANGER.jwk]}))

    def run(text, *words, at=AT):
        (tmp_path / "credential").write_text(text)
        words = [word.replace("KEYS/", f"{tmp_path}/") for word in words]
        return within_this_process("identity", "credential", tmp_path / "credential", *words, "--at", at)

    return run


TOKEN = token({"alg": "ES256", "typ": "vc+jwt"}, write_json(CREDENTIAL))
PROVEN = json.dumps({**CREDENTIAL, "proof": proof()})


def test_a_token_and_a_document_with_proofs_are_judged(judge):
    for done in (
        judge(TOKEN, "--issuer-key", "KEYS/issuer.json"),
        judge(PROVEN, "--method", f"{METHOD}=KEYS/issuer.json"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
        assert 'type: ["VerifiableCredential", "Licence"]' in done.stdout
        assert "revocation: not checked" in done.stdout and "predicates held" in done.stdout


def test_what_does_not_hold_is_refused_by_rule(judge):
    for done, rule in (
        (judge(TOKEN, "--issuer-key", "KEYS/stranger.json"), "signature_verifies"),
        (judge(TOKEN, "--issuer-key", "KEYS/issuer.json", "--algorithm", "ES384"), "algorithm_is_allowed"),
        (judge(PROVEN, "--method", f"{METHOD}=KEYS/stranger.json"), "proof_verifies"),
        (judge(PROVEN, "--issuer-key", "KEYS/issuer.json"), "proof_verifies"),
        (judge(json.dumps(CREDENTIAL), "--method", f"{METHOD}=KEYS/issuer.json"), "document_well_formed"),
        (judge(PROVEN, "--method", f"{METHOD}=KEYS/issuer.json", at="2028-01-01T00:00:00Z"), "credential_is_in_time"),
        (judge("no token", "--issuer-key", "KEYS/issuer.json"), "document_well_formed"),
    ):
        assert done.returncode == 1 and rule in done.stdout, done.stdout + done.stderr


def test_json_has_the_credential_and_every_check(judge):
    found = json.loads(judge(TOKEN, "--issuer-key", "KEYS/issuer.json", "--json").stdout)
    assert found["valid"] is True and found["credential"] == CREDENTIAL
    assert found["status"] == {"checked": False, "entry": CREDENTIAL["credentialStatus"]}
    assert all(check["held"] for check in found["checks"])


def test_input_that_cannot_be_judged_ends_with_2(judge):
    for words, sentence in (
        ((), "nobody is trusted"),
        (("--method", METHOD), "URL=FILE"),
        (("--method", f"{METHOD}=KEYS/none.json"), "none.json"),
        (("--method", f"{METHOD}=KEYS/both.json"), "has 2 keys"),
        (("--issuer-key", "KEYS/credential"), "credential"),
    ):
        done = judge(TOKEN, *words)
        assert done.returncode == 2 and sentence in done.stderr, (words, done.stderr)
