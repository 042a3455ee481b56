"""When an operator counts as slow, that a run which many wait for is asked for once, and what comes before the first byte."""

import trio

from hutong.relay.services.storage.gateway.pack_reading import FIRST_RUN_BYTES, Pace
from hutong.relay.services.storage.rules.operator_api.spans import SPAN_BYTES
from tests.relay.services.storage.gateway.network import Network, Switch, drawn, open_network


async def put(network: Network, octets: bytes) -> list[Switch]:
    """Put an object; the ways to the operators of its shards, in their order."""
    await network.store.make_bucket("ward-3")
    for switch in network.switches:
        switch.asked.clear()
    await network.put(b"key", octets)
    shards = {asked.rpartition("/")[2]: one for one in network.switches for asked in one.asked if "/shards/" in asked}
    return [shards[str(number)] for number in range(len(network.switches))]


def test_operator_is_slow_where_it_is_slower_than_usual_and_never_below_the_least():
    pace = Pace(1.0)
    assert pace.hedge_s == 1.0
    for _ in range(200):
        pace.took(0.01)
    assert pace.hedge_s == 1.0
    for _ in range(200):
        pace.took(2.0)
    assert 7.5 < pace.hedge_s <= 8.0


async def test_runs_that_are_rebuilt_at_once_ask_each_operator_once(tmp_path):
    async with open_network(tmp_path, 4, 2) as network:
        await network.store.make_bucket("ward-3")
        octets = drawn(3_000_000)
        await network.put(b"key", octets)
        network.gone(0, 1)
        for switch in network.switches:
            switch.asked.clear()
        assert await network.get(b"key") == octets
        spans = [asked for switch in network.switches[2:] for asked in switch.asked if asked.endswith("/spans")]
        # Manifest and event lie in a pack of their own; each pack's shard is read in one run.
        assert len(spans) <= 2 * 4 + 2


async def test_first_byte_waits_for_a_short_run_of_as_many_operators_as_are_needed(tmp_path):
    async with open_network(tmp_path, 4, 2) as network:
        octets = drawn(3_000_000)
        shards = await put(network, octets)
        shards[0].is_gone = True
        row = await network.store.find("ward-3", b"key")
        assert row is not None
        found = await network.reader.open(row)
        for start in (0, 400_000):
            before = sum(one.spans for one in shards[1:])
            asked_before, read = [], bytearray()

            async def write(some: bytes, asked=asked_before, read=read, before=before) -> None:
                if some and not read:
                    asked.append(sum(switch.spans for switch in shards[1:]) - before)
                read.extend(some)

            await network.reader.read(found, start, len(octets), write)
            assert read == octets[start:]
            assert asked_before[0] <= 4 * FIRST_RUN_BYTES // SPAN_BYTES
            # What a run was rebuilt of is read next, and not asked for again, but where the object begins or ends in a shard.
            assert sum(switch.spans for switch in shards[1:]) - before <= 4 * 16 + 16


async def test_attack_S64_operator_that_was_late_is_not_waited_for_again(tmp_path, monkeypatch):
    monkeypatch.setattr("hutong.relay.services.storage.gateway.operators.DOWN_S", 10_000.0)
    octets = drawn(90_000)
    async with open_network(tmp_path, 2, 1, hedge_s=0.02) as network:
        shard_0 = (await put(network, octets))[0]
        shard_0.is_silent = True
        with trio.fail_after(60):
            assert await network.get(b"key") == octets
            monkeypatch.setattr(network.reader, "_pace", Pace(10_000.0))
            assert await network.get(b"key") == octets
        shard_0.is_silent = False
        assert await network.get(b"key") == octets


async def test_attack_S64_silent_operators_among_those_that_a_run_is_rebuilt_of_are_passed_by(tmp_path):
    octets = drawn(300_000)
    async with open_network(tmp_path, 4, 2, hedge_s=0.02) as network:
        for switch in (await put(network, octets))[:2]:
            switch.is_silent = True
        with trio.fail_after(60):
            assert await network.get(b"key") == octets
