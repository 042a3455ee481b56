"""Descriptions and reports as JSON documents: what signers and pushers hand to each other (docs/spec/feeds.md)."""

import re
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.feeds.digest import feed_id
from hutong.light_clients.feeds.types import (
    MAX_DECIMALS,
    MAX_HEARTBEAT_S,
    MAX_LABEL_CHARS,
    MAX_SIGNERS,
    SIGNATURE_BYTES,
    FeedDescription,
    FeedRule,
    Report,
    check_round_time,
)
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, HexForm
from hutong.light_clients.interface.height import MAX_UINT64

DESCRIPTION_FORMAT = "hutong-feed"
REPORT_FORMAT = "hutong-feed-report"
VERSION = 1
MAX_DESCRIPTION_BYTES = 8192
MAX_REPORT_BYTES = 1024
_ID_BYTES = 32
_VALUE = re.compile(r"0|-?[1-9][0-9]{0,38}")
_RULES = {"median": FeedRule.MEDIAN}
_RULE_NAMES = {rule: name for name, rule in _RULES.items()}
_RULE_NAME = re.compile("|".join(_RULES))


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """One signer's report with the feed (its id, 32 bytes) and the round (Unix seconds) that it is for."""

    feed: bytes
    time_s: int
    report: Report


def parse_description(data: bytes) -> FeedDescription:
    """A feed's description.

    Raises:
        MalformedInput: it is not a document of this format, or breaks a bound.
    """
    return read_description(Document.parse(data, "feed", MAX_DESCRIPTION_BYTES))


def read_description(document: Document) -> FeedDescription:
    """A feed's description that is a part of another document.

    Raises:
        MalformedInput: as `parse_description`.
    """
    with document.of_format("a description of a feed", DESCRIPTION_FORMAT, VERSION) as fields:
        signers = tuple(signer.hex(ADDRESS_BYTES, HexForm.PREFIXED) for signer in fields["signers"].items(MAX_SIGNERS))
        return FeedDescription(
            signers,
            fields["threshold"].integer(1, MAX_SIGNERS),
            _RULES[fields["rule"].matching(_RULE_NAME, "a rule: median")],
            fields["decimals"].integer(0, MAX_DECIMALS),
            fields["heartbeat_s"].integer(1, MAX_HEARTBEAT_S),
            fields["label"].ascii(MAX_LABEL_CHARS, 1),
        )


def description_document(feed: FeedDescription) -> dict[str, Any]:
    """What `parse_description` reads."""
    return {
        "format": DESCRIPTION_FORMAT,
        "version": VERSION,
        "signers": [f"0x{signer.hex()}" for signer in feed.signers],
        "threshold": feed.threshold,
        "rule": _RULE_NAMES[feed.rule],
        "decimals": feed.decimals,
        "heartbeat_s": feed.heartbeat_s,
        "label": feed.label,
    }


def parse_report(data: bytes) -> ReportDocument:
    """One signer's report; nothing is verified.

    Raises:
        MalformedInput: it is not a document of this format, or breaks a bound.
    """
    with Document.parse(data, "report", MAX_REPORT_BYTES).of_format("a report", REPORT_FORMAT, VERSION) as fields:
        feed = fields["feed"].hex(_ID_BYTES, HexForm.PREFIXED)
        time_s = fields["time_s"].integer(1, MAX_UINT64)
        return ReportDocument(feed, time_s, read_report(fields["value"], fields["signature"]))


def read_report(value: Document, signature: Document) -> Report:
    """A report from the two fields of another document that say it.

    Raises:
        MalformedInput: a field is not as here, or out of bounds.
    """
    units = int(value.matching(_VALUE, "a decimal number as text"))
    return Report(units, signature.hex(SIGNATURE_BYTES, HexForm.PREFIXED))


def report_document(feed: FeedDescription, time_s: int, report: Report) -> dict[str, Any]:
    """What `parse_report` reads."""
    check_round_time(time_s)
    return {
        "format": REPORT_FORMAT,
        "version": VERSION,
        "feed": f"0x{feed_id(feed).hex()}",
        "time_s": time_s,
        "value": str(report.value),
        "signature": f"0x{report.signature.hex()}",
    }


def value_of_text(text: str, decimals: int) -> int:
    """A decimal number as a person writes it, in units of ten to the minus `decimals`: `12.5` with 2 is 1250.

    Raises:
        MalformedInput: no such number, or more digits after the point than the feed has.
    """
    matched = re.fullmatch(r"(-?)(0|[1-9][0-9]{0,38})(?:\.([0-9]{1,38}))?", text)
    if matched is None or len(matched[3] or "") > decimals:
        raise MalformedInput("value", f"a decimal number with at most {decimals} digits after the point", got=text)
    units = int(matched[2] + (matched[3] or "").ljust(decimals, "0"))
    return -units if matched[1] else units


def text_of_value(value: int, decimals: int) -> str:
    """A value in the feed's units as a person reads it; inverse of `value_of_text`."""
    digits = str(abs(value)).rjust(decimals + 1, "0")
    whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{'-' if value < 0 else ''}{whole}{f'.{part}' if part else ''}"
