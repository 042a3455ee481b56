"""An event is a hint: what state does not hold becomes no job."""

from dataclasses import replace

from hutong.adapters.simulated import SimulatedAdapter, SimulatedChain
from hutong.light_clients.ibc.packet import Payload
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.watching.confirmation import confirmed_job
from hutong.relay.dispatch import JobKind

GENESIS_S = 1_800_000_000
CLIENT = "bft-evm-0"


async def test_attack_G2_an_event_becomes_a_job_only_if_state_holds_it():
    alpha = SimulatedChain("alpha", 1001, genesis_time_s=GENESIS_S)
    beta = SimulatedChain("beta", 1002, genesis_time_s=GENESIS_S)
    for chain in (alpha, beta):
        chain.produce_block()
    alpha.create_client("bft-evm", *beta.states_at(1, 86_400, 10))
    alpha.register_counterparty(CLIENT, CLIENT, (b"",))
    alpha.produce_block()
    alpha.send(CLIENT, GENESIS_S + 600, Payload("echo", "echo", "v", "e", b"x"))
    alpha.produce_block()
    alpha.produce_block()
    ends = PathEnd(chain="alpha", client=CLIENT), PathEnd(chain="beta", client=CLIENT)
    paths = Paths.of([PathConfig(a=ends[0], b=ends[1])])
    adapter = SimulatedAdapter(alpha)
    head = (await adapter.head()).height
    (event,) = await adapter.packet_events(1, head)
    job = await confirmed_job(event, adapter, paths, head, lambda: 0)
    assert (job.kind, job.packet) == (JobKind.RECEIVE, event.packet)
    never_sent = replace(event, packet=replace(event.packet, sequence=event.packet.sequence + 1))
    other_value = replace(event, packet=replace(event.packet, timeout_timestamp_s=GENESIS_S + 601))
    for forged in (never_sent, other_value):
        assert await confirmed_job(forged, adapter, paths, head, lambda: 0) is None
