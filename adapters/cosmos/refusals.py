"""What a node's refusal means. Codes decide; words only where the SDK puts numbers nowhere else."""

import re
from collections.abc import Callable

from hutong.adapters.interface import (
    AlreadyKnown,
    AlreadyRelayed,
    BroadcastRefused,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    Underpriced,
)
from hutong.light_clients.interface.errors import shown

SDK = "sdk"
WRONG_SEQUENCE_CODES = (3, 32)
UNAUTHORIZED_CODE = 4
UNKNOWN_ADDRESS_CODE = 9
OUT_OF_GAS_CODE = 11
REDUNDANT = ("channel", 22)
MAX_REASON_CHARS = 400

_CLASSES: dict[int, Callable[[bytes, str], BroadcastRefused]] = {
    5: InsufficientFunds,
    UNKNOWN_ADDRESS_CODE: InsufficientFunds,  # an account that was never funded does not exist
    13: Underpriced,
    19: AlreadyKnown,
}
_SENTENCES = {
    (SDK, UNAUTHORIZED_CODE): "the signature is not of this chain id and account number",
    (SDK, UNKNOWN_ADDRESS_CODE): "the account does not exist: it was never funded",
    (SDK, OUT_OF_GAS_CODE): "the gas limit is too low",
    (SDK, 13): "the fee is below the node's minimum: raise gas_price, or mend its denomination",
    (SDK, 20): "the node's pool is full",
    (SDK, 21): "the transaction is too large for the node",
    (SDK, 41): "the gas limit is above a block's",
    REDUNDANT: "every packet in it was relayed by another already",
}
_POOL_WORDS: tuple[tuple[str, Callable[[bytes, str], BroadcastRefused]], ...] = (
    ("tx already exists in cache", AlreadyKnown),
    ("mempool is full", BroadcastRefused),
    ("mempool is still rechecking", BroadcastRefused),
    ("Tx too large", BroadcastRefused),
)
"""CometBFT's own refusals are JSON-RPC errors without a code."""

_GENESIS_NUMBER = "please verify account number (0)"
_SEQUENCES = re.compile(r"account sequence mismatch, expected ([0-9]{1,20}), got ([0-9]{1,20})", re.ASCII)
_WRONG_PREFIX = re.compile(r"hrp does not match bech32 prefix: expected '([^']{1,83})' got '([^']{1,83})'", re.ASCII)
_MESSAGE_INDEX = re.compile(
    r"failed to (?:execute message|create message events); message index: ([0-9]{1,4}): ", re.ASCII
)
_GRPC_PREFIX = re.compile(r"rpc error: code = \w+ desc = ", re.ASCII)
_SOURCE_LINE = re.compile(r" \[[A-Za-z0-9_./@-]{1,160}\.go:[0-9]+\]", re.ASCII)
_GAS_SUFFIX = re.compile(r" with gas used: '[0-9]+'(?:: unknown request)?\Z", re.ASCII)


def sequence_mismatch(log: str) -> tuple[int, int] | None:
    """(expected, got) if the refusal is about the account's sequence, else None.

    The SDK writes the two numbers into the log and nowhere else.
    """
    match = _SEQUENCES.search(log)
    return None if match is None else (int(match[1]), int(match[2]))


def failing_message(log: str, count: int) -> int | None:
    """Which of `count` messages failed: the first index that the log names, which the SDK writes before anything else.

    Returns:
        None if the log names none, or one that is too high.
    """
    match = _MESSAGE_INDEX.search(log)
    return int(match[1]) if match is not None and int(match[1]) < count else None


def reason_of(codespace: str, code: int, log: str) -> str:
    """One line for a person: our sentence for what is common, and what the chain said, printable and bounded.

    Args:
        codespace, code, log: as CheckTx or a result gives them.
    """
    said = _GAS_SUFFIX.sub("", _GRPC_PREFIX.sub("", log, count=1))
    said = _MESSAGE_INDEX.sub("", said, count=1)
    said = _SOURCE_LINE.sub("", said)
    said = _one_line(said)[:MAX_REASON_CHARS]
    sentence = _SENTENCES.get((codespace, code))
    if sentence is None:
        return said or f"code {code} of {_one_line(shown(codespace))}"
    return f"{sentence} ({said})" if said else sentence


def own_address_refusal(codespace: str, code: int, log: str) -> str:
    """As `reason_of`, for a query about an address of ours: a wrong prefix can only come from the configuration."""
    said = reason_of(codespace, code, log)
    if (prefixes := _WRONG_PREFIX.search(said)) is None:
        return said
    return f"addresses of this chain begin with {prefixes[1]!r}, not {prefixes[2]!r}: mend bech32_prefix"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def checked_refusal(transaction_hash: bytes, codespace: str, code: int, log: str) -> BroadcastRefused:
    """The error for an application's refusal in CheckTx, by whose fault it is.

    Args:
        codespace, code, log: as CheckTx gives them.
    """
    reason = reason_of(codespace, code, log)
    if (codespace, code) == REDUNDANT:
        return AlreadyRelayed(transaction_hash, reason)
    if codespace != SDK:
        return BroadcastRefused(transaction_hash, reason)
    if code in WRONG_SEQUENCE_CODES:
        sequences = sequence_mismatch(log)
        too_high = sequences is not None and sequences[0] < sequences[1]
        return (NonceTooHigh if too_high else NonceTooLow)(transaction_hash, reason)
    return _CLASSES.get(code, BroadcastRefused)(transaction_hash, reason)


def node_has_just_started(codespace: str, code: int, log: str, account_number: int) -> bool:
    """Whether a node refuses a signature only because it has made no block since it started.

    Until then a node of the SDK checks signatures as at genesis: with account number 0.
    """
    return (codespace, code) == (SDK, UNAUTHORIZED_CODE) and account_number != 0 and _GENESIS_NUMBER in log


def pool_refusal(transaction_hash: bytes, words: str) -> BroadcastRefused | None:
    """The error for a refusal of CometBFT's pool, before the application was asked.

    Args:
        words: of the JSON-RPC error, which has no code for it.

    Returns:
        None if the error is about the endpoint.
    """
    for text, kind in _POOL_WORDS:
        if text in words:
            return kind(transaction_hash, _one_line(shown(words)))
    return None
