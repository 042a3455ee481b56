"""Several relays on one path: each ledger tells the same end of a packet, also of one that was away meanwhile."""

from pathlib import Path

import pytest
import trio

from hutong.adapters.interface import PacketEvent, PacketEventKind
from hutong.light_clients.ibc.packet import ERROR
from hutong.relay.archive.bundle import decode_bundle
from hutong.relay.config import FeeLimits, PathConfig, PathEnd
from hutong.relay.core.history.history import History
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind
from hutong.relay.ledger import LedgerReader, MessageReader, why
from hutong.relay.telemetry import Backlog
from tests.relay.core.world import CLIENT, World, key, making_blocks, open_ledger

NO_TURNS = {"turns": {"most_ms": 0}}
RECORDED = Path(__file__).parents[2] / "audit" / "recorded"
NS = 10**9
LATE = "it was not received on {} before its timeout"


def told(path, packet_id, now_ns):
    """(state, reason in lists, sentence of `why`)."""
    reader, messages = LedgerReader.open_file(path), MessageReader.open_file(path)
    try:
        one = messages.message(packet_id)
        return str(one.state), one.waiting, str(why(one.id, reader, now_ns)), messages.totals().states[one.state]
    finally:
        messages.close()
        reader.close()


@pytest.mark.long
async def test_trial_T5_two_relays_and_one_that_was_away_tell_one_end(tmp_path, valkey, autojump_clock):
    """Nothing arrives on beta; both prove the timeouts at once, and the third reads of it when all is over."""
    world = World(tmp_path, valkey.url)
    count = 2
    async with making_blocks(world):
        relays = {
            name: world.relay(signer=key(number), prefix=name, **NO_TURNS)
            for number, name in enumerate(("first", "second"), start=1)
        }
        async with world.relay(signer=key(3), prefix="away", **NO_TURNS).running() as away:
            await trio.sleep(3)
            await away.ledger.flush()
        for process in relays.values():
            for account in process.relay.accounts["beta"]:
                account.fees = FeeLimits(max_fee_wei=1)
        async with relays["first"].running(), relays["second"].running():
            for _ in range(count):
                world.send("alpha", 1, timeout_s=3)
                await trio.sleep(1)
            await world.all_settled(count)
            await trio.sleep(3)
            for process in relays.values():
                await process.ledger.flush()
        async with world.relay(signer=key(3), prefix="away", **NO_TURNS).running() as away:
            await trio.sleep(6)
            await away.ledger.flush()
    steps = {}
    for number, name in enumerate(("first", "second", "away"), start=1):
        path = tmp_path / name / key(number).address / "ledger.sqlite"
        reader = LedgerReader.open_file(path)
        for sequence in range(1, count + 1):
            life = reader.life(f"alpha/{CLIENT}/{sequence}")
            steps.setdefault(sequence, []).append({one.step for one in life.steps if one.kind == "timeout"})
            state, waiting, sentence, total = told(path, life.packet_id, world.now_ns())
            assert (state, waiting, total) == ("timed_out", LATE.format("beta"), count), (name, sequence)
            assert sentence == (
                "it is settled: its timeout is proven on alpha; it was not received on beta before its timeout,"
                " the sender was told that it failed; nothing to do"
            )
        reader.close()
    for ours in steps.values():  # of each packet one relay's own, and superseded at the two others
        assert ["included" in one for one in ours].count(True) == 1 and "superseded" in ours[2]


LEG_1, LEG_2 = (leg.packet for leg in decode_bundle((RECORDED / "timeout-leg-2.bundle.json").read_bytes()).legs)
SENT_S = LEG_1.timeout_timestamp_s - 100
BY_TIMEOUT = f"forward over {LEG_2.source_client}: timed out at the destination at {LEG_2.timeout_timestamp_s}"


def event(kind, packet, height, **fields):
    return PacketEvent(kind, height, (SENT_S + height) * NS, bytes([height]) * 32, 0, packet, **fields)


def job(kind, source, destination, packet, acknowledgement=None):
    return Job(kind, source, destination, packet, acknowledgement, 5, SENT_S * NS, SENT_S * NS)


SENT_1 = job(JobKind.RECEIVE, "alpha", "hub", LEG_1), event(PacketEventKind.SEND, LEG_1, 1)
SENT_2 = job(JobKind.RECEIVE, "hub", "beta", LEG_2), event(PacketEventKind.SEND, LEG_2, 2)
TIMEOUT_2 = job(JobKind.TIMEOUT, "beta", "hub", LEG_2)
PROVEN = event(PacketEventKind.TIMEOUT, LEG_2, 3)
FAILED_1 = job(JobKind.ACKNOWLEDGE, "hub", "alpha", LEG_1, ERROR)
ANSWER = event(PacketEventKind.WRITE_ACKNOWLEDGEMENT, LEG_1, 3, acknowledgement=ERROR)


def superseded_when_the_block_was_read(history):
    history.seen(*SENT_1)
    history.seen(*SENT_2)
    history.happened("hub", PROVEN)
    history.superseded(TIMEOUT_2)
    history.seen(FAILED_1, ANSWER)


def superseded_before_the_block_was_read(history):
    history.seen(*SENT_1)
    history.seen(*SENT_2)
    history.superseded(TIMEOUT_2)
    history.happened("hub", PROVEN)
    history.seen(FAILED_1, ANSWER)


def away_and_reads_the_blocks_later(history):
    history.seen(*SENT_1)
    history.sent_and_gone("hub", SENT_2[1])
    history.happened("hub", PROVEN)
    history.timed_out("hub", PROVEN)
    history.seen(FAILED_1, ANSWER)


def reads_of_it_before_its_own_job_ends(history):
    away_and_reads_the_blocks_later(history)
    history.superseded(TIMEOUT_2)


def never_saw_leg_2(history):
    history.seen(
        FAILED_1, event(PacketEventKind.WRITE_ACKNOWLEDGEMENT, LEG_1, 3, acknowledgement=ERROR, refusal=BY_TIMEOUT)
    )


@pytest.mark.parametrize(
    "tell",
    [
        superseded_when_the_block_was_read,
        superseded_before_the_block_was_read,
        away_and_reads_the_blocks_later,
        reads_of_it_before_its_own_job_ends,
        never_saw_leg_2,
    ],
)
async def test_trial_T5_a_second_leg_that_another_relay_timed_out_is_no_refusal(tmp_path, tell):
    """As the trial met it: `superseded` is all that this relay's own timeout came to, and the hub answers with an error."""
    paths = Paths.of(
        PathConfig(a=PathEnd(chain=name, client="client-0"), b=PathEnd(chain="hub", client=client))
        for name, client in (("alpha", LEG_1.destination_client), ("beta", LEG_2.source_client))
    )
    path = tmp_path / "ledger.sqlite"
    ledger = open_ledger(path)
    history = History(ledger, paths, lambda: (SENT_S + 60) * NS, Backlog({}))
    tell(history)
    history.superseded(FAILED_1)
    await ledger.flush()
    state, waiting, sentence, total = told(path, "alpha/client-0/4", (SENT_S + 70) * NS)
    reader = LedgerReader.open_file(path)
    life = reader.life(f"hub/{LEG_2.source_client}/{LEG_2.sequence}")
    reader.close()
    ledger.close()
    if tell is not never_saw_leg_2:
        assert (life.packet.outcome, life.packet.leg_of, life.packet.sent.height) == (
            "timed_out",
            "alpha/client-0/4",
            2,
        )
        (end,) = (one for one in life.steps if one.kind == "timeout")
        assert (end.step, end.height) == ("superseded", PROVEN.height)
        assert end.count == (2 if tell is superseded_before_the_block_was_read else 1)
    assert (state, waiting, total) == ("timed_out", LATE.format("beta"), 1)
    assert sentence == (
        "it is settled: its acknowledgement is on alpha; it was not received on beta before its timeout,"
        " the sender was told that it failed; nothing to do"
    )
