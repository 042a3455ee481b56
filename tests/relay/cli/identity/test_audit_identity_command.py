"""`hutong audit identity` and acceptances in `hutong audit replay`: what a person and a script read of recorded ones."""

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.relay.archive.acceptance import (
    ShownEntry,
    ShownPresentation,
    ShownSeal,
    decode_acceptance,
    encode_acceptance,
)
from hutong.relay.cli.audit.command import app
from tests.relay.audit.identity.recorded_acceptances import NOW, RECORDED, recorded

PAGE = Path(__file__).parents[4] / "docs" / "spec" / "identity-acceptance.md"
CHECKPOINT = RECORDED / "hub.checkpoint.json"


def run(*words, code):
    found = CliRunner().invoke(app, [str(word) for word in words])
    assert found.exit_code == code, (found.stdout, found.stderr, found.exception)
    return found


def test_recorded_acceptances_and_vectors_are_what_the_format_makes():
    page = PAGE.read_text()
    for name, data in recorded().items():
        assert (RECORDED / name).read_bytes() == data, name
        assert sha256(data).hexdigest() in page, name
    for vector in re.findall(r"^f9[0-9a-f]{200,}$", page, re.MULTILINE):
        assert encode_acceptance(decode_acceptance(bytes.fromhex(vector))).hex() == vector
    logged, sealed = (decode_acceptance(bytes.fromhex(one)) for one in re.findall(r"^f9[0-9a-f]{200,}$", page, re.M))
    assert logged.shown == ShownPresentation("sd-jwt", "verifier", "nonce") and logged.claims[0].value[31:33] == b"\0\5"
    assert logged.entry == ShownEntry(b"\1" + bytes(31) + b"\7", 300, (bytes([5]) * 32,))
    assert isinstance(sealed.shown, ShownSeal) and sealed.shown.members[2:4] == (bytes(32), bytes(31) + b"\3")
    assert (sealed.shown.call.nonce, sealed.shown.call.deadline_s, sealed.entry) == (0, 1_800_000_060, None)


def test_an_acceptance_is_judged_from_its_file(tmp_path):
    words = ["--checkpoint", CHECKPOINT, "--now", NOW]
    shown = run("identity", RECORDED / "credential.acceptance", *words, code=0).stdout
    assert 'given_name: "Erika"' in shown and "family_name" not in shown
    assert "accredited by the hub's governance, depth 4" in shown and shown.endswith("predicates held\n")
    found = json.loads(run("identity", RECORDED / "seal.acceptance", *words, "--json", code=0).stdout)
    assert found["valid"] and found["kind"] == "seal" and found["accepted"]["nonce"] == "7"
    assert found["accepted"]["audience"] == "eip155:31337:0x" + "a7" * 20
    ended = json.loads(run("identity", RECORDED / "retired-key.acceptance", *words, "--json", code=0).stdout)
    assert ended["accepted"]["key_state"] == "retired"
    refused = run("identity", RECORDED / "revoked.acceptance", *words, code=1).stdout
    assert "expected valid, got invalid" in refused.splitlines()[-1]
    told = json.loads(run("identity", RECORDED / "revoked.acceptance", *words, "--json", code=1).stdout)
    assert (told["valid"], told["accepted"], told["failure"]["name"]) == (False, None, "status_is_valid")
    (tmp_path / "x.acceptance").write_bytes(b"{}")
    run("identity", tmp_path / "x.acceptance", *words, code=1)


@pytest.mark.parametrize(
    "words",
    [
        ("--type", "licence"),
        ("--type", "licence=12"),
        ("--schema", "12"),
        ("--max-age", "86401"),
        ("--now", "yesterday"),
        ("--checkpoint", "nothing.json"),
    ],
)
def test_what_cannot_be_asked_is_said(words):
    given = ["--checkpoint", CHECKPOINT, "--now", NOW, *words]
    run("identity", RECORDED / "credential.acceptance", *given, code=2)


def test_attack_N177_a_period_of_acceptances_names_what_is_refused_and_what_stands_twice(tmp_path):
    for name in ("credential", "seal"):
        shutil.copy(RECORDED / f"{name}.acceptance", tmp_path)
    words = ["--checkpoint", CHECKPOINT, "--now", NOW]
    good = json.loads(run("replay", tmp_path, *words, "--json", code=0).stdout)
    assert good["clean"] and [entry["legs"] for entry in good["entries"]] == [[], []]
    assert good["entries"][0]["outcome"].startswith("x509_hash:verifier accepted index 495669 of list 0 of did:hutong:")
    of_another = ["--type", f"https://credentials.example/licence={'45' * 32}"]
    told = json.loads(run("replay", tmp_path, *words, *of_another, "--json", code=1).stdout)
    assert [finding["predicate"] for finding in told["findings"]] == ["type_is_of_a_schema"]
    shutil.copy(RECORDED / "revoked.acceptance", tmp_path)
    shutil.copy(RECORDED / "seal.acceptance", tmp_path / "again.acceptance")
    bad = json.loads(run("replay", tmp_path, *words, "--json", code=1).stdout)
    assert [finding["kind"] for finding in bad["findings"]] == ["refused", "duplicate"]
    assert bad["findings"][0]["predicate"] == "status_is_valid"
    assert bad["findings"][1]["entries"] == ["again.acceptance", "seal.acceptance"]
    result = tmp_path / "period.json"
    result.write_text(json.dumps(good))
    run("diff", result, result, code=0)
    run("explain", result, "--html", tmp_path / "period.html", code=0)
