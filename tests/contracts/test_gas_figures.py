"""Gas of what a relay pays for; printed with `pytest -s`, bounded so that a regression fails."""

import pytest

from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, Lane, relay_call
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers

UPDATE_BOUNDS = {1: 240_000, 4: 300_000, 7: 350_000, 21: 640_000, 100: 2_300_000}


def lane_of(validators):
    return Lane(chain=SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(validators), 10)))


@pytest.mark.parametrize("validators", UPDATE_BOUNDS)
def test_gas_of_an_update(validators):
    lane = lane_of(validators)
    lane.advance()
    lane.update()
    lane.advance(2)
    message = lane.update_message(lane.chain.latest.header.height)
    skipping = lane.router.transact("updateClient", LOCAL_CLIENT, message).gas_used
    lane.trusted = lane.chain.latest.header.height
    lane.advance()
    adjacent = lane.update().gas_used
    print(
        f"\nupdateClient, {validators} validators: adjacent {adjacent}, skipping {skipping}, message {len(message)} bytes"
    )
    assert max(adjacent, skipping) < UPDATE_BOUNDS[validators]


def test_gas_of_packets():
    lane = Lane()
    # a hub with a thousand other keys: proofs of a realistic depth
    lane.publish({b"other/" + number.to_bytes(4, "big"): b"\x01" * 32 for number in range(1000)})
    figures = {}
    lane.receive(lane.forwarded_packet(sequence=1))
    receiver = lane.evm.deploy("ExampleReceiver", lane.mailbox.address)
    packet = lane.forwarded_packet(receiver.text, b"x" * 100, sequence=2)
    figures["recvPacket"] = lane.receive(packet).gas_used
    outcome = lane.mailbox.transact(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x" * 100, lane.evm.timestamp_s + 3600
    )
    outcome = lane.mailbox.transact(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x" * 100, lane.evm.timestamp_s + 3600
    )
    figures["sendForwarded"] = outcome.gas_used
    figures["ackPacket"] = lane.acknowledge(lane.sent(outcome), encode_gmp_acknowledgement(b"x" * 100)).gas_used
    late = lane.send(timeout_in_s=60)
    height = lane.pass_time_to(late.timeout_timestamp_s)
    figures["timeoutPacket"] = lane.router.transact("timeoutPacket", lane.timeout_message(late, height)).gas_used
    packets = [lane.forwarded_packet(receiver.text, b"x" * 100, sequence=number) for number in range(10, 20)]
    height = lane.publish({commitment_key(p): packet_commitment(p) for p in packets})
    lane.advance()
    calls = [relay_call(lane, "recvPacket", lane.receive_message(p, height), gas=600_000) for p in packets]
    update = relay_call(
        lane, "updateClient", LOCAL_CLIENT, lane.update_message(lane.chain.latest.header.height), gas=600_000
    )
    batch = lane.router.transact("relayBatch", (update, *calls))
    assert all(batch.value)
    figures["relayBatch of an update and 10 receives"] = batch.gas_used
    print()
    for name, gas in figures.items():
        print(f"{name}: {gas}")
    assert figures["recvPacket"] < 400_000
    assert figures["ackPacket"] < 300_000
    assert figures["timeoutPacket"] < 300_000
