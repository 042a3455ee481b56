"""The newest line of a log that a hub's record has anchored (docs/spec/identity-records.md): no log ends before it."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import rule
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed

HEAD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class LogAnchor:
    """`version` is the number of the line, from 1; `head` the SHA-256 of its bytes without the line end."""

    version: int
    head: bytes

    def __post_init__(self) -> None:
        if self.version < 1:
            raise MalformedInput("anchor.version", "counts from 1", got=self.version)
        if len(self.head) != HEAD_BYTES:
            raise MalformedInput("anchor.head", "another length", got=len(self.head), expected=HEAD_BYTES)


@rule("docs/spec/identity-records.md")
def log_reaches_its_anchor(log: bytes, anchor: LogAnchor) -> None:
    """The log has the anchored line at its place: its keys and witnesses together cannot take it back."""
    lines = log.removesuffix(b"\n").split(b"\n")
    if len(lines) < anchor.version:
        raise PredicateFailed("log_reaches_its_anchor", "ends before it", got=len(lines), expected=anchor.version)
    found = sha256(lines[anchor.version - 1])
    if found != anchor.head:
        raise PredicateFailed("log_reaches_its_anchor", "has another line", got=found, expected=anchor.head)
