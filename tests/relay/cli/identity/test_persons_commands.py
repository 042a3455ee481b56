"""Persons on a running hub by commands alone: registered, proven, changed without the registrar, recovered, and read anew."""

import json
import time
from hashlib import sha256

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.addresses import eth_address
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.keys import create_keystore
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import admins
from tests.relay.cli.identity.test_identity_records_commands import Organising
from tests.relay.hub.hub_process import HubProcess, new_home

pytestmark = pytest.mark.long
"""Over the process of a hub."""

KEYS = ("ada", "ada next", "ada third", "bo", "bo new", "guardian")


def address(name: str) -> str:
    return "0x" + eth_address(secp256k1.public_key_of(sha256(name.encode()).digest())).hex()


class Registering(Organising):
    """A hub that registers persons, a registrar, and keys of people."""

    def __init__(self, folder, hub):
        super().__init__(folder, hub, ("registrar", "log", "anybody"))
        self.registrar = ""
        for name in KEYS:
            create_keystore(folder / f"{name}.json", sha256(name.encode()).digest(), b"word", 2)

    def key(self, name):
        return ["--person-keystore", self.folder / f"{name}.json", "--person-password-file", self.folder / "password"]

    def person(self, name, word, *words, code=0):
        """By the account of a name, which any may be but where the registrar's log key has to send."""
        return self.by(name, "person", word, self.registrar, *words, "--folder", self.folder / "shards", code=code)

    def enrol(self, name, *words):
        file, config = self.folder / f"{name}.request.json", ["--config", self.folder / "relay.toml"]
        self.run("identity", "person", "enrol", self.registrar, "--out", file, *config, *self.key(name), *words)
        return file

    def proven(self, index, did, code=0):
        """What the record says, which the test reads as a node tells it."""
        file, words = self.folder / "shown.proof", ["identity", "person"]
        config = ["--config", self.folder / "relay.toml"]
        shown = self.run(
            *words, "prove", self.registrar, 0, index, "--folder", self.folder / "shards", "--out", file, *config
        )
        assert shown.splitlines()[0] == did
        key = bytes.fromhex(shown.splitlines()[1].removeprefix("record "))
        call = {"to": f"0x{IDENTITY_ADDRESS.hex()}", "data": f"0x{interface.GET_RECORD.call(key).hex()}"}
        answer = bytes.fromhex(self.hub.rpc("eth_call", call, "latest")[2:])
        value = answer[64 : 64 + int.from_bytes(answer[32:64], "big")]
        return json.loads(self.run(*words, "check", did, file, "--record", value.hex(), "--json", code=code))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("persons")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    yield Registering(folder, hub)
    assert hub.stop() == (0, "")


def test_persons_register_change_recover_and_are_read_anew_from_blocks(place):
    config = ["--config", place.folder / "relay.toml"]
    place.run(
        "hub", "set-identity", "--persons", "--strangers", 8, "--stranger-life", 86_400, *config, *admins(place.folder)
    )
    words = ["register", "--key", f"log={place.jwk('log')}", "--salt", "11" * 32, "--json"]
    place.registrar = json.loads(place.by("registrar", *words, "--show"))["did"]
    schema = ["--schema", PERSONS_SCHEMA.hex()]
    place.run("hub", "accredit-root", place.registrar, *schema, *config, *admins(place.folder))
    place.by("registrar", *words, "--accredited", PERSONS_SCHEMA.hex())

    ada = place.enrol("ada", "--next", address("ada next"))
    bo = place.enrol("bo", "--guardian", address("guardian"), "--recovery-delay", 3_600)
    printed = place.person("log", "register", ada, bo, "--json").splitlines()
    people = [json.loads(line) for line in printed]
    assert [(row["shard"], row["index"]) for row in people] == [(0, 0), (0, 1)]
    assert place.proven(0, people[0]["did"]) == {"account": address("ada"), "sequence": 0, "shard": 0}

    stolen = ["rotate", 0, 0, "--to", address("bo new"), *place.key("ada")]
    place.person("anybody", *stolen, code=1)
    follows = ["--to", address("ada next"), "--next", address("ada third"), *place.key("ada next")]
    place.person("anybody", "rotate", 0, 0, *follows)
    assert place.proven(0, people[0]["did"]) == {"account": address("ada next"), "sequence": 1, "shard": 0}

    expires, policy = int(time.time()) + 100_000, json.loads(bo.read_text())["policy"]
    to, folder = ["--to", address("bo new"), "--expires", expires], ["--folder", place.folder / "shards"]
    asked = ["identity", "person", "approve", place.registrar, 0, 1, *folder, *config, *to, *place.key("guardian")]
    signature = place.run(*asked).strip()
    begun = place.person("anybody", "recover", 0, 1, *to, "--policy", policy, "--signature", signature)
    assert begun.startswith("takes effect from ")
    place.person("anybody", "complete", 0, 1, code=1)
    place.person("anybody", "cancel", 0, 1, *place.key("bo new"), code=1)
    place.person("anybody", "cancel", 0, 1, *place.key("bo"))
    place.person("anybody", "recover", 0, 1, *to, "--policy", policy, "--signature", signature, code=1)

    follow = ["identity", "shard", "follow", place.registrar, *config, "--json", "--folder"]
    kept, anew = (json.loads(place.run(*follow, place.folder / name)) for name in ("shards", "anew"))
    assert kept["shards"] == anew["shards"] and anew["shards"][0]["persons"] == 2
