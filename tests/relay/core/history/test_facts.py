"""What the ledger keeps of packets: parties, token and final end, from payloads that anyone may have written."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.ibc.forward import (
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    encode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.gmp import GmpPacketData, encode_gmp, encode_message
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Acknowledgement, Packet, Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    ForwardInstruction,
    TransferData,
    encode_forward_memo,
    encode_transfer,
)
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.history.facts import every_fact_of, facts_of
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind

SENDER, RECEIVER = "0x" + "aa" * 20, "cosmos1receiver"
PATHS = Paths.of(
    [
        PathConfig(
            a=PathEnd(chain="hub", client=f"bft-evm-{number}"), b=PathEnd(chain=chain, client="client-0")
        )
        for number, chain in enumerate(("alpha", "beta"))
    ]
)  # fmt: skip


def job(value, source_port, destination_port, encoding=ABI_ENCODING, source="alpha", acknowledgement=None):
    kind = JobKind.RECEIVE if acknowledgement is None else JobKind.ACKNOWLEDGE
    ends = ("client-0", "bft-evm-0") if source == "alpha" else ("bft-evm-1", "client-0")
    chains = (source, "hub" if source == "alpha" else "beta")
    packet = Packet(7, *ends, 2_000_000_000, (Payload(source_port, destination_port, "v", encoding, value),))
    return Job(kind, *(chains if acknowledgement is None else chains[::-1]), packet, acknowledgement, 5, 5, 5)


def said(facts):
    return (
        facts.app, facts.sender, facts.receiver, facts.denom, facts.amount, facts.next_client, facts.final_chain, facts.final_client,
    )  # fmt: skip


def test_forwarded_message_says_who_and_where_it_ends():
    inner = encode_gmp(GmpPacketData(SENDER, RECEIVER, b"", b"x", ""))
    request = ForwardRequest("bft-evm-1", "gmpport", "ics27-2", ABI_ENCODING, 1_900_000_000, inner)
    first = every_fact_of(job(encode_forward_request(request), "gmpport", "forward"), PATHS)
    assert said(first) == ("message", SENDER, RECEIVER, None, None, "bft-evm-1", "beta", "client-0")
    stamp = OriginStamp(1, "bft-evm-0", "gmpport", "forward", 7, 1)
    stamped = StampedPayload(stamp, "ics27-2", ABI_ENCODING, inner)
    second = every_fact_of(job(encode_stamped_payload(stamped), "forward", "gmpport", source="hub"), PATHS)
    assert said(second) == ("message", SENDER, RECEIVER, None, None, None, None, None)
    assert second.leg_of == first.packet_id and second.message_id == first.message_id
    unknown = every_fact_of(job(encode_forward_request(request), "gmpport", "forward"), Paths.of([]))
    assert (unknown.next_client, unknown.final_chain) == ("bft-evm-1", None)
    assert said(every_fact_of(job(inner, "gmpport", "gmpport"), PATHS))[:3] == ("message", SENDER, RECEIVER)


def test_parity_row_16_a_message_that_asks_for_gas_has_the_same_facts():
    version, inner = encode_message(GmpPacketData(SENDER, RECEIVER, b"", b"x", ""), 3_000_000)
    request = ForwardRequest("bft-evm-1", "gmpport", version, ABI_ENCODING, 1_900_000_000, inner)
    first = every_fact_of(job(encode_forward_request(request), "gmpport", "forward"), PATHS)
    assert said(first) == ("message", SENDER, RECEIVER, None, None, "bft-evm-1", "beta", "client-0")
    stamped = StampedPayload(OriginStamp(1, "bft-evm-0", "gmpport", "forward", 7, 1), version, ABI_ENCODING, inner)
    second = every_fact_of(job(encode_stamped_payload(stamped), "forward", "gmpport", source="hub"), PATHS)
    assert said(second)[:3] == ("message", SENDER, RECEIVER)


def test_forwarded_transfer_ends_at_the_receiver_of_its_memo():
    memo = encode_forward_memo(ForwardInstruction(RECEIVER, "bft-evm-1", 1_900_000_000))
    for encoding in (ABI_ENCODING, JSON_ENCODING):
        value = encode_transfer(TransferData("atom", SENDER, "hub", 2**255, memo), encoding)
        first = every_fact_of(job(value, "transfer", "transfer", encoding), PATHS)
        assert said(first) == ("transfer", SENDER, RECEIVER, "atom", 2**255, "bft-evm-1", "beta", "client-0")
        value = encode_transfer(TransferData("transfer/bft-evm-0/atom", "hub", RECEIVER, 2**255), encoding)
        second = every_fact_of(job(value, "transfer", "transfer", encoding, source="hub"), PATHS)
        assert second.forward_key == first.forward_key and second.next_client is None
    near_miss = encode_transfer(TransferData("atom", SENDER, "hub", 5, '{"Forward":{}}'), ABI_ENCODING)
    assert said(every_fact_of(job(near_miss, "transfer", "transfer"), PATHS))[:6] == (
        "transfer",
        SENDER,
        "hub",
        "atom",
        5,
        None,
    )


def test_acknowledgement_says_whether_it_was_refused():
    for acknowledgement, refused in (
        (Acknowledgement((ERROR_ACKNOWLEDGEMENT,)), True),
        (Acknowledgement((b"ok",)), False),
    ):
        facts = facts_of(job(b"x", "gmpport", "gmpport", acknowledgement=acknowledgement))
        assert (facts.refused, facts.source_chain, facts.destination_chain) == (refused, "alpha", "hub")
    assert facts_of(job(b"x", "gmpport", "gmpport")).refused is None


@settings(max_examples=60)
@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from(("gmpport", "forward", "transfer", "other")),
    st.sampled_from(("gmpport", "forward", "transfer")),
)
def test_any_payload_has_facts(value, source_port, destination_port):
    facts = every_fact_of(job(value, source_port, destination_port), PATHS)
    assert facts.app in ("message", "transfer", "other") and facts.payload_bytes == len(value)
