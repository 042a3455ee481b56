"""The whole core over a running hub and two dev chains: what times out on either leg comes back once (E18, E2)."""

import time
from random import Random

import pytest
import trio

from hutong.adapters.interface import EndpointUnavailable, PacketEventKind
from hutong.relay.archive import Archive
from hutong.relay.base.threads import thread_runner
from hutong.relay.config import Config
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue, QueueLimits
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.lane import RELAYER, running_lane

KEY = {"keystore": "k", "password_env": "P"}
PATIENCE_S = 240


def configured(lane, home) -> Config:
    evm = {"kind": "evm", "consensus": "qbft", "rpc": ["http://127.0.0.1:1"], "key": KEY}
    members = {"alpha": lane.alpha, "beta": lane.beta}
    return Config.model_validate(
        {
            "relay": {"home": str(home), "clear_interval_s": 3},
            "chains": [
                *(
                    evm | {"name": name, "chain_id": int(member.chain.chain_id), "router": member.contracts.router}
                    for name, member in members.items()
                ),
                {
                    "name": "hub",
                    "kind": "hub",
                    "chain_id": lane.hub.chain_id,
                    "key": KEY,
                    "rpc": ["http://127.0.0.1:1"],
                    "consensus_rpc": ["http://127.0.0.1:1"],
                },
            ],
            "paths": [
                {"a": {"chain": name, "client": member.client}, "b": {"chain": "hub", "client": member.hub_client}}
                for name, member in members.items()
            ],
        }
    )


class Deaf:
    """An adapter whose chain takes no transactions while `deaf`, though it can be read."""

    def __init__(self, adapter) -> None:
        self._adapter, self.deaf = adapter, False

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def prepare(self, batch, sender):
        if self.deaf:
            raise EndpointUnavailable(self._adapter.name, "eth_call", (("test", "deaf by design"),))
        return await self._adapter.prepare(batch, sender)


@pytest.fixture
async def lane(tmp_path):
    async with running_lane(tmp_path / "hub") as lane:
        yield lane


@pytest.mark.long
async def test_attack_E18_what_times_out_on_either_leg_is_settled_at_home_exactly_once(lane, tmp_path):
    adapters = {"alpha": Deaf(lane.alpha.chain), "beta": Deaf(lane.beta.chain), "hub": Deaf(lane.hub)}
    valkey = EmbeddedValkey(tmp_path / "queue")
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    alpha, client = lane.alpha.chain, lane.alpha.client

    async def until(condition):
        with trio.fail_after(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110  a chain raises no event for it
                await trio.sleep(0.25)

    async def settled(sequence):
        return await alpha.commitment(client, sequence) is None

    async with trio.open_nursery() as nursery:
        connection = Connection(await nursery.start(valkey.serve))
        queue = Queue(
            connection, "relay", lambda: int(trio.current_time() * 1000), limits=QueueLimits(max_attempts=100)
        )
        archive = Archive(tmp_path / "evidence")
        services = Services(
            queue, ledger, archive, Metrics(adapters), time.time_ns, Random(1), thread_runner(4), alone=True
        )
        signers = dict.fromkeys(adapters, (RELAYER,))
        relay = Relay(configured(lane, tmp_path), adapters, signers, services)
        await nursery.start(relay.run)

        # the third message goes through and shows that nothing else stands in the way
        now_s = (await alpha.head()).time_ns // 10**9
        adapters["beta"].deaf = True
        await lane.send(lane.beta.hub_client, b"expires on leg 2", now_s + 40)
        await until(lambda: _is_received(lane.hub, lane.alpha.hub_client, 1))
        adapters["hub"].deaf = True
        await lane.send(lane.beta.hub_client, b"expires on leg 1", now_s + 40)
        await until(lambda: _is_past(lane.beta.chain, now_s + 40))
        adapters["hub"].deaf = adapters["beta"].deaf = False
        await until(lambda: settled(1))
        await until(lambda: settled(2))
        await lane.send(lane.beta.hub_client, b"arrives", now_s + 40 + PATIENCE_S)
        await until(lambda: settled(3))

        head = await alpha.head()
        steps = [
            (event.kind, event.packet.sequence)
            for first in range(0, head.height + 1, 1_000)
            for event in await alpha.packet_events(first, min(first + 999, head.height))
            if event.kind in (PacketEventKind.ACKNOWLEDGE, PacketEventKind.TIMEOUT)
        ]
        assert sorted(steps, key=lambda step: step[1]) == [
            (PacketEventKind.ACKNOWLEDGE, 1),
            (PacketEventKind.TIMEOUT, 2),
            (PacketEventKind.ACKNOWLEDGE, 3),
        ]
        first = await lane.hub.written_acknowledgement(lane.alpha.hub_client, 1)
        assert first.acknowledgement.is_error, "leg 2's timeout came home as the error of leg 1"
        assert not await _is_received(lane.hub, lane.alpha.hub_client, 2)
        evidence = await archive.read("hub", lane.beta.hub_client, 1, "timeout")
        assert evidence.value is None and evidence.destination_chain == "hub" and evidence.source_chain == "beta"
        assert (await archive.read("alpha", client, 2, "timeout")).source_chain == "hub"
        nursery.cancel_scope.cancel()
    connection.close()
    ledger.close()


async def _is_received(chain, client_id, sequence) -> bool:
    return await chain.receipt(client_id, sequence) is not None


async def _is_past(chain, time_s) -> bool:
    return (await chain.head()).time_ns // 10**9 >= time_s
