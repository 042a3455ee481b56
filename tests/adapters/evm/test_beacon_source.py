"""An adapter over a simulated beacon chain: which blocks are final, how clients get there, what endpoints may say."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from random import Random

import pytest
import trio
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from rlp import encode

from hutong.adapters.evm.ethereum.beacon_api import (
    ServedUpdate,
    decode_bootstrap,
    decode_finality_update,
    decode_genesis_root,
    decode_updates,
)
from hutong.adapters.evm.opening import open_ethereum_chain
from hutong.adapters.evm.settings import EvmSettings
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import (
    BadAnswer,
    ClientParameters,
    EndpointMismatch,
    EndpointUnavailable,
    HeightUnavailable,
    NotSupported,
)
from hutong.adapters.rpc import AccessList, AnswerTooLarge, RpcOptions, open_rpc_client
from hutong.adapters.rpc.transport import _Target
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import EthereumClient, Fork, beacon_block_root, decode_client_state, supermajority
from hutong.light_clients.ethereum.forks import state_indices
from hutong.light_clients.interface import Height, MalformedInput, MemoryConsensusStates, Updated
from hutong.relay.devnet import Genesis
from hutong.relay.devnet.beacon_json import bootstrap_object, genesis_object, update_object
from hutong.relay.devnet.beacon_node import BeaconDevnet, BeaconPace, running_beacon_devnet
from tests.relay.devnet.devnet_tools import ADDRESS, CHAIN_ID, KEY, VALUE, commitment_deployment

CLIENT = EthereumClient()
QUICK = RpcOptions(attempt_timeout_s=5, rounds=1, backoff_first_s=0.01, straggler_grace_s=5)
PACE = BeaconPace(seconds_per_slot=2, slots_per_epoch=2, epochs_per_period=4, head_start_s=1_000)
PERIOD_SLOTS = 8
PARAMETERS = ClientParameters(trusting_period_s=100_000, max_clock_drift_s=10)
NOW_S = 1_700_000_000


def new_chains(seed: int = 1) -> BeaconDevnet:
    return BeaconDevnet(
        Genesis(CHAIN_ID, funds_wei={ADDRESS: 10**24}),
        PACE,
        seed=bytes([seed]) * 32,
        absent_members=2,
        wall_clock_s=lambda: float(NOW_S),
    )


def settings(chains: BeaconDevnet, *urls: str, router: str) -> EvmSettings:
    return EvmSettings(
        CHAIN_ID,
        (urls[-1],),
        RouterSettings("alpha", router, poll_interval_s=0.01),
        consensus="ethereum",
        beacon=urls,
        network=chains.network,
        options=QUICK,
    )


@asynccontextmanager
async def world(*, before=(), deployed=True):
    """(chains, adapter): a contract that commits to VALUE under KEY stands where the router is, and is final."""
    chains = new_chains()
    async with running_beacon_devnet(chains, make_slots=False) as node:
        router = to_checksum_address(keccak256(encode([ADDRESS, b""]))[12:])
        if deployed:
            await chains.execution.submit_transaction(commitment_deployment(0))
        await chains.add_slots(3 * PERIOD_SLOTS)
        async with open_ethereum_chain(settings(chains, *before, node.url, router=router), Random(1)) as chain:
            yield chains, chain


def followed(states, messages, now_ns):
    """Client state and stored states after every message."""
    client_state = states.client_state
    stored = MemoryConsensusStates({states.height: states.consensus_state})
    for message in messages:
        verdict = CLIENT.verify_header(client_state, stored, message, now_ns)
        assert isinstance(verdict, Updated), verdict
        client_state, stored = verdict.client_state, stored.with_state(verdict.height, verdict.consensus_state)
    return client_state, stored


def now_ns(chains: BeaconDevnet) -> int:
    return chains.network.slot_time_s(chains.beacon.slot + 1) * 10**9


async def test_client_is_led_through_every_period_that_it_missed():
    async with world() as (chains, chain):
        states = await chain.initial_states("ethereum", PARAMETERS)
        CLIENT.create(states.client_state, states.consensus_state, now_ns(chains))
        await chains.add_slots(5 * PERIOD_SLOTS)
        head = await chain.head()
        target = chain.proving_height(head.height - 1)
        assert target == Height(0, head.height)
        messages = await chain.client_messages("ethereum", states.client_state, states.height, target)
        assert len(messages) == 6, "one for every missed period, and the one to the target"
        client_state, stored = followed(states, messages, now_ns(chains))
        assert CLIENT.latest_height(client_state) == target
        proof = await chain.prove((KEY,), target)
        assert (proof.value, proof.height) == (VALUE, target)
        CLIENT.verify_membership(client_state, stored.get(target), proof.proof, (KEY,), VALUE)
        absent = await chain.prove((KEY + b"x",), target)
        CLIENT.verify_non_membership(client_state, stored.get(target), absent.proof, (KEY + b"x",))
        assert await chain.client_messages("ethereum", client_state, target, target) == ()


async def test_event_is_proven_at_the_first_final_block_that_holds_it():
    async with world() as (chains, chain):
        first = await chain.head()
        await chains.add_slots(2)
        second = await chain.head()
        assert second.height == first.height + 2
        heights = {
            slot: chain.proving_height(slot).revision_height for slot in range(first.height - 1, second.height + 3)
        }
        assert heights == {
            first.height - 1: first.height,
            first.height: first.height,
            first.height + 1: second.height,
            second.height: second.height,
            second.height + 1: second.height + 1,
            second.height + 2: second.height + 2,
        }


async def test_slots_name_the_newest_block_that_is_not_after_them():
    """Also where slots were missed: against all blocks of the chain."""
    async with world() as (chains, chain):
        for missed in (1, 0, 3, 7, 2):
            await chains.add_slots(2, missed=missed)
        await chains.add_slots(3 * PERIOD_SLOTS)
        head = await chain.head()
        slots = {}
        for number in range(chains.execution.head.number + 1):
            _, header = chains.execution.blocks.header(number)
            slots[chain.beacon.blocks.slot_of(header.timestamp_s)] = number
        order = list(range(head.height + 1))
        Random(5).shuffle(order)
        for slot in order:
            expected = max(number for at, number in slots.items() if at <= slot)
            assert await chain.beacon.number_at(slot) == expected
            assert await chain.block_time_ns(slot) <= chains.network.slot_time_s(slot) * 10**9
        with pytest.raises(HeightUnavailable):
            await chain.beacon.number_at(head.height + 1)


async def test_what_cannot_be_led_to_is_unavailable():
    async with world() as (chains, chain):
        states = await chain.initial_states("ethereum", PARAMETERS)
        early = await chain.head()
        await chains.add_slots(4 * PERIOD_SLOTS)
        late = await chain.head()
        ask = partial(chain.client_messages, "ethereum")
        with pytest.raises(HeightUnavailable, match="not seen to be final"):
            await ask(states.client_state, states.height, Height(0, late.height - 1))
        with pytest.raises(HeightUnavailable, match="is at"):
            await ask(states.client_state, Height(0, late.height), Height(0, early.height))
        messages = await ask(states.client_state, states.height, Height(0, late.height))
        moved, _ = followed(states, messages, now_ns(chains))
        with pytest.raises(HeightUnavailable, match="was signed in period"):
            await ask(moved, Height(0, 1), Height(0, early.height))
        with pytest.raises(NotSupported):
            await chain.client_messages("bft-evm", states.client_state, states.height, Height(0, late.height))
        with pytest.raises(NotSupported):
            await chain.bare_header(1)


async def test_client_begins_at_the_root_that_is_given_or_not_at_all():
    async with world() as (chains, chain):
        first = await chain.head()
        await chains.add_slots(4)
        given = await chain.initial_states(
            "ethereum", ClientParameters(1_000, 10, trusted_block_root=first.hash, min_participants=30)
        )
        client = decode_client_state(given.client_state)
        assert (given.height, client.min_participants) == (Height(0, first.height), 30)
        newest = decode_client_state((await chain.initial_states("ethereum", PARAMETERS)).client_state)
        assert newest.latest_height.revision_height == first.height + 4
        assert newest.min_participants == supermajority(32)
        with pytest.raises(HeightUnavailable, match="no bootstrap"):
            await chain.initial_states("ethereum", ClientParameters(1_000, 10, trusted_block_root=b"\x07" * 32))
        with pytest.raises(MalformedInput):
            await chain.initial_states("ethereum", ClientParameters(1_000, 10, min_participants=21))


async def test_client_does_not_begin_before_its_router_is_final():
    async with world(deployed=False) as (_, chain):
        with pytest.raises(HeightUnavailable, match="a router must be final"):
            await chain.initial_states("ethereum", PARAMETERS)


async def test_client_does_not_begin_where_no_next_committee_could_come():
    """The best update of the period names a block from before the router."""
    async with world(deployed=False) as (chains, chain):
        while chains.beacon.slot % PERIOD_SLOTS != 5:
            await chains.add_slots()
        period = chains.network.period_at(chains.beacon.slot)
        kept = chains.beacon.best_update(period)
        assert kept is not None
        await chains.execution.submit_transaction(commitment_deployment(0))
        router_at = await chains.add_slots()
        while (await chain.head()).height < router_at:
            await chains.add_slots()
        assert chains.network.period_at((await chain.head()).height) == period
        chains.beacon._best[period] = kept
        with pytest.raises(HeightUnavailable, match="brings the next sync committee"):
            await chain.initial_states("ethereum", PARAMETERS)


async def test_endpoint_of_another_chain_is_left():
    async with running_beacon_devnet(new_chains(2), make_slots=False) as foreign:
        async with world(before=(foreign.url,)) as (chains, chain):
            head = await chain.head()
            assert head.hash == beacon_block_root(chains.beacon.finality_update.finalized_header.beacon)
            (first, second) = chain._api.client.statistics()
            assert not first.usable and "genesis validators root" in first.last_failure
            assert second.usable
        async with open_ethereum_chain(settings(chains, foreign.url, router="0x" + "11" * 20), Random(1)) as lost:
            with pytest.raises(EndpointUnavailable):
                await lost.head()


async def test_finality_that_the_execution_chain_does_not_have_is_no_head():
    """Beacon and execution endpoints of two chains with one genesis: the block hash tells."""
    twin = new_chains(1)
    async with world() as (chains, chain), running_beacon_devnet(twin, make_slots=False) as other:
        await twin.add_slots(3 * PERIOD_SLOTS)
        update = twin.beacon.finality_update
        with pytest.raises(EndpointUnavailable, match="finalized block's"):
            await chain.beacon._accepted(ServedUpdate(twin.beacon.fork_of(update), update))
        execution = chain._execution.client.statistics()[0].name
        router = chain.settings.router
        async with open_ethereum_chain(settings(chains, other.url, execution, router=router), Random(1)) as both:
            assert (await both.head()).hash == (await chain.head()).hash


async def test_update_that_nobody_signed_is_forgotten_for_the_real_one():
    async with world() as (chains, chain):
        states = await chain.initial_states("ethereum", PARAMETERS)
        await chains.add_slots(2)
        real = chains.beacon.finality_update
        aggregate = replace(real.sync_aggregate, signature=chains.beacon.best_update(1).sync_aggregate.signature)
        chains.beacon.newest_update = replace(real, sync_aggregate=aggregate)
        target = Height(0, (await chain.head()).height)
        ask = partial(chain.client_messages, "ethereum", states.client_state, states.height, target)
        for _ in range(2):
            with pytest.raises(HeightUnavailable):
                await ask()
        chains.beacon.newest_update = real
        await chain.head()
        client_state, _ = followed(states, await ask(), now_ns(chains))
        assert CLIENT.latest_height(client_state) == target


@pytest.mark.parametrize(
    ("field", "reason"),
    [("slot", "payload_time_is_of_slot"), ("state_root", "stateRoot"), ("timestamp_s", "payload_time")],
)
async def test_finality_that_contradicts_the_execution_chain_is_left(field, reason):
    """Branches prove a header that the liar made; its slot, state and time must still be those of a block that is there."""
    async with world() as (chains, chain):
        first = await chain.head()
        await chains.add_slots(4)
        beacon, execution = chains.beacon, chains.execution.head
        real = beacon.finality_update.finalized_header
        slot, payload = real.beacon.slot, real.execution
        if field == "slot":
            slot = beacon.slot + 1_000
        else:
            payload = replace(payload, **{field: {"state_root": b"\x07" * 32, "timestamp_s": NOW_S}[field]})
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("hutong.relay.devnet.beacon.payload_header", lambda _: payload)
            forged = beacon.made(slot, execution, None)
            patched.setattr(beacon, "_finalized_at", lambda _: forged)
            attested = beacon.made(max(slot, beacon.slot) + 1, execution, None)
        indices = state_indices(Fork.ELECTRA)
        beacon.newest_update = replace(
            beacon.finality_update,
            attested_header=attested.header,
            signature_slot=attested.slot + 1,
            finalized_header=forged.header,
            finality_branch=attested.state.branch(indices.finalized_root),
        )
        with pytest.raises(EndpointUnavailable, match=reason):
            await chain._newest_final()
        assert chain.proving_height(first.height + 1).revision_height == first.height + 1, "nothing was learnt"


async def test_client_of_another_chain_or_router_gets_no_headers():
    async with world() as (_, chain):
        states = await chain.initial_states("ethereum", PARAMETERS)
        async with world() as (_, other):
            other.beacon._router = b"\x42" * 20
            head = await other.head()
            with pytest.raises(EndpointMismatch):
                await other.client_messages("ethereum", states.client_state, states.height, Height(0, head.height + 2))


async def test_answers_are_bounded_and_refusals_are_told():
    async with running_beacon_devnet(new_chains(), make_slots=False) as node:
        async with open_rpc_client("beacon", (node.url,), Random(1), QUICK) as client:
            failed = []

            async def ask(path, max_bytes, attempt):
                try:
                    return await attempt.get(path, "it", max_bytes)
                except AnswerTooLarge as error:
                    failed.append(error)
                    raise

            await client.run("it", partial(ask, "/eth/v1/beacon/genesis", 4_096))
            with pytest.raises(EndpointUnavailable, match="more than 64 bytes"):
                await client.run("it", partial(ask, "/eth/v1/beacon/genesis", 64))
            assert failed
            with pytest.raises(Exception, match="no bootstrap of this block"):
                await client.run("it", partial(ask, f"/eth/v1/beacon/light_client/bootstrap/0x{'00' * 32}", 4_096))


@pytest.mark.parametrize(
    ("url", "path", "asked"),
    [
        ("http://node:5052", "/eth/v1/x?a=1", b"/eth/v1/x?a=1"),
        ("http://node/base/", "/eth/v1/x", b"/base/eth/v1/x"),
        ("http://node/base?key=s", "/eth/v1/x?a=1", b"/base/eth/v1/x?a=1&key=s"),
        ("http://node/?key=s", "/eth/v1/x", b"/eth/v1/x?key=s"),
    ],
)
def test_paths_go_below_the_base_url(url, path, asked):
    assert _Target.of(url, AccessList()).below(path).path == asked


@pytest.fixture(scope="module")
def served():
    """Real answers, by what decodes them."""
    chains = new_chains()

    async def make():
        await chains.add_slots(2 * PERIOD_SLOTS)

    trio.run(make)
    beacon, network = chains.beacon, chains.network
    bootstrap = beacon.bootstrap(beacon_block_root(beacon.finality_update.finalized_header.beacon))
    return {
        "finality": (
            {"version": "electra", "data": update_object(beacon.finality_update)},
            lambda answer: decode_finality_update(answer, network),
        ),
        "updates": (
            [{"version": "electra", "data": update_object(beacon.best_update(1))}],
            lambda answer: decode_updates(answer, network, 1, 2),
        ),
        "bootstrap": (
            {"version": "electra", "data": bootstrap_object(bootstrap)},
            lambda answer: decode_bootstrap(answer, network),
        ),
        "genesis": ({"data": genesis_object(network)}, decode_genesis_root),
    }


NAMES = ("finality", "updates", "bootstrap", "genesis")


@pytest.mark.parametrize("name", NAMES)
def test_real_answers_are_read(served, name):
    answer, decode = served[name]
    assert decode(json.loads(json.dumps(answer)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["electra", "0x", "0x00", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "version", "beacon", "slot", "pubkeys", "code"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_any_answer_is_a_value_or_bad(served, name, data):
    """Arbitrary JSON, and real answers with one member replaced or removed."""
    answer, decode = served[name]
    if data.draw(st.booleans()):
        changed = json.loads(json.dumps(answer))
        place = changed
        while isinstance(place, dict | list) and place:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(st.sampled_from(list(keys)))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
                if data.draw(st.booleans()):
                    del place[key]
                else:
                    place[key] = data.draw(JSON)
                break
            place = place[key]
    else:
        changed = data.draw(JSON)
    try:
        decode(changed)
    except BadAnswer as error:
        assert len(str(error)) < 1_000
