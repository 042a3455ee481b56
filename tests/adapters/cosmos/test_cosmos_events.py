"""Events of blocks as values: what counts, what is passed over, what is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cometbft.results import MAX_ATTRIBUTES, MAX_TYPE_CHARS, BlockResults, decode_results
from hutong.adapters.cosmos.reading.events import (
    KINDS,
    NO_TRANSACTION,
    BlockPackets,
    PassedOver,
    _packets,
    acknowledged_in,
)
from hutong.adapters.interface import AdapterError, BadAnswer, PacketEventKind
from hutong.adapters.rpc import Fields
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload, encode_acknowledgement, encode_packet
from hutong.light_clients.protobuf import ibc_pb2
from tests.adapters.cosmos.recorded_simd import Recording

RECORDING = Recording.load()
HEIGHT, TIME_NS = 9, 10**18


def packet(count: int = 1) -> ibc_pb2.Packet:
    payload = ibc_pb2.Payload(
        source_port="transfer", destination_port="transfer", version="v", encoding="e", value=b"x"
    )
    return ibc_pb2.Packet(
        sequence=5,
        source_client="07-tendermint-1",
        destination_client="07-tendermint-2",
        timeout_timestamp=99,
        payloads=[payload] * count,
    )


def event(kind: str, message: ibc_pb2.Packet, **more: str) -> dict:
    attributes = {
        "packet_source_client": message.source_client,
        "packet_dest_client": message.destination_client,
        "packet_sequence": str(message.sequence),
        "packet_timeout_timestamp": str(message.timeout_timestamp),
        "encoded_packet_hex": message.SerializeToString(deterministic=True).hex(),
        **more,
    }
    return {"type": kind, "attributes": [{"key": key, "value": value} for key, value in attributes.items()]}


def results(transactions: list[dict] | None, block_events: list[dict] | None = None) -> BlockResults:
    answer = {"height": str(HEIGHT), "txs_results": transactions, "finalize_block_events": block_events}
    return decode_results(Fields("block_results", answer), HEIGHT, KINDS)


def packets(transactions: list[dict], block_events: list[dict] | None = None) -> BlockPackets:
    return _packets(HEIGHT, TIME_NS, results(transactions, block_events), (b"a transaction",) * len(transactions))


def test_events_of_failed_transactions_did_not_happen():
    sent = event("send_packet", packet())
    assert len(packets([{"code": 0, "events": [sent]}]).events) == 1
    assert packets([{"code": 5, "events": [sent]}]).events == ()


def test_events_of_block_begin_and_end_count_and_have_no_transaction():
    (found,) = packets([], [event("send_packet", packet())]).events
    assert (found.kind, found.transaction_hash) == (PacketEventKind.SEND, NO_TRANSACTION)
    assert (found.height, found.block_time_ns) == (HEIGHT, TIME_NS)


def test_events_of_nodes_before_0_38():
    sent = event("send_packet", packet())
    answer = {"height": str(HEIGHT), "txs_results": None, "begin_block_events": [sent], "end_block_events": [sent]}
    found = decode_results(Fields("block_results", answer), HEIGHT, KINDS)
    assert [one.index for one in found.block_events] == [0, 1]


def test_the_index_of_an_event_counts_all_of_the_block():
    other = {"type": "coin_spent", "attributes": []}
    sent = event("send_packet", packet())
    found = packets([{"events": [other, sent]}, {"events": [other]}, {"events": [sent]}], [other, sent]).events
    assert [one.log_index for one in found] == [1, 3, 5]


def test_a_packet_that_only_stock_chains_carry_is_passed_over():
    """17 payloads: ibc-go takes them, our rules do not. Anyone can send it, and it must not stop the others."""
    strange, sound = event("send_packet", packet(17)), event("send_packet", packet())
    found = packets([{"events": [strange, sound]}])
    assert found.passed_over == (PassedOver(PacketEventKind.SEND, "07-tendermint-1", 5),)
    assert [one.packet.sequence for one in found.events] == [5]


def test_an_acknowledgement_that_only_stock_chains_carry_is_passed_over():
    encoded = ibc_pb2.Acknowledgement(app_acknowledgements=[bytes(20_000)]).SerializeToString().hex()
    found = packets([{"events": [event("write_acknowledgement", packet(), encoded_acknowledgement_hex=encoded)]}])
    assert found.events == ()
    assert found.passed_over == (PassedOver(PacketEventKind.WRITE_ACKNOWLEDGEMENT, "07-tendermint-2", 5),)


def test_attack_G9_a_packet_or_acknowledgement_of_any_length_stops_no_others():
    """ibc-go bounds neither a payload's version nor an app's acknowledgement."""
    long, sound = packet(), event("send_packet", packet())
    long.payloads[0].version, long.sequence = "v" * 900_000, 6
    written = event("write_acknowledgement", packet(), encoded_acknowledgement_hex="00" * 900_000)
    found = packets([{"events": [event("send_packet", long), written, event("write_acknowledgement", long), sound]}])
    assert found.passed_over == (
        PassedOver(PacketEventKind.SEND, "07-tendermint-1", 6),
        PassedOver(PacketEventKind.WRITE_ACKNOWLEDGEMENT, "07-tendermint-2", 5),
        PassedOver(PacketEventKind.WRITE_ACKNOWLEDGEMENT, "07-tendermint-2", 6),
    )
    assert [one.packet.sequence for one in found.events] == [5]
    for wrong in ({"packet_sequence": "x"}, {"packet_sequence": "٣"}):
        with pytest.raises(BadAnswer, match="no client with a sequence"):
            packets([{"events": [event("send_packet", long, **wrong)]}])


def test_attack_G9_events_that_contracts_name_as_they_like_stop_no_others():
    named = {"type": "wasm-" + "x" * 5_000, "attributes": []}
    assert len(packets([{"events": [named, event("send_packet", packet())]}]).events) == 1


def test_a_written_acknowledgement_is_the_events_own():
    acknowledgement = Acknowledgement((b"done",))
    encoded = encode_acknowledgement(acknowledgement).hex()
    (found,) = packets(
        [{"events": [event("write_acknowledgement", packet(), encoded_acknowledgement_hex=encoded)]}]
    ).events
    assert (found.acknowledgement, found.client_id) == (acknowledgement, "07-tendermint-2")
    for wrong in ("zz", "ff", encoded + "00"):
        with pytest.raises(BadAnswer):
            packets([{"events": [event("write_acknowledgement", packet(), encoded_acknowledgement_hex=wrong)]}])
    with pytest.raises(BadAnswer, match="is missing"):
        packets([{"events": [event("write_acknowledgement", packet())]}])


def test_a_settled_packets_acknowledgement_is_in_its_transaction():
    height = str(RECORDING.facts["acknowledged"])
    (transaction,) = RECORDING.answer("block", {"height": height})["result"]["block"]["data"]["txs"]
    (acknowledgement,) = acknowledged_in(base64.b64decode(transaction)).values()
    assert acknowledgement.app_acknowledgements == (b'{"result":"AQ=="}',)


@given(st.binary(max_size=200))
def test_attack_H_bytes_that_are_no_transaction_hold_no_acknowledgement(junk):
    assert acknowledged_in(junk) == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "attributes", "key", "value", "code", "data", "gas_used", "events"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_attack_H_results_of_any_shape(junk):
    answer = {"height": str(HEIGHT), "txs_results": junk, "finalize_block_events": junk}
    try:
        decode_results(Fields("block_results", answer), HEIGHT, KINDS)
    except AdapterError as error:
        assert isinstance(error, BadAnswer)


def test_bounds_of_an_event():
    crowd = {"type": "send_packet", "attributes": [{"key": str(n), "value": ""} for n in range(MAX_ATTRIBUTES + 1)]}
    with pytest.raises(BadAnswer, match=f"more than {MAX_ATTRIBUTES}"):
        results([{"events": [crowd]}])
    with pytest.raises(BadAnswer, match="characters"):
        results([{"events": [{"type": "x" * (MAX_TYPE_CHARS + 1)}]}])
    with pytest.raises(BadAnswer, match="is not the asked"):
        decode_results(Fields("block_results", {"height": "3"}), HEIGHT, KINDS)


def test_the_encoding_is_ours():
    ours = Packet(5, "07-tendermint-1", "07-tendermint-2", 99, (Payload("transfer", "transfer", "v", "e", b"x"),))
    assert encode_packet(ours) == packet().SerializeToString(deterministic=True)
