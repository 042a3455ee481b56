"""What the ledger says of packets while a relay carries them, refuses them, waits with them, and when it lost everything."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import trio
from typer.testing import CliRunner

from hutong.adapters.simulated.router import AppRefused
from hutong.light_clients.ibc.forward import ForwardRequest, OriginStamp, StampedPayload, encode_stamped_payload
from hutong.light_clients.ibc.gmp import message_id
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    ForwardInstruction,
    TransferData,
    encode_forward_memo,
    encode_transfer,
)
from hutong.light_clients.interface import ClientStatus
from hutong.relay.cli.main import app
from hutong.relay.config import FeeLimits, PathConfig, PathEnd
from hutong.relay.core.history.facts import every_fact_of
from hutong.relay.core.standing import standing
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind
from hutong.relay.ledger import LedgerReader, LedgerUnavailable, explain
from tests.relay.core.world import CLIENT, World, making_blocks


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def name(sequence, chain="alpha"):
    return f"{chain}/{CLIENT}/{sequence}"


def set_fees(process, chain, fees):
    for account in process.relay.accounts[chain]:
        account.fees = fees


def reader_of(world):
    return LedgerReader.open_file(world.directory / "hutong" / world.signer.address / "ledger.sqlite")


async def why(world, process, packet_id):
    await process.ledger.flush()
    reader = reader_of(world)
    try:
        return explain(reader.life(packet_id), world.now_ns())
    finally:
        reader.close()


async def test_a_carried_packet_leaves_every_step_with_heights_hashes_and_costs(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 3)
        await world.all_settled(3)
        await trio.sleep(2)
        await process.ledger.flush()
        reader = reader_of(world)
        assert reader.pending().packets == ()
        life = reader.life(name(2))
        answer = explain(life, world.now_ns())
        reader.close()
    assert life.packet.outcome == "acknowledged" and life.packet.settled.at_ns > life.packet.first_seen_at_ns
    assert answer.settled and "its acknowledgement is on alpha" in str(answer)
    steps = {(step.kind, step.step): step for step in life.steps}
    for kind in ("receive", "acknowledge"):
        for step in ("seen", "queued", "submitted", "included"):
            assert (kind, step) in steps
        delivered = next(one for one in life.deliveries if one.kind == kind)
        assert steps[kind, "included"].transaction_hash == "0x" + delivered.transaction_hash.hex()
        assert steps[kind, "included"].height == delivered.height and delivered.fee_wei > 0
    assert steps["receive", "seen"].chain == "alpha" and steps["acknowledge", "seen"].chain == "beta"
    assert steps["receive", "seen"].height == life.packet.sent.height
    assert [name(2)] == reader_ids(world, life.packet.sent.hash, name(2))


def reader_ids(world, hash_, wanted):
    reader = reader_of(world)
    found = [one for one in reader.find(hash_) if one == wanted]
    reader.close()
    return found


async def test_trial_T11_why_says_what_the_receiver_gave_as_its_reason(world, autojump_clock):
    def closed(packet):
        raise AppRefused("closed\x1b[31m today")

    world.chains["beta"].apps["shop"] = closed
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 1, port="shop")
        world.send("alpha", 1)
        await world.all_settled(2)
        await trio.sleep(2)
        answer = str(await why(world, process, name(1)))
        fine = str(await why(world, process, name(2)))
    assert "its receiver on beta refused it (Error: closed\\x1b[31m today)" in answer
    assert "refused" not in fine


async def test_attack_G6_dead_letter_says_why_and_how_to_go_on(world, autojump_clock):
    async with making_blocks(world), world.relay(max_attempts=2).running() as process:
        world.send("alpha", 1, value=b"x" * 200_000)
        world.send("alpha", 1)
        await world.until(lambda: world.unsettled() == [1])
        answer = await why(world, process, name(1))
        fine = await why(world, process, name(2))
    assert (
        "too large" in answer.waits_for and f"hutong relay retry --config relay.toml receive:{name(1)}" in answer.remedy
    )
    assert fine.settled


async def test_attack_G8_fee_cap_is_named_while_packets_wait(world, autojump_clock):
    process = world.relay()
    set_fees(process, "beta", FeeLimits(max_fee_wei=1))
    async with making_blocks(world), process.running():
        world.send("alpha", 1)
        await trio.sleep(15)
        answer = await why(world, process, name(1))
        assert "the cap is 1" in answer.waits_for and "fees.max_fee_wei" in answer.remedy
        set_fees(process, "beta", FeeLimits())
        await world.all_settled(1)
        await trio.sleep(2)
        assert (await why(world, process, name(1))).settled
        reader = reader_of(world)
        assert reader.route(f"beta:{CLIENT}") is None
        reader.close()


@pytest.mark.long
async def test_frozen_client_is_named_also_for_packets_that_no_worker_holds(world, autojump_clock):
    frozen = [True]

    def wrap(adapter):
        honest = adapter.client

        async def client(client_id):
            info = await honest(client_id)
            return replace(info, status=ClientStatus.FROZEN) if frozen[0] and adapter.name == "beta" else info

        adapter.client = client
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        world.send("alpha", 60)
        await trio.sleep(15)
        held, waiting = await why(world, process, name(1)), await why(world, process, name(60))
        for answer in (held, waiting):
            assert f"client beta:{CLIENT} is Frozen" in answer.waits_for and "recover" in answer.remedy
        frozen[0] = False
        await world.all_settled(60)


async def test_timed_out_packet_ends_as_such(world, autojump_clock):
    world.send("alpha", 1, timeout_s=2)
    async with making_blocks(world):
        await trio.sleep(5)
        async with world.relay().running() as process:
            await world.all_settled(1)
            await trio.sleep(2)
            answer = await why(world, process, name(1))
    assert answer.settled and "its timeout is proven on alpha" in answer.waits_for


@pytest.mark.long
async def test_packets_that_others_settle_do_not_stay_pending(world, autojump_clock):
    """A second relay with its own ledger and queue does the work; the first one's ledger follows the chain."""
    idle = world.relay(prefix="idle", clear_interval_s=5)
    set_fees(idle, "beta", FeeLimits(max_fee_wei=1))
    async with making_blocks(world), idle.running():
        world.send("alpha", 3)
        await trio.sleep(5)
        async with world.relay().running():
            await world.all_settled(3)
            await trio.sleep(30)
        await idle.ledger.flush()
        reader = LedgerReader.open_file(world.directory / "idle" / world.signer.address / "ledger.sqlite")
        pending, life = reader.pending(), reader.life(name(1))
        reader.close()
    assert pending.packets == () and life.packet.outcome in ("acknowledged", "settled")


async def test_lost_ledger_is_filled_again_from_the_chains(world, autojump_clock):
    async with making_blocks(world):
        world.pause_blocks = False
        async with world.relay(max_attempts=2).running():
            world.send("alpha", 1, value=b"x" * 200_000)
            await trio.sleep(20)
        (world.directory / "hutong" / world.signer.address / "ledger.sqlite").unlink()
        redis.Redis.from_url(world.redis_url).flushall()
        async with world.relay(max_attempts=2).running() as process:
            await trio.sleep(30)
            answer = await why(world, process, name(1))
    assert "too large" in answer.waits_for


async def test_chains_answer_where_the_ledger_is_silent(world, autojump_clock):
    adapters = {one: world.adapter(one) for one in world.chains}
    end, opposite = PathEnd(chain="alpha", client=CLIENT), PathEnd(chain="beta", client=CLIENT)

    async def said(sequence):
        return (await standing(end, opposite, sequence, adapters)).sentence(end, opposite)

    assert "never sent it" in await said(1)
    world.send("alpha", 1)
    world.send("alpha", 1, timeout_s=2)
    async with making_blocks(world):
        await trio.sleep(2)
        assert "has not received it" in await said(1)
        await trio.sleep(5)
        assert "before its timeout" in await said(2)
        async with world.relay().running():
            await world.all_settled(2)
    assert "it is settled" in await said(1)
    assert "never sent it" in await said(3)


def forwarded(sequence, value, source_client="bft-evm-1", source_port="forward"):
    payload = Payload(source_port, "gmpport", "hutong-forward-1", "application/x-solidity-abi", value)
    packet = Packet(sequence, source_client, "client-0", 2_000_000_000, (payload,))
    return Job(JobKind.RECEIVE, "hub", "beta", packet, None, 5, 5, 5)


def test_second_leg_names_the_first_and_shares_its_message_id():
    ends = {"alpha": PathEnd(chain="alpha", client="client-0"), "hub": PathEnd(chain="hub", client="bft-evm-0")}
    paths = Paths.of([PathConfig(a=ends["hub"], b=ends["alpha"])])
    stamp = OriginStamp(1, "bft-evm-0", "gmpport", "forward", 7, 1)
    value = encode_stamped_payload(StampedPayload(stamp, "ics27-2", "application/x-solidity-abi", b"m"))
    facts = every_fact_of(forwarded(3, value), paths)
    assert facts.leg_of == "alpha/client-0/7"
    assert facts.message_id == "0x" + message_id(forwarded=True, route="bft-evm-0", sequence=7).hex()
    damaged = every_fact_of(forwarded(3, value[:-1]), paths)
    assert (damaged.leg_of, damaged.message_id) == (None, None)
    request = ForwardRequest("bft-evm-1", "gmpport", "ics27-2", "application/x-solidity-abi", 1_700_000_000, b"m")
    assert request.next_client == "bft-evm-1"
    first = Packet(
        7, "client-0", "bft-evm-0", 2_000_000_000, (Payload("gmpport", "forward", "hutong-forward-1", "e", b"v"),)
    )
    assert (
        every_fact_of(Job(JobKind.RECEIVE, "alpha", "hub", first, None, 1, 1, 1), paths).message_id == facts.message_id
    )


def test_both_legs_of_a_forwarded_transfer_have_the_key_of_the_specification():
    receiver = "0x000000000000000000000000000000000000dEaD"
    memo = encode_forward_memo(ForwardInstruction(receiver, "bft-evm-1", 1_900_000_000))
    keys = []
    for route, sent_to, note in (
        (("alpha", "hub", "client-0", "bft-evm-0"), "hub", memo),
        (("hub", "beta", "bft-evm-1", "client-0"), receiver, ""),
    ):
        source, destination, here, there = route
        value = encode_transfer(TransferData("0x" + "11" * 20, "0x" + "22" * 20, sent_to, 5, note), ABI_ENCODING)
        packet = Packet(
            7, here, there, 2_000_000_000, (Payload("transfer", "transfer", "ics20-1", ABI_ENCODING, value),)
        )
        keys.append(
            every_fact_of(Job(JobKind.RECEIVE, source, destination, packet, None, 1, 1, 1), Paths.of([])).forward_key
        )
    page = (Path(__file__).parents[4] / "docs" / "spec" / "ledger.md").read_text()
    assert keys[0] == keys[1] and f"`{keys[0]}`" in page


CONFIG = """
[relay]
home = "{home}"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = {{ keystore = "k", password_env = "P" }}

[[chains]]
name = "beta"
kind = "evm"
chain_id = 1002
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = {{ keystore = "k", password_env = "P" }}
"""


def command(world, *arguments, direct=False):
    """In a process of its own, as an operator's; `direct` where no relay logs into this one's output."""
    file = world.directory / "relay.toml"
    file.write_text(CONFIG.format(home=world.directory / "hutong" / world.signer.address))
    file.chmod(0o600)
    if direct:
        done = CliRunner().invoke(app, [*arguments, "--config", str(file)])
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
    return subprocess.run(
        [sys.executable, "-m", "hutong.relay.cli", *arguments, "--config", file],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
async def test_operator_commands_beside_a_running_relay(world, autojump_clock):
    process = world.relay()
    async with making_blocks(world), process.running():
        world.send("alpha", 1)
        await world.all_settled(1)
        set_fees(process, "alpha", FeeLimits(max_fee_wei=1))
        world.send("alpha", 1)
        await trio.sleep(15)
        await process.ledger.flush()
        listed = await trio.to_thread.run_sync(lambda: command(world, "pending", "--json"))
        plain = await trio.to_thread.run_sync(lambda: command(world, "pending", "--chain", "beta"))
        asked = await trio.to_thread.run_sync(lambda: command(world, "why", name(2)))
        shown = await trio.to_thread.run_sync(lambda: command(world, "show", name(1), "--json"))
        text = await trio.to_thread.run_sync(lambda: command(world, "show", name(1)))
    (row,) = json.loads(listed.stdout)["pending"]
    assert (row["id"], row["kind"], row["to"]) == (name(2), "acknowledge", f"beta:{CLIENT}")
    assert name(2) in plain.stdout and "the cap is 1" in plain.stdout
    assert asked.returncode == 0 and "the cap is 1" in asked.stdout and "fees.max_fee_wei" in asked.stdout
    document = json.loads(shown.stdout)
    (packet,) = document["packets"]
    assert packet["settled"] and {one["kind"] for one in packet["deliveries"]} == {"receive", "acknowledge"}
    assert set(document["costs"]) == {"alpha", "beta"} and int(document["costs"]["beta"]["fee_wei"]) > 0
    assert "receive included on beta" in text.stdout and "cost on alpha" in text.stdout


async def test_operator_commands_say_what_they_cannot_tell(world, autojump_clock):
    before = command(world, "pending", direct=True)
    assert before.returncode == 0 and "has the relay run?" in before.stderr
    async with making_blocks(world), world.relay().running():
        await trio.sleep(3)
    for arguments, code, said in (
        (["why", "nonsense"], 2, "is not an ID"),
        (["why", f"gamma/{CLIENT}/1"], 2, "no chain is called gamma"),
        (["show", name(9)], 1, "no path of the configuration"),
        (["show", "0x" + "ab" * 32], 1, "neither a message nor a transaction"),
        (["pending", "--chain", "gamma"], 2, "no chain is called gamma"),
    ):
        answer = command(world, *arguments, direct=True)
        assert (answer.returncode, said in answer.stderr) == (code, True), (arguments, answer.stderr)
        assert "Traceback" not in answer.stderr


def test_ledger_of_another_schema_or_none_is_refused(tmp_path):
    with pytest.raises(LedgerUnavailable, match="has the relay run"):
        LedgerReader.open_file(tmp_path / "ledger.sqlite")
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(LedgerUnavailable, match="cannot be read"):
        LedgerReader.open_file(tmp_path / "ledger.sqlite")
