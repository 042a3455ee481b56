"""A client that was shown a history which its chain does not have is found and frozen; liars freeze nothing (G11)."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface import Batch, EndpointUnavailable, HeightUnavailable, UpdateClient
from hutong.adapters.simulated.sealing import seal
from hutong.light_clients.bft_evm.codec import (
    decode_client_state,
    decode_consensus_state,
    encode_consensus_state,
    encode_header_message,
    header_of,
)
from hutong.light_clients.interface import Height, PredicateFailed
from hutong.relay.core.clients import fork_watch
from hutong.relay.core.clients.fork_watch import Sight
from hutong.relay.telemetry.labels import FORK_WATCH_STATES
from tests.relay.core.world import CLIENT, World, key, making_blocks

ATTACKER = key(3)
WINDOW_S = 30


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def latest(world) -> int:
    """Height of alpha that beta's client knows."""
    hosted = world.chains["beta"].newest.router.clients[CLIENT]
    return decode_client_state(hosted.client_state).latest_height.revision_height


def honest(world, height: int) -> bytes:
    return encode_header_message(world.chains["alpha"].update_header(Height(0, latest(world)), height))


def forked(world, height: int, *, ahead: int = 0, keys=None) -> bytes:
    """Another block of alpha, a second later or as many numbers above it, sealed by alpha's validators or by `keys`."""
    alpha = world.chains["alpha"]
    real = alpha.update_header(Height(0, latest(world)), height)
    changes = {"number": height + ahead} if ahead else {"timestamp_s": real.execution.timestamp_s + 1}
    twin = seal(replace(real.execution, extra_data=b"", **changes), alpha.validator_keys() if keys is None else keys)
    return encode_header_message(header_of(real.trusted_height, twin, real.account_proof))


async def show(world, *headers: bytes) -> None:
    """Bring beta's client there, as anybody may, in one transaction."""
    adapter = world.adapter("beta")
    address = adapter.address_of(ATTACKER)
    batch = Batch(tuple(UpdateClient(CLIENT, header) for header in headers))
    prepared = await adapter.prepare(batch, address)
    assert all(prepared.expected)
    nonce = (await adapter.account(address)).pending_nonce
    await adapter.broadcast(await adapter.sign(prepared, nonce, ATTACKER))


def frozen(world, chain: str = "beta") -> bool:
    return decode_client_state(world.chains[chain].newest.router.clients[CLIENT].client_state).is_frozen


def by_the_relay(world, chain: str = "beta") -> list:
    return [receipt for receipt in world.transactions(chain) if receipt.transaction.sender == world.signer.address]


@pytest.mark.parametrize("shown", ["alone", "under an honest block", "far ahead"])
async def test_attack_G11_a_forked_block_is_found_and_the_client_frozen(world, autojump_clock, shown):
    async with making_blocks(world), world.relay().running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await trio.sleep(WINDOW_S)
        headers = {
            "alone": lambda: [forked(world, 20)],
            "under an honest block": lambda: [forked(world, 20), honest(world, 22)],
            "far ahead": lambda: [forked(world, 20, ahead=1_000)],
        }[shown]()
        await show(world, *headers)
        await world.until(lambda: frozen(world), at_most_s=WINDOW_S)
        await trio.sleep(WINDOW_S)
    (freezing,) = by_the_relay(world)
    assert freezing.reverted is None and not freezing.failures
    assert not frozen(world, "alpha")


async def test_attack_G11_row_29_evidence_stands_two_blocks_after_what_it_is_against(
    world, autojump_clock, monkeypatch
):
    monkeypatch.setattr(fork_watch, "LOOK_EVERY_S", 600)  # by blocks alone
    async with making_blocks(world), world.relay().running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await trio.sleep(WINDOW_S)
        await show(world, forked(world, 20))
        await world.until(lambda: frozen(world), at_most_s=WINDOW_S)
    (freezing,) = by_the_relay(world)
    stranger = world.adapter("beta").address_of(ATTACKER)
    shown = [receipt for receipt in world.transactions("beta") if receipt.transaction.sender == stranger][-1]
    assert freezing.height - shown.height <= 2


@pytest.mark.long
async def test_honest_blocks_shown_by_a_stranger_cost_the_relay_nothing(world, autojump_clock):
    process = world.relay()
    async with making_blocks(world), process.running():
        for height in (5, 25, 40):
            await trio.sleep(WINDOW_S)
            await show(world, honest(world, height), honest(world, height + 2))
        await trio.sleep(WINDOW_S)
    assert by_the_relay(world) == [] and not frozen(world)
    assert all(adapter.distrusted == [] for adapter in process.relay.adapters.values())


async def test_attack_G11_a_lying_node_of_the_source_cannot_make_it_accuse(world, autojump_clock):
    """It shows blocks that strangers sealed: they do not verify, so there is nothing to submit."""

    def wrap(adapter):
        async def client_messages(client_type, client_state, trusted, target):
            return (forked(world, target.revision_height, keys=[bytes(31) + b"\x09"]),)

        if adapter.name == "alpha":
            adapter.client_messages = client_messages
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await trio.sleep(3 * WINDOW_S)
    assert by_the_relay(world) == [] and not frozen(world)
    assert process.relay.adapters["alpha"].distrusted


async def test_attack_G11_a_lying_node_of_the_destination_costs_one_fee_and_freezes_nothing(world, autojump_clock):
    """It tells of a state that the client does not have; what is submitted is honest, and changes nothing."""

    def wrap(adapter):
        truth = adapter.consensus_state

        async def consensus_state(client_id, height):
            stored = await truth(client_id, height)
            if stored is None or height == Height(0, 1):
                return stored
            state = decode_consensus_state(stored)
            return encode_consensus_state(replace(state, storage_root=bytes(31) + b"\x01"))

        if adapter.name == "beta":
            adapter.consensus_state = consensus_state
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await trio.sleep(3 * WINDOW_S)
    assert len(by_the_relay(world)) == 1 and not frozen(world)
    assert process.relay.adapters["beta"].distrusted


async def test_attack_G11_evidence_whose_transaction_failed_is_submitted_again(world, autojump_clock):
    """Out of gas, or its nonce used by another: the client is forked all the same."""
    prepared_gas = []

    def wrap(adapter):
        honest_prepare = adapter.prepare

        async def prepare(batch, sender):
            prepared = await honest_prepare(batch, sender)
            prepared_gas.append(prepared.gas)
            return replace(prepared, gas=22_000) if len(prepared_gas) == 1 else prepared

        if adapter.name == "beta":
            adapter.prepare = prepare
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await trio.sleep(WINDOW_S)
        await show(world, forked(world, 20))
        await world.until(lambda: frozen(world), at_most_s=2 * WINDOW_S)
        assert process.relay.adapters["beta"].distrusted == []
    failed, freezing = by_the_relay(world)
    assert failed.reverted is not None and freezing.reverted is None


def figure(world, name: str, **more: str) -> float | None:
    """Of the client on beta."""
    return world.figure(name, chain="beta", client=CLIENT, **more)


def seen(world) -> list[str]:
    """What `/metrics` says of the last look at beta's client: exactly one."""
    return [state for state in Sight if figure(world, "hutong_fork_watch", state=state) == 1]


def compared_s(world) -> float:
    return figure(world, "hutong_fork_watch_compared_timestamp_seconds")


async def test_parity_row_75_a_watch_that_compares_says_when(world, autojump_clock):
    process = world.relay()
    async with making_blocks(world), process.running():
        await trio.sleep(WINDOW_S)
        first = compared_s(world)
        await show(world, honest(world, 5))
        await trio.sleep(WINDOW_S)
        assert seen(world) == ["compared"] and compared_s(world) > first
        assert figure(world, "hutong_fork_watch_passed_over_total") == 0
        assert process.relay.health()["clients_not_compared"] == {}


@pytest.mark.long
@pytest.mark.parametrize(
    ("error", "state"),
    [
        (EndpointUnavailable("alpha", "client_messages", (("http://alpha", "refused"),)), "endpoint"),
        (PredicateFailed("seals", "are of strangers"), "header"),
    ],
    ids=["endpoint", "header"],
)
@pytest.mark.parametrize("windows", [3, pytest.param(10, marks=pytest.mark.long)])
async def test_parity_row_75_a_watch_that_cannot_compare_is_seen_until_it_can(
    world, autojump_clock, error, state, windows
):
    blind = [True]

    def wrap(adapter):
        truth = adapter.client_messages

        async def client_messages(*arguments):
            if blind:
                raise error
            return await truth(*arguments)

        if adapter.name == "alpha":
            adapter.client_messages = client_messages
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await world.until(lambda: seen(world) == [state], at_most_s=WINDOW_S)
        stopped_s = compared_s(world)
        await trio.sleep(windows * WINDOW_S)
        assert seen(world) == [state] and compared_s(world) == stopped_s, "the alarm sees how long ago"
        assert process.relay.health()["clients_not_compared"]["beta:" + CLIENT] == state
        assert process.relay.health()["status"] == "ok"
        blind.clear()
        await world.until(lambda: seen(world) == ["compared"], at_most_s=400)
        assert compared_s(world) > stopped_s and process.relay.health()["clients_not_compared"] == {}


async def test_parity_row_75_a_state_that_is_passed_over_is_counted(world, autojump_clock):
    def wrap(adapter):
        async def client_messages(*arguments):
            raise HeightUnavailable("alpha", 5, "pruned")

        if adapter.name == "alpha":
            adapter.client_messages = client_messages
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world), process.running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await world.until(lambda: figure(world, "hutong_fork_watch_passed_over_total") == 1, at_most_s=WINDOW_S)
        await trio.sleep(WINDOW_S)
        assert figure(world, "hutong_fork_watch_passed_over_total") == 1, "once for each state"


async def test_parity_row_75_attested_and_frozen_clients_are_left_out_by_name(world, autojump_clock):
    attested = [True]

    def wrap(adapter):
        truth = adapter.client

        async def client(client_id):
            info = await truth(client_id)
            return replace(info, client_type="attestation") if attested else info

        if adapter.name == "beta":
            adapter.client = client
        return adapter

    process = world.relay(wrap=wrap)
    async with making_blocks(world):
        async with trio.open_nursery() as nursery:
            (watch,) = (one for one in process.relay.fork_watches if one.route.destination == "beta")
            nursery.start_soon(watch.run)
            await world.until(lambda: seen(world) == ["attested"], at_most_s=WINDOW_S)
            begun_s = compared_s(world)
            await trio.sleep(WINDOW_S)
            assert compared_s(world) == begun_s, "nothing was compared"
            attested.clear()
            await world.until(lambda: seen(world) == ["compared"], at_most_s=WINDOW_S)
            nursery.cancel_scope.cancel()
    process.close()


async def test_parity_row_75_a_frozen_client_is_no_longer_compared(world, autojump_clock):
    async with making_blocks(world), world.relay().running():
        await trio.sleep(10)
        await show(world, honest(world, 5))
        await trio.sleep(WINDOW_S)
        await show(world, forked(world, 20))
        await world.until(lambda: frozen(world), at_most_s=2 * WINDOW_S)
        await world.until(lambda: seen(world) == ["inactive"], at_most_s=WINDOW_S)


def test_the_states_of_the_watch_are_those_of_its_metric():
    assert set(FORK_WATCH_STATES) == set(Sight)
