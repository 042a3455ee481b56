"""`hutong client rotate` against a running hub, and what it and `hutong attest rotate` refuse."""

import json
import time
from dataclasses import replace
from hashlib import sha256

import pytest
from eth_utils import to_checksum_address
from typer.testing import CliRunner

from hutong.light_clients.attestation import (
    AttestationKind,
    Rotation,
    StateAttestation,
    attestation_digest,
    encode_rotation,
    sign_digest,
)
from hutong.relay.cli.main import app
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, create_client_action
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS
from hutong.relay.keys import create_keystore
from tests.light_clients.attestation.attested_chain import AttestedChain, address_of, attestor_keys
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID

CLIENT = "attestation-0"
NEW = attestor_keys(3, first=50)


def configured(folder, eth: str, cometbft: str) -> None:
    for name, text in (("relay.toml", CONFIG.format(eth=eth, cometbft=cometbft)), ("password", "word\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    create_keystore(folder / "admin-0.json", sha256(b"admin 0").digest(), b"word", 2)


@pytest.fixture
def hub(tmp_path):
    process = HubProcess(new_home(tmp_path / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    configured(tmp_path, process.eth_url, process.cometbft_url)
    yield process
    assert process.stop() == (0, "")


def attested_client(hub) -> AttestedChain:
    """A client of that chain, made by two admins' transactions."""
    chain = AttestedChain(genesis_s=int(time.time()) - 20)
    chain.advance(5)
    action = create_client_action(1, "attestation", chain.client_state(5), chain.consensus_state(5))
    hashed = action_hash("hutong-1", action)
    calls = [(admin, abi.APPROVE.call(hashed)) for admin in ADMINS[:2]] + [(ADMINS[0], abi.EXECUTE.call(action))]
    for account, data in calls:
        nonce = int(hub.rpc("eth_getTransactionCount", account.address, "latest"), 16)
        fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 3_000_000, "gasPrice": 0, "value": 0}
        signed = account.sign_transaction(fields | {"to": to_checksum_address(CLIENT_MANAGER_ADDRESS), "data": data})
        hub.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        hub.wait_for_height(hub.height + 2)
    return chain


def rotation(chain: AttestedChain, number: int = 1) -> Rotation:
    state = StateAttestation(chain.height, chain.times_s[-1])
    return Rotation(state, number, tuple(map(address_of, NEW)), 2, chain.height + 500)


def signed_files(folder, chain, asked: Rotation, keys, client: str = CLIENT) -> list[str]:
    """As `hutong attest rotate` writes them."""
    data, flags = encode_rotation(asked), []
    for number, key in enumerate(keys):
        signature = sign_digest(key, attestation_digest(chain.scope, AttestationKind.ROTATION, data))
        file = folder / f"signed-{number}.json"
        file.write_text(json.dumps({"client": client, "data": data.hex(), "signature": signature.hex()}))
        flags += ["--signed", str(file)]
    return flags


def rotate(folder, *flags: str):
    keystore = ["--keystore", str(folder / "admin-0.json"), "--password-file", str(folder / "password")]
    options = ["--config", str(folder / "relay.toml"), "--chain", "hub", "--client", CLIENT]
    return CliRunner().invoke(app, ["client", "rotate", *options, *keystore, *flags])


@pytest.mark.long
def test_rotation_is_judged_then_sent_and_in_force_once(hub, tmp_path):
    folder, chain = tmp_path, attested_client(hub)
    asked = rotation(chain)
    for wanted, keys, reason in (
        (asked, chain.keys[:1], "quorum_of_attestors"),
        (asked, NEW[:2], "no attestor of the set in force"),
        (replace(asked, set_number=2), chain.keys[:2], "rotation_follows"),
    ):
        refused = rotate(folder, *signed_files(folder, chain, wanted, keys))
        assert refused.exit_code == 1, refused.output
        assert reason in refused.output
    flags = signed_files(folder, chain, asked, chain.keys[1:])
    done = rotate(folder, *flags)
    assert done.exit_code == 0, done.output
    assert f"set 1, 2 of 3, is in force; the previous set stays good to height {chain.height + 500}" in done.output
    again = rotate(folder, *flags)
    assert again.exit_code == 1
    assert "no attestor of the set in force" in again.output


def test_files_that_do_not_fit_are_one_sentence_with_exit_code_2(tmp_path):
    folder, chain = tmp_path, AttestedChain()
    configured(folder, "http://127.0.0.1:9", "http://127.0.0.1:9")
    one = signed_files(folder, chain, rotation(chain), chain.keys[:1])
    other = folder / "other.json"
    document = json.loads((folder / "signed-0.json").read_text())
    for text, reason in (
        (json.dumps({**document, "data": "00"}), "sign different rotations"),
        (json.dumps({**document, "client": "attestation-7"}), "is for client attestation-7"),
        (json.dumps({**document, "signature": "00"}), "must have 65 bytes"),
        ("{}", "is not a file of `hutong attest rotate`"),
        ("x", "is not JSON"),
    ):
        other.write_text(text)
        result = rotate(folder, *one, "--signed", str(other))
        assert result.exit_code == 2, result.output
        assert reason in result.output.replace("\n", "")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"--attestor": "0x11"}, "--attestor must have 20 bytes"),
        ({"--config": "absent.toml"}, "absent.toml"),
    ],
)
def test_attestor_command_refuses_unfit_input(tmp_path, changed, reason):
    options = {
        "--config": str(tmp_path / "attestor.toml"),
        "--client": CLIENT,
        "--height": "5",
        "--set-number": "1",
        "--attestor": "0x" + "11" * 20,
        "--threshold": "1",
        "--overlap": "0",
        "--out": str(tmp_path / "signed.json"),
        **changed,
    }
    result = CliRunner().invoke(app, ["attest", "rotate", *[part for option in options.items() for part in option]])
    assert result.exit_code == 2, result.output
    assert reason in result.output
    assert not (tmp_path / "signed.json").exists()
