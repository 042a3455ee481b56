"""Why a receiver refused, out of a router's log: decoded, unwrapped, bounded, and attached to its own packet alone."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.abi import selector
from hutong.adapters.ics26.events import NOOP_TOPIC, Log
from hutong.adapters.ics26.refusals import CALLBACK_ERROR_TOPIC, MAX_REASON_CHARS, Refusals, refusal_of
from hutong.adapters.interface import PacketEvent, PacketEventKind
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload

PACKET = Packet(1, "client-0", "client-0", 2_000_000_000, (Payload("mail", "shop", "v1", "text", b"x"),))


def error(signature: str, *values) -> bytes:
    types = signature[signature.index("(") + 1 : -1]
    return selector(signature) + encode(types.split(",") if types else [], values)


def log(data: bytes, transaction=b"\1" * 32, topic=CALLBACK_ERROR_TOPIC) -> Log:
    return Log(b"\2" * 20, (topic,), data, 5, b"\3" * 32, transaction, 0, removed=False)


def reason(data: bytes) -> str:
    return refusal_of(encode(["bytes"], [data]), evm_reverts())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (error("Error(string)", "no such account"), "Error: no such account"),
        (error("ReceiverReverted(bytes)", error("Error(string)", "closed")), "ReceiverReverted: Error: closed"),
        (
            error("ReceiverReverted(bytes)", error("Panic(uint256)", 0x11)),
            "ReceiverReverted: Panic: arithmetic overflow or underflow",
        ),
        (error("IBCAppNotFound(string)", "shop"), "IBCAppNotFound: portId shop"),
        (error("OfTheDappItself(uint256)", 7), "unknown revert data"),
        (b"", "reverted without a reason"),
    ],
)
def test_trial_T11_reasons_are_read(data, said):
    assert reason(data).startswith(said)


def test_trial_T11_reasons_of_strangers_do_nothing_to_a_terminal():
    said = reason(error("Error(string)", "a\x1b]0;owned\x07\u202eb\n" + "x" * 5_000))
    assert said.isprintable() and len(said) <= MAX_REASON_CHARS


def test_trial_T11_a_reason_that_the_router_cut_says_what_it_can():
    """The Mailbox cuts what it wraps so that the whole fits."""
    cut = error("Error(string)", "closed for the season " * 100)[:900]
    assert reason(error("ReceiverReverted(bytes)", cut)).startswith(
        "ReceiverReverted: Error: closed for the season closed"
    )
    assert reason(error("ReceiverReverted(bytes)", cut)[:500]) == "a reason that cannot be read"


@pytest.mark.parametrize(
    ("receiver", "port", "cause"),
    [
        ("0x" + "11" * 20, "gmpport", ": no contract is there, or it is one of the bridge's own"),
        ("bob", "gmpport", ": it is not an address"),
        ("0x" + "11" * 20, "transfer", ""),  # there an account may be the receiver
    ],
)
def test_trial_O8_a_receiver_that_is_not_called_is_told_why(receiver, port, cause):
    packet = replace(PACKET, payloads=(Payload(port, port, "v1", "text", b"x"),))
    refusals = Refusals(evm_reverts())
    assert refusals.takes(log(encode(["bytes"], [error("InvalidReceiver(string)", receiver)])))
    said = refusals.explained(replace(written(ERROR), packet=packet)).refusal
    assert said == f"InvalidReceiver: receiver {receiver}{cause}"


def test_a_wrapper_in_a_wrapper_ends():
    data = error("Error(string)", "deep")
    for _ in range(40):
        data = error("ReceiverReverted(bytes)", data)
    assert reason(data[:4_000]).count("ReceiverReverted") <= 4


@given(st.binary(max_size=5_000))
def test_any_bytes_are_a_line(data):
    for said in (reason(data), refusal_of(data, evm_reverts())):
        assert said.isprintable() and 0 < len(said) <= MAX_REASON_CHARS


def written(acknowledgement, transaction=b"\1" * 32, kind=PacketEventKind.WRITE_ACKNOWLEDGEMENT) -> PacketEvent:
    return PacketEvent(kind, 5, 1, transaction, 1, PACKET, acknowledgement)


def test_trial_T11_a_reason_belongs_to_the_error_right_after_it():
    met = log(encode(["bytes"], [error("Error(string)", "closed")]))
    for event, refusal in (
        (written(ERROR), "Error: closed"),
        (written(Acknowledgement((b"fine",))), None),
        (written(ERROR, transaction=rb"\9" * 32), None),
        (written(None, kind=PacketEventKind.SEND), None),
    ):
        refusals = Refusals(evm_reverts())
        assert refusals.takes(met)
        assert refusals.explained(event).refusal == refusal
        assert refusals.explained(written(ERROR)).refusal is None  # once
    assert not Refusals(evm_reverts()).takes(log(b"", topic=NOOP_TOPIC))
