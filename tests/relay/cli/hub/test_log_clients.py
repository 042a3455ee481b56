"""`hutong devnet log`, `client create --log` and `client update --follows LOG` against a running hub."""

import json
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from hutong.light_clients.ibc.abi import encode_packet_abi
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.records import ObservationKey, StorePlace
from hutong.light_clients.tlog.membership import entry_path
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import forward_payload

pytestmark = pytest.mark.long

HUB = """
[relay]
home = "state"

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["{eth}"]
consensus_rpc = ["{cometbft}"]
key = {{ keystore = "admin-0.json", password_file = "password" }}

[[logs]]
name = "registry"
url = ["{log}"]
"""
ENTRY = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The command as a process, and its URL."""
    home = tmp_path_factory.mktemp("log")
    command = [sys.executable, "-m", "hutong.relay.cli", "devnet", "log", "--home", str(home), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--heartbeat", "0.5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert "(1 entries, 3 witnesses)" in line, process.stderr.read()
        yield line.split()[-1], home
    finally:
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (0, "", "")


@pytest.fixture(scope="module")
def place(tmp_path_factory, log):
    """A hub process, its configuration with the log, and the keystores of two admins."""
    folder = tmp_path_factory.mktemp("place")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    url, _ = log
    trusted = httpx.get(f"{url}/trusted.json").json()
    config = folder / "relay.toml"
    # A TOML value of strings, lists of strings and numbers is written as in JSON.
    table = "".join(f"{name} = {json.dumps(value)}\n" for name, value in trusted.items())
    config.write_text(HUB.format(eth=hub.eth_url, cometbft=hub.cometbft_url, log=url) + table)
    password = folder / "password"
    password.write_text("word\n")
    for path in (config, password):
        path.chmod(0o600)
    for number in range(2):
        create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    yield folder
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
def made(place):
    """What the command said that made the client: the tests of this module run in any order, in several processes."""
    return run(place, "client", "create", "--log", "registry", "--counterparty", "client-0", *admins(place))


def test_client_of_a_log_is_made_from_what_it_serves_and_follows_it(place, log, made):
    url, _ = log
    assert (made.exit_code, made.stdout) == (0, "c2sp-tlog-0\n"), made.output
    keys = ["--keystore", str(place / "admin-1.json"), "--password-file", str(place / "password")]
    update = ("client", "update", "--chain", "hub", "--client", "c2sp-tlog-0", "--follows", "registry", *keys)
    show = ("client", "status", "--chain", "hub", "--client", "c2sp-tlog-0", "--json")
    for number in range(3):
        assert httpx.post(f"{url}/append", content=b"record %d" % number, headers=ENTRY).status_code == 200
    done = run(place, *update)
    assert (done.exit_code, done.stdout) == (0, "hub c2sp-tlog-0 is at height 0-4\n"), done.output
    line = json.loads(run(place, *show).output)
    assert (line["type"], line["status"], line["latest_height"]) == ("c2sp-tlog", "Active", "0-4")
    again = run(place, *update)
    assert (again.exit_code, again.stdout) == (0, "hub c2sp-tlog-0 is at height 0-4\n"), again.output
    later = json.loads(run(place, *show).output)
    assert later["expires_in_s"] >= line["expires_in_s"] - 2, "cosigned anew, so that time does not run out"


def packet_file(place, sequence: int, client: str = "c2sp-tlog-0") -> Path:
    """A packet of the log for an application of the hub that refuses it: the acknowledgement says so."""
    payload = forward_payload("c2sp-tlog-0", int(time.time()) + 3_000)
    packet = Packet(sequence, "client-0", client, int(time.time()) + 3_600, (payload,))
    path = place / f"packet-{sequence}.hex"
    path.write_text(encode_packet_abi(packet).hex())
    return path


def test_packet_of_the_publisher_is_delivered_once(place, log, made):
    url, _ = log
    assert made.exit_code == 0, made.output
    keys = ["--keystore", str(place / "admin-1.json"), "--password-file", str(place / "password")]
    deliver = ("client", "deliver", "--chain", "hub", "--client", "c2sp-tlog-0", "--follows", "registry")
    file = packet_file(place, 1)
    early = run(place, *deliver, "--packet", str(file), *keys)
    assert early.exit_code == 1
    assert "no message under that key" in " ".join(early.output.split())
    shown = CliRunner().invoke(app, ["client", "commitment", str(file)])
    assert shown.exit_code == 0, shown.output
    index = httpx.post(f"{url}/publish", json=json.loads(shown.stdout)).json()["index"]
    for _ in range(2):
        done = run(place, *deliver, "--packet", str(file), *keys)
        assert done.exit_code == 0, done.output
        assert f"has packet 1, proven in the log's tree of {index + 1} entries" in done.output
    other = packet_file(place, 2)
    file.write_text(other.read_text())
    refused = run(place, *deliver, "--packet", str(file), *keys)
    assert refused.exit_code == 1, refused.output
    foreign = run(place, *deliver, "--packet", str(packet_file(place, 3, "bft-evm-0")), *keys)
    assert foreign.exit_code == 2
    file.write_text("00")
    assert run(place, *deliver, "--packet", str(file), *keys).exit_code == 2
    assert CliRunner().invoke(app, ["client", "commitment", str(file)]).exit_code == 2


def test_options_that_contradict_each_other_are_refused(place, tmp_path):
    state = tmp_path / "state.hex"
    state.write_text("00")
    for arguments, sentence in (
        (["--log", "registry", "--type", "bitcoin"], "stands in place of"),
        (["--log", "nobody"], "no log is called nobody; the configuration has registry"),
        (["--type", "bitcoin", "--client-state", str(state)], "give --type"),
        ([], "give --type"),
    ):
        refused = run(place, "client", "create", *arguments, *admins(place))
        assert refused.exit_code == 2, refused.output
        assert sentence in " ".join(refused.output.split())
    refused = run(place, "client", "create", "--log", "registry", "--clock-drift", "0", *admins(place))
    assert refused.exit_code == 1
    assert "max_clock_drift_s" in refused.output


def test_home_of_a_running_log_is_locked(log):
    _, home = log
    command = [sys.executable, "-m", "hutong.relay.cli", "devnet", "log", "--home", str(home), "--port", "0"]
    for extra, sentence in (([], "another development log"), (["--witnesses", "0"], "1 to 32 witnesses")):
        done = subprocess.run([*command, *extra], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert sentence in done.stderr


def test_an_entry_of_a_log_becomes_a_record_of_the_hub(place, log, made):
    url, _ = log
    assert made.exit_code == 0, made.output
    keys = ["--keystore", str(place / "admin-1.json"), "--password-file", str(place / "password")]
    index = httpx.post(f"{url}/append", content=b"delivered: 12 crates", headers=ENTRY).json()["index"]
    observe = ("client", "observe", "--chain", "hub", "--client", "c2sp-tlog-0", "--follows", "registry", *keys)
    refused = run(place, *observe, "--entry", str(index))
    assert refused.exit_code == 1 and "ObservationsNotOpen" in refused.output, refused.output
    account = json.loads((place / "admin-1.json").read_text())["address"].removeprefix("0x")
    named = run(place, "hub", "name-writer", f"0x{account}", "--keys", "1", *admins(place))
    assert named.exit_code == 0, named.output
    done = run(place, *observe, "--entry", str(index))
    assert done.exit_code == 0 and " is written, of the log's tree of " in done.stdout, done.output
    (key,) = [word for word in done.stdout.split() if word.startswith("0x")]
    listed = run(place, "hub", "observations", "--json")
    assert listed.exit_code == 0 and key in listed.stdout, listed.output
    again = run(place, *observe, "--entry", str(index))
    assert again.exit_code == 0, again.output
    assert key == f"0x{ObservationKey.of('c2sp-tlog-0', StorePlace(*entry_path(index))).to_bytes().hex()}"
    beyond = run(place, *observe, "--entry", str(index + 1_000_000))
    assert beyond.exit_code == 1 and "proof of absence in a log" in beyond.output, beyond.output
    for options in ((), ("--entry", "0", "--message", "00"), ("--message", "zz")):
        assert run(place, *observe, *options).exit_code == 2
