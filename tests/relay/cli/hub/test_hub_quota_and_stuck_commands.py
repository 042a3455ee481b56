"""`hutong client create`, `client update --message`, `client quota` and `hutong hub stuck` against a running hub."""

import json
import time
from hashlib import sha256

import pytest
from eth_utils import to_checksum_address
from typer.testing import CliRunner

from hutong.adapters.hub.stuck import StuckPacket, _rows
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.relay.cli.main import app
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, create_client_action
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS
from hutong.relay.keys import create_keystore
from tests.light_clients.bft_evm import simulated_chain as qbft
from tests.light_clients.bitcoin.bitcoin_chain import SPACING_S, SimulatedChain
from tests.relay.cli.chains.lying_endpoint import lying_endpoint
from tests.relay.hub.application.transfer.token_chain import TokenChain, ask
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID, SimulatedHub

CONFIG = """
[relay]
home = "state"

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["{eth}"]
consensus_rpc = ["{cometbft}"]
key = {{ keystore = "admin-0.json", password_file = "password" }}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A hub process, its configuration and the keystores of two admins."""
    folder = tmp_path_factory.mktemp("place")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    config = folder / "relay.toml"
    config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
    config.chmod(0o600)
    password = folder / "password"
    password.write_text("word\n")
    password.chmod(0o600)
    for number in range(2):
        create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    yield hub, folder
    assert hub.stop() == (0, "")


def run(folder, *arguments: str):
    return CliRunner().invoke(app, [*arguments, "--config", str(folder / "relay.toml")])


def admins(folder) -> list[str]:
    flags = []
    for number in range(2):
        flags += ["--hub-admin", str(folder / f"admin-{number}.json")]
        flags += ["--hub-admin-password-file", str(folder / "password")]
    return flags


@pytest.fixture(scope="module")
def client(place) -> str:
    """A client of a QBFT chain, made by two admins' transactions."""
    hub, _ = place
    chain = qbft.SimulatedChain(period_s=int(time.time()) - qbft.GENESIS_TIME_S - 5)
    chain.advance(1)
    action = create_client_action(1, "bft-evm", chain.client_state(1), chain.consensus_state(1))
    hashed = action_hash("hutong-1", action)
    calls = [(admin, abi.APPROVE.call(hashed)) for admin in ADMINS[:2]] + [(ADMINS[0], abi.EXECUTE.call(action))]
    for account, data in calls:
        nonce = int(hub.rpc("eth_getTransactionCount", account.address, "latest"), 16)
        fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 3_000_000, "gasPrice": 0, "value": 0}
        signed = account.sign_transaction(fields | {"to": to_checksum_address(CLIENT_MANAGER_ADDRESS), "data": data})
        hub.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        hub.wait_for_height(hub.height + 2)
    rows = [row["client"] for row in hub.rpc("hutong_clients") if row["client"].startswith("bft-evm")]
    (client,) = rows
    return client


@pytest.fixture(scope="module")
def bitcoin() -> SimulatedChain:
    """A chain of proof of work whose newest block is an hour old."""
    return SimulatedChain(start_s=int(time.time()) - 22 * SPACING_S)


def states_in_files(folder, chain: SimulatedChain, **changed) -> list[str]:
    (folder / "client.hex").write_text(chain.client_state(12, **changed).hex() + "\n")
    (folder / "consensus.bin").write_bytes(chain.consensus_state(12))
    return ["--client-state", str(folder / "client.hex"), "--consensus-state", str(folder / "consensus.bin")]


@pytest.mark.long
def test_admins_make_a_client_of_states_and_a_message_brings_it_forward(place, bitcoin):
    _, folder = place
    files = states_in_files(folder, bitcoin)
    made = run(folder, "client", "create", "--type", "bitcoin", *files, "--counterparty", "client-0", *admins(folder))
    assert made.exit_code == 0, made.output
    assert made.stdout == "bitcoin-0\n"
    shown = run(folder, "client", "status", "--chain", "hub", "--client", "bitcoin-0", "--json")
    assert shown.exit_code == 0, shown.output
    line = json.loads(shown.output)
    assert (line["status"], line["latest_height"], line["counterparty"]) == ("Active", "0-12", "client-0")
    bitcoin.advance(4)
    message = folder / "update.hex"
    keys = ["--keystore", str(folder / "admin-1.json"), "--password-file", str(folder / "password")]
    update = ("client", "update", "--chain", "hub", "--client", "bitcoin-0", "--message", str(message), *keys)
    message.write_text(bitcoin.header(16, 12).hex())
    refused = run(folder, *update)
    assert refused.exit_code == 1, refused.output
    assert "confirmation_depth" in refused.output
    message.write_text(bitcoin.header(14, 12).hex())
    done = run(folder, *update)
    assert done.exit_code == 0, done.output
    assert done.stdout == "hub bitcoin-0 is at height 0-14\n"


@pytest.mark.long
def test_states_that_no_client_begins_with_are_refused_before_anything_is_sent(place, bitcoin):
    _, folder = place
    frozen = states_in_files(folder, bitcoin, is_frozen=True)
    for arguments, code, sentence in (
        (["--type", "bitcoin", *frozen, *admins(folder)], 1, "client is frozen"),
        (["--type", "bitcoin", frozen[0], frozen[3], *frozen[2:], *admins(folder)], 1, "malformed client_state"),
        (["--type", "moon", *frozen, *admins(folder)], 1, "light clients of type moon"),
        (["--type", "bitcoin", *frozen], 2, "--hub-admin"),
        (["--type", "bitcoin", *frozen, "--merkle-prefix", "zz", *admins(folder)], 2, "--merkle-prefix is not hex"),
        (["--type", "bitcoin", *frozen[:3], str(folder / "none"), *admins(folder)], 2, "cannot be read"),
    ):
        refused = run(folder, "client", "create", *arguments)
        assert refused.exit_code == code, refused.output
        assert sentence in refused.output.replace("\n", " ")


@pytest.mark.long
def test_admins_set_a_quota_and_anybody_reads_it(place, client):
    _, folder = place
    shown = run(folder, "client", "quota", "show", "--client", client, "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.output) == {
        "packet_limit": 65_536,
        "byte_limit": 268_435_456,
        "packets_in_flight": 0,
        "bytes_in_flight": 0,
    }
    limits = ("--packets", "7", "--bytes", "900")
    done = run(folder, "client", "quota", "set", "--client", client, *limits, *admins(folder))
    assert done.exit_code == 0, done.output
    assert "at most 7 packets and 900 bytes" in done.output
    shown = run(folder, "client", "quota", "show", "--client", client)
    assert "packet_limit: 7\nbyte_limit: 900" in shown.output


@pytest.mark.long
def test_a_quota_of_nobody_s_client_or_by_one_admin_is_refused_in_one_sentence(place, client):
    _, folder = place
    limits = ("--packets", "1", "--bytes", "1")
    for arguments in (
        ("client", "quota", "show", "--client", "bft-evm-77"),
        ("client", "quota", "set", "--client", "bft-evm-77", *limits, *admins(folder)),
        ("client", "quota", "set", "--client", client, *limits, *admins(folder)[:4]),
    ):
        refused = run(folder, *arguments)
        assert (refused.exit_code, refused.output.count("\n")) == (1, 1), refused.output
    assert "packet_limit: 1\n" not in run(folder, "client", "quota", "show", "--client", client).output


@pytest.mark.long
def test_stuck_says_that_nothing_is(place):
    _, folder = place
    assert run(folder, "hub", "stuck").output.startswith("nothing waits for a frozen or expired client")
    assert json.loads(run(folder, "hub", "stuck", "--json").output) == []


@pytest.mark.long
def test_lists_that_were_cut_say_so_beside_the_answer(place):
    """A node with more than is read: what was read is printed, and that it is not all."""
    hub, folder = place
    waiting = {"client": "bft-evm-0", "clientStatus": "Frozen", "sequence": "0x1", "kind": "message"}

    def lie(method, params, answered):
        if method == "hutong_stuck":
            return [waiting] * 1_000
        if method == "hutong_code":
            after = int(params[0], 16)
            deployers = [f"0x{number:040x}" for number in range(after + 1, after + 1_001)]
            return {"open": False, "deployers": deployers, "contracts": []}
        return answered

    config = folder / "lying.toml"
    with lying_endpoint(hub.eth_url) as endpoint, endpoint.lying(lie):
        config.write_text(CONFIG.format(eth=endpoint.url, cometbft=hub.cometbft_url))
        config.chmod(0o600)
        stuck = CliRunner().invoke(app, ["hub", "stuck", "--json", "--config", str(config)])
        code = CliRunner().invoke(app, ["hub", "code", "--json", "--config", str(config)])
    assert (stuck.exit_code, code.exit_code) == (0, 0)
    assert stuck.stderr == "these are the first 1000, more may wait: name one with --client\n"
    assert len(json.loads(stuck.stdout)) == 1_000
    assert code.stderr == "the hub has more names than the 100000 that are listed here\n"
    assert len(json.loads(code.stdout)["deployers"]) == 100_000


def test_the_adapter_reads_what_a_hub_with_a_frozen_client_answers():
    hub = SimulatedHub()
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    tokens, message = chain_a.send_transfer(70, chain_b.client), chain_a.send_forward(chain_b.client)
    for packet in (tokens, message):
        assert chain_a.deliver(packet).ok
    chain_b.freeze()
    rows = _rows(Fields("hutong_stuck", ask(hub, "hutong_stuck")))
    origin = (chain_a.client, 1)
    assert rows == [
        StuckPacket(chain_b.client, "Frozen", 1, "tokens", origin, chain_a.on_hub().path, 70),
        StuckPacket(chain_b.client, "Frozen", 2, "message", (chain_a.client, 2), None, None),
    ]
    with pytest.raises(BadAnswer):
        _rows(Fields("hutong_stuck", [{"client": chain_b.client}]))
