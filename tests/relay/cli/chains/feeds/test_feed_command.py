"""`hutong feed` through the command line: signers sign offline, anybody pushes to a running dev chain."""

import json
import time

import pytest
from eth_utils.address import to_canonical_address
from typer.testing import CliRunner

from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.feeds import FeedDescription, FeedRule, description_document, feed_id, parse_report
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore
from tests.relay.cli.chains.test_roles_command import ADDRESSES, CHAIN_ID, KEYS, PASSWORD, ZERO, running

SIGNERS = ("admin", "pauser", "limiter")
FEED = FeedDescription(
    tuple(sorted(bytes(to_canonical_address(ADDRESSES[name])) for name in SIGNERS)),
    2,
    FeedRule.MEDIAN,
    2,
    3600,
    "toll-ring-2",
)


@pytest.fixture
def folder(tmp_path):
    for name, key in KEYS.items():
        create_keystore(tmp_path / f"{name}.json", key, PASSWORD, iterations=2)
    (tmp_path / "feed.json").write_text(json.dumps(description_document(FEED)))
    return tmp_path


def run(folder, *arguments, key=None):
    keys = () if key is None else ("--keystore", str(folder / f"{key}.json"), "--password-env", "PASSWORD")
    given = ("feed", *arguments, "--feed", str(folder / "feed.json"), *keys)
    done = CliRunner().invoke(app, list(given), env={"PASSWORD": PASSWORD.decode()})
    return done.exit_code, done.stdout, done.stderr


def signed(folder, name, value, *more):
    code, said, error = run(folder, "sign", "--value", value, *more, key=name)
    assert code == 0, error
    return parse_report(said.encode())


def test_a_signer_signs_offline_for_the_last_round(folder):
    before_s = int(time.time())
    report = signed(folder, "admin", "-1.5")
    assert (report.feed, report.report.value) == (feed_id(FEED), -150)
    assert report.time_s in (before_s - before_s % 3600, before_s - before_s % 3600 + 3600)
    assert signed(folder, "admin", "7", "--round", "1700000000").time_s == 1_700_000_000
    code, said, _ = run(folder, "id", "--json")
    assert code == 0
    assert json.loads(said)["id"] == f"0x{feed_id(FEED).hex()}"
    assert json.loads(said)["tolerated_liars"] == 0


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (("--value", "1.234"), "admin", "2 digits after the point"),
        (("--value", "many"), "admin", "decimal number"),
        (("--value", "9" * 39), "admin", "int128"),
        (("--value", "1"), "stranger", "no signer of this feed"),
    ],
)
def test_what_is_not_signed(folder, arguments, key, said):
    code, _, error = run(folder, "sign", *arguments, key=key)
    assert (code, said in error) == (2, True), error


def test_a_description_that_is_none_is_refused(folder):
    for text in ("{}", "[", json.dumps(description_document(FEED) | {"threshold": 1})):
        (folder / "feed.json").write_text(text)
        code, _, error = run(folder, "id")
        assert (code, "feed" in error) == (2, True), error


@pytest.mark.trio
async def test_anybody_pushes_the_round_of_two_signers_and_readers_see_its_age(tmp_path):
    async with running(tmp_path) as setting:
        receipt = await setting.transactor("deployer").send(None, load_artifact("Feed").bytecode)
        contract = f"0x{receipt.contract_address.hex()}"
        (tmp_path / "feed.json").write_text(json.dumps(description_document(FEED)))
        feed = ("--feed", str(tmp_path / "feed.json"))
        chain = ("--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--contract", contract)

        async def report(name, value, round_s, file):
            options = ("--value", value, "--round", str(round_s), "--out", str(tmp_path / file))
            code, _, error = await setting.command("feed", "sign", *feed, *options, *setting.key(name))
            assert code == 0, error
            return ("--report", str(tmp_path / file))

        async def push(*reports):
            given = [part for pair in reports for part in pair]
            return await setting.command("feed", "push", *feed, *given, *chain, *setting.key("stranger"), "--json")

        code, _, error = await setting.command("feed", "show", *feed, *chain)
        assert (code, "nobody has pushed" in error) == (1, True), error
        now_s = int(time.time())
        one = await report("admin", "10.25", now_s, "one.json")
        two = await report("limiter", "10.75", now_s, "two.json")
        code, _, error = await push(one)
        assert (code, "reports_are_enough" in error) == (1, True), error
        code, _, error = await push(one, one)
        assert (code, "reports_are_enough" in error) == (1, True), error
        code, said, error = await push(two, one)
        assert code == 0, error
        assert json.loads(said) | {"transaction": ""} == {
            "value": "10.25",
            "round": now_s,
            "reports": 2,
            "transaction": "",
        }
        code, said, error = await setting.command("feed", "show", *feed, *chain, "--json")
        assert code == 0, error
        shown = json.loads(said)
        assert (shown["value"], shown["round"], shown["reports"], shown["stale"]) == ("10.25", now_s, 2, False)
        code, _, error = await push(two, one)
        assert (code, "nothing was sent" in error) == (1, True), error
        old = [
            await report("admin", "1", now_s - 9000, "three.json"),
            await report("limiter", "2", now_s - 9000, "four.json"),
        ]
        code, _, error = await push(*old)
        assert (code, "nothing was sent" in error) == (1, True), error
        code, _, error = await push(one, old[1])
        assert (code, "several rounds" in error) == (2, True), error
        code, _, error = await setting.command("feed", "show", *feed, *chain[:-1], ZERO[:-1] + "7")
        assert (code, "no contract" in error) == (1, True), error


@pytest.mark.trio
async def test_a_stale_round_is_shown_and_refused(tmp_path):
    async with running(tmp_path) as setting:
        receipt = await setting.transactor("deployer").send(None, load_artifact("Feed").bytecode)
        (tmp_path / "feed.json").write_text(json.dumps(description_document(FEED)))
        feed = ("--feed", str(tmp_path / "feed.json"))
        chain = ("--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--contract", f"0x{receipt.contract_address.hex()}")
        given, round_s = [], str(int(time.time()) - 4000)
        for name in ("admin", "pauser"):
            file = str(tmp_path / f"{name}.report.json")
            options = ("--value", "4", "--round", round_s, "--out", file)
            code, _, error = await setting.command("feed", "sign", *feed, *options, *setting.key(name))
            assert code == 0, error
            given += ["--report", file]
        code, _, error = await setting.command("feed", "push", *feed, *given, *chain, *setting.key("stranger"))
        assert code == 0, error
        code, said, error = await setting.command("feed", "show", *feed, *chain, "--json")
        assert (code, json.loads(said)["stale"], "stale" in error) == (1, True, True)
        code, said, error = await setting.command("feed", "show", *feed, *chain, "--max-age-s", "90000")
        assert (code, "stale = false" in said) == (0, True), error
