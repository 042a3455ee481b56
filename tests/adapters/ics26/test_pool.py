"""What an endpoint's pool says is read strictly, bounded, and harms nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.reading.pool import pooled_packet as cosmos_packet
from hutong.adapters.cosmos.transactions.messages import SdkMessage
from hutong.adapters.ics26.pool import MAX_POOLED_TRANSACTIONS, _packets, relayed
from hutong.adapters.interface import BadAnswer, PacketEventKind, PooledPacket
from hutong.adapters.rpc import Fields
from tests.adapters.ics26.test_noops import UPDATE, acknowledge, batch, receive

ROUTER = b"\x51" * 20
SENDER = "0x" + "22" * 20


def transaction(data: bytes, **fields) -> dict:
    defaults = {"from": SENDER, "to": "0x" + ROUTER.hex(), "input": "0x" + data.hex(), "maxFeePerGas": "0x64"}
    return {**defaults, **fields}


def pool(*transactions, place="pending") -> Fields:
    content = {"pending": {}, "queued": {}} | {place: {SENDER: {str(n): one for n, one in enumerate(transactions)}}}
    return Fields("txpool_content", content)


def read(fields: Fields, base_fee_wei: int = 7) -> list[PooledPacket]:
    return list(_packets(fields, ROUTER, base_fee_wei))


def test_parity_row_54_packets_of_pending_batches_are_found():
    found = read(pool(transaction(batch(UPDATE, receive(3), acknowledge(4)))))
    assert [(one.kind, one.client_id, one.sequence) for one in found] == [
        (PacketEventKind.WRITE_ACKNOWLEDGEMENT, "client-7", 3),
        (PacketEventKind.ACKNOWLEDGE, "client-0", 4),
    ]
    assert {one.sender for one in found} == {SENDER}


def test_attack_G7_what_may_wait_for_ever_holds_nobody():
    data = batch(receive(3))
    assert read(pool(transaction(data, maxFeePerGas="0x6"))) == [], "it is below the base fee"
    assert read(pool(transaction(data), place="queued")) == [], "it lies behind a gap"
    assert read(pool(transaction(data, to="0x" + "33" * 20))) == [] and read(pool(transaction(data, to=None))) == []
    assert len(read(pool(transaction(data, maxFeePerGas=None, gasPrice="0x7")))) == 1


def test_attack_G1_a_pool_beyond_bounds_is_refused():
    with pytest.raises(BadAnswer):
        read(pool(*[transaction(b"")] * (MAX_POOLED_TRANSACTIONS + 1)))
    for broken in ({}, {"pending": []}, {"pending": {SENDER: {"0": {"to": "0x51"}}}}):
        with pytest.raises(BadAnswer):
            read(Fields("txpool_content", broken))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.binary(max_size=80))
def test_any_pool_is_read_or_refused(content, data):
    for fields in (
        Fields("txpool_content", content),
        Fields("txpool_content", {"pending": content}),
        Fields("txpool_content", {"pending": {SENDER: {"0": content}}}),
        pool(transaction(data)),
    ):
        try:
            read(fields)
        except BadAnswer:
            pass


@given(st.binary(max_size=120))
def test_any_call_and_message_says_who_sent_it(data):
    assert relayed(SENDER, data).sender == SENDER
    for url in ("/ibc.core.channel.v2.MsgRecvPacket", "/ibc.core.channel.v2.MsgAcknowledgement", "/other"):
        found = cosmos_packet(SdkMessage(url, data))
        assert found is None or isinstance(found, PooledPacket)
