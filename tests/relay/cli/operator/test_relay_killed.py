"""kill -9 of a real relay under load, over a real hub and three dev chains (attack list G3): minutes of processes."""

import sys
from itertools import permutations
from random import Random

import pytest
import trio

from hutong.relay.demo.checker import check
from hutong.relay.local.chain import packets_in_flight, until
from hutong.relay.local.network import bring_up
from hutong.relay.local.traffic import User

pytestmark = pytest.mark.long
MESSAGES = 10
"""Each way of each pair of chains."""
KILLS = 6
SETTLE_LIMIT_S = 900


async def test_attack_G3_relay_killed_under_load_loses_and_pays_nothing_twice(tmp_path):
    random = Random(7)
    async with trio.open_nursery() as nursery:
        network = await bring_up(nursery, tmp_path, lambda text: print(text, file=sys.stderr))

        def send_all(source):
            user = User(source, network.users[source.name])
            for here, there in permutations(network.chains, 2):
                for number in range(MESSAGES) if here is source else ():
                    user.send_message(there, f"message {number}")

        for source in network.chains:
            nursery.start_soon(trio.to_thread.run_sync, send_all, source)
        for _ in range(KILLS):
            await trio.sleep(random.uniform(1, 7))
            network.relay.kill()
        with trio.fail_after(SETTLE_LIMIT_S):
            await until(lambda: packets_in_flight(network.chains) == 0, 1)
        findings = await trio.to_thread.run_sync(check, network, 6 * MESSAGES)
        print(findings, file=sys.stderr)
        nursery.cancel_scope.cancel()
    assert findings.good
    assert findings.delivered == findings.acknowledged == 6 * MESSAGES
    assert findings.paid_duplicates == 0
    assert "Traceback" not in (tmp_path / "relay.log").read_text()
