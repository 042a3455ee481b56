"""kill -9 at every step: nothing lost, no fee paid twice, no gap in the nonces (attack list G3, model check I5)."""

import inspect
import os

import pytest
import trio

from tests.relay.core.world import CLIENT, Killed, World, making_blocks


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


class Killing:
    """Stands before an object and kills the process at one call of one of its methods, before or after it ran."""

    def __init__(self, target, method, *, after, at=1) -> None:
        self._target, self._method, self._after, self._left = target, method, after, at

    def __getattr__(self, name):
        value = getattr(self._target, name)
        if name != self._method:
            return value

        async def call(*arguments, **options):
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = await value(*arguments, **options)
            if self._left == 0:
                raise Killed
            return result

        def call_at_once(*arguments, **options):
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = value(*arguments, **options)
            if self._left == 0:
                raise Killed
            return result

        return call if inspect.iscoroutinefunction(value) else call_at_once


def assert_no_double_payment(world: World, count: int) -> None:
    """Every transaction did something: as many paid messages as packets and acknowledgements, and none failed."""
    for name, chain in world.chains.items():
        receipts = world.transactions(name)
        assert all(receipt.reverted is None and not receipt.failures for receipt in receipts)
        assert [receipt.transaction.nonce for receipt in receipts] == list(range(len(receipts)))
        assert not chain.pool
    assert len(world.transactions("beta")) == len(world.transactions("alpha")) == count


WINDOWS = {
    "read and enqueue": ("queue", "enqueue", False),
    "enqueue and cursor": ("queue", "enqueue", True),
    "enqueue and submit": ("beta", "prepare", True),
    "record and submit": ("ledger", "record", True),
    "submit and record of it": ("beta", "broadcast", True),
    "inclusion and its note": ("ledger", "note_end", False),
    "note and its record": ("ledger", "note_end", True),
    "cursor's note and its record": ("ledger", "note_cursor", True),
    "record of an end and the next flush": ("ledger", "flush", True),
    "settled and end recorded": ("queue", "settle", True),
    "confirm and settle": ("queue", "settle", False),
}


@pytest.mark.parametrize("window", WINDOWS)
async def test_attack_G3_crash_between_two_steps(world, autojump_clock, window):
    part, method, after = WINDOWS[window]
    world.send()
    process = world.relay(
        around=lambda name, service: Killing(service, method, after=after) if name == part else service
    )
    async with making_blocks(world):
        with trio.fail_after(60):
            assert await process.run_until_killed()
        async with world.relay().running():
            await world.all_settled(1)
            await trio.sleep(5)
    assert world.received() == 1
    assert_no_double_payment(world, 1)


class Step:
    """Kills the process at the n-th call of anything that waits, before or after it."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left, self.after = at, after

    def around(self, _name, service):
        step = self

        class Counted:
            def __getattr__(self, name):
                value = getattr(service, name)
                if not callable(value) or not inspect.iscoroutinefunction(value):
                    return value

                async def call(*arguments, **options):
                    step.left -= 1
                    last = step.left == 0
                    if last and not step.after:
                        raise Killed
                    result = await value(*arguments, **options)
                    if last:
                        raise Killed
                    return result

                return call

        return Counted()


EVERY = 6 if os.environ.get("HUTONG_EVERY_STEP") else 24
STARTS = range(1, EVERY + 1) if EVERY == 6 else (1,)
"""CI crashes at every step in a run of its own, a plain run at every 24th."""


@pytest.mark.long
@pytest.mark.parametrize("first", STARTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_attack_G3_crash_at_every_step_of_one_packets_way(tmp_path, valkey, autojump_clock, after, first):
    at, killed = first, True
    while killed and at < 400:
        valkey.client.flushall()
        world = World(tmp_path / str(at), valkey.url)
        world.send()
        step = Step(at, after=after)
        async with making_blocks(world):
            killed = False
            with trio.move_on_after(12):
                killed = await world.relay(around=step.around).run_until_killed()
            async with world.relay().running():
                await world.all_settled(1)
                await trio.sleep(3)
        assert world.received() == 1, at
        assert_no_double_payment(world, 1)
        at += EVERY
    assert at > 30


@pytest.mark.long
async def test_attack_G3_restart_under_load_loses_nothing(world, autojump_clock):
    async with making_blocks(world):
        for round_ in range(6):
            world.send("alpha", 5)
            method = ("broadcast", "prepare", "outcome", "prove", "client_messages", "broadcast")[round_]
            process = world.relay(
                wrap=lambda adapter, method=method, round_=round_: Killing(adapter, method, after=round_ % 2 == 0, at=2)
            )
            with trio.move_on_after(20):
                await process.run_until_killed()
        async with world.relay().running():
            await world.all_settled(30)
            await trio.sleep(3)
    assert world.received() == 30
    for name in world.chains:
        receipts = world.transactions(name)
        assert all(receipt.reverted is None and not receipt.failures for receipt in receipts)
        assert [receipt.transaction.nonce for receipt in receipts] == list(range(len(receipts)))


async def test_attack_G3_dearer_copy_of_a_transaction_of_before_a_crash_has_its_evidence(world, autojump_clock):
    """The copy is another transaction: the evidence names the one that carried it (docs/spec/evidence.md)."""
    beta = world.chains["beta"]
    async with making_blocks(world):
        await trio.sleep(1)
        async with world.relay().running():
            await trio.sleep(1)
            world.send("alpha", 2)
            await world.until(lambda: beta.pool)
            world.pause_blocks = True
        ((_, first),) = beta.pool.items()
        async with world.relay().running() as second:
            await world.until(lambda: [one.hash for one in beta.pool.values()] != [first.hash])
            world.pause_blocks = False
            await world.all_settled(2)
            (receipt,) = world.transactions("beta")
            assert receipt.transaction.hash != first.hash
            for sequence in (1, 2):
                evidence = await second.archive.read("alpha", CLIENT, sequence, "receive")
                assert evidence.transaction_hash == receipt.transaction.hash
