"""The memo that sends tokens on over the hub (docs/spec/transfer-packets.md)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.transfer import ForwardInstruction, decode_forward_memo, encode_forward_memo
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from tests.light_clients.ibc.ibc_strategies import FORWARD_INSTRUCTIONS

RECEIVER = "0x" + "22" * 20
INSTRUCTION = ForwardInstruction(RECEIVER, "bft-evm-1", 1_700_000_000)


def memo(**changed: object) -> str:
    fields = {"receiver": RECEIVER, "port": "transfer", "channel": "bft-evm-1", "timeout_timestamp": 1_700_000_000}
    return json.dumps({"forward": {name: value for name, value in (fields | changed).items() if value is not ...}})


@given(FORWARD_INSTRUCTIONS)
def test_instructions_survive_their_memo(instruction):
    assert decode_forward_memo(encode_forward_memo(instruction)) == instruction


def test_the_canonical_memo():
    assert encode_forward_memo(INSTRUCTION) == (
        f'{{"forward":{{"receiver":"{RECEIVER}","port":"transfer","channel":"bft-evm-1","timeout_timestamp":1700000000}}}}'
    )
    assert decode_forward_memo(memo()) == INSTRUCTION


@pytest.mark.parametrize("text", ["", "thanks", "[1]", '"forward"', '{"note":"for you"}', '{"wasm":{}}', " 7"])
def test_a_remark_is_no_instruction(text):
    assert decode_forward_memo(text) is None


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [("10m", 600), ("1h30m", 5400), ("90s", 90), (600 * 10**9, 600), ("1500ms", 1), (..., 300)],
)
def test_stock_memos_say_how_long_from_the_receive_on(timeout, seconds):
    instruction = decode_forward_memo(memo(timeout_timestamp=..., timeout=timeout))
    assert instruction.deadline_s(1_000) == 1_000 + seconds
    assert INSTRUCTION.deadline_s(1_000) == 1_700_000_000


def test_no_retries_is_what_the_hub_does():
    assert decode_forward_memo(memo(retries=0)) == INSTRUCTION


@pytest.mark.parametrize("changed", [{"retries": 2}, {"retries": -1}, {"next": {"forward": {}}}, {"next": "{}"}])
def test_what_other_middlewares_do_is_refused_as_not_supported(changed):
    with pytest.raises(UnsupportedOperation, match="forward_memo"):
        decode_forward_memo(memo(**changed))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"forward":1}',
        '{"forward":null}',
        '{"forward":{},"forward":{}}',
        '{"forward":{},"wasm":{}}',
        '{"Forward":{}}',
        '{" forward":{}}',
        memo(extra="x"),
        memo(receiver=...),
        memo(receiver=""),
        memo(receiver=7),
        memo(receiver="x" * 2049),
        memo(receiver="\ud800"),
        memo(port="forward"),
        memo(port=...),
        memo(channel="nothing"),
        memo(channel="../../a-1"),
        memo(timeout_timestamp=0),
        memo(timeout_timestamp=-1),
        memo(timeout_timestamp=2**64),
        memo(timeout_timestamp="1700000000"),
        memo(timeout_timestamp=1.5),
        memo(timeout_timestamp=True),
        memo(timeout_timestamp=None),
        memo(timeout="10m"),
        memo(timeout_timestamp=..., timeout="0s"),
        memo(timeout_timestamp=..., timeout="1.5h"),
        memo(timeout_timestamp=..., timeout="-1s"),
        memo(timeout_timestamp=..., timeout="10"),
        memo(timeout_timestamp=..., timeout=""),
        memo(timeout_timestamp=..., timeout="9999999999999999999h"),
        memo(timeout_timestamp=..., timeout="1s" * 100),
        memo(timeout_timestamp=..., timeout=1e9),
        memo(retries="0"),
        '{"forward":' * 70 + "1" + "}" * 70,
        " " + memo()[:-1],
    ],
)
def test_attack_E18_a_botched_instruction_is_never_a_remark(text):
    with pytest.raises(MalformedInput):
        decode_forward_memo(text)
    assert decode_forward_memo(memo()) == INSTRUCTION


@given(st.text(max_size=200) | st.text(max_size=100).map(lambda text: '{"forward":' + text + "}"))
def test_any_text_gives_a_verdict(text):
    try:
        instruction = decode_forward_memo(text)
    except VerificationError:
        return
    if instruction is not None:
        assert decode_forward_memo(encode_forward_memo(instruction)) == instruction
