"""What one auditor has judged before: a header of a whole period is read, and its signatures are checked, once.

Every key holds all that was read to judge the thing, and only what has held is kept, so a bundle has the same verdict,
predicate by predicate, alone as behind others. What is refused is judged anew each time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Generic, TypeVar

from light_clients.interface import Check
from light_clients.tendermint.types import ValidatorSet
from relay.archive.bundle import ChainKind, HeaderEntry
from relay.audit.blocks import Block, ProvenState, Step

MAX_REMEMBERED = 8_192
"""Of each sort: some hundred megabytes of headers at most, and more than the blocks of two hours."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Passed = tuple[Step, ...]
"""Predicates that held, with what they are about; to be read again, not to be run again."""


class Remembered(Generic[Key, Value]):
    """The newest values, at most `MAX_REMEMBERED`: what was forgotten is judged again."""

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """None: not known, or forgotten."""
        return self._values.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """The oldest one goes where there is no room."""
        if len(self._values) >= MAX_REMEMBERED:
            self._values.pop(next(iter(self._values)))
        self._values[key] = value


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
    blocks: Remembered[tuple[ChainKind, HeaderEntry], Block] = field(default_factory=Remembered)
    """Headers that were read; believed is another thing."""
    states: Remembered[tuple[str, HeaderEntry], RememberedState] = field(default_factory=Remembered)
    """By chain and header: proofs of accounts that held, under the checkpoint's router."""
    validator_sets: Remembered[bytes, tuple[bytes, ValidatorSet]] = field(default_factory=Remembered)
    """Canonical ones with their hash, by their bytes."""
    sound_sets: Remembered[bytes, bool] = field(default_factory=Remembered)
    """Bytes of validator sets in which every rule of a set held."""


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
    memory.passed.keep(key, tuple(passed))  # reached only if every one of them held


def held_before(subject: str, check: Check) -> Step:
    """The step of a predicate that held on the same bytes under the same checkpoint."""
    return Step(subject, Check(check.name, check.source, _held))


def digest_of(*parts: bytes) -> bytes:
    """Of the parts and their lengths."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _held() -> None:
    """Judged before."""
