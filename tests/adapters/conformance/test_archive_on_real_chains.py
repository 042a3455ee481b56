"""Months later, from a newer checkpoint: the commands of operator and auditor, against a hub and a member that run here."""

import json
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
import trio
from typer.testing import CliRunner

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.main import app
from hutong.relay.core.archiving.bundling import read_checkpoint
from hutong.relay.keys import Signer, create_keystore
from tests.adapters.conformance.lane import join, running_hub

pytestmark = pytest.mark.long
FOLDER = Path(__file__).parents[2] / "relay" / "audit" / "recorded"
RECORDED = sorted(path for path in FOLDER.glob("*.bundle.json") if "backward" not in path.name)
PUBLISHER_KEY, DEPLOYER_KEY = bytes(31) + b"\x99", bytes(31) + b"\x71"
CONFIG = """
[relay]
home = "home"
[[chains]]
name = "hub"
kind = "hub"
chain_id = "{hub.chain_id}"
rpc = ["{eth}"]
consensus_rpc = ["{comet}"]
key = {{ keystore = "deployer.json", password_env = "ARCHIVE_TEST_PASSWORD" }}
[[chains]]
name = "alpha"
kind = "evm"
consensus = "qbft"
chain_id = 1001
rpc = ["{alpha}"]
router = "{member.contracts.router}"
key = {{ keystore = "deployer.json", password_env = "ARCHIVE_TEST_PASSWORD" }}
[[paths]]
a = {{ chain = "alpha", client = "{member.client}" }}
b = {{ chain = "hub", client = "{member.hub_client}" }}
[archive]
[archive.anchor]
contract = "{contract}"
key = {{ keystore = "publisher.json", password_env = "ARCHIVE_TEST_PASSWORD" }}
"""


async def hutong(*arguments, code: int = 0) -> str:
    """In a thread: the commands bring their own event loop."""
    result = await trio.to_thread.run_sync(partial(CliRunner().invoke, app, ["archive", *map(str, arguments)]))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


async def test_an_operator_anchors_and_an_auditor_verifies_from_a_newer_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVE_TEST_PASSWORD", "long enough")
    for name, key in (("publisher", PUBLISHER_KEY), ("deployer", DEPLOYER_KEY)):
        create_keystore(tmp_path / f"{name}.json", key, b"long enough", iterations=2)
    archive, config = tmp_path / "home" / "archive", tmp_path / "relay.toml"
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(running_hub(tmp_path / "hub"))
        member = await join(stack, hub, "alpha", 1001)
        addresses = {
            "eth": hub._settings.rpc[0],
            "comet": hub._settings.consensus_rpc[0],
            "alpha": member.chain._settings.rpc[0],
        }
        known = {"hub": hub, "member": member, **addresses}
        config.write_text(CONFIG.format(contract="0x" + "11" * 20, **known))
        config.chmod(0o600)
        account = ("--keystore", tmp_path / "deployer.json", "--password-env", "ARCHIVE_TEST_PASSWORD")
        contract = (await hutong("deploy-anchor", "--config", config, *account)).strip()
        config.write_text(CONFIG.format(contract=contract, **known))
        assert "is not an archive" in await hutong("anchor", "--config", config, code=2)
        await hutong("append", archive, *RECORDED[:3])
        assert "no root" in await hutong("prove-anchor", "--config", config, "-o", tmp_path / "none", code=1)
        assert "anchored 3 entries" in await hutong("anchor", "--config", config)
        assert "anchored already" in await hutong("anchor", "--config", config)
        await hutong("append", archive, *RECORDED[3:])
        await hub.wait_for_height((await hub.head()).height + 3)
        checkpoint = tmp_path / "hub.checkpoint.json"
        info = await member.chain.client(member.client)
        checkpoint.write_bytes(encode_checkpoint(await read_checkpoint(hub, [], [info], None)))
        file = tmp_path / "anchor.json"
        await hutong("prove-anchor", "--config", config, "--checkpoint", checkpoint, "-o", file)

    named = ("--contract", contract, "--publisher", Signer.in_memory(PUBLISHER_KEY).address)
    trust = ("--anchor", file, "--checkpoint", checkpoint, *named, "--now", "2099-01-01T00:00:00Z")
    verdict = json.loads(await hutong("verify", archive, *trust, "--json"))
    assert verdict["valid"] and "at checkpoint" in verdict["trust"] and verdict["entries"] == len(RECORDED)
    names = [check["name"] for check in verdict["checks"]]
    assert names[-1] == "anchored_root_matches" and "root_word_matches" in names
    status = json.loads(await hutong("status", archive, "--json"))
    assert status["entries"] == len(RECORDED)
    packet = json.loads((archive / "log" / "00000000").read_bytes().split(b"\n")[1])["packet_ids"][0]
    entry = tmp_path / "entry.json"
    assert "entry 1 of 3" in await hutong("proof", archive, packet, "-o", entry, "--anchor", file)
    await hutong("check-proof", entry, "--bundle", RECORDED[1], *trust)
    refused = await hutong("check-proof", entry, "--bundle", RECORDED[0], *trust, code=1)
    assert "entry_is_of_bundle" in refused
    # Who rewrites the log and its head afterwards has the hub against him.
    (tmp_path / "forged").mkdir()
    await hutong("append", tmp_path / "forged" / "archive", *RECORDED[1:])
    assert "anchored_root_matches" in await hutong("verify", tmp_path / "forged" / "archive", *trust, code=1)
