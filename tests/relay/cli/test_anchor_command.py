"""`hutong anchor` through the command line: against a running dev chain, and offline from a record of one."""

import json
from contextlib import ExitStack

import pytest
from eth_utils.address import to_checksum_address
from typer.testing import CliRunner

from hutong.contracts.artifacts import load_artifact
from hutong.relay.cli.main import app
from tests.relay.cli.audit.test_prove_command import Proving
from tests.relay.cli.chains.hub_and_chain import CHAIN
from tests.relay.cli.chains.test_roles_command import ADDRESSES, CHAIN_ID, ZERO, running

HOURS = b"".join(b"hour %d: 4.2 C\n" % hour for hour in range(72))


class Anchoring:
    """An Anchor on a running dev chain, hourly readings in a file, and the commands on both."""

    def __init__(self, setting, contract, folder):
        self.setting, self.contract, self.folder = setting, contract, folder
        self.readings, self.proof = folder / "readings", folder / "hour.proof.json"
        self.readings.write_bytes(HOURS)

    @property
    def chain(self):
        return ("--rpc", self.setting.url, "--chain-id", str(CHAIN_ID))

    async def publish(self, since, until, *more, file=None):
        window = ("--from", str(since), "--to", str(until), "--contract", self.contract)
        files = (str(file or self.readings), "--lines")
        return await self.setting.command(
            "anchor", "publish", *files, *self.chain, *window, *self.setting.key("stranger"), *more
        )

    @property
    def account(self):
        return ("--contract", self.contract, "--publisher", ADDRESSES["stranger"])

    async def prove(self, hour, *more, file=None):
        words = (str(file or self.readings), "--lines", "--entry", str(hour), "--out", str(self.proof))
        return await self.setting.command("anchor", "prove", *words, *self.chain, *self.account, *more)

    async def verify(self, *more, account=None):
        return await self.setting.command("anchor", "verify", str(self.proof), *(account or self.account), *more)


async def anchoring(setting, folder):
    receipt = await setting.transactor("deployer").send(None, load_artifact("Anchor").bytecode)
    return Anchoring(setting, str(to_checksum_address(receipt.contract_address)), folder)


@pytest.mark.trio
async def test_readings_are_anchored_and_one_is_proven(tmp_path):
    async with running(tmp_path) as setting:
        city = await anchoring(setting, tmp_path)
        code, said, error = await city.publish(1_000, 2_000, "--json")
        assert code == 0, error
        written = json.loads(said)
        assert (written["anchor"], written["count"], written["publisher"]) == (0, 72, ADDRESSES["stranger"])
        code, said, error = await city.prove(40, "--json")
        assert code == 0, error
        assert len(json.loads(said)["slots"]) == 2 and json.loads(said)["root"] == written["root"]
        reading = tmp_path / "reading"
        reading.write_bytes(HOURS.split(b"\n")[40])
        code, said, error = await city.verify(*city.chain, "--entry", str(reading))
        assert code == 0 and "valid" in said and "the node's word" in said, error
        reading.write_bytes(b"hour 40: 4.1 C")
        code, said, _ = await city.verify(*city.chain, "--entry", str(reading), "--json")
        document = json.loads(said)
        assert code == 1 and not document["valid"] and document["checks"][-1]["name"] == "entry_is_expected"
        code, said, _ = await city.verify(
            *city.chain, account=("--contract", city.contract, "--publisher", ADDRESSES["admin"])
        )
        assert code == 1 and "anchor_is_expected" in said


@pytest.mark.trio
async def test_attack_F22_a_changed_or_shortened_window_is_found(tmp_path):
    async with running(tmp_path) as setting:
        city = await anchoring(setting, tmp_path)
        assert (await city.publish(1_000, 2_000))[0] == 0
        for changed in (HOURS.replace(b"hour 13: 4.2", b"hour 13: 9.2"), HOURS.replace(b"hour 13: 4.2 C\n", b"")):
            forged = tmp_path / "forged"
            forged.write_bytes(changed)
            code, _, error = await city.prove(40, file=forged)
            assert code == 1 and "give all entries of that window in their order" in error
        code, _, error = await city.publish(1_999, 3_000)
        assert code == 1 and "WindowGoesBack" in error
        code, _, error = await city.publish(2_000, 99_999_999_999)
        assert code == 1 and "WindowNotOver" in error
        assert (await city.publish(2_000, 3_000))[0] == 0
        code, said, error = await city.prove(3, "--anchor", "0", "--json")
        assert code == 0 and json.loads(said)["anchor"] == 0, error
        code, _, error = await city.prove(3, "--anchor", "7")
        assert code == 1 and "UnknownAnchor" in error


@pytest.mark.trio
async def test_what_cannot_be_anchored_or_judged_is_one_sentence(tmp_path):
    async with running(tmp_path) as setting:
        city = await anchoring(setting, tmp_path)
        code, _, error = await city.prove(0)
        assert code == 1 and "has no anchor there" in error
        assert (await city.publish(1_000, 2_000))[0] == 0
        assert (await city.prove(71))[0] == 0
        for said, code, (found, _, error) in (
            ("counted from 0", 2, await city.prove(72)),
            ("--from", 2, await city.publish("yesterday", 2_000)),
            ("a proof believes nothing", 2, await city.verify()),
            ("a proof believes nothing", 2, await city.verify(*city.chain, "--record", str(city.proof))),
            ("a proof believes nothing", 2, await city.verify("--record", str(city.proof))),
            ("no contract", 1, await Anchoring(setting, ZERO, tmp_path).publish(3_000, 4_000)),
            ("not an address", 2, await Anchoring(setting, "0x12", tmp_path).publish(3_000, 4_000)),
        ):
            assert (found, said in error) == (code, True), error


@pytest.mark.long
def test_a_record_of_the_chain_shows_the_anchor_offline(tmp_path):
    """Over processes of a hub and of a chain: `hutong prove` makes the record, and the judgement asks nobody."""
    readings, proof = tmp_path / "readings", tmp_path / "hour.proof.json"
    readings.write_bytes(HOURS)
    with ExitStack() as stack:
        proving = Proving(tmp_path, stack)
        owner = proving.keys["owner"]
        made = proving.hutong(
            *("anchor", "deploy", "--rpc", proving.url("alpha"), "--chain-id", str(CHAIN), *owner.options, "--json")
        )
        contract = json.loads(made)["anchor"]
        chain = ("--rpc", proving.url("alpha"), "--chain-id", str(CHAIN), "--contract", contract)
        proving.hutong(
            *("anchor", "publish", str(readings), "--lines", *chain, "--from", "1000", "--to", "2000", *owner.options)
        )
        said = proving.hutong(
            *("anchor", "prove", str(readings), "--lines", "--entry", "40", "--out", str(proof), *chain),
            *("--publisher", owner.address, "--json"),
        )
        first, second = json.loads(said)["slots"]
        proving.prove("alpha", first, "anchor", second, "--checkpoint", proving.checkpoint("alpha"))
    words = ["anchor", "verify", str(proof), "--contract", contract, "--publisher", owner.address]
    words += ["--record", str(proving.file("anchor")), "--checkpoint", str(proving.checkpoint("alpha"))]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["to_time_s"] == 2_000, done.output
    proof.write_bytes(proof.read_bytes().replace(b'"index":40', b'"index":41'))
    assert CliRunner().invoke(app, words).exit_code == 1
