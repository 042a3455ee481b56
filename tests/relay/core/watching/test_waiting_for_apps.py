"""Packets that were received and wait for their app, as forwarded ones do while what is ahead of them is paused: what looking
at them costs, and that their answers are found all the same."""

from dataclasses import replace

import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st

from hutong.adapters.interface import HeightUnavailable, PacketEventKind
from hutong.relay.config import PathEnd
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.watching import waiting as waiting_module
from hutong.relay.core.watching.waiting import LOOKS_A_PASS, MAX_HEARD, MOST_PASSES, WaitingForApps, turn_of
from tests.relay.core.world import CLIENT, World, making_blocks

LOOKS = 8
"""In a pass, in place of the clearer's."""
COUNT = 3 * LOOKS - 2
CLEAR_S = 10
ALPHA, BETA = PathEnd(chain="alpha", client=CLIENT), PathEnd(chain="beta", client=CLIENT)


class AnswersLater:
    """Beta, whose apps are said to have answered nothing while `silent`. The events of answers are kept back until they
    are to be `told`, and all are refused that stand in blocks that were pruned."""

    def __init__(self, adapter) -> None:
        self._adapter = adapter
        self.silent = True
        self.answered = set()
        """All the same, by their sequences."""
        self.told = set()
        self.pruned = False
        self.looks = 0
        self._kept = {}

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def packet_events(self, first, last):
        if self.pruned:
            raise HeightUnavailable("beta", first, "pruned")
        events = await self._adapter.packet_events(first, last)
        answers = [event for event in events if event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT]
        self._kept.update({event.packet.sequence: event for event in answers})
        told = tuple(replace(self._kept[one], height=last) for one in sorted(self.told))
        self.told.clear()
        return tuple(event for event in events if event not in answers) + told

    async def acknowledgement_commitment(self, client_id, sequence, height=None):
        self.looks += 1
        if self.silent and sequence not in self.answered:
            return None
        return await self._adapter.acknowledgement_commitment(client_id, sequence, height)


class CountsLooks:
    """Alpha."""

    def __init__(self, adapter) -> None:
        self._adapter = adapter
        self.looks = 0

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def commitment(self, client_id, sequence, height=None):
        self.looks += 1
        return await self._adapter.commitment(client_id, sequence, height)


class Waiting:
    """A world in which all packets have been received, and the relay has looked at each."""

    def __init__(self, world) -> None:
        self.world = world
        self.alpha = self.beta = None

    def around(self, name, service):
        if name == "alpha":
            self.alpha = service = CountsLooks(service)
        elif name == "beta":
            self.beta = service = AnswersLater(service)
        return service

    async def begin(self) -> None:
        self.world.send("alpha", COUNT, timeout_s=20 * 3_600)
        await self.world.until(lambda: self.world.received() == COUNT)
        await trio.sleep(2 * CLEAR_S)
        assert self.beta.looks >= COUNT

    async def looks_in(self, seconds) -> int:
        before = self.beta.looks
        await trio.sleep(seconds)
        return self.beta.looks - before


def waits(waiting, sequences, watched=lambda _: True):
    return waiting.of(ALPHA, sequences, watched)


@pytest.fixture
def waiting(tmp_path, valkey, monkeypatch):
    monkeypatch.setattr(waiting_module, "LOOKS_A_PASS", LOOKS)
    return Waiting(World(tmp_path, valkey.url))


@pytest.mark.long
async def test_parity_pain_14_packets_that_wait_for_an_app_are_looked_at_by_turns(waiting, autojump_clock):
    relay = waiting.world.relay(around=waiting.around, clear_interval_s=CLEAR_S)
    async with making_blocks(waiting.world), relay.running():
        await waiting.begin()
        asked_before = waiting.alpha.looks
        looks = await waiting.looks_in(8 * CLEAR_S)
        assert waiting.alpha.looks == asked_before, "while the app has not answered, the source settles nothing"
    print(f"\n{COUNT} packets wait for an app: {looks / 8:.0f} looks a pass")
    assert 7 * LOOKS <= looks <= 9 * LOOKS


@pytest.mark.long
async def test_attack_G1_one_answer_that_is_kept_from_the_watcher_is_found_when_its_turn_comes(waiting, autojump_clock):
    relay = waiting.world.relay(around=waiting.around, clear_interval_s=CLEAR_S)
    async with making_blocks(waiting.world), relay.running():
        await waiting.begin()
        for sequence in (1, COUNT):
            before = len(waiting.world.unsettled())
            waiting.beta.answered.add(sequence)
            waited_s = await waiting.world.until(lambda before=before: len(waiting.world.unsettled()) < before)
            assert waited_s <= 4 * CLEAR_S, sequence


@pytest.mark.long
async def test_attack_G1_answers_that_are_kept_from_the_watcher_are_found_by_turns(waiting, autojump_clock):
    relay = waiting.world.relay(around=waiting.around, clear_interval_s=CLEAR_S)
    async with making_blocks(waiting.world), relay.running():
        await waiting.begin()
        waiting.beta.silent = False
        waited_s = await waiting.world.all_settled(COUNT)
        assert waited_s <= 2 * CLEAR_S, "where one has gone on unseen, the others are looked at in the same pass"
        await trio.sleep(2 * CLEAR_S)
        assert await waiting.looks_in(5 * CLEAR_S) == 0, "what is settled stands no more"
        (scan, _) = relay.relay.clearer._scans.values()
        assert not scan.standing and not waits(relay.relay.context.waiting, range(1, COUNT + 1))


async def test_after_the_loss_of_the_queue_all_are_looked_at(waiting, autojump_clock, valkey):
    """The answers' jobs may have been in it."""
    relay = waiting.world.relay(around=waiting.around, clear_interval_s=CLEAR_S)
    async with making_blocks(waiting.world), relay.running():
        await waiting.begin()
        valkey.client.flushall()
        assert await waiting.looks_in(CLEAR_S) >= COUNT


async def test_an_answer_that_was_heard_is_looked_at_in_the_next_pass_though_its_job_was_lost(
    waiting, autojump_clock, monkeypatch
):
    """The node that was asked what stands there was behind; a route that is full loses the job too."""
    monkeypatch.setattr(waiting_module, "LOOKS_A_PASS", 1)
    relay = waiting.world.relay(around=waiting.around, clear_interval_s=CLEAR_S)
    async with making_blocks(waiting.world), relay.running():
        await waiting.begin()
        await trio.sleep(CLEAR_S)
        *_, last = waits(relay.relay.context.waiting, range(1, COUNT + 1))
        waiting.beta.told.add(last)
        await waiting.world.until(lambda: not waiting.beta.told)
        await trio.sleep(1)
        waiting.beta.answered.add(last)
        waited_s = await waiting.world.until(lambda: last not in waiting.world.unsettled(), 30 * CLEAR_S)
        assert waited_s <= 2 * CLEAR_S


async def test_after_blocks_that_nobody_keeps_all_are_looked_at(waiting, autojump_clock, monkeypatch):
    """The answers may stand in them."""
    monkeypatch.setattr("hutong.relay.core.watching.watcher.KEPT_BLOCKS", 2)
    monkeypatch.setattr(waiting_module, "LOOKS_A_PASS", 1)
    relay = waiting.world.relay(around=waiting.around, clear_interval_s=CLEAR_S)
    async with making_blocks(waiting.world), relay.running():
        await waiting.begin()
        waiting.beta.pruned = True
        assert await waiting.looks_in(3 * CLEAR_S) >= COUNT


@given(st.integers(0, 200_000))
def test_however_many_wait_each_is_looked_at_within_so_many_passes(count):
    turn = turn_of(count)
    assert MOST_PASSES * turn >= count
    assert LOOKS_A_PASS <= turn <= max(LOOKS_A_PASS, count // MOST_PASSES + 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("answered", "missed", "forget", "begin", "rests", "goes_on", "postpone")), st.integers(1, 3)
    )
)


def empty() -> WaitingForApps:
    return WaitingForApps(Paths({ALPHA: BETA, BETA: ALPHA}, {("alpha", CLIENT): ALPHA, ("beta", CLIENT): BETA}))


@given(STEPS)
@example([("begin", 1), ("answered", 1), ("rests", 1), ("begin", 1), ("rests", 1)])
@example([("rests", 1), ("rests", 2), ("missed", 1), ("rests", 1), ("begin", 1), ("rests", 2)])
@example([("rests", 1), ("rests", 2), ("postpone", 1), ("goes_on", 2), ("goes_on", 2), ("answered", 1)])
def test_what_was_heard_of_waits_no_longer_until_it_is_looked_at_in_a_later_pass(steps):
    waiting, expected, heard = empty(), [], set()
    for name, sequence in steps:
        if name == "begin":
            waiting.begin(ALPHA)
            heard = set()
        elif name == "rests":
            waiting.rests(ALPHA, sequence, watched=True)
            expected = [one for one in expected if one != sequence] + [sequence] * (sequence not in heard)
        elif name == "goes_on":
            assert waiting.goes_on(ALPHA, sequence) == (sequence in expected)
            expected = [one for one in expected if one != sequence]
        elif name == "postpone":
            waiting.postpone(ALPHA, sequence)
            expected = [one for one in expected if one != sequence] + [sequence] * (sequence in expected)
        elif name == "answered":
            waiting.answered(ALPHA, sequence)
            heard.add(sequence)
            expected = [one for one in expected if one != sequence]
        else:
            waiting.missed("beta") if name == "missed" else waiting.forget(ALPHA)
            expected, heard = [], set(range(1, 4))
        assert waits(waiting, range(1, 4)) == expected
    waiting.missed("alpha")
    assert waits(waiting, range(1, 4)) == expected, "of another chain's blocks"


def test_more_answers_than_are_remembered_count_as_missed():
    waiting = empty()
    waiting.begin(ALPHA)
    waiting.rests(ALPHA, 1, watched=True)
    for sequence in range(2, MAX_HEARD + 3):
        waiting.answered(ALPHA, sequence)
    assert waits(waiting, [1]) == []
    waiting.rests(ALPHA, 1, watched=True)
    assert waits(waiting, [1]) == []
    waiting.begin(ALPHA)
    waiting.rests(ALPHA, 1, watched=True)
    assert waits(waiting, [1]) == [1]
    assert waits(waiting, [1], lambda _: False) == [], "its settlement was seen"
