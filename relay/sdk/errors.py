"""What can go wrong between a dapp and a relay's API, by who must act."""

from collections.abc import Iterable

MAX_SHOWN_CHARS = 600


def shown(text: str) -> str:
    """The first MAX_SHOWN_CHARS characters of a server's words, with spaces for all that could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:MAX_SHOWN_CHARS])


class HutongError(Exception):
    """Everything that this client raises on purpose. None of it carries the API key."""


class InvalidArgument(HutongError, ValueError):
    """Refused before anything is sent; `field` is the argument."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(f"{field} {reason}")


class Unreachable(HutongError):
    """The server cannot be reached, or the connection broke."""

    def __init__(self, reason: str) -> None:
        self.reason = shown(reason)
        super().__init__(f"the API cannot be reached: {self.reason or 'the connection was closed'}")


class TooSlow(HutongError):
    """It took longer than the caller would wait."""

    def __init__(self, what: str, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(f"{what} took more than {limit_s:g} s")


class BadAnswer(HutongError):
    """The server answered something that is none of API version 1: another server, another version, or a lie."""

    def __init__(self, what: str, reason: str) -> None:
        self.what = what
        self.reason = shown(reason)
        super().__init__(f"{what}: {self.reason}")


class AnswerTooLarge(BadAnswer):
    """More than the answer can have; what came is thrown away."""

    def __init__(self, what: str, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        super().__init__(what, f"the answer has more than {limit_bytes} bytes")


class ApiProblem(HutongError):
    """The API's own refusal (RFC 9457). Act on `code`; `detail` is a sentence for people, `field` what is at fault.

    Codes: docs/spec/api.md. An unknown one is a newer server's: act on `status`.
    """

    def __init__(self, code: str, status: int, detail: str, field: str | None = None) -> None:
        self.code = code
        self.status = status
        self.detail = shown(detail)
        self.field = field
        super().__init__(f"{code} ({status}): {self.detail}")


class NotSigned(HutongError):
    """The account was not asked to sign, and nothing more was sent."""


class TransactionFailed(HutongError):
    """A transaction reverted on its chain. What was sent before it stays sent: `hashes` has all of them."""

    def __init__(self, chain: str, transaction_hash: str, reason: str | None, hashes: Iterable[str]) -> None:
        self.chain = chain
        self.hash = transaction_hash
        self.reason = None if reason is None else shown(reason)
        self.hashes = tuple(hashes)
        super().__init__(f"{transaction_hash} failed on {chain}: {self.reason or 'no reason is given'}")
