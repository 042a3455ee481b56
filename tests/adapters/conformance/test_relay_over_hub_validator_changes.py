"""A hub process whose admins add a validator, change its power and remove it, under a relay and HubClients that go on."""

import time
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from random import Random

import pytest
import trio

from hutong.adapters.hub import ROUTER_ADDRESS, HubSettings, admin, open_hub_chain
from hutong.adapters.hub.validators import coming_powers, node_key, signing_set
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.interface import ClientStatus
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.archive import Archive
from hutong.relay.base.threads import thread_runner
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue, QueueLimits
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.home.initialise import NewHub, initialise_home
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.lane import (
    ADMIN,
    CHAIN_ID,
    HUB_EVM_CHAIN_ID,
    POLL_S,
    QUICK,
    RELAYER,
    address_bytes,
    running_lane,
)
from tests.adapters.conformance.test_relay_on_real_chains import PATIENCE_S, configured
from tests.relay.hub.hub_process import HubProcess

JOINING = validator_key(sha256(b"a second validator").digest()).public_key


@asynccontextmanager
async def hub_as_process(home):
    """As `lane.running_hub`, in a process of its own."""
    hub = NewHub(
        CHAIN_ID,
        HUB_EVM_CHAIN_ID,
        time.time_ns() - 10**9,
        AdminSet((address_bytes(ADMIN),), 1),
        HubParams(block_interval_ms=200, proof_block_delay_ms=50),
        tuple((address_bytes(signer), 10**24) for signer in (ADMIN, RELAYER)),
    )
    initialise_home(home, hub)
    process = await trio.to_thread.run_sync(HubProcess(home).start)
    settings = HubSettings(
        CHAIN_ID,
        (process.eth_url,),
        (process.cometbft_url,),
        RouterSettings("hub", ROUTER_ADDRESS, poll_interval_s=POLL_S),
        ws=(process.eth_url.replace("http", "ws", 1),),
        options=QUICK,
    )
    try:
        async with open_hub_chain(settings, Random(1)) as chain:
            yield chain
    finally:
        assert process.stop() == (0, "")


@pytest.mark.long
async def test_attack_C43_hub_clients_and_relay_go_on_while_a_validator_joins_changes_and_leaves(tmp_path):
    async with running_lane(tmp_path / "hub", hub_as_process) as lane:
        await follow(lane, tmp_path)


async def follow(lane, tmp_path):
    hub, beta = lane.hub, lane.beta
    adapters = {"alpha": lane.alpha.chain, "beta": beta.chain, "hub": hub}
    administrator = Transactor(hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
    valkey = EmbeddedValkey(tmp_path / "queue")
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")

    async def until(condition):
        with trio.fail_after(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110  a chain raises no event for it
                await trio.sleep(0.1)

    async def is_settled(sequence):
        return await lane.alpha.chain.commitment(lane.alpha.client, sequence) is None

    async def deliver(sequence):
        """A message from alpha over the hub to beta, and its acknowledgement home: every client of the hub advances."""
        await lane.send(beta.hub_client, b"message %d" % sequence, time.time_ns() // 10**9 + PATIENCE_S)
        await until(partial(is_settled, sequence))

    async def set_power(salt, power):
        """Returns the height from which the new set signs."""
        action = admin.set_validator(salt, JOINING.data, power)
        receipt = await admin.approve_and_execute([administrator], CHAIN_ID, action)
        await hub.wait_for_height(receipt.height + 3)
        return receipt.height + 2

    async with trio.open_nursery() as nursery:
        connection = Connection(await nursery.start(valkey.serve))
        queue = Queue(
            connection, "relay", lambda: int(trio.current_time() * 1000), limits=QueueLimits(max_attempts=100)
        )
        archive = Archive(tmp_path / "evidence")
        services = Services(
            queue, ledger, archive, Metrics(adapters), time.time_ns, Random(1), thread_runner(4), alone=True
        )
        relay = Relay(configured(lane, tmp_path), adapters, dict.fromkeys(adapters, (RELAYER,)), services)
        await nursery.start(relay.run)

        own = PublicKey(KeyType.SECP256K1, next(iter(await coming_powers(hub.execution))).data)
        await deliver(1)
        for sequence, power in ((2, 4), (3, 2), (4, 0)):
            acts_at = await set_power(sequence, power)
            signing = await signing_set(hub.comet)
            assert signing.height >= acts_at
            powers = {member.public_key: member.voting_power for member in signing.validators.validators}
            assert powers == ({own: 10, JOINING: power} if power else {own: 10})
            await deliver(sequence)
            for member in (lane.alpha, beta):
                info = await member.chain.client(member.client)
                assert info.status is ClientStatus.ACTIVE
                assert info.latest_height.revision_height >= acts_at
        key = await node_key(hub.comet)
        assert (key.address, key.alone) == (own.address, True)
        nursery.cancel_scope.cancel()
    connection.close()
    ledger.close()
