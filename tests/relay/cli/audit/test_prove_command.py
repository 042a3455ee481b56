"""`hutong prove` on a running hub and dev chain: a chain's state, and what the hub observed of it, re-checked offline."""

import json
from contextlib import ExitStack
from random import Random

import pytest
import trio
from typer.testing import CliRunner

from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.interface import Height
from hutong.light_clients.records import AccountField, FieldPlace, ObservationKey
from hutong.relay.archive.record_bundle import decode_record_bundle
from hutong.relay.cli.main import app
from hutong.relay.config import load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from tests.relay.cli.chains.hub_and_chain import HUB_EVM, Place

pytestmark = pytest.mark.long
"""Over processes of a hub and of a chain."""

MOST_BYTES = 10_000


class Proving(Place):
    """A hub and a dev chain with a path between them, and checkpoints of both; the admin's account may open keys."""

    def __init__(self, home, stack):
        super().__init__(home, stack)
        made = self.create("--yes")
        assert made.exit_code == 0, made.output
        path = json.loads(made.stdout)
        self.begun = next(int(one["height"]) for one in path["begins"] if one["on"] == "hub")
        self.client = next(end["client"] for end in (path["a"], path["b"]) if end["chain"] == "hub")
        self.config = home / "relay.toml"
        ends = "".join(
            f'{name} = {{ chain = "{path[name]["chain"]}", client = "{path[name]["client"]}" }}\n' for name in "ab"
        )
        self.config.write_text(f"{self.config.read_text()}\n[[paths]]\n{ends}")
        admin = self.keys["admin"]
        decide = ["--hub-admin", admin.keystore, "--hub-admin-password-file", admin.password_file]
        self.run("hub", "name-writer", admin.address, "--keys", "9", *decide)
        for name in ("alpha", "hub"):
            self.run("audit", "checkpoint", "--chain", name, "-o", self.checkpoint(name))

    def checkpoint(self, name):
        return self.home / f"{name}.checkpoint.json"

    def file(self, name):
        return self.home / f"{name}.record.json"

    def run(self, *words, code=0):
        done = CliRunner().invoke(app, [*(str(word) for word in words), "--config", str(self.config)])
        assert done.exit_code == code, done.output
        return done.output

    def prove(self, chain, what, name, *more, code=0):
        return self.run("prove", chain, what, "--out", self.file(name), *more, code=code)

    def audited(self, chain, name, *more, code=0):
        words = ["audit", "record", self.file(name), "--checkpoint", self.checkpoint(chain), "--json", *more]
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    @property
    def owner(self):
        return self.keys["owner"].address

    def observe_balance(self):
        """The owner's balance, by the hub's client of alpha at its newest height; that height, and the record's key."""
        self.run("client", "update", "--chain", "hub", "--client", self.client, *self.keys["admin"].options)
        latest = trio.run(self._latest)
        self.prove("alpha", f"{self.owner}.balance", "observed", "--at", latest)
        nodes = decode_record_bundle(self.file("observed").read_bytes()).nodes
        return latest, trio.run(self._observe, latest, nodes)

    async def _latest(self):
        async with open_chain(load_config(self.config).chain("hub"), Random(1)) as hub:
            return (await hub.client(self.client)).latest_height.revision_height

    async def _observe(self, latest, nodes):
        config, place = load_config(self.config), FieldPlace(bytes.fromhex(self.owner[2:]), AccountField.BALANCE)
        async with (
            open_chain(config.chain("alpha"), Random(1)) as alpha,
            open_chain(config.chain("hub"), Random(1)) as hub,
        ):
            state = (await hub.client(self.client)).client_state
            messages = await alpha.client_messages("bft-evm", state, Height(0, self.begun), Height(0, latest))
            items = [(int(place.kind), place.name, b"")]
            call = interface.OBSERVE.call(self.client, (0, latest), messages[-1], list(nodes), items)
            sender = Transactor(hub.execution, HUB_EVM, self.keys["admin"].signer())
            receipt = await sender.send(OBSERVATIONS_ADDRESS, call)
            await hub.wait_for_height(receipt.height + 1)
        return ObservationKey.of(self.client, place).to_bytes()


@pytest.fixture(scope="module")
def proving(tmp_path_factory):
    with ExitStack() as stack:
        yield Proving(tmp_path_factory.mktemp("proving"), stack)


def test_a_chains_state_is_shown_from_a_checkpoint(proving):
    router = proving.deployment["router"]
    said = proving.prove("alpha", f"{proving.owner}.balance", "balance", "--checkpoint", proving.checkpoint("alpha"))
    assert "valid" in said and "believed" not in said
    found = proving.audited("alpha", "balance", "--max-age", 300)
    balance = int(proving.rpc("alpha", "eth_getBalance", proving.owner, hex(int(found["height"].split("-")[1]))), 16)
    assert found["statements"][0]["said"] == f"{proving.owner.lower()} balance: 0x{balance:064x}"
    assert proving.file("balance").stat().st_size < MOST_BYTES
    code = proving.prove("alpha", f"{router}.code_hash", "code", "--json")
    assert json.loads(code)["checkpoint"] is False
    proving.prove("alpha", f"{router}:0x0", "slot", "--checkpoint", proving.checkpoint("alpha"))
    assert proving.audited("alpha", "slot")["valid"]
    proving.audited("alpha", "slot", "--at", "1700000000", "--max-age", "1", code=1)


def test_what_the_hub_observed_is_shown_with_its_epoch(proving):
    height, key = proving.observe_balance()
    what = f"{proving.client}:{proving.owner}.balance"
    said = proving.prove("hub", what, "record", "--checkpoint", proving.checkpoint("hub"))
    assert f"observed at height 0-{height}" in said and "proven, epoch 1" in said
    found = proving.audited("hub", "record", "--min-trust", 255, "--max-age", 3_600)
    assert len(found["statements"]) == 2
    assert proving.file("record").stat().st_size < MOST_BYTES
    proving.prove("hub", f"0x{key.hex()}", "alone", "--checkpoint", proving.checkpoint("hub"), code=1)
    assert not proving.file("alone").exists(), "an observation without its epoch may not be read"
    at = found["height"].split("-")[1]
    again = proving.prove("hub", what, "again", "--at", at, "--checkpoint", proving.checkpoint("hub"))
    assert "valid" in again
    assert proving.file("again").read_bytes() == proving.file("record").read_bytes()


@pytest.mark.parametrize(
    ("chain", "what", "more", "code", "said"),
    [
        ("nowhere", "0x00", (), 2, "no chain is called nowhere"),
        ("alpha", "0x00", (), 2, "account"),
        ("alpha", "0x" + "11" * 20 + ":0x0", (), 1, "account_has_code"),
        ("alpha", "0x" + "11" * 20 + ".nonce", ("--at", 10**9), 1, "not final"),
        ("hub", "bft-evm-7:0x" + "11" * 20 + ".nonce", (), 0, "nothing"),
        ("hub", "07-tendermint-0:bank", (), 2, "store"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(proving, chain, what, more, code, said):
    output = proving.prove(chain, what, "none", *more, code=code)
    assert said in output
    assert "Traceback" not in output


def test_a_checkpoint_of_another_chain_is_refused(proving):
    output = proving.prove("alpha", f"{proving.owner}.nonce", "none", "--checkpoint", proving.checkpoint("hub"), code=2)
    assert "the checkpoint is of chain" in output
