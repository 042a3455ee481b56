"""What one auditor has judged before: a header of a whole period is read, and its signatures are checked, once.

Every key holds all that was read to judge the thing, and only what has held is kept, so a bundle has the same verdict,
predicate by predicate, whether it is judged alone or after others. What is refused is judged anew each time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Generic, TypeVar

from light_clients.interface import Check
from light_clients.tendermint.types import ValidatorSet
from relay.archive.bundle import HeaderEntry
from relay.audit.blocks import Block, ProvenState, Step

MAX_REMEMBERED = 8_192
"""Of each sort: more than the blocks of two hours."""
MAX_REMEMBERED_BYTES = 128 * 1024 * 1024
"""Of each sort, as raw bytes, whatever their number: a set of ten thousand validators has nearly a megabyte. Parsed, the
same things take about four times as much."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Passed = tuple[Step, ...]
"""Predicates that held, with what they are about; to be read again, not to be run again."""


class Remembered(Generic[Key, Value]):
    """The newest values, at most `MAX_REMEMBERED` and of at most `max_bytes`: what was forgotten is judged again."""

    def __init__(self, max_bytes: int = MAX_REMEMBERED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: dict[Key, tuple[Value, int]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """None: not known, or forgotten."""
        found = self._values.get(key)
        return None if found is None else found[0]

    def keep(self, key: Key, value: Value, size_bytes: int) -> None:
        """The oldest ones go where there is no room; what alone is more than all the room is not kept.

        `size_bytes`: of the raw bytes that the key or the value holds.
        """
        if size_bytes > self._max_bytes:
            return
        if key in self._values:
            self._bytes -= self._values.pop(key)[1]
        while len(self._values) >= MAX_REMEMBERED or self._bytes + size_bytes > self._max_bytes:
            self._bytes -= self._values.pop(next(iter(self._values)))[1]
        self._values[key] = value, size_bytes
        self._bytes += size_bytes


@dataclass(slots=True)
class RememberedState:
    """The state under a header, with what its proofs passed."""

    states: list[ProvenState]
    passed: list[Step]


@dataclass(slots=True)
class HeaderMemory:
    """Of one auditor, so of one set of checkpoints and one time of judgement."""

    passed: Remembered[bytes, Passed] = field(default_factory=Remembered)
    """Headers that were believed, by all that made them so."""
    blocks: Remembered[tuple[str, HeaderEntry], Block] = field(default_factory=Remembered)
    """Headers that were read, by how; believed is another thing."""
    states: Remembered[tuple[str, HeaderEntry], RememberedState] = field(default_factory=Remembered)
    """By chain and header: proofs of accounts that held, under the checkpoint's router."""
    validator_sets: Remembered[bytes, tuple[bytes, ValidatorSet]] = field(default_factory=Remembered)
    """Canonical and sound ones that a header named, with their hash, by their bytes."""


def remembered(subject: str, key: bytes, checks: Iterable[Check], memory: HeaderMemory) -> Iterator[Step]:
    """The checks' steps, or where all of them held before, the same ones without their work. What `subject` says must
    follow from what the key holds."""
    known = memory.passed.get(key)
    if known is not None:
        yield from known
        return
    passed = []
    for check in checks:
        yield Step(subject, check)
        passed.append(held_before(subject, check))
    size_bytes = len(key) + sum(len(step.subject) for step in passed)
    memory.passed.keep(key, tuple(passed), size_bytes)  # reached only if every one of them held


def held_before(subject: str, check: Check) -> Step:
    """The step of a predicate that held on the same bytes under the same checkpoint."""
    return Step(subject, Check(check.name, check.source, _held))


def entry_size(entry: HeaderEntry) -> int:
    """Bytes that a header brings with it."""
    return len(entry.header) + len(entry.commit or b"") + sum(map(len, entry.account_proof))


def digest_of(*parts: bytes) -> bytes:
    """Of the parts and their lengths."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _held() -> None:
    """Judged before."""
