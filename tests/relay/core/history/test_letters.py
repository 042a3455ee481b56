"""Dead letters in an operator's hands: all of them seen, many retried at once, some left alone with a reason."""

import json

import pytest
import trio
from typer.testing import CliRunner

from hutong.adapters.simulated.router import OutOfGas
from hutong.relay.cli.main import app
from hutong.relay.core.history.letters import Chosen, Letters, NotAJob
from hutong.relay.dispatch import Route
from hutong.relay.keys import create_keystore
from hutong.relay.ledger import LedgerReader, explain
from tests.relay.core.world import CLIENT, World, making_blocks, open_ledger

TO_BETA = Route("alpha", "beta", CLIENT)


def job(sequence):
    return f"receive:alpha/{CLIENT}/{sequence}"


class App:
    def __init__(self):
        self.refuses = True

    def __call__(self, _packet):
        if self.refuses:
            raise OutOfGas
        return b"\x01"


@pytest.fixture
def broken():
    return App()


@pytest.fixture
def world(tmp_path, valkey, broken):
    return World(tmp_path, valkey.url, apps={"broken": broken})


def ledger_path(world):
    return world.directory / "hutong" / world.signer.address / "ledger.sqlite"


def letters_of(world, process):
    return Letters(process.queue, process.relay.paths, world.config().relay, lambda: open_ledger(ledger_path(world)))


def why(world, sequence):
    reader = LedgerReader.open_file(ledger_path(world))
    try:
        return str(explain(reader.life(f"alpha/{CLIENT}/{sequence}"), world.now_ns()))
    finally:
        reader.close()


async def all_dead(process, count):
    with trio.fail_after(300):
        while len(await process.queue.dead_letters(TO_BETA)) < count:  # noqa: ASYNC110  the server raises no event
            await trio.sleep(1)


@pytest.mark.long
async def test_parity_row_37_a_job_is_left_alone_with_a_reason_and_taken_up_again(world, broken, autojump_clock):
    async with making_blocks(world), world.relay(max_attempts=2).running() as process:
        world.send("alpha", 2, port="broken", timeout_s=20 * 3_600)
        await all_dead(process, 2)
        letters = letters_of(world, process)
        await letters.ignore(job(1), "its receiver was abandoned")
        assert [letter.id for letter in await letters.ignored()] == [job(1)]
        assert [letter.id for letter in await letters.dead(Chosen())] == [job(2)]
        broken.refuses = False
        await world.until(lambda: world.unsettled() == [1], at_most_s=90)
        await trio.sleep(120)
        assert world.unsettled() == [1], "it would be delivered, and is left alone"
        await process.ledger.flush()
        assert "as an operator said: its receiver was abandoned" in why(world, 1) and "--undo" in why(world, 1)
        assert await letters.heed(job(1)) and not await letters.heed(job(1))
        await world.all_settled(2)
        await process.ledger.flush()
        await trio.sleep(2)
        assert "it is settled" in why(world, 1)


async def test_parity_row_37_what_is_ignored_stays_so_when_the_queue_is_lost(world, broken, valkey, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 1, port="broken", timeout_s=20 * 3_600)
        await trio.sleep(5)
        letters = letters_of(world, process)
        await letters.ignore(job(1), "not now")
        await trio.sleep(10)
        valkey.client.flushall()
        broken.refuses = False
        await trio.sleep(60)
        assert world.unsettled() == [1]
        assert [letter.id for letter in await letters.ignored()] == [job(1)]
        assert await letters.heed(job(1))
        await world.all_settled(1)


async def test_parity_row_37_an_ignored_packet_times_out_all_the_same(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 1, port="broken", timeout_s=60)
        await trio.sleep(5)
        await letters_of(world, process).ignore(job(1), "let it go back")
        await world.all_settled(1, at_most_s=120)
    assert world.settlements("alpha") == [("timeout", 1)] and world.received() == 0


async def test_parity_row_77_many_dead_letters_by_cause_and_route(world, autojump_clock):
    async with making_blocks(world), world.relay(max_attempts=1).running() as process:
        world.send("alpha", 130, port="broken", timeout_s=20 * 3_600)
        world.send("alpha", 1, value=b"x" * 200_000)
        await all_dead(process, 131)
        letters = letters_of(world, process)
        assert len(await letters.dead(Chosen())) == 131
        assert {letter.cause for letter in await letters.dead(Chosen())} == {"would_fail", "too_large"}
        (large,) = await letters.dead(Chosen("too_large", TO_BETA.name))
        assert large.id == job(131)
        assert await letters.retry_all(Chosen(cause="would_fail", route=TO_BETA.name)) == 130
        assert await letters.retry_all(Chosen(cause="fee_cap")) == 0
        with pytest.raises(NotAJob, match="no route is named"):
            await letters.retry_all(Chosen(route="gamma:client-9"))


@pytest.mark.parametrize(
    "name", ["", "x", "receive:alpha", "receive:alpha/c/0", "pay:alpha/c/1", "receive:alpha/c/1/2" * 30]
)
@pytest.mark.parametrize("reason", ["why"])
async def test_what_is_no_job_is_refused(world, name, reason, autojump_clock):
    process = world.relay()
    try:
        with pytest.raises(NotAJob):
            await letters_of(world, process).ignore(name, reason)
        with pytest.raises(NotAJob, match="reason"):
            await letters_of(world, process).ignore(job(1), "  ")
    finally:
        process.close()


CONFIG = """
[relay]
home = "{home}"
redis_url = "{redis}"
redis_prefix = "desk"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:9"]
consensus_rpc = ["http://127.0.0.1:9"]
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[paths]]
a = {{ chain = "alpha", client = "client-0" }}
b = {{ chain = "hub", client = "bft-evm-0" }}
"""


@pytest.fixture
def desk(tmp_path, valkey):
    """A configuration whose queue has three dead letters; runs `hutong relay`."""
    from hutong.relay.dispatch import Connection, Queue, QueueLimits
    from tests.relay.relay_values import job as queued

    create_keystore(tmp_path / "key.json", bytes(range(1, 33)), b"correct horse", iterations=2)
    path = tmp_path / "relay.toml"
    path.write_text(CONFIG.format(home=tmp_path / "state", redis=valkey.url))
    path.chmod(0o600)

    async def fill():
        connection = Connection(valkey.url, seed=1)
        queue = Queue(connection, "filler", lambda: 1_000, prefix="desk", limits=QueueLimits(max_attempts=1))
        route = queued().route
        await queue.open(route)
        await queue.enqueue([queued(number) for number in (1, 2, 3)])
        for item in await queue.take(route, 3):
            await queue.retry(
                route, item, "the app says no", cause="failed" if item.job.packet.sequence == 3 else "other"
            )
        connection.close()

    trio.run(fill)

    def run(*arguments):
        return CliRunner().invoke(app, ["relay", *arguments, "--config", str(path)])

    return run


def test_parity_row_35_dead_lists_all_and_as_json(desk):
    listed = desk("dead")
    assert listed.exit_code == 0 and len(listed.stdout.splitlines()) == 3 and "the app says no" in listed.stdout
    lines = [json.loads(line) for line in desk("dead", "--json").stdout.splitlines()]
    assert {line["job"] for line in lines} == {f"receive:alpha/client-0/{number}" for number in (1, 2, 3)}
    (failed,) = [json.loads(line) for line in desk("dead", "--json", "--cause", "failed").stdout.splitlines()]
    assert failed["packet"] == "alpha/client-0/3" and failed["route"] == "hub:bft-evm-0" and failed["failures"] == 1
    assert desk("dead", "--route", "hub:bft-evm-9").exit_code == 2


def test_parity_row_77_retry_takes_one_or_many(desk):
    assert desk("retry").exit_code == 2 and desk("retry", "receive:alpha/client-0/1", "--all").exit_code == 2
    assert desk("retry", "receive:alpha/client-0/9").exit_code == 1
    assert desk("retry", "receive:alpha/client-0/1").exit_code == 0
    assert desk("retry", "--cause", "failed").stdout == "1 are tried again\n"
    assert desk("retry", "--all").stdout == "1 are tried again\n"
    assert desk("retry", "--all").exit_code == 1 and "no dead letters" in desk("dead").output


def test_parity_row_37_ignore_and_undo(desk):
    name = "receive:alpha/client-0/2"
    assert desk("ignore", name).exit_code == 2 and desk("ignore", name, "--reason", "x", "--undo").exit_code == 2
    refused = desk("ignore", "receive:nonsense", "--reason", "x")
    assert refused.exit_code == 2 and "a job is named as" in refused.output
    assert desk("ignore", name, "--reason", "the receiver is gone").exit_code == 0
    assert len(desk("dead").stdout.splitlines()) == 2
    (line,) = desk("dead", "--ignored", "--json").stdout.splitlines()
    assert json.loads(line)["job"] == name
    assert desk("ignore", name, "--undo").exit_code == 0 and desk("ignore", name, "--undo").exit_code == 1
