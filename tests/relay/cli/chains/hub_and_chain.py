"""A hub and a dev chain as processes, with contracts on the chain: what commands of operators need at the other end."""

import json
import subprocess
import sys
import time

import httpx
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.local.keys import make_key
from hutong.relay.local.ports import free_port

CHAIN, HUB, HUB_EVM = 7_001, "hutong-1", 47_001


class Place:
    """A hub and a dev chain as processes, with contracts on the chain and nothing made of a path."""

    apps = ()

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
            *(word for app in self.apps for word in ("--app", app)),
        )
        self.deployment = json.loads(deployed)
        # The router may stand some blocks after the first contract, whose height the deployment names.
        self.stands = int(self.rpc("alpha", "eth_blockNumber"), 16)
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
        command = [sys.executable, "-m", "hutong.relay.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def daemon(self, stack, *words):
        process = subprocess.Popen(
            [sys.executable, "-m", "hutong.relay.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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
