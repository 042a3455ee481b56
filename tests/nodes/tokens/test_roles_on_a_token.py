"""Admins of a hub, an owner of contracts and an attestor, whose keys are on a token of SoftHSM2: from the first vote to a
state that the hub takes from the attestor. The same where a `hutong signer` has the token.

The token's keys have values that the test knows, and the memory of each process that asks for signatures is looked through for
them and for the PIN while it is at work.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import httpx
import pytest
from eth_account import Account

from hutong.relay.keys.signing_record import judged_file
from hutong.relay.local.ports import free_port
from tests.nodes.tokens.holding_node import holding_node
from tests.nodes.tokens.known_key import put_known_key
from tests.nodes.tokens.soft_token import PIN, children, softhsm_token
from tests.relay.cli.chains.hub_and_chain import CHAIN, HUB, HUB_EVM, Place
from tests.relay.cli.operator.test_signer_command import holds, private, signing

pytestmark = pytest.mark.nodes

HUTONG = [sys.executable, "-m", "hutong.relay.cli"]
CLIENT = "attestation-0"
SECRETS = {name: os.urandom(32) for name in ("admin-0", "admin-1", "attestor")}
KEY_IDS = {"admin-0": "01", "admin-1": "02", "attestor": "03"}
ADDRESSES = {name: Account.from_key(secret).address for name, secret in SECRETS.items()}
LIMIT_S = 600


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    made = softhsm_token(tmp_path_factory.mktemp("softhsm"))
    for name, secret in SECRETS.items():
        put_known_key(made, KEY_IDS[name], secret)
    return made


class TokenPlace(Place):
    """A hub whose two admins must both vote, and a dev chain that an attestor speaks for: all keys by key files."""

    def __init__(self, home, stack, files):
        self.home, self.files = home, files
        self.ports = {name: free_port() for name in ("hub", "comet", "alpha", "attestor")}
        admins = [word for name in ("admin-0", "admin-1") for word in ("--admin", ADDRESSES[name])]
        self.hutong(
            "hub",
            "init",
            "--home",
            str(home / "hub"),
            "--chain-id",
            HUB,
            "--evm-chain-id",
            str(HUB_EVM),
            "--threshold",
            "2",
            *admins,
        )
        hub, comet, alpha = (str(self.ports[name]) for name in ("hub", "comet", "alpha"))
        self.daemon(stack, "hub", "start", "--home", str(home / "hub"), "--port", hub, "--cometbft-port", comet)
        chain = ("--chain-id", str(CHAIN), "--port", alpha, "--fund", ADDRESSES["admin-0"])
        self.daemon(stack, "devnet", "start", "--home", str(home / "alpha"), *chain)
        for name in ("alpha", "hub"):
            self.until(lambda name=name: int(self.rpc(name, "eth_blockNumber"), 16) > 3)
        options = ("--forward-margin-s", "5", "--development", "--json")
        deployed = self.hutong("deploy", "--rpc", self.url("alpha"), "--chain-id", str(CHAIN), *self.payer, *options)
        self.deployment = json.loads(deployed)
        self.config = self.relay_config("relay.toml", self.url("hub"))

    @property
    def payer(self):
        return ("--keystore", str(self.files["admin-0"]))

    @property
    def admins(self):
        return [word for name in ("admin-0", "admin-1") for word in ("--hub-admin", str(self.files[name]))]

    def relay_config(self, name, hub):
        """As an operator has it, with the owner's table for both chains."""
        key = self.files["admin-0"].read_text().replace("[key]", "[chains.key]")
        text = (
            f'[relay]\nhome = "relay"\n\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {CHAIN}\n'
            f'consensus = "attested"\nattestors = ["{self.url("attestor")}"]\nconfirmations = 0\nrpc = ["{self.url("alpha")}"]\n'
            f'router = "{self.deployment["router"]}"\nstart_height = {self.deployment["height"]}\n{key}\n'
            f'[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{HUB}"\nrpc = ["{hub}"]\n'
            f'consensus_rpc = ["{self.url("comet")}"]\n{key}'
        )
        return str(private(self.home / name, text))

    def create_path(self):
        made = (
            "path",
            "create",
            "--config",
            self.config,
            "--chain",
            "alpha",
            "--yes",
            "--json",
            *self.payer,
            *self.admins,
        )
        mailbox = ("--mailbox", self.deployment["mailbox"])
        return json.loads(self.hutong(*made, *mailbox, "--attestor", ADDRESSES["attestor"], "--threshold", "1"))

    @contextmanager
    def attestor(self, destination):
        """`hutong attest run`."""
        table = self.files["attestor"].read_text().replace("[key]", "[attestor.key]")
        ends = "".join(f"{name} = {json.dumps(value)}\n" for name, value in destination.items() if name != "source")
        text = (
            f'[attestor]\nhome = "attestor"\nhttp = "127.0.0.1:{self.ports["attestor"]}"\n{table}\n[source]\n'
            f'chain_id = {CHAIN}\nrpc = ["{self.url("alpha")}"]\nrouter = "{self.deployment["router"]}"\n'
            f"confirmations = 0\n\n[[destinations]]\n{ends}"
        )
        config = private(self.home / "attestor.toml", text)
        process = subprocess.Popen([*HUTONG, "attest", "run", "--config", str(config)], stderr=subprocess.PIPE)
        try:
            self.until(lambda: httpx.get(self.url("attestor") + "/healthz", trust_env=False).status_code == 200)
            yield process
        finally:
            process.terminate()
            _, said = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 0, said

    def client_height(self):
        status = ("client", "status", "--config", self.config, "--chain", "hub", "--client", CLIENT, "--json")
        return json.loads(self.hutong(*status))["latest_height"]


def in_memory(process_id):
    """What stands in the memory of a process: names of keys, and whether the PIN does."""
    wanted = {**SECRETS, "PIN": PIN.encode()}
    return {name for name, value in wanted.items() if holds(process_id, value)}


def scanned(place, *command):
    """Run a command whose hub is held once the command has signed, look at its memory, and let it go on."""
    with holding_node(place.url("hub")) as held:
        config = place.relay_config("held.toml", held.url)
        words = [*HUTONG, *command, "--config", config, *place.admins]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert held.sent.wait(LIMIT_S), process.communicate(timeout=LIMIT_S)
            found = in_memory(process.pid)
        finally:
            held.go.set()
            out, errors = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, errors
    return found, out


def signer_config(folder, token):
    """Of a signer that has the token."""
    policy = {
        "admin-0": 'documents = ["evm-transaction"], creations = true',
        "admin-1": 'documents = ["evm-transaction"]',
        "attestor": 'documents = ["typed-data"], domains = ["attestations"]',
    }
    keys = "".join(
        token.table(KEY_IDS[name]).replace("[key]", "[[keys]]") + f"policy = {{ {allowed} }}\n\n"
        for name, allowed in policy.items()
    )
    return private(folder / "signer.toml", f'[signer]\nlisten = "127.0.0.1:0"\nrecord = "signed.jsonl"\n\n{keys}')


def key_files(folder, token, url):
    files = {}
    for name, key_id in KEY_IDS.items():
        remote = f'[key]\nkind = "eth1-signer"\nurl = "{url}"\npublic_key = "{token.keys[key_id].hex()}"\n'
        files[name] = private(folder / f"{name}.toml", remote if url else token.table(key_id))
    return files


@pytest.mark.parametrize("where", ["the token", "a signer with the token"])
def test_parity_row_71_row_25_an_attestor_and_admins_votes_are_signed_by_a_token(tmp_path, token, where):
    with ExitStack() as stack:
        is_remote = where != "the token"
        url = stack.enter_context(signing(signer_config(tmp_path, token)) if is_remote else nullcontext())
        place = TokenPlace(tmp_path, stack, key_files(tmp_path, token, url))
        path = place.create_path()
        (destination,) = path["destinations"]
        began = place.client_height()
        with place.attestor(destination) as attestor:
            target = int(place.rpc("alpha", "eth_blockNumber"), 16) + 2
            place.until(lambda: int(place.rpc("alpha", "eth_blockNumber"), 16) > target)
            place.hutong(
                "client",
                "update",
                "--config",
                place.config,
                "--chain",
                "hub",
                "--client",
                CLIENT,
                "--follows",
                "alpha",
                *place.payer,
            )
            assert in_memory(attestor.pid) == set()
        assert place.client_height() != began, "the hub took what the attestor's key signed"
        began_s = time.monotonic()
        found, _ = scanned(place, "hub", "pause")
        assert found == set()
        print(
            f"{where}: both admins' votes by `hutong hub pause`, and the memory looked through, in {time.monotonic() - began_s:.1f} s"
        )
        assert [in_memory(pid) for pid in signers()] == [set()] * is_remote
    if is_remote:
        signed = judged_file(tmp_path / "signed.jsonl").signed
        assert {line.key for line in signed} == {token.keys[key_id] for key_id in KEY_IDS.values()}


def signers():
    """Process ids of running signers, without the processes in which they have the token's library."""
    return [pid for pid in children() if b"signer\0run" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_the_look_finds_what_is_there(tmp_path):
    """The same look at a process that has the keys and the PIN."""
    program = "import json, sys; kept = [bytes.fromhex(one) for one in json.loads(sys.stdin.readline())]; print('there', flush=True); sys.stdin.readline()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write(json.dumps([*(secret.hex() for secret in SECRETS.values()), PIN.encode().hex()]) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "there\n"
        assert in_memory(process.pid) == {*SECRETS, "PIN"}
        process.stdin.close()
