"""The real relay on a real lane (hub, two dev chains) that hears each chain only through hostile proxies."""

import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random

import pytest
import trio

from hutong.adapters.evm import open_evm_chain
from hutong.adapters.hub import open_hub_chain
from hutong.adapters.ics26.events import BATCH_CALL_FAILED_TOPIC, NOOP_TOPIC
from hutong.adapters.ics26.execution import hex_data
from hutong.adapters.rpc import RpcOptions
from hutong.relay.archive import Archive
from hutong.relay.config import Config
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.dispatch import Connection, Queue
from hutong.relay.ledger import Ledger
from hutong.relay.local.proxy import hostile_proxy
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.lane import RELAYER, running_lane

MESSAGES = 6
SETTLE_LIMIT_S = 900
OPTIONS = RpcOptions(attempt_timeout_s=5, backoff_first_s=0.05, backoff_most_s=0.5, quarantine_s=2)
SEED = 3
ONE_IN = 20


async def in_line(call):
    return call()


def chain_table(name: str, chain_id: int | str, **more) -> dict:
    return {
        "name": name, "chain_id": chain_id, "rpc": ["http://127.0.0.1:1"], "key": {"keystore": "k", "password_env": "P"}, **more,
    }  # fmt: skip


def config_of(lane, home) -> Config:
    members = {"alpha": (lane.alpha, 1001), "beta": (lane.beta, 1002)}
    evm = [
        chain_table(name, chain_id, kind="evm", consensus="qbft", router=member.contracts.router)
        for name, (member, chain_id) in members.items()
    ]
    hub = chain_table("hub", "hutong-1", kind="hub", consensus_rpc=["http://127.0.0.1:1"])
    paths = [
        {"a": {"chain": name, "client": member.client}, "b": {"chain": "hub", "client": member.hub_client}}
        for name, (member, _) in members.items()
    ]
    relay = {"home": str(home), "clear_interval_s": 10}
    return Config.model_validate({"relay": relay, "chains": [*evm, hub], "paths": paths})


async def behind_proxies(stack: AsyncExitStack, settings, seeds, **faults):
    """The same settings with a hostile proxy before each endpoint, and the proxies."""
    proxies = []

    async def proxy(url: str, ws: str | None = None):
        proxies.append(
            await stack.enter_async_context(
                hostile_proxy(url, seed=next(seeds), upstream_ws=ws, delay_most_s=0.5, **faults)
            )
        )
        return proxies[-1]

    execution = await proxy(settings.rpc[0], settings.ws[0])
    changes = {"rpc": (execution.url,), "ws": (execution.ws_url,), "options": OPTIONS}
    if hasattr(settings, "consensus_rpc"):
        changes["consensus_rpc"] = ((await proxy(settings.consensus_rpc[0])).url,)
    return replace(settings, **changes), proxies


async def paid_for_nothing(chain) -> int:
    """Calls in mined batches that changed nothing: each was a duplicate, or refused."""
    head = (await chain.head()).height
    logs = await chain.execution.logs(
        chain.settings.router_address, 0, head, [[hex_data(topic) for topic in (NOOP_TOPIC, BATCH_CALL_FAILED_TOPIC)]]
    )
    return len(logs)


@pytest.mark.long
async def test_attack_G1_relay_behind_hostile_proxies_settles_everything_once(tmp_path, valkey):
    seeds = iter(range(SEED, SEED + 100))
    async with running_lane(tmp_path / "lane") as lane, AsyncExitStack() as stack:
        honest = {"alpha": lane.alpha.chain, "beta": lane.beta.chain, "hub": lane.hub}
        adapters, proxies = {}, []
        for name, chain in honest.items():
            settings, its_proxies = await behind_proxies(stack, chain._settings, seeds, one_in=ONE_IN)
            open_chain = open_hub_chain if name == "hub" else open_evm_chain
            adapters[name] = await stack.enter_async_context(open_chain(settings, Random(5)))
            proxies += its_proxies
        for number in range(MESSAGES):
            await lane.send(lane.beta.hub_client, b"%d" % number, int(time.time()) + 3_600)
        connection = Connection(valkey.url, run=in_line, seed=1)
        services = Services(
            Queue(connection, "relay", lambda: time.time_ns() // 10**6, seed=1),
            Ledger.open_file(tmp_path / "ledger.sqlite", run=in_line),
            Archive(tmp_path / "evidence", run=in_line),
            Metrics(adapters),
            time.time_ns,
            Random(1),
            in_line,
            alone=True,
        )
        relay = Relay(config_of(lane, tmp_path), adapters, dict.fromkeys(adapters, (RELAYER,)), services)
        async with trio.open_nursery() as nursery:
            await nursery.start(relay.run)
            with trio.fail_after(SETTLE_LIMIT_S):
                while await honest["alpha"].unsettled_sends(lane.alpha.client):
                    await honest["alpha"].wait_for_height((await honest["alpha"].head()).height + 1)
            nursery.cancel_scope.cancel()
        services.ledger.close()
        connection.close()
        assert [await paid_for_nothing(chain) for chain in honest.values()] == [0, 0, 0]
        faults = sum((proxy.counts for proxy in proxies), Counter())
        assert faults.total() >= 10
        assert len(faults) >= 5
        assert all(proxy.answers for proxy in proxies)
