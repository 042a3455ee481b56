"""Work beside the chains: how much of it at once, from either event loop."""

import threading

import anyio
import pytest
import trio
import trio.lowlevel
import trio.testing

from hutong.relay.api.reading.backend import CHAIN_ASKERS, ThreadBackend, TrioBackend
from hutong.relay.web.problems import ApiProblem, Code
from tests.relay.api.api_world import chains_of, config_of

LIMIT_S = 10


class Work:
    """Waits until it is let go, and knows how many do."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.let_go = trio.Event()

    async def __call__(self, _chains) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await self.let_go.wait()
        self.running -= 1


async def test_attack_G15_few_requests_ask_chains_at_once_under_trio(tmp_path, autojump_clock):
    chains, views = chains_of(config_of(tmp_path))
    backend, work, other = TrioBackend(chains, views), Work(), Work()
    async with trio.open_nursery() as nursery:
        for _ in range(3 * CHAIN_ASKERS):
            nursery.start_soon(backend.ask, work, LIMIT_S)
        await trio.testing.wait_all_tasks_blocked()
        assert work.running == CHAIN_ASKERS
        with pytest.raises(ApiProblem) as refusal:
            await backend.ask(other, LIMIT_S / 2)
        assert refusal.value.code is Code.CHAIN_UNAVAILABLE and other.most == 0
        other.let_go.set()
        await backend.ask(other, LIMIT_S, asks_chains=False)
        work.let_go.set()
    assert work.most == CHAIN_ASKERS and work.running == 0


def test_attack_G15_few_requests_ask_chains_at_once_from_another_loop(tmp_path):
    chains, views = chains_of(config_of(tmp_path))
    work, started, holder = Work(), threading.Event(), {}

    async def chains_side():
        with trio.CancelScope() as scope:
            holder["backend"] = ThreadBackend(chains, views, trio.lowlevel.current_trio_token())
            holder["scope"] = scope
            started.set()
            while chains.askers.statistics().tasks_waiting < CHAIN_ASKERS:
                await trio.lowlevel.checkpoint()
            await trio.testing.wait_all_tasks_blocked()  # who was let in has begun
            holder["running"] = work.running
            work.let_go.set()
            await trio.sleep_forever()

    async def server_side():
        async with anyio.create_task_group() as tasks:
            for _ in range(2 * CHAIN_ASKERS):
                tasks.start_soon(holder["backend"].ask, work, LIMIT_S)

    thread = threading.Thread(target=trio.run, args=(chains_side,), daemon=True)
    thread.start()
    assert started.wait(LIMIT_S)
    anyio.run(server_side, backend="asyncio")
    holder["backend"].stop(holder["scope"])
    thread.join(LIMIT_S)
    assert holder["running"] == work.most == CHAIN_ASKERS
