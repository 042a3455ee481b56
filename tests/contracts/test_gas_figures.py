"""Gas of what a relay pays for; printed with `pytest -s`, bounded so that a regression fails."""

import pytest

from hutong.adapters.evm.hub_client import encode_membership_proof
from hutong.adapters.evm.hub_reader import ShownRecords, encode_keep, encode_read, encode_read_cached, encode_read_many
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from hutong.light_clients.records import ClientEpoch, encode_epoch, epoch_key
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.hub.state.proofs import merkle_proof
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, Lane, relay_call
from tests.contracts.records.reader_lane import SOURCE, ReaderLane, intrinsic_gas, slot_key
from tests.contracts.records.record_tree import deep_tree_of
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers

UPDATE_BOUNDS = {1: 240_000, 4: 300_000, 7: 350_000, 21: 640_000, 100: 2_300_000}


def lane_of(validators):
    return Lane(chain=SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(validators), 10)))


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize("size", [16, pytest.param(50, marks=pytest.mark.long)])
def test_gas_of_receives_in_batches(size):
    lane = Lane()
    lane.publish({b"other/" + number.to_bytes(4, "big"): b"\x01" * 32 for number in range(1000)})
    receiver = lane.evm.deploy("ExampleReceiver", lane.mailbox.address)
    lane.receive(lane.forwarded_packet(receiver.text, b"x" * 100, sequence=1))
    packets = [lane.forwarded_packet(receiver.text, b"x" * 100, sequence=10 + number) for number in range(size)]
    height = lane.publish({commitment_key(packet): packet_commitment(packet) for packet in packets})
    lane.advance()
    message = lane.update_message(lane.chain.latest.header.height)
    update = relay_call(lane, "updateClient", LOCAL_CLIENT, message, gas=600_000)
    calls = [relay_call(lane, "recvPacket", lane.receive_message(packet, height), gas=400_000) for packet in packets]
    alone = lane.router.transact("relayBatch", calls, keep=False)
    batch = lane.router.transact("relayBatch", (update, *calls))
    assert all(alone.value)
    assert all(batch.value)
    print(f"\n{size} receives: {alone.gas_used // size} each, {batch.gas_used // size} with the client's update")
    assert alone.gas_used // size < 216_000


DEPTHS = {"10^3": 11, "10^6": 21}
"""Steps to a leaf in a tree of so many keys, on average: log2(n) + 1.3."""
RECORDS = (1, 10, 50)
WARM_BOUNDS = {"10^3": 90_000, "10^6": 105_000}
"""Of one record with its epoch shown; with a kept epoch it is below 90 000 in both."""
ONE_MORE_BOUND = 25_000


def records_under_one_root(hub, depth, count):
    """Records that nobody kept yet, under the root of a real header; what shows them, and the client's update to it."""
    keys = [slot_key(1000 * depth + 100 * count + number) for number in range(count)]
    content = {key: hub.observed() for key in keys} | {epoch_key(SOURCE): encode_epoch(ClientEpoch(1, True, 0))}
    tree, root = deep_tree_of(content, depth)
    last_ns = hub.lane.chain.latest.header.time_ns
    height = hub.lane.chain.advance(app_hash=root, time_ns=last_ns + 10**9).header.height
    hub.evm.timestamp_s = last_ns // 10**9 + 2
    update = hub.lane.router.calldata("updateClient", LOCAL_CLIENT, hub.lane.update_message(height))
    hub.lane.update(height)
    at = hub.lane.chain.height(height)
    with_epoch = ShownRecords.of(at, *prove_many(tree, root, [*content]))
    without = ShownRecords.of(at, *prove_many(tree, root, keys))
    return with_epoch, without, len(update)


def gas_of_an_update(lane):
    """Of an update to the next block, without the transaction's own gas."""
    lane.advance()
    message = lane.update_message(lane.chain.latest.header.height)
    data = lane.router.calldata("updateClient", LOCAL_CLIENT, message)
    outcome = lane.router.transact("updateClient", LOCAL_CLIENT, message, keep=False)
    return outcome.gas_used, outcome.gas_used - intrinsic_gas(data)


@pytest.mark.long
@pytest.mark.parametrize("keys", DEPTHS)
def test_gas_of_record_reads(keys):
    hub = ReaderLane()
    update_gas, _ = gas_of_an_update(hub.lane)
    hub.lane.update()
    warm = {}
    for count in RECORDS:
        shown, without_epoch, _ = records_under_one_root(hub, DEPTHS[keys], count)
        read = encode_read if count == 1 else encode_read_many
        warm[count] = hub.gas(read(shown, 60))
        kept = hub.gas(encode_keep(shown))
        hub.call(encode_keep(shown), keep=True)
        with_kept_epoch = hub.gas(read(without_epoch, 60))
        cached = hub.gas(encode_read_cached([record.key for record in shown.records], 60))
        print(
            f"\n{keys} keys, {count} records: cold {warm[count] + update_gas - 21_000}, warm {warm[count]}, warm with a kept"
            f" epoch {with_kept_epoch}, cached {cached}, keep {kept}, proof {len(shown.proof.siblings)} siblings"
        )
        if count == 1:
            assert with_kept_epoch < 90_000
            assert warm[1] < WARM_BOUNDS[keys]
        else:
            assert (warm[count] - warm[1]) / (count - 1) < ONE_MORE_BOUND
        assert cached < warm[count]


@pytest.mark.parametrize("keys", DEPTHS)
def test_gas_of_one_smt_proof(keys):
    """`HubClient.verifyMembership` as a transaction of its own, beside one record by a multiproof without an epoch."""
    hub = ReaderLane()
    key, value = b"identity/" + bytes(32), b"\x01" * 69
    tree, root = deep_tree_of({key: value}, DEPTHS[keys])
    hub.lane.chain.advance(app_hash=root)
    hub.evm.timestamp_s += 2
    height = hub.lane.chain.latest.header.height
    hub.lane.update(height)
    proof = encode_membership_proof(merkle_proof(tree, root, key))
    single = hub.lane.client.transact("verifyMembership", (proof, (1, height), (key,), value), keep=False).gas_used
    shown = ShownRecords.of(hub.lane.chain.height(height), *prove_many(tree, root, [key]))
    reader = hub.gas(encode_read(shown, 60))
    print(f"\n{keys} keys: verifyMembership {single}, HubReader.read without an epoch {reader}")
    assert single < 80_000
    assert reader < 80_000
