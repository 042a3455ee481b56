"""What Solidity and Python read must be the same, or one side pays what the other never sent (attack lines F3, F4)."""

from functools import cache

import pytest
from eth_abi.abi import encode
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import ForwardInstruction, decode_forward_memo, decode_transfer
from hutong.light_clients.interface import MalformedInput
from tests.contracts.evm import Reverted
from tests.contracts.lane import HUB_SIDE_CLIENT, LOCAL_CLIENT, ORIGIN_CLIENT, RELAYER, REMOTE_SENDER, new_lane
from tests.contracts.transfer.transfer_lane import BOB, TransferLane, text

pytestmark = pytest.mark.safety

PART = st.one_of(
    st.sampled_from(["transfer", "client-0", "bft-evm-1", "channel-0", "usd", "0x" + "cd" * 20, "", "a", "ibc", "x-1"]),
    st.text(alphabet="abc-019_.:#[]<>+ é/", max_size=12),
    st.integers(120, 140).map(lambda length: "u" * length),
)
DENOM = st.one_of(
    st.lists(PART, min_size=1, max_size=6).map("/".join), st.integers(14, 17).map(lambda n: "ab/bft-evm-1/" * n + "x")
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def lane() -> TransferLane:
    return new_lane(TransferLane)


def refusal(value: bytes) -> str:
    """Name of the error with which tokens are refused; empty where they arrive. Nothing is kept."""
    fields = ("transfer", "transfer", "ics20-1", ABI_ENCODING, value)
    message = (HUB_SIDE_CLIENT, LOCAL_CLIENT, 1, fields, RELAYER)
    try:
        lane().transfer.transact("onRecvPacket", message, sender=lane().router.address, keep=False)
    except Reverted as error:
        assert error.name, "a refusal without a reason would be tried for ever"
        return error.name
    return ""


def data_of(denom: str) -> bytes:
    return encode(["(string,string,string,uint256,string)"], [(denom, REMOTE_SENDER, text(BOB), 1, "")])


@pytest.mark.long
@QUICK
@given(DENOM)
@example("transfer/client-0/" * 15 + "x")
@example("transfer/client-0/" * 16 + "x")
@example("u" * 128)
@example("u" * 129)
def test_attack_F3_contract_and_library_take_the_same_denoms(denom):
    """A voucher is made for exactly those denominations whose trace, with this chain's hop in front, the library reads."""
    try:
        Denom.parse(denom).prefixed("transfer", LOCAL_CLIENT)
    except MalformedInput:
        assert refusal(data_of(denom)) in {"InvalidDenom", "InvalidText"}
    else:
        assert refusal(data_of(denom)) == ""


@pytest.mark.long
@QUICK
@given(st.data())
def test_attack_F4_contract_and_library_read_the_same_packets(data):
    """One changed byte of an encoding: both read it, or neither does."""
    value = bytearray(data_of("usd"))
    position = data.draw(st.integers(0, len(value) - 1))
    value[position] = data.draw(st.integers(0, 255))
    changed = bytes(value)
    try:
        read = decode_transfer(changed, ABI_ENCODING)
    except MalformedInput:
        assert refusal(changed)
        return
    # the library also reads what is for other chains: receivers and senders of any form
    if refusal(changed):
        assert refusal(changed) in {"InvalidReceiver", "InvalidText", "InvalidDenom"}
        assert (
            read.receiver != text(BOB)
            or not read.sender.isascii()
            or not read.sender.isprintable()
            or " " in read.sender
        )


@pytest.mark.long
@QUICK
@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60))
@example('","channel":"bft-evm-9')
@example("}}")
def test_attack_E18_contract_forward_memo_says_what_was_asked(receiver):
    """Any printable receiver: the hub reads exactly it, or the send is refused."""
    timeout_s = lane().evm.timestamp_s + 3600
    arguments = (LOCAL_CLIENT, ORIGIN_CLIENT, lane().token.address, 1, receiver, timeout_s)
    try:
        outcome = lane().transfer.transact("sendForwarded", *arguments, sender=b"\xa1" * 20, keep=False)
    except Reverted as error:
        assert error.name == "InvalidText"
        assert '"' in receiver or "\\" in receiver
        return
    memo = lane().data_of(lane().sent(outcome)).memo
    assert decode_forward_memo(memo) == ForwardInstruction(receiver, ORIGIN_CLIENT, timeout_s)
