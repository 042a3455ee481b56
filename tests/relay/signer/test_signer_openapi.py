"""schemathesis against `hutong signer run`: every answer is one that our OpenAPI document names, and no request crashes it.

pip install -c constraints.txt '.[fuzz]' && pytest -m nodes tests/relay/signer/test_signer_openapi.py

Web3Signer's own document is on no package registry. Whoever has it, such as `eth1/web3signer.yaml` of its published pages, names it in
HUTONG_WEB3SIGNER_OPENAPI: then the same is asked by that one. `/reload` of it is not served.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys.signing_record import judged_file
from hutong.relay.keys.sources.eth1_api import identifier_of
from hutong.relay.local.keys import make_key
from tests.relay.cli.operator.test_signer_command import secret_of, signer_config, signing

pytestmark = pytest.mark.nodes

PROGRAM = Path(sys.executable).with_name("schemathesis")
OURS = Path(__file__).resolve().parents[3] / "docs/spec/signer-api.openapi.json"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"
)
LIMIT_S = 400


def documents() -> list[Path]:
    theirs = os.environ.get("HUTONG_WEB3SIGNER_OPENAPI")
    return [OURS] if theirs is None else [OURS, Path(theirs)]


def asked(document: Path, url: str, folder: Path, identifier: str | None = None) -> str:
    """What schemathesis printed. With an identifier every request names that key, so that its documents are parsed."""
    config = folder / "schemathesis.toml"
    config.write_text("" if identifier is None else f'[parameters]\n"path.identifier" = "{identifier}"\n')
    command = [
        str(PROGRAM), "--config-file", str(config), "run", str(document), "--url", url, "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--request-timeout", "15",
        "--generation-deterministic", "--suppress-health-check", "all", "--no-color", "--workers", "1",
    ]  # fmt: skip
    if "/reload" in document.read_text():
        command += ["--exclude-path", "/reload"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert run.returncode == 0, run.stdout[-6_000:] + run.stderr[-1_000:]
    return run.stdout


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.parent.name)
def test_attack_G15_schemathesis_finds_no_failure_of_the_signer(tmp_path, document):
    if not PROGRAM.exists():
        pytest.fail("schemathesis is not installed: pip install -c constraints.txt '.[fuzz]'")
    key = make_key(tmp_path, "a")
    with signing(signer_config(tmp_path, (key,))) as url:
        for identifier in (None, identifier_of(secp256k1.public_key_of(secret_of(key)))):
            asked(document, url, tmp_path, identifier)
    assert judged_file(tmp_path / "signed.jsonl").signed == (), "nothing that was made up is signed"


def test_what_the_document_does_not_allow_is_noticed(tmp_path):
    key, text = make_key(tmp_path, "a"), OURS.read_text()
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text.replace('"^0x[0-9a-f]{128}$"', '"^0x[0-9a-f]{64}$"'))
    with signing(signer_config(tmp_path, (key,))) as url, pytest.raises(AssertionError, match="publicKeys"):
        asked(wrong, url, tmp_path)
