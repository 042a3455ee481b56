"""Evidence as an operator holds it: two nodes' answers, in files."""

import json
from pathlib import Path

from typer.testing import CliRunner

from hutong.adapters.rpc import RpcClient
from hutong.light_clients.tendermint.rpc_json import signed_header_to_rpc, validator_set_to_rpc
from hutong.light_clients.tendermint.types import TendermintHeader
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore


def write_answers(path: Path, header: TendermintHeader) -> Path:
    """`/commit` and `/validators` of one height in one file."""
    answers = [
        {"jsonrpc": "2.0", "id": -1, "result": {"signed_header": signed_header_to_rpc(header.signed_header)}},
        {"jsonrpc": "2.0", "id": -1, "result": validator_set_to_rpc(header.validator_set)},
    ]
    path.write_text(json.dumps(answers))
    return path


def url_of(client: RpcClient) -> str:
    """Where an adapter's only endpoint is."""
    (endpoint,) = client._endpoints
    return endpoint.url


def write_keystore(folder: Path, secret: bytes) -> None:
    """`relayer.json` and its password file."""
    create_keystore(folder / "relayer.json", secret, b"word", 2)
    private(folder / "password", "word\n")


def private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def submit_evidence(folder: Path, chain: str, client: str, *files: Path) -> tuple[int, str]:
    """Exit code and output of `hutong client misbehaviour`. Blocks: beside chains of this process, call it in a thread."""
    command = ["client", "misbehaviour", "--config", str(folder / "relay.toml"), "--chain", chain, "--client", client]
    command += [part for file in files for part in ("--evidence", str(file))]
    command += ["--keystore", str(folder / "relayer.json"), "--password-file", str(folder / "password")]
    result = CliRunner().invoke(app, command)
    return result.exit_code, result.output.strip()
