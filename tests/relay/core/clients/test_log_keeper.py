"""Clients of signed logs, to which no route leads, are refreshed before they expire; where that fails it is said in time."""

from contextlib import asynccontextmanager

import pytest
import trio

from hutong.adapters.interface import BadAnswer
from hutong.adapters.tlog import LogSettings, LogSource
from hutong.light_clients.tlog import COSIGNATURE_V1, ED25519, TlogClient, decode_client_state, encode_vkey
from hutong.relay.core.clients.keeper import Condition
from hutong.relay.core.errors import StartRefused
from tests.adapters.tlog.served_log import TRUST, ServedLog
from tests.light_clients.tlog.simulated_log import LOG, ORIGIN, QUORUM, WITNESSES, SimulatedLog
from tests.relay.core.world import GENESIS_S, World, making_blocks

PERIOD_S = 40
CLIENT = "c2sp-tlog-0"
KEPT = {"chain": "alpha", "client": CLIENT}


def log_table(**kept) -> dict:
    return {
        "name": "registry", "url": ["http://127.0.0.1:1"], "origin": ORIGIN, "log_key": encode_vkey(LOG.key, ED25519),
        "witnesses": [encode_vkey(witness.key, COSIGNATURE_V1) for witness in WITNESSES], "quorum": QUORUM,
        "kept_on": [KEPT | kept],
    }  # fmt: skip


class Heartbeat(SimulatedLog):
    """Its witnesses cosign whatever tree there is, at the second in which they are asked."""

    silent_from_s = None

    def time_s(self, size: int) -> int:
        now_s = World.now_ns() // 10**9
        return now_s if self.silent_from_s is None else min(now_s, self.silent_from_s)


class InMemory:
    """What the adapter asks through, with the log at the other end and no socket in between."""

    endpoint_name = "memory"

    def __init__(self, served: ServedLog) -> None:
        self._served = served

    async def run(self, what, ask, at_height=None):
        return await ask(self)

    async def get_bytes(self, path: str, what: str, max_bytes: int) -> bytes:
        await trio.sleep(0.05)
        status, body = self._served.answer(path)
        if status != 200:
            raise BadAnswer(what, path, f"status {status}")
        assert len(body) <= max_bytes
        return body


class LogWorld(World):
    """Two chains as ever; alpha has a client of a log, too."""

    def __init__(self, directory, redis_url: str) -> None:
        super().__init__(directory, redis_url, light_clients=[TlogClient()])
        self.served = ServedLog(Heartbeat())

    def kept(self, **kept):
        """A relay that keeps the client. To be called under trio, whose clock is the log's."""
        log, alpha = self.served.log, self.chains["alpha"]
        alpha.create_client("c2sp-tlog", log.client_state(1, trusting_period_s=PERIOD_S), log.consensus_state(1))
        alpha.produce_block(GENESIS_S)
        return self.relay(logs=(log_table(**kept),), open_log=self.open_log)

    @asynccontextmanager
    async def open_log(self, log, random):
        yield LogSource(LogSettings(log.name, log.url, TRUST), InMemory(self.served))

    def hosted(self):
        return self.chains["alpha"].newest.router.clients[CLIENT]

    def size(self) -> int:
        return decode_client_state(self.hosted().client_state).latest_height.revision_height

    def age_s(self) -> float:
        client = self.hosted()
        newest = client.get(decode_client_state(client.client_state).latest_height)
        return self.chains["alpha"].newest.header.timestamp_s - TlogClient().timestamp_ns(newest) / 10**9


@pytest.fixture
def world(tmp_path, valkey):
    return LogWorld(tmp_path, valkey.url)


async def test_a_log_client_is_refreshed_early_and_seldom(world, autojump_clock):
    process, oldest, grown_at_s = world.kept(), 0.0, PERIOD_S
    async with making_blocks(world), process.running():
        for second in range(2 * PERIOD_S):
            await trio.sleep(1)
            if second == grown_at_s:
                assert world.size() == 1, "the same tree with newer cosignatures"
                world.served.log.advance(3)
            oldest = max(oldest, world.age_s())
        assert process.relay.health()["clients_in_trouble"] == {}
    assert PERIOD_S * 0.3 < oldest < PERIOD_S * 0.6
    assert world.size() == 4
    paid = world.transactions("alpha")
    assert 3 <= len(paid) <= 8 and all(receipt.reverted is None and not receipt.failures for receipt in paid)


async def test_a_silent_log_is_alarmed_before_its_client_expires(world, autojump_clock):
    process = world.kept()
    async with making_blocks(world), process.running():
        world.served.log.silent_from_s = World.now_ns() // 10**9
        await trio.sleep(PERIOD_S * 0.75)
        assert process.relay.health()["clients_in_trouble"] == {f"alpha:{CLIENT}": Condition.NEAR_EXPIRY}
        world.served.log.silent_from_s = None
        await world.until(lambda: not process.relay.health()["clients_in_trouble"], PERIOD_S * 0.2)


async def test_attack_G10_a_forked_log_is_not_paid_for_and_alarmed(world, autojump_clock):
    """Log and quorum sign another tree of more entries: nothing of it is sent, and the client is not brought there."""
    world.served.log.advance(2)
    process = world.kept()
    async with making_blocks(world), process.running():
        fork = Heartbeat([b"another entry", *world.served.log.entries[1:], b"one more"])
        world.served.log = fork
        await trio.sleep(PERIOD_S * 0.85)
        assert process.relay.health()["clients_in_trouble"] == {f"alpha:{CLIENT}": Condition.NEAR_EXPIRY}
    assert world.size() == 1 and not world.transactions("alpha")


async def test_a_client_is_kept_only_where_the_relay_has_an_account(world, autojump_clock):
    with pytest.raises(StartRefused, match="where no configured path ends"):
        world.kept(chain="gamma")
