"""Feeds of values that k of n signers report (docs/spec/feeds.md). Each type holds its own bounds."""

import re
from dataclasses import dataclass
from enum import IntEnum

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

MAX_SIGNERS = 64
MAX_DECIMALS = 38
MAX_HEARTBEAT_S = 2**32 - 1
MAX_LABEL_CHARS = 64
MIN_VALUE, MAX_VALUE = -(2**127), 2**127 - 1
SIGNATURE_BYTES = 65
_LABEL = re.compile(r"[!-~]{1,64}")


class FeedRule(IntEnum):
    """How the reports of a round become one value."""

    MEDIAN = 1
    """The one in the middle; of an even number the lower of the two there, so that the value is one that was signed."""


@dataclass(frozen=True, slots=True)
class FeedDescription:
    """What a feed is: its hash is its id, so that nobody can change it.

    `signers` are 20-byte addresses, ascending; `threshold` of them report, which is more than half. Values are in units of
    ten to the minus `decimals`. The signers promise a round every `heartbeat_s` seconds.
    """

    signers: tuple[bytes, ...]
    threshold: int
    rule: FeedRule
    decimals: int
    heartbeat_s: int
    label: str

    def __post_init__(self) -> None:
        count = len(self.signers)
        if not 1 <= count <= MAX_SIGNERS or any(len(signer) != ADDRESS_BYTES for signer in self.signers):
            raise MalformedInput("feed.signers", f"1 to {MAX_SIGNERS} addresses of {ADDRESS_BYTES} bytes", got=count)
        if not bytes(ADDRESS_BYTES) < self.signers[0] or list(self.signers) != sorted(set(self.signers)):
            raise MalformedInput("feed.signers", "ascend, none of them twice or zero", got=count)
        if not count < 2 * self.threshold <= 2 * count:
            raise MalformedInput(
                "feed.threshold", "more than half of the signers", self.threshold, f"{count // 2 + 1} to {count}"
            )
        if not 0 <= self.decimals <= MAX_DECIMALS:
            raise MalformedInput("feed.decimals", f"at most {MAX_DECIMALS}", got=self.decimals)
        if not 1 <= self.heartbeat_s <= MAX_HEARTBEAT_S:
            raise MalformedInput("feed.heartbeat_s", "a uint32, not zero", got=self.heartbeat_s)
        if _LABEL.fullmatch(self.label) is None:
            raise MalformedInput(
                "feed.label", f"1 to {MAX_LABEL_CHARS} printable ASCII characters without spaces", got=self.label
            )

    @property
    def tolerated_liars(self) -> int:
        """How many signers may lie without effect, however a pusher chooses among the reports."""
        return (self.threshold - 1) // 2


@dataclass(frozen=True, slots=True)
class Report:
    """What one signer says of one round: `value` in the feed's units, and 65 bytes r ‖ s ‖ v."""

    value: int
    signature: bytes

    def __post_init__(self) -> None:
        check_value(self.value)
        if len(self.signature) != SIGNATURE_BYTES:
            raise MalformedInput("report.signature", f"{SIGNATURE_BYTES} bytes", got=len(self.signature))


@dataclass(frozen=True, slots=True)
class Round:
    """A round as a contract stores it: value, Unix seconds, and of how many reports the value was taken."""

    value: int
    time_s: int
    count: int

    def __post_init__(self) -> None:
        check_value(self.value)
        check_round_time(self.time_s)
        if not 1 <= self.count <= MAX_UINT64:
            raise MalformedInput("round.count", "a uint64, not zero", got=self.count)


def check_value(value: int) -> None:
    """A value is an int128.

    Raises:
        MalformedInput: it is not.
    """
    if not MIN_VALUE <= value <= MAX_VALUE:
        raise MalformedInput("report.value", "an int128", got=value)


def check_round_time(time_s: int) -> None:
    """The time of a round is a uint64 and not zero, Unix seconds.

    Raises:
        MalformedInput: it is not.
    """
    if not 1 <= time_s <= MAX_UINT64:
        raise MalformedInput("round.time_s", "a uint64, not zero", got=time_s)
