"""`hutong identity status`: exit codes, and what is told of a list and of one status in it."""

import json

import pytest

from hutong.relay.services.identity.rules.jose import write_json
from hutong.relay.services.identity.rules.status import pack_statuses, status_list_claim
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.identity.rules.actors import ISSUER, ISSUER_KEY, NOW_S, STRANGER, raw, token

URI = "https://issuer.example/lists/7"
CLAIMS = {
    "iss": ISSUER,
    "sub": URI,
    "iat": NOW_S,
    "ttl": 15,
    "status_list": status_list_claim(pack_statuses(2, 1024, {9: 1, 10: 2, 11: 3})),
}


@pytest.fixture
def status(tmp_path):
    """Runs the command on a list that the issuer signed, or on another text."""
    (tmp_path / "issuer.json").write_bytes(raw(ISSUER_KEY.jwk))
    (tmp_path / "stranger.json").write_bytes(raw(STRANGER.jwk))

    def run(index, *words, text=None, key="issuer.json", uri=URI, at=NOW_S + 5):
        good = token({"alg": "ES256", "typ": "statuslist+jwt"}, write_json(CLAIMS))
        (tmp_path / "list.jwt").write_text((good if text is None else text) + "\n")
        trust = ("--issuer-key", tmp_path / key, "--issuer", ISSUER)
        return within_this_process(
            "identity", "status", tmp_path / "list.jwt", "--uri", uri, "--index", index, *trust, "--at", at, *words
        )

    return run


def test_a_status_is_told_with_the_list_that_says_so(status):
    done = status(8)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"list: {URI}, 1024 statuses of 2 bits" in done.stdout
    assert "valid: status 0 at index 8" in done.stdout


@pytest.mark.parametrize(("index", "name"), [(9, "invalid"), (10, "suspended"), (11, "application-specific")])
def test_what_does_not_hold_is_refused_and_named(status, index, name):
    done = status(index)
    assert done.returncode == 1
    assert f"{name}: status {index - 8} at index {index}" in done.stdout


def test_json_has_the_status_and_every_check(status):
    done = status(9, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["valid"], found["status"], found["meaning"]) == (1, False, 1, "invalid")
    assert (found["uri"], found["index"], found["size"], found["ttl_s"]) == (URI, 9, 1024, 15)
    assert found["issuer"]["name"] == ISSUER
    assert [check["name"] for check in found["checks"] if not check["held"]] == ["status_is_valid"]


def test_a_list_that_does_not_hold_says_nothing(status):
    for done, rule in (
        (status(8, key="stranger.json"), "signature_verifies"),
        (status(8, uri=URI + "0"), "subject_is_lists_uri"),
        (status(8, at=NOW_S + 16), "token_is_fresh"),
        (status(1024), "index_is_in_list"),
        (status(8, text="no token"), "token_well_formed"),
    ):
        assert done.returncode == 1 and rule in done.stdout, done.stdout
        assert "the list says nothing" in done.stdout
    assert status(8, "--fetched", NOW_S + 16, at=NOW_S + 31).returncode == 0
    assert status(8, "--fetched", NOW_S + 16, "--max-age", 20, at=NOW_S + 31).returncode == 1


def test_what_cannot_be_judged_is_said(status, tmp_path):
    assert status(8, uri="no uri").returncode == 2
    assert status(8, "--at", "yesterday").returncode == 2
    nobody = within_this_process("identity", "status", tmp_path / "list.jwt", "--uri", URI, "--index", 8)
    assert nobody.returncode == 2 and "nobody is trusted" in nobody.stderr
