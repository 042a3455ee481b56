"""A chain that falls silent while the relay runs: nothing has failed yet, and whoever asks is told."""

import pytest
import trio

from hutong.adapters.interface import EndpointError
from hutong.adapters.rpc.endpoint import named_endpoints, statistics_of
from hutong.adapters.rpc.options import RpcOptions
from hutong.relay.core.route.last_answers import FOLLOWED_BY, SILENT_S, LastAnswers
from hutong.relay.core.route.silence import LOOK_EVERY_S, SLOW_TURN_S
from hutong.relay.ledger import LedgerReader, why
from tests.relay.core.world import CLIENT, World, making_blocks

GIVES_UP_S = 40.0
TOLD_WITHIN_S = SLOW_TURN_S + LOOK_EVERY_S + 2


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


class Asked:
    def __init__(self, world, process) -> None:
        self._world, self._process = world, process
        self._path = world.directory / "hutong" / world.signer.address / "ledger.sqlite"

    async def why(self, sequence: int) -> str:
        await self._process.ledger.flush()
        reader = LedgerReader.open_file(self._path)
        try:
            return str(why(f"alpha/{CLIENT}/{sequence}", reader, self._world.now_ns()))
        finally:
            reader.close()


async def test_trial_T6_a_chain_that_falls_silent_is_named_before_its_error(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        asked = Asked(world, process)
        world.send("alpha", 1)
        await world.all_settled(1)
        assert "nothing to do" in await asked.why(1)
        world.faults["beta"].latency_s = GIVES_UP_S
        world.send("alpha", 1)
        await trio.sleep(TOLD_WITHIN_S)
        said = await asked.why(2)
        assert f"beta: simulated://chain has not answered what it was asked more than {SILENT_S:.0f} s ago" in said
        assert "check the chain's endpoints" in said and "nothing in its way" not in said
        world.faults["beta"].latency_s = 0
        await world.all_settled(2, at_most_s=2 * GIVES_UP_S + 20)
        await trio.sleep(2)
        assert "nothing to do" in await asked.why(2)
        for worker in process.relay.workers:
            await process.ledger.flush()
            assert await route_reason(world, worker.route.name) is None


async def test_a_silent_chain_is_named_for_what_is_in_a_transaction(world, autojump_clock):
    """The worker has nothing in its hands: the account follows the transaction, and asks in vain."""
    async with making_blocks(world), world.relay().running() as process:
        asked = Asked(world, process)
        world.faults["beta"].hidden_broadcast = world.faults["beta"].lost_broadcast = 1.0
        world.send("alpha", 1)
        for _ in range(60):
            await trio.sleep(0.5)
            if "was sent" in (said := await asked.why(1)):
                break
        assert "was sent" in said, said
        world.faults["beta"].latency_s = GIVES_UP_S
        await trio.sleep(SILENT_S + 2 * LOOK_EVERY_S + 5)
        said = await asked.why(1)
        assert "beta: simulated://chain gives no answer since 20" in said and "check the chain's endpoints" in said
        world.faults["beta"].latency_s = 0
        world.faults["beta"].hidden_broadcast = world.faults["beta"].lost_broadcast = 0
        await world.all_settled(1, at_most_s=2 * GIVES_UP_S + 60)
        await trio.sleep(2)
        assert "nothing to do" in await asked.why(1)
        for worker in process.relay.workers:
            await process.ledger.flush()
            assert await route_reason(world, worker.route.name) is None


def test_one_endpoint_that_answers_is_enough():
    first, second = endpoints = named_endpoints(["http://a.test:1", "http://b.test:2"], RpcOptions())
    answers = LastAnswers("beta")

    def said(now_s: float, api: str = FOLLOWED_BY) -> str | None:
        return answers.look(statistics_of(endpoints, api, now_s), now_s, int(now_s * 1e9))

    assert said(0) is None
    with first.asked(1):
        second.failed(EndpointError.CONNECTION, "connection refused", 1)
        assert said(SILENT_S - 1) is None
        assert said(SILENT_S + 1) == "beta: http://a.test:1 gives no answer since 1970-01-01 00:00:00 UTC"
        second.answered()
        assert said(SILENT_S + 2) is None and said(2 * SILENT_S) is None
        assert said(2 * SILENT_S + 2) is not None and said(2 * SILENT_S + 2, "ws") is None
    answers.begin()
    second.failed(EndpointError.CONNECTION, "connection refused", 20)
    assert said(20) is None
    assert said(25) == "beta: http://b.test:2 gives no answer since 1970-01-01 00:00:20 UTC (connection refused)"


async def route_reason(world, route: str) -> str | None:
    reader = LedgerReader.open_file(world.directory / "hutong" / world.signer.address / "ledger.sqlite")
    try:
        state = reader.route(route)
    finally:
        reader.close()
    return None if state is None else state.reason


@pytest.mark.long
async def test_a_chain_that_is_slow_and_answers_is_not_called_silent(world, autojump_clock):
    """Each answer takes two seconds, and a turn of the worker many of them."""
    async with making_blocks(world), world.relay().running() as process:
        asked = Asked(world, process)
        for faults in world.faults.values():
            faults.latency_s = 2.0
        world.send("alpha", 1)
        for _ in range(20):
            await trio.sleep(1)
            assert "has not answered" not in await asked.why(1)
        await world.all_settled(1, at_most_s=120)
