"""Clients that no packet refreshes: refreshed early and seldom, and alarmed in time where that fails (G10)."""

from dataclasses import replace

import pytest
import structlog
import trio

from hutong.adapters.interface import HeightUnavailable
from hutong.light_clients.bft_evm.codec import decode_client_state
from hutong.light_clients.interface import ClientStatus
from hutong.relay.core.clients.keeper import CHECKS_PER_PERIOD, Condition
from tests.relay.core.world import CLIENT, World, key, making_blocks

PERIOD_S = 200


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url, trusting_period_s=PERIOD_S)


def age_s(world, chain: str) -> int:
    """Of the newest state of the client on `chain`, by that chain's clock."""
    other = world.chains["alpha" if chain == "beta" else "beta"]
    hosted = world.chains[chain].newest.router.clients[CLIENT]
    latest = decode_client_state(hosted.client_state).latest_height.revision_height
    return world.chains[chain].newest.header.timestamp_s - other.blocks[latest].header.timestamp_s


def metric(world, name: str, chain: str) -> float:
    prefix = f'{name}{{chain="{chain}",client="{CLIENT}"}} '
    (line,) = [line for line in world.metrics.exposition().decode().splitlines() if line.startswith(prefix)]
    return float(line.removeprefix(prefix))


@pytest.mark.long
async def test_attack_G10_clients_without_traffic_are_refreshed_early_and_seldom(world, autojump_clock):
    oldest = 0
    async with making_blocks(world), world.relay().running() as process:
        for _ in range(2 * PERIOD_S):
            await trio.sleep(1)
            oldest = max(oldest, age_s(world, "alpha"), age_s(world, "beta"))
        assert process.relay.health()["clients_in_trouble"] == {}
    assert PERIOD_S * 0.3 < oldest < PERIOD_S * 0.6, "well before two thirds, and not all the time"
    for name in world.chains:
        receipts = world.transactions(name)
        assert 3 <= len(receipts) <= 6
        assert all(receipt.reverted is None and not receipt.failures for receipt in receipts)
        assert metric(world, "hutong_client_alarm", name) == 0


@pytest.mark.long
async def test_attack_G10_relays_of_one_client_make_no_storm(world, autojump_clock):
    async with making_blocks(world), world.relay(prefix="ours").running():
        async with world.relay(signer=key(2), prefix="theirs").running():
            await trio.sleep(PERIOD_S)
    for name in world.chains:
        assert 2 <= len(world.transactions(name)) <= 4


@pytest.mark.long
async def test_clients_that_packets_refresh_are_left_alone(world, autojump_clock):
    async with making_blocks(world), world.relay().running():
        for count in range(1, 5):
            world.send("alpha")
            world.send("beta")
            await trio.sleep(PERIOD_S * 0.25)
            assert not world.unsettled("alpha") and not world.unsettled("beta"), count
    assert len(world.settlements("alpha")) == len(world.settlements("beta")) == 4
    for name in world.chains:
        assert len(world.transactions(name)) <= 8, "receives and acknowledgements only"


@pytest.mark.long
async def test_attack_G10_client_that_cannot_be_refreshed_is_alarmed_before_its_expiry(world, autojump_clock):
    """The relay's only node of alpha has pruned what is needed: the error says so, the alarm comes a third ahead."""
    process = world.relay()
    alpha = process.relay.adapters["alpha"]
    honest = alpha.client_messages

    async def pruned(client_type, client_state, trusted, target):
        raise HeightUnavailable("alpha", trusted.revision_height, "the node has pruned it")

    alpha.client_messages = pruned
    with structlog.testing.capture_logs() as lines:
        async with making_blocks(world), process.running():
            alarm = {"beta:bft-evm-0": Condition.NEAR_EXPIRY}
            await world.until(lambda: process.relay.health()["clients_in_trouble"] == alarm, at_most_s=PERIOD_S)
            assert PERIOD_S * 0.6 < age_s(world, "beta") < PERIOD_S * 0.75
            assert metric(world, "hutong_client_alarm", "beta") == 1
            assert metric(world, "hutong_client_alarm", "alpha") == 0
            assert 0 < metric(world, "hutong_client_seconds_to_expiry", "beta") < PERIOD_S * 0.4
            alpha.client_messages = honest
            await world.until(lambda: process.relay.health()["clients_in_trouble"] == {}, at_most_s=PERIOD_S * 0.3)
    reasons = {line["reason"] for line in lines if line["event"] == "the client cannot be refreshed now"}
    assert len(reasons) <= 60 and all("the node has pruned it" in reason for reason in reasons)
    alarms = [line for line in lines if "near its expiry" in line["event"]]
    assert alarms and all(line["log_level"] == "error" and line["client"] == "beta:bft-evm-0" for line in alarms)


@pytest.mark.long
async def test_attack_G8_a_refresh_that_fails_in_its_block_is_not_paid_for_at_every_look(
    tmp_path, valkey, autojump_clock
):
    """Gas that is always too low: over a whole period it costs a bounded number of fees, and the alarm comes."""
    world = World(tmp_path, valkey.url, trusting_period_s=PERIOD_S)

    def wrap(adapter):
        honest = adapter.prepare

        async def prepare(batch, sender):
            return replace(await honest(batch, sender), gas=22_000)

        if adapter.name == "beta":
            adapter.prepare = prepare
        return adapter

    process = world.relay(wrap=wrap)
    (keeper,) = [one for one in process.relay.keepers if one.route.destination == "beta"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hutong.relay.core.clients.keeper.CHECK_LAST_S", 1.0)  # as 300 s are to a period of weeks
        async with making_blocks(world), process.running():
            await trio.sleep(PERIOD_S * 0.9)
            assert keeper.condition is Condition.NEAR_EXPIRY
    paid = world.transactions("beta")
    assert paid and all(receipt.reverted is not None for receipt in paid)
    assert len(paid) <= CHECKS_PER_PERIOD * 0.6


@pytest.mark.long
@pytest.mark.parametrize("status", [ClientStatus.EXPIRED, ClientStatus.FROZEN])
async def test_attack_G10_expired_and_frozen_clients_are_alarmed_and_not_paid_for(world, autojump_clock, status):
    def wrap(adapter):
        honest = adapter.client

        async def client(client_id):
            return replace(await honest(client_id), status=status)

        if adapter.name == "beta":
            adapter.client = client
        return adapter

    async with making_blocks(world), world.relay(wrap=wrap).running() as process:
        await trio.sleep(PERIOD_S * 0.7)
        assert process.relay.health()["clients_in_trouble"] == {"beta:bft-evm-0": Condition(status.lower())}
    assert world.transactions("beta") == []


@pytest.mark.long
@pytest.mark.parametrize("hours", [-1, 1])
async def test_attack_G12_host_clock_does_not_decide_about_refreshes(world, autojump_clock, hours):
    process = world.relay()
    wrong = lambda: world.now_ns() + hours * 3600 * 10**9  # noqa: E731
    for keeper in process.relay.keepers:
        keeper.builder._now_ns = wrong
    async with making_blocks(world), process.running():
        await trio.sleep(PERIOD_S * 0.3)
        assert world.transactions("beta") == []
        await trio.sleep(PERIOD_S * 0.7)
        assert process.relay.health()["clients_in_trouble"] == {}
    assert 1 <= len(world.transactions("beta")) <= 4


async def test_client_that_a_worker_says_is_too_far_behind_is_brought_up_at_once(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        await trio.sleep(PERIOD_S * 0.2)
        assert world.transactions("beta") == []
        process.relay.catching_up.ask("beta:bft-evm-0")
        await trio.sleep(PERIOD_S * 0.05)
        assert len(world.transactions("beta")) == 1
        assert world.transactions("alpha") == []
        assert not process.relay.catching_up.is_asked("beta:bft-evm-0")
