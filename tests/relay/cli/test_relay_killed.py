"""kill -9 of a real relay under load, over a real hub and two dev chains (attack list G3): CI only, it takes minutes."""

import os
import signal
import sys
from functools import partial
from random import Random

import pytest
import trio

import relay.cli.demo.network as network_module
from relay.cli.demo.checker import check, count_settled
from relay.cli.demo.processes import HUTONG, RunningProcess
from relay.cli.demo.traffic import send_messages

pytestmark = pytest.mark.skipif(os.environ.get("CI") != "true", reason="takes minutes: runs under CI=true")
MESSAGES = 30
KILLS = 6


class Restarted:
    """A daemon that is started again whenever it ends, and its process of the moment."""

    def __init__(self) -> None:
        self.process = None
        self.starts = 0

    async def run(self, name, arguments, log, *, task_status=trio.TASK_STATUS_IGNORED):
        with log.open("wb") as output:
            while True:
                self.process = await trio.lowlevel.open_process([*HUTONG, *arguments], stdout=output, stderr=output)
                self.starts += 1
                if self.starts == 1:
                    task_status.started(RunningProcess(name, self.process, log))
                try:
                    await self.process.wait()
                finally:
                    if self.process.returncode is None:
                        self.process.terminate()
                        with trio.CancelScope(shield=True):
                            await self.process.wait()


async def test_attack_G3_relay_killed_under_load_loses_and_pays_nothing_twice(tmp_path, monkeypatch):
    restarted = Restarted()
    ordinary = network_module.run_daemon

    async def run_daemon(name, arguments, log, *, task_status=trio.TASK_STATUS_IGNORED):
        run = restarted.run if name == "relay" else ordinary
        await run(name, arguments, log, task_status=task_status)

    monkeypatch.setattr(network_module, "run_daemon", run_daemon)
    random = Random(7)
    async with trio.open_nursery() as nursery:
        network = await network_module.bring_up(nursery, tmp_path, lambda text: print(text, file=sys.stderr))
        alpha, beta = network.chains
        for source, destination in ((alpha, beta), (beta, alpha)):
            send = partial(send_messages, source, destination, network.users[source.name], MESSAGES)
            nursery.start_soon(trio.to_thread.run_sync, send)
        for _ in range(KILLS):
            await trio.sleep(random.uniform(1, 7))
            restarted.process.send_signal(signal.SIGKILL)
        with trio.fail_after(300):
            settled = (0, 0)
            while settled[1] < 2 * MESSAGES:
                await trio.sleep(1)
                settled = await trio.to_thread.run_sync(count_settled, network.chains)
        findings = await trio.to_thread.run_sync(check, network.chains, network.hub, network.relayers)
        print(findings, file=sys.stderr)
        nursery.cancel_scope.cancel()
    assert restarted.starts == KILLS + 1
    assert findings.sent == findings.delivered == findings.acknowledged == 2 * MESSAGES
    assert not findings.lost and not findings.duplicates
    assert findings.paid_duplicates == 0
    text = (tmp_path / "relay.log").read_text()
    assert "Traceback" not in text
