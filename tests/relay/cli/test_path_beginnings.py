"""`hutong path create` says from which blocks its clients begin, and makes nothing that nobody agreed to (parity pain 23)."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx
import pytest
from typer.testing import CliRunner

from relay.cli.demo.keys import make_key
from relay.cli.demo.ports import free_port
from relay.cli.main import app

CHAIN, HUB, HUB_EVM = 7_001, "hutong-1", 47_001
ASKED = "Did you compare them"


class Place:
    """A hub and a dev chain as processes, with contracts on the chain and nothing made of a path."""

    def __init__(self, home, stack):
        self.home = home
        self.keys = {name: make_key(home, name) for name in ("owner", "admin")}
        self.ports = {name: free_port() for name in ("hub", "comet", "alpha")}
        owner, admin = self.keys["owner"], self.keys["admin"]
        initialise = ["hub", "init", "--home", str(home / "hub"), "--chain-id", HUB, "--evm-chain-id", str(HUB_EVM)]
        self.hutong(*initialise, "--threshold", "1", "--admin", admin.address)
        ports = [str(self.ports[name]) for name in ("hub", "comet", "alpha")]
        self.daemon(stack, "hub", "start", "--home", str(home / "hub"), "--port", ports[0], "--cometbft-port", ports[1])
        chain = ["devnet", "start", "--home", str(home / "alpha"), "--chain-id", str(CHAIN), "--port", ports[2]]
        self.daemon(stack, *chain, "--fund", owner.address)
        for name in ("alpha", "hub"):
            self.until(lambda name=name: int(self.rpc(name, "eth_blockNumber"), 16) > 3)
        deployed = self.hutong(
            *("deploy", "--rpc", self.url("alpha"), "--chain-id", str(CHAIN), *owner.options),
            *("--forward-margin-s", "5", "--development", "--json"),
        )
        self.deployment = json.loads(deployed)
        config = home / "relay.toml"
        config.write_text(
            f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {CHAIN}\n'
            f'consensus = "qbft"\nrpc = ["{self.url("alpha")}"]\nrouter = "{self.deployment["router"]}"\n'
            f'start_height = {self.deployment["height"]}\nkey = {owner.toml}\n\n[[chains]]\nname = "hub"\nkind = "hub"\n'
            f'chain_id = "{HUB}"\nrpc = ["{self.url("hub")}"]\nconsensus_rpc = ["{self.url("comet")}"]\nkey = {admin.toml}\n'
        )
        config.chmod(0o600)
        self.arguments = [
            *("path", "create", "--config", str(config), "--chain", "alpha", *owner.options, "--json"),
            *("--hub-admin", str(admin.keystore), "--hub-admin-password-file", str(admin.password_file)),
        ]

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def hutong(self, *words):
        command = [sys.executable, "-m", "relay.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def daemon(self, stack, *words):
        process = subprocess.Popen(
            [sys.executable, "-m", "relay.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(process.wait)
        stack.callback(process.kill)

    def rpc(self, name, method, *params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return httpx.post(self.url(name), json=body, timeout=10, trust_env=False).json()["result"]

    @staticmethod
    def until(condition):
        deadline = time.monotonic() + 60
        while True:
            try:
                if condition():
                    return
            except (httpx.TransportError, KeyError, ValueError):
                pass
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def create(self, *options, said=""):
        return CliRunner().invoke(app, [*self.arguments, *options], input=said)

    def sent(self):
        """Transactions so far of who makes clients on either side."""
        return tuple(
            int(self.rpc(name, "eth_getTransactionCount", self.keys[who].address, "latest"), 16)
            for name, who in (("alpha", "owner"), ("hub", "admin"))
        )

    def block(self, height):
        return self.rpc("alpha", "eth_getBlockByNumber", hex(height), False)["hash"]

    def hub_block(self, height):
        answer = httpx.get(f"{self.url('comet')}/block", params={"height": height}, timeout=10, trust_env=False)
        return "0x" + answer.json()["result"]["block_id"]["hash"].lower()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("beginnings"), stack)


@pytest.mark.parametrize(
    ("said", "why"), [("n\n", "were not confirmed"), ("", "say --yes, or pin them")], ids=["no", "nobody"]
)
def test_parity_pain_23_first_blocks_are_shown_and_nothing_is_made_without_a_yes(place, said, why):
    before = place.sent()
    refused = place.create(said=said)
    assert refused.exit_code == 1 and ASKED in refused.output and why in refused.output
    assert "the client of alpha on hub begins at height" in refused.output
    assert "the client of hub on alpha begins at height 1-" in refused.output
    assert place.sent() == before, "nothing was sent"


def test_parity_pain_23_another_block_than_the_pinned_one_is_refused(place):
    before = place.sent()
    height = place.deployment["height"]
    for prefix, real in (("", place.block(height)), ("hub-", place.hub_block(3))):
        at = str(height if prefix == "" else 3)
        wrong = real[:-1] + ("0" if real[-1] != "0" else "1")
        refused = place.create(f"--{prefix}trusted-height", at, f"--{prefix}trusted-hash", wrong, "--yes")
        assert refused.exit_code == 1 and real in refused.output and wrong in refused.output
        assert f"--{prefix}trusted-hash" in refused.output and ASKED not in refused.output
    far = place.create("--trusted-height", "9999999", "--trusted-hash", "11" * 32, "--yes")
    assert far.exit_code == 1 and "newest final block" in far.output
    assert place.sent() == before, "nothing was sent"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--trusted-height", "5"], "--trusted-hash goes with --trusted-height"),
        (["--hub-trusted-hash", "11" * 32], "--hub-trusted-hash goes with --hub-trusted-height"),
        (["--trusted-height", "5", "--trusted-hash", "0x11"], "64 hex digits"),
    ],
)
def test_pins_that_cannot_be_are_refused(place, options, why):
    refused = place.create(*options)
    assert refused.exit_code == 2 and why in refused.output


def test_parity_pain_23_clients_begin_at_the_pinned_blocks_and_ask_nothing(place):
    height, at_hub = place.deployment["height"] + 1, 4
    place.until(lambda: int(place.rpc("alpha", "eth_blockNumber"), 16) > height)
    pins = ["--trusted-height", str(height), "--trusted-hash", place.block(height)]
    pins += ["--hub-trusted-height", str(at_hub), "--hub-trusted-hash", place.hub_block(at_hub).removeprefix("0x")]
    made = place.create(*pins)
    assert made.exit_code == 0 and ASKED not in made.output and "as given" in made.output
    path = json.loads(made.stdout)
    assert path["begins"] == [
        {"on": "hub", "of": "alpha", "height": str(height), "hash": place.block(height)},
        {"on": "alpha", "of": "hub", "height": f"1-{at_hub}", "hash": place.hub_block(at_hub)},
    ]
    for end, expected in (("b", str(height)), ("a", f"1-{at_hub}")):
        words = ["client", "status", "--chain", path[end]["chain"], "--client", path[end]["client"], "--json"]
        status = CliRunner().invoke(app, [*words, "--config", str(place.home / "relay.toml")])
        assert expected in status.stdout, status.output
