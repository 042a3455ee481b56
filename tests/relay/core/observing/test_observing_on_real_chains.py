"""The relay keeps records of a real QBFT chain fresh on a real hub: at a change, at an interval, and never in vain."""

import json

import pytest
import trio
from typer.testing import CliRunner

from hutong.adapters.evm.proofs import previous_sequence_slot
from hutong.light_clients.records import SlotPlace
from hutong.relay.cli.main import app
from tests.adapters.conformance.lane import ADMIN, RELAYER, address_bytes
from tests.relay.core.observing.observing_lane import PATIENCE_S, nonce_table, observing_lane, relay_file

pytestmark = pytest.mark.long
LONG_MS = 60_000
"""For so long at least, the longest that `[turns]` takes, the second relay leaves a record to whoever wrote it last."""


@pytest.fixture
async def world(tmp_path, valkey):
    async with observing_lane(tmp_path, valkey.url) as world:
        yield world


async def test_a_changed_value_becomes_a_record(world):
    before = await world.change()
    relay = world.relay()
    async with relay.running():
        await world.recorded(before)
        for _ in range(3):
            value = await world.change()
            await world.recorded(value)
        calls = await world.observe_calls()
        assert len(calls) == 4 and all(call.status for call in calls)
        await world.blocks(4)
        assert len(await world.observe_calls()) == 4, "nothing changed, and nothing was paid"
        chain = {"chain": "hub", "client": world.client}
        assert relay.sample("hutong_observations_total", outcome="written", **chain) == 4
        age_s = relay.sample("hutong_observation_age_seconds", chain="alpha", observation="deployer's nonce")
        assert 0 <= age_s < 120
        assert relay.sample("hutong_observation_due_seconds", chain="alpha", observation="deployer's nonce") == 0


async def test_an_interval_renews_without_a_change(world):
    relay = world.relay(nonce_table(interval_s=3))
    async with relay.running():
        value = await world.change()
        with trio.fail_after(PATIENCE_S):
            while (first := await world.record()) is None:  # noqa: ASYNC110
                await trio.sleep(0.1)
            while (second := await world.record()).height == first.height:  # noqa: ASYNC110
                await trio.sleep(0.1)
    assert second.value == value
    assert second.source_time_ns - first.source_time_ns >= 3 * 10**9
    assert relay.sample("hutong_observation_interval_seconds", chain="alpha", observation="deployer's nonce") == 3


async def test_a_slot_by_its_number_and_one_without_code_beside_it(world):
    """The router's own word for the last sequence of its client; another account has no code, and spoils nothing."""
    slot = previous_sequence_slot(world.lane.alpha.client)
    contract = world.lane.alpha.contracts.router
    good = {"name": "sent", "chain": "alpha", "contract": contract, "slot": f"0x{slot.hex()}", "on_change": True}
    bad = good | {"name": "nobody", "contract": RELAYER.address}
    place = SlotPlace(bytes.fromhex(contract[2:]), slot)
    relay = world.relay(good, bad)
    async with relay.running():
        with trio.fail_after(PATIENCE_S):
            while (first := await world.record(place)) is None:  # noqa: ASYNC110
                await trio.sleep(0.1)
        assert first.value is None, "nothing was sent yet"
        now_s = (await world.lane.alpha.chain.head()).time_ns // 10**9
        await world.lane.send(world.lane.beta.hub_client, b"hello", now_s + 600)
        await world.recorded((1).to_bytes(32, "big"), place)
    assert await world.record(SlotPlace(address_bytes(RELAYER), slot)) is None


async def test_attack_J7_a_client_that_is_frozen_costs_nothing_and_is_said_once(world, capsys):
    await world.recorded_by_a_relay()
    await world.freeze()
    paid = len(await world.observe_calls())
    relay = world.relay()
    async with relay.running():
        await world.change()
        await relay.failed("client_inactive", 2)
    assert len(await world.observe_calls()) == paid
    assert capsys.readouterr().out.count("observations wait") == 1
    assert (await world.lane.hub.epoch(world.client)).is_readable is False


async def test_attack_J6_while_one_relay_writes_another_pays_nothing(world):
    """One call a change. The other may take over after LONG_MS alone, and then both may pay for that change once: that is what
    `slow` counts, so that the bound holds however slow the machine is."""
    turns = {"most_ms": LONG_MS}
    await world.name_writer(ADMIN)
    first, second = world.relay(turns=turns), world.relay(signer=ADMIN, turns=turns)
    changes, slow = 4, 0
    async with first.running():
        await world.recorded(await world.change())
        before = len(await world.observe_calls())
        async with second.running():
            await world.blocks(4)
            for _ in range(changes):
                start_s = trio.current_time()
                await world.recorded(await world.change())
                slow += trio.current_time() - start_s >= LONG_MS / 1000
            await world.blocks(8)
    others = await world.observe_calls(ADMIN)
    assert len(await world.observe_calls()) - before + len(others) <= changes + slow
    assert len(others) <= slow
    assert before == 1


async def test_who_may_not_open_keys_pays_nothing_and_is_told_what_to_do(world):
    await world.name_writer(keys=0)
    relay = world.relay()
    async with relay.running():
        await world.change()
        await relay.failed("would_fail", 1)
        assert await world.observe_calls() == []
        await world.name_writer(keys=1)
        value = await world.change()
        await world.recorded(value)


async def test_the_command_says_value_age_and_epoch(world):
    await world.recorded_by_a_relay()
    record = await world.record()
    file = relay_file(world)

    def run(*options):
        return CliRunner().invoke(app, ["observations", "--config", str(file), *options])

    said = await trio.to_thread.run_sync(run, "--json")
    assert said.exit_code == 0, said.output
    (row,) = json.loads(said.stdout)["observations"]
    assert (row["value"], row["height"], row["epoch"]) == (f"0x{record.value.hex()}", str(record.height), 1)
    assert (row["value_now"], row["is_current"], row["trust"], row["held_up_by"]) == (
        row["value"],
        True,
        "proven",
        None,
    )
    await world.change()
    due = await trio.to_thread.run_sync(run)
    assert due.exit_code == 1
    assert due.stdout.startswith(
        f"deployer's nonce of alpha over hub:{world.client} = {row['value']} at {row['height']}, "
    )
    assert due.stdout.endswith("epoch 1; changed, and it is not written yet: does the relay run?\n")
