"""The one error taxonomy of every verifier, cut by who must act.

All expected failures derive from `VerificationError` and carry what was got and what was expected.
Anything else that a verifier raises is a bug and must be loud (the hub halts on it).
"""

from dataclasses import dataclass
from typing import Any

SHOWN_BYTES = 36


def shown(value: Any) -> str:
    """Render evidence for a sentence: bytes as hex, long values cut, so that an error never prints a whole proof.

    Lists and objects of JSON are counted only: they may be too deep to print, and which characters Python prints as
    they are changes between its versions, while the hub stores these sentences.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        head = raw[:SHOWN_BYTES].hex()
        return f"0x{head}" if len(raw) <= SHOWN_BYTES else f"0x{head}… ({len(raw)} bytes)"
    text = f"{type(value).__name__} of {len(value)}" if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 4 * SHOWN_BYTES else f"{text[: 4 * SHOWN_BYTES]}…"


class VerificationError(Exception):
    """Base of every expected refusal."""


@dataclass(eq=True)
class MalformedInput(VerificationError):
    """The bytes are not a canonical encoding within bounds: the sender is wrong, nothing was verified.

    `field` is a dotted path from the outermost message (`header.commit.signatures[3].timestamp`).
    """

    field: str
    reason: str
    got: Any = None
    expected: Any = None

    def __str__(self) -> str:
        text = f"malformed {self.field}: {self.reason}"
        if self.expected is not None:
            text += f"; expected {shown(self.expected)}"
        if self.got is not None:
            text += f", got {shown(self.got)}"
        return text


@dataclass(eq=True)
class PredicateFailed(VerificationError):
    """Well-formed input breaks the named rule of the protocol."""

    predicate: str
    reason: str
    got: Any = None
    expected: Any = None

    def __str__(self) -> str:
        text = f"{self.predicate}: {self.reason}"
        if self.expected is not None:
            text += f"; expected {shown(self.expected)}"
        if self.got is not None:
            text += f", got {shown(self.got)}"
        return text


@dataclass(eq=True)
class TooLittleOverlap(PredicateFailed):
    """Too few of those who were trusted signed the header, by number or weight.

    A nearer header may still be provable.
    """

    signed: int = 0
    needed: int = 0
    total: int = 0


@dataclass(eq=True)
class ClientExpired(VerificationError):
    """The trusted state is older than the trusting period; recovery needs a substitute client."""

    expired_at_ns: int
    now_ns: int

    def __str__(self) -> str:
        return f"trusted state expired at {self.expired_at_ns} ns, now is {self.now_ns} ns"


@dataclass(eq=True)
class ClientFrozen(VerificationError):
    """Misbehaviour was proven against this client; recovery needs a substitute client."""

    reason: str = "client is frozen"

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=True)
class UnknownHeight(VerificationError):
    """No consensus state is stored at the height that the proof or header refers to."""

    height: Any
    latest: Any = None

    def __str__(self) -> str:
        text = f"no consensus state at height {self.height}"
        return text if self.latest is None else f"{text}; latest is {self.latest}"


@dataclass(eq=True)
class InsufficientTrust(VerificationError):
    """Too little of the trusted power signed a skipped-to header: no fault of it, a nearer header may do.

    A check raises it so that the audit prints it; `verify_header` returns it as the value `NotEnoughTrust`.
    """

    signed_power: int
    needed_power: int
    total_power: int

    def __str__(self) -> str:
        return (
            f"not enough trust: {self.signed_power} of {self.total_power} trusted power signed, "
            f"more than {self.needed_power} is needed"
        )


@dataclass(eq=True)
class UnsupportedOperation(VerificationError):
    """The input is legal in the standard, but hutong does not offer it (never a plausible default).

    `detail` is for people: since when, and what to do instead. The hub stores `sentence`, which has no detail, as every
    version of it did.
    """

    operation: str
    detail: str = ""

    @property
    def sentence(self) -> str:
        """Without `detail`: the hub stores and hashes it, so its words never change."""
        return f"not supported: {self.operation}"

    def __str__(self) -> str:
        return f"{self.sentence}; {self.detail}" if self.detail else self.sentence
