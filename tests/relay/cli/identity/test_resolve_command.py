"""`hutong identity resolve`: what is printed, and exit codes."""

import json

from typer.testing import CliRunner

from hutong.light_clients.crypto import sha256
from hutong.relay.cli.identity.command import app
from tests.relay.services.identity.rules.dids.webvh.log_maker import LogMaker, multikey

KEY = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
AT = ("--at", "2023-11-14T22:13:20Z")


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["resolve", *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def test_a_did_key_needs_nothing_else():
    did = f"did:key:{KEY}"
    assert run(did).stdout.splitlines() == [
        f"id: {did}",
        *(
            f"{name}: {did}#{KEY}"
            for name in ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")
        ),
    ]
    result = json.loads(run(did, "--json", "--accept", "application/did+ld+json").stdout)
    assert result["didResolutionMetadata"] == {"contentType": "application/did+ld+json"}
    assert result["didDocument"]["id"] == did


def test_a_log_is_judged_with_its_witnesses(tmp_path):
    witness = {"threshold": 1, "witnesses": [{"id": f"did:key:{multikey(10)}"}]}
    log = LogMaker(witness=witness).update()
    log_file, witness_file = tmp_path / "did.jsonl", tmp_path / "did-witness.json"
    log_file.write_bytes(log.bytes)
    witness_file.write_bytes(log.witnessed((10, 2)))
    did, versions = str(log.did.did), [entry["versionId"] for entry in log.entries]
    given = (did, "--log", log_file, "--witness-file", witness_file, *AT)
    assert run(*given).stdout.startswith(f"versionId: {versions[1]}\ncreated: 2020-01-01T00:00:00Z\n")
    older = json.loads(run(*given, "--version-time", "2020-01-01T12:00:00Z", "--json").stdout)
    assert older["didDocumentMetadata"]["nextVersionId"] == versions[1]
    assert "version 1 is not witnessed" in run(did, "--log", log_file, *AT, code=1).stderr
    result = json.loads(run(did, "--log", log_file, *AT, "--json", code=1).stdout)
    assert result["didResolutionMetadata"]["error"]["type"] == "https://www.w3.org/ns/did#INVALID_DID"
    assert run(*given, "--version-id", "3-none", code=1).stderr.startswith("There is no such DID or version.")


def test_a_deactivated_did_has_no_document(tmp_path):
    log = LogMaker().update(deactivated=True)
    (tmp_path / "did.jsonl").write_bytes(log.bytes)
    found = run(log.did.did, "--log", tmp_path / "did.jsonl", *AT, code=1)
    assert found.stdout.splitlines()[-1] == "deactivated"


def test_a_log_reaches_what_a_hub_has_anchored(tmp_path):
    log = LogMaker().update()
    (tmp_path / "did.jsonl").write_bytes(log.bytes)
    given = (log.did.did, "--log", tmp_path / "did.jsonl", *AT)
    head = sha256(log.bytes.splitlines()[1]).hex()
    assert run(*given, "--anchor", f"2:{head}").stdout.startswith("versionId: 2-")
    assert "log_reaches_its_anchor" in run(*given, "--anchor", f"3:{head}", code=1).stderr
    for text in ("2", f"x:{head}", f"2:{head[:-2]}", f"0:{head}", "2:"):
        assert run(*given, "--anchor", text, code=2).stderr.startswith("--anchor: write VERSION:SHA256")


def test_what_cannot_be_judged_here(tmp_path):
    log = LogMaker()
    assert "https://example.com/.well-known/did.jsonl" in run(log.did.did, code=2).stderr
    assert run("did:web:example.com", code=2).stderr.startswith("The DID method is not supported.")
    assert run(f"did:key:{KEY}", "--version-id", "1", code=2).stderr.startswith("The feature is not supported.")
    assert run("did:key:x", code=1).stderr.startswith("The DID is invalid.")
    assert run(log.did.did, "--log", tmp_path / "none", code=2).stdout == ""
    assert run(f"did:key:{KEY}", "--at", "soon", code=2).stdout == ""
