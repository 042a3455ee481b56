"""What one auditor has judged before: a header of a whole period is read, and its signatures are checked, once.

Every key holds all that was read to judge the thing, and only what has held is kept, so a bundle has the same verdict,
predicate by predicate, whether it is judged alone or after others. What is refused is judged anew each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Concatenate, Generic, ParamSpec, TypeVar

from hutong.light_clients.interface import Audit, CheckVerdict, Judge
from hutong.light_clients.tendermint.types import ValidatorSet
from hutong.relay.archive.bundle import HeaderEntry
from hutong.relay.audit.blocks import Block, ProvenState
from hutong.relay.audit.inquiry import Inquiry, Verdict

MAX_REMEMBERED = 8_192
"""Of each sort: more than the blocks of two hours."""
MAX_REMEMBERED_BYTES = 128 * 1024 * 1024
"""Of each sort, as raw bytes, whatever their number: a set of ten thousand validators has nearly a megabyte. Parsed, the
same things take about four times as much."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Parameters = ParamSpec("Parameters")
Passed = tuple[Verdict, ...]
"""Rules that held, with what they are about; to be said again, not to be applied again."""


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


@dataclass(frozen=True, slots=True)
class RememberedState:
    """The state under a header, with what its proofs passed."""

    state: ProvenState
    passed: Passed


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


def kept(
    inquiry: Inquiry,
    subject: str,
    verifier: Callable[Concatenate[Judge, Parameters], Value],
    /,
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> tuple[Value, Passed]:
    """Apply the verifier's rules, all of which held if this returns.

    Args:
        subject: what the verdicts are about.
        verifier: is given a judge before `args`.

    Returns:
        What it found, and the verdicts, to be said again by `Inquiry.repeat`.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    passed: list[Verdict] = []

    def hear(check: CheckVerdict) -> None:
        verdict = Verdict(subject, check)
        passed.append(verdict)
        inquiry.hear(verdict)

    return verifier(Audit(hear), *args, **kwargs), tuple(passed)


def remembered(
    inquiry: Inquiry,
    memory: HeaderMemory,
    subject: str,
    key: bytes,
    verifier: Callable[Concatenate[Judge, Parameters], object],
    /,
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> None:
    """Apply the verifier's rules, or where all of them held before, say the same without their work.

    Args:
        subject: what the verdicts are about; it must follow from what `key` holds.
        key: holds all that is read to judge the thing.
        verifier: is given a judge before `args`.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard; nothing is remembered.
    """
    known = memory.passed.get(key)
    if known is not None:
        inquiry.repeat(known)
        return
    _, passed = kept(inquiry, subject, verifier, *args, **kwargs)
    size_bytes = len(key) + sum(len(verdict.subject) for verdict in passed)
    memory.passed.keep(key, passed, size_bytes)


def entry_size(entry: HeaderEntry) -> int:
    """Bytes that a header brings with it."""
    return len(entry.header) + len(entry.commit or b"") + sum(map(len, entry.account_proof))


def digest_of(*parts: bytes) -> bytes:
    """SHA-256 of the parts, each with its length before it (8 bytes, big-endian), so that no two lists have
    one digest.
    """
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
