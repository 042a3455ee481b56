"""The whole core between a chain that sync committees sign for and a dev chain, over a hub, both ways."""

import time
from dataclasses import replace
from random import Random

import pytest
import trio

from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.ethereum import decode_client_state, decode_header_message_alone, encode_header_message
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.checkpoint import decode_checkpoint, encode_checkpoint
from hutong.relay.audit import Auditor
from hutong.relay.base.threads import thread_runner
from hutong.relay.config import Config, PathEnd
from hutong.relay.core.archiving.bundling import Exporter, read_checkpoint
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.devnet.beacon_json import network_document
from hutong.relay.devnet.beacon_node import BeaconPace
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue, QueueLimits
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.ethereum_lane import TIMEOUT_AFTER_S, running_ethereum_lane
from tests.adapters.conformance.lane import RELAYER, SEND_FORWARDED

KEY = {"keystore": "k", "password_env": "P"}
NOWHERE = ["http://127.0.0.1:1"]
PATIENCE_S = 120
SHORT_PERIODS = BeaconPace(
    seconds_per_slot=1, slots_per_epoch=2, epochs_per_period=4, slot_interval_ms=100, head_start_s=2_000
)
"""A sync committee period in 0.8 s."""
HUB_BYTES = 24 * 1024


def configured(lane, home) -> Config:
    network = decode_client_state(lane.hub_state).network
    file = home / "network.json"
    file.write_text(network_document(network))
    evm = {"kind": "evm", "rpc": NOWHERE, "key": KEY}
    alpha, beta = lane.alpha, lane.beta
    return Config.model_validate(
        {
            "relay": {"home": str(home), "clear_interval_s": 3},
            "chains": [
                evm
                | {"name": "alpha", "chain_id": 1001, "router": alpha.contracts.router}
                | {"consensus": "ethereum", "beacon": NOWHERE, "network": str(file)},
                evm | {"name": "beta", "chain_id": 1002, "router": beta.contracts.router, "consensus": "qbft"},
                {"name": "hub", "kind": "hub", "chain_id": lane.hub.chain_id, "key": KEY}
                | {"rpc": NOWHERE, "consensus_rpc": NOWHERE},
            ],
            "paths": [
                {"a": {"chain": name, "client": member.client}, "b": {"chain": "hub", "client": member.hub_client}}
                for name, member in (("alpha", alpha), ("beta", beta))
            ],
        }
    )


async def receiver_on(member) -> str:
    artifact = load_artifact("ExampleReceiver")
    receipt = await member.deployer.send(None, artifact.bytecode + member.mailbox.rjust(32, b"\0"))
    return "0x" + receipt.contract_address.hex()


async def checkpoints_of(alpha, beta, hub):
    followers = [await member.chain.client(member.client) for member in (alpha, beta)]
    found = [await read_checkpoint(hub, [alpha.hub_client, beta.hub_client], followers, None)]
    for member in (alpha, beta):
        follower = await hub.client(member.hub_client)
        found.append(await read_checkpoint(member.chain, [member.client], [follower], None))
    return [decode_checkpoint(encode_checkpoint(one)) for one in found]


def damaged(bundle):
    """The first update of the ethereum chain, with another committee's signature: that of the last one."""
    index = [chain.chain_id for chain in bundle.chains].index("1001")
    chain = bundle.chains[index]
    first, last = (decode_header_message_alone(chain.headers[at].header) for at in (0, -1))
    assert first != last
    signature = last.update.sync_aggregate.signature
    aggregate = replace(first.update.sync_aggregate, signature=signature)
    forged = encode_header_message(replace(first, update=replace(first.update, sync_aggregate=aggregate)))
    headers = (replace(chain.headers[0], header=forged), *chain.headers[1:])
    chains = list(bundle.chains)
    chains[index] = replace(chain, headers=headers)
    return replace(bundle, chains=tuple(chains))


@pytest.mark.long
async def test_messages_travel_both_ways_over_many_committee_periods(tmp_path):
    async with running_ethereum_lane(tmp_path / "hub", SHORT_PERIODS) as lane, trio.open_nursery() as nursery:
        alpha, beta, hub = lane.alpha, lane.beta, lane.hub
        hub.settings = replace(hub.settings, limits=replace(hub.settings.limits, max_bytes=HUB_BYTES))
        lane.hub_state = (await hub.client(alpha.hub_client)).client_state
        began = decode_client_state(lane.hub_state)
        adapters = {"alpha": alpha.chain, "beta": beta.chain, "hub": hub}
        valkey = EmbeddedValkey(tmp_path / "queue")
        ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
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

        lane.receiver = await receiver_on(beta)
        alpha_receiver = await receiver_on(alpha)

        async def send_back(value: bytes) -> None:
            timeout_s = (await alpha.chain.head()).time_ns // 10**9 + TIMEOUT_AFTER_S
            data = SEND_FORWARDED.encode(beta.client, alpha.hub_client, alpha_receiver, value, timeout_s)
            await beta.deployer.send(beta.mailbox, data)

        async def until_settled(member) -> None:
            with trio.fail_after(PATIENCE_S):
                while await member.chain.commitment(member.client, 1) is not None:  # noqa: ASYNC110
                    await trio.sleep(0.1)

        checkpoints = await checkpoints_of(alpha, beta, hub)
        now_s = (await alpha.chain.head()).time_ns // 10**9
        await lane.send(beta.hub_client, b"from ethereum", now_s + TIMEOUT_AFTER_S)
        await send_back(b"to ethereum")
        await nursery.start(relay.run)
        await until_settled(alpha)
        await until_settled(beta)

        for member in (alpha, beta):
            assert await member.chain.receipt(member.client, 1) is not None
            written = await hub.written_acknowledgement(member.hub_client, 1)
            assert written is not None and not written.acknowledgement.is_error, member.chain.name
        now = decode_client_state((await hub.client(alpha.hub_client)).client_state)
        period_at = now.network.period_at
        assert period_at(now.latest_height.revision_height) >= period_at(began.latest_height.revision_height) + 5
        evidence = await archive.read("alpha", alpha.client, 1, "receive")
        assert evidence.client_type == "ethereum" and evidence.proof_height <= now.latest_height

        for member in (alpha, beta):
            exporter = Exporter(adapters, relay.paths, archive, checkpoints)
            end = PathEnd(chain=member.chain.name, client=member.client)
            bundle = await exporter.export(end, 1)
            auditor = Auditor(checkpoints, time.time_ns())
            report = auditor.audit(encode_bundle(bundle))
            assert report.is_valid, report.failure
            assert [leg.is_settled for leg in bundle.legs] == [True, True]
            assert "signed by sync committees" in report.trust["1001"]
            assert auditor.audit(encode_bundle(damaged(bundle))).failure.check.name == "signed_by_committee"
            assert await Exporter(adapters, relay.paths, archive).export(end, 1), "the archiver has no checkpoints"
        nursery.cancel_scope.cancel()
    connection.close()
    ledger.close()
