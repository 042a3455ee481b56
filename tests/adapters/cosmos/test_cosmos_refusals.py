"""What a node says of a refused transaction, and which of our errors it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.refusals import (
    MAX_REASON_CHARS,
    checked_refusal,
    failing_message,
    own_address_refusal,
    pool_refusal,
    reason_of,
    sequence_mismatch,
)
from hutong.adapters.interface import (
    AlreadyKnown,
    AlreadyRelayed,
    BroadcastRefused,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    Underpriced,
)

HASH = b"\x07" * 32
# As SDK 0.53 writes them, source lines included.
LOW = "account sequence mismatch, expected 8, got 5: incorrect account sequence [x/auth/ante/sigverify.go:364]"
HIGH = "account sequence mismatch, expected 5, got 8: incorrect account sequence"


@pytest.mark.parametrize(
    ("codespace", "code", "log", "kind", "words"),
    [
        ("sdk", 32, LOW, NonceTooLow, "expected 8, got 5"),
        ("sdk", 3, LOW, NonceTooLow, "expected 8"),
        ("sdk", 32, HIGH, NonceTooHigh, "expected 5, got 8"),
        ("sdk", 32, "another text", NonceTooLow, "another text"),
        (
            "sdk",
            13,
            "insufficient fees; got: 1stake required: 5stake: insufficient fee",
            Underpriced,
            "required: 5stake",
        ),
        ("sdk", 13, "insufficient fees", Underpriced, "raise gas_price"),
        ("sdk", 5, "spendable balance 1stake is smaller than 5stake: insufficient funds", InsufficientFunds, "smaller"),
        ("sdk", 9, "fee payer address: x does not exist: unknown address", InsufficientFunds, "never funded"),
        ("sdk", 19, "tx already in mempool", AlreadyKnown, "already in mempool"),
        ("sdk", 20, "mempool is full", BroadcastRefused, "pool is full"),
        ("sdk", 21, "", BroadcastRefused, "too large"),
        ("sdk", 41, "", BroadcastRefused, "above a block's"),
        ("sdk", 4, "signature verification failed", BroadcastRefused, "chain id and account number"),
        ("sdk", 11, "out of gas in location: ReadFlat", BroadcastRefused, "gas limit is too low"),
        ("channel", 22, "packet messages are redundant", AlreadyRelayed, "relayed by another already"),
        ("channel", 5, "insufficient", BroadcastRefused, "insufficient"),
        ("", 1, "", BroadcastRefused, "code 1"),
    ],
)
def test_codes_decide_the_class(codespace, code, log, kind, words):
    refusal = checked_refusal(HASH, codespace, code, log)
    assert type(refusal) is kind
    assert refusal.transaction_hash == HASH
    assert words in refusal.reason
    assert ".go:" not in refusal.reason


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Internal error: tx already exists in cache", AlreadyKnown),
        ("Internal error: mempool is full: number of txs 5000 (max: 5000)", BroadcastRefused),
        ("Internal error: mempool is still rechecking after a new committed block", BroadcastRefused),
        ("Internal error: Tx too large. Max size is 1048576, but got 2000000", BroadcastRefused),
        ("Internal error: EOF", None),
    ],
)
def test_refusals_of_the_pool_itself(words, kind):
    refusal = pool_refusal(HASH, words)
    assert (refusal if kind is None else type(refusal)) is kind


@pytest.mark.parametrize(
    ("log", "count", "index"),
    [
        ("rpc error: code = Unknown desc = failed to execute message; message index: 2: boom: failed", 3, 2),
        ("failed to execute message; message index: 0: boom", 1, 0),
        ("failed to create message events; message index: 1: boom", 2, 1),
        ("failed to execute message; message index: 3: boom", 3, None),
        ("out of gas in location: WriteFlat; gasWanted: 1, gasUsed: 2: out of gas", 3, None),
        # a packet's own words come after the SDK's
        ("failed to execute message; message index: 1: failed to execute message; message index: 0: x", 2, 1),
    ],
)
def test_index_of_the_failing_message(log, count, index):
    assert failing_message(log, count) == index


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "invalid address: hrp does not match bech32 prefix: expected 'cosmos' got 'osmo': internal logic error",
            "addresses of this chain begin with 'cosmos', not 'osmo': mend bech32_prefix",
        ),
        ("decoding bech32 failed: invalid checksum", "decoding bech32 failed: invalid checksum"),
    ],
)
def test_wrong_prefix_of_our_own_address_is_told_with_the_right_one(log, reason):
    assert own_address_refusal("sdk", 18, log) == reason


def test_wrong_prefix_in_words_of_others_blames_no_configuration():
    assert "bech32_prefix" not in reason_of("sdk", 7, "hrp does not match bech32 prefix: expected 'cosmos' got 'osmo'")


def test_reason_is_what_the_chain_said_without_its_frame():
    log = (
        "rpc error: code = Unknown desc = failed to execute message; message index: 1: client\nstate is\tnot active "
        "[cosmos/ibc-go@v10.7.0/modules/core/02-client/keeper/client.go:77] with gas used: '67388': unknown request"
    )
    assert reason_of("sdk", 6, log) == "client state is not active"


@given(st.text(max_size=2_000), st.text(max_size=20), st.integers(1, 2**32 - 1))
def test_any_log_gives_one_bounded_printable_line(log, codespace, code):
    reason = reason_of(codespace, code, log)
    assert reason and reason.isprintable() and len(reason) < MAX_REASON_CHARS + 200
    assert failing_message(log, 1) in (None, 0)
    assert isinstance(checked_refusal(HASH, codespace, code, log), BroadcastRefused)
    sequence_mismatch(log)
