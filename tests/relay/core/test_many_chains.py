"""Chains that are away hold up no other: slots, starts, timeouts, cursors."""

import json

import pytest
import trio

from hutong.light_clients.ibc.packet import Payload
from hutong.relay.core.endpoint import asgi_app
from hutong.relay.core.topology.identification import FIRST_ANSWERS_S
from hutong.relay.dispatch import Route
from hutong.relay.ledger import Ledger, LedgerReader, why
from tests.relay.core.star_world import HUB, StarWorld
from tests.relay.core.world import making_blocks

SOON_S = 12
"""A round trip takes some blocks; a silent endpoint is waited for longer."""


@pytest.fixture
def star(tmp_path, valkey):
    return StarWorld(tmp_path, valkey.url, ("s0", "s1", "s2"))


async def waiting(process, source: str, number: int) -> None:
    """Until the queue has a job of that route."""
    route = Route(source, HUB, f"bft-evm-{number}")
    with trio.fail_after(30):
        while True:
            counts = await process.queue.statistics(route)
            if counts.waiting + counts.delayed + counts.asleep:
                return
            await trio.sleep(0.05)


@pytest.mark.long
async def test_sources_that_are_silent_hold_no_slot_of_their_destination(star, autojump_clock):
    process = star.relay(max_attempts=100)
    async with making_blocks(star), process.running():
        star.refuse_all(HUB)  # so that their packets are at hand, and to be tried again
        for number, source in enumerate(("s0", "s1")):
            star.send(source)
            await waiting(process, source, number)
        await trio.sleep(3)
        for source in ("s0", "s1"):
            star.silence(source)
        await trio.sleep(45)  # whoever was at work when they fell silent has given up
        star.refuse_all(HUB, refuse=False)
        for sent in range(1, 7):
            star.send("s2")
            await star.all_settled(sent, "s2", at_most_s=SOON_S)
            await trio.sleep(10)
        assert star.unsettled("s0") == [1] and star.unsettled("s1") == [1]
        for source in ("s0", "s1"):
            star.mend(source)
        for source in ("s0", "s1"):
            await star.all_settled(1, source, at_most_s=120)


@pytest.mark.long
async def test_trial_T6_why_names_a_chain_that_is_away_since_the_start(star, autojump_clock):
    star.silence("s0")
    process = star.relay()
    async with making_blocks(star), trio.open_nursery() as nursery:
        nursery.start_soon(process.relay.run)
        await trio.sleep(FIRST_ANSWERS_S + 5)
        payload = Payload("mail", "echo", "v1", "text", b"hello")
        star.chains[HUB].send("bft-evm-0", star.now_ns() // 10**9 + 3_600, payload)
        await trio.sleep(60)

        async def said() -> str:
            await process.ledger.flush()
            reader = LedgerReader.open_file(star.directory / "hutong" / star.signer.address / "ledger.sqlite")
            try:
                return str(why("hub/bft-evm-0/1", reader, star.now_ns()))
            finally:
                reader.close()

        answer = await said()
        assert "nothing in its way" not in answer
        assert "chain s0 is not there since the relay started" in answer and "unavailable by design" in answer
        assert "check the chain's endpoints" in answer
        star.mend("s0")
        with trio.fail_after(180):
            while "it is settled" not in await said():  # noqa: ASYNC110  the ledger raises no event
                await trio.sleep(5)
        nursery.cancel_scope.cancel()
    process.close()


async def test_trial_T6_every_route_says_from_the_first_second_what_it_waits_for(star, autojump_clock):
    """Also the one whose own chains answered: while the start waits for all, no packet is carried."""
    star.silence("s0")
    process = star.relay()
    async with making_blocks(star), trio.open_nursery() as nursery:
        nursery.start_soon(process.relay.run)

        def said(route: str) -> str | None:
            reader = LedgerReader.open_file(star.directory / "hutong" / star.signer.address / "ledger.sqlite")
            try:
                state = reader.route(route)
            finally:
                reader.close()
            return None if state is None else state.reason

        await trio.sleep(2)
        silent = "chain s0 is not watched yet: it has not answered since the relay started"
        assert said("hub:bft-evm-0") == said("s0:bft-evm-0") == silent
        just_started = "the relay has just started, and waits up to 10 s for chain s0"
        assert said("hub:bft-evm-1") == said("s1:bft-evm-0") == just_started
        assert process.relay.ready()["reasons"] == [
            {"what": "chain s0", "detail": "it has not answered since the relay started"}
        ]
        await trio.sleep(FIRST_ANSWERS_S)
        assert said("hub:bft-evm-0") == silent
        assert said("hub:bft-evm-1") is said("s1:bft-evm-0") is None
        nursery.cancel_scope.cancel()
    process.close()


@pytest.mark.long
async def test_a_chain_that_is_away_at_the_start_holds_up_no_other(star, autojump_clock):
    star.silence("s0")
    process = star.relay()
    async with making_blocks(star), trio.open_nursery() as nursery:
        nursery.start_soon(process.relay.run)
        star.send("s1")
        star.send("s0")
        await star.all_settled(1, "s1", at_most_s=FIRST_ANSWERS_S + SOON_S)
        await trio.sleep(60)
        reasons = {reason["what"]: reason["detail"] for reason in process.relay.ready()["reasons"]}
        assert reasons.keys() == {"chain s0"} and "unavailable by design" in reasons["chain s0"]
        assert process.relay.health()["waiting_for"] == ["s0"]
        star.mend("s0")
        await star.all_settled(1, "s0", at_most_s=120)
        assert process.relay.ready()["status"] == "ready"
        nursery.cancel_scope.cancel()
    process.close()


async def test_parity_row_30_and_trial_T13_one_dead_chain_at_the_start_is_alive_and_not_ready(star, autojump_clock):
    star.silence("s0")
    process = star.relay()
    assert (await answer_of(process, "/healthz"))[0] == 200, "before anything was asked"
    async with making_blocks(star), trio.open_nursery() as nursery:
        nursery.start_soon(process.relay.run)
        for _ in range(FIRST_ANSWERS_S.__ceil__() + 5):
            status, said = await answer_of(process, "/healthz")
            assert status == 200 and said["status"] == "ok" and said["ended"] == []
            await trio.sleep(1)
        assert said["waiting_for"] == ["s0"]
        status, said = await answer_of(process, "/readyz")
        assert status == 503 and [reason["what"] for reason in said["reasons"]] == ["chain s0"]
        star.mend("s0")
        await star.until(lambda: process.relay.ready()["status"] == "ready", at_most_s=60)
        assert (await answer_of(process, "/readyz"))[0] == 200
        nursery.cancel_scope.cancel()
    process.close()


async def test_parity_row_30_a_task_that_ended_is_no_life(star, autojump_clock):
    process = star.relay()

    async def ends_at_once():
        return

    process.relay.watchers["s1"].run = ends_at_once
    async with making_blocks(star), trio.open_nursery() as nursery:
        nursery.start_soon(process.relay.run)
        await star.until(lambda: process.relay.health()["status"] == "failing", at_most_s=60)
        status, said = await answer_of(process, "/healthz")
        assert status == 503 and said["ended"] == ["watcher:s1"]
        nursery.cancel_scope.cancel()
    process.close()


async def answer_of(process, path):
    """(status, document), as a probe gets them."""
    sent = []

    async def send(message):
        sent.append(message)

    relay = process.relay
    app = asgi_app(relay.metrics, relay.health, relay.ready)
    await app({"type": "http", "method": "GET", "path": path}, None, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.long
async def test_attack_G13_a_chain_that_answers_late_and_is_another_is_left_out_and_ends_nothing(star, autojump_clock):
    star.silence("s0")
    process = star.relay()
    async with making_blocks(star), trio.open_nursery() as nursery:
        nursery.start_soon(process.relay.run)
        await trio.sleep(FIRST_ANSWERS_S + 1)
        star.mend("s0")
        star.faults["s0"].claimed_chain_id = "5"
        star.send("s0")
        await trio.sleep(120)
        star.send("s1")
        await star.all_settled(1, "s1", at_most_s=SOON_S)
        assert star.unsettled("s0") == [1], "nothing is carried of a chain that is not the configured one"
        (reason,) = process.relay.ready()["reasons"]
        assert reason["what"] == "chain s0" and "5" in reason["detail"]
        nursery.cancel_scope.cancel()
    process.close()


@pytest.mark.long
async def test_expired_packets_of_a_silent_chain_hold_up_no_other_timeout(star, autojump_clock):
    process = star.relay()
    star.refuse_all(HUB)
    async with making_blocks(star), process.running():
        for source in ("s0", "s1"):
            star.send(source, timeout_s=15)
        await trio.sleep(5)
        star.silence("s0")
        await trio.sleep(10)
        await star.all_settled(1, "s1", at_most_s=SOON_S)
        assert star.settlements("s1") == [("timeout", 1)]
        assert star.unsettled("s0") == [1]
        star.mend("s0")
        await star.all_settled(1, "s0", at_most_s=120)


async def test_blocks_without_events_of_all_chains_are_one_write_a_second(star, autojump_clock, monkeypatch):
    written = []
    write = Ledger._write

    async def counted(ledger, work, notes=()):
        written.append(ledger)
        return await write(ledger, work, notes)

    monkeypatch.setattr(Ledger, "_write", counted)
    process = star.relay()
    async with making_blocks(star), process.running():
        await trio.sleep(5)
        written.clear()
        await trio.sleep(20)
        assert 15 <= len(written) <= 22, "four chains make a block a second each"
        heights = {name: await process.ledger.cursor(name) for name in star.chains}
    assert all(heights[name] >= chain.final_height - 1 for name, chain in star.chains.items())


async def test_a_relay_goes_on_where_it_was_after_blocks_without_events(star, autojump_clock):
    process = star.relay()
    async with making_blocks(star), process.running():
        await trio.sleep(10)
        passed = await process.ledger.cursor("s0")
    process = star.relay()
    assert await process.ledger.cursor("s0") >= passed, "what was noted is written when the ledger is closed"
    process.close()
