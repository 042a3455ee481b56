"""`hutong client upgrade` against a running hub, and what it refuses."""

import time
from dataclasses import replace

import pytest
from eth_utils import to_checksum_address
from typer.testing import CliRunner

from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state, encode_upgrade
from hutong.relay.cli.main import app
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, create_client_action
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.light_clients.tendermint.upgrading_chain import PLAN_HEIGHT, UpgradingChain
from tests.relay.cli.chains.test_client_rotate_command import configured
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID

CLIENT = "07-tendermint-0"


def upgrade(folder, *flags: str):
    keystore = ["--keystore", str(folder / "admin-0.json"), "--password-file", str(folder / "password")]
    options = ["--config", str(folder / "relay.toml"), "--client", CLIENT]
    return CliRunner().invoke(app, ["client", "upgrade", *options, *keystore, *flags])


def written(folder, planned) -> str:
    file = folder / "upgrade.hex"
    file.write_text(encode_upgrade(planned).hex())
    return str(file)


@pytest.fixture
def hub(tmp_path):
    process = HubProcess(new_home(tmp_path / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    configured(tmp_path, process.eth_url, process.cometbft_url)
    yield process
    assert process.stop() == (0, "")


def client_at_the_last_height(hub) -> UpgradingChain:
    planned = UpgradingChain(old=SimulatedChain(genesis_time_ns=time.time_ns() - 60 * 10**9))
    action = create_client_action(
        1,
        "07-tendermint",
        encode_client_state(planned.old.client_state(PLAN_HEIGHT)),
        encode_consensus_state(planned.old.consensus_state(PLAN_HEIGHT)),
    )
    hashed = action_hash("hutong-1", action)
    calls = [(admin, abi.APPROVE.call(hashed)) for admin in ADMINS[:2]] + [(ADMINS[0], abi.EXECUTE.call(action))]
    for account, data in calls:
        nonce = int(hub.rpc("eth_getTransactionCount", account.address, "latest"), 16)
        fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 3_000_000, "gasPrice": 0, "value": 0}
        signed = account.sign_transaction(fields | {"to": to_checksum_address(CLIENT_MANAGER_ADDRESS), "data": data})
        hub.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        hub.wait_for_height(hub.height + 2)
    return planned


@pytest.mark.long
def test_upgrade_is_judged_then_sent_and_in_force_once(hub, tmp_path):
    planned = client_at_the_last_height(hub)
    good = planned.upgrade()
    evil = replace(good, client_state=replace(good.client_state, chain_id="evil-2"))
    refused = upgrade(tmp_path, "--message", written(tmp_path, evil))
    assert refused.exit_code == 1, refused.output
    assert "value_matches" in refused.output
    done = upgrade(tmp_path, "--message", written(tmp_path, good))
    assert done.exit_code == 0, done.output
    assert f"{CLIENT} is at height 2-1" in done.output
    again = upgrade(tmp_path, "--message", written(tmp_path, good))
    assert again.exit_code == 1
    assert "revision_increases" in again.output


def test_unfit_options_are_one_sentence_with_exit_code_2(tmp_path):
    configured(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    file = written(tmp_path, UpgradingChain().upgrade())
    for flags, reason in (
        ((), "give either --follows"),
        (("--message", file, "--follows", "hub"), "give either --follows"),
        (("--follows", "hub"), "only Cosmos chains commit their upgrades"),
        (("--follows", "nobody"), "nobody"),
        (("--message", str(tmp_path / "absent")), "absent"),
    ):
        result = upgrade(tmp_path, *flags)
        assert result.exit_code == 2, result.output
        assert reason in result.output.replace("\n", "")
