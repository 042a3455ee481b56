"""Serialised answers for a moment: what many clients ask again and again costs one query."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

MAX_ANSWERS = 8_192
MAX_ANSWER_BYTES = 64 * 1024
OPEN_FRESH_S = 1.0
"""A change empties a message's answers sooner; this bounds the ages that stand in their sentences."""
SETTLED_FRESH_S = 30.0
"""Nothing in them changes with time, and hardly anything else does."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A 200 as it is sent; `headers` are all of it."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: bytes
    until_s: float


def etag_of(body: bytes) -> bytes:
    """A strong validator."""
    return b'"' + blake2b(body, digest_size=12).hexdigest().encode() + b'"'


class AnswerCache:
    """By request target. `names` are the packet and message ids that an answer tells of."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._answers: OrderedDict[bytes, CachedAnswer] = OrderedDict()
        self._targets: dict[str, set[bytes]] = {}
        self._names: dict[bytes, tuple[str, ...]] = {}
        self._changes = 0

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def changes(self) -> int:
        """How often `forget` was called: an answer that was read before a change must not be kept after it."""
        return self._changes

    def get(self, target: bytes) -> CachedAnswer | None:
        answer = self._answers.get(target)
        if answer is None:
            return None
        if answer.until_s < self._clock_s():
            self._drop(target)
            return None
        return answer

    def put(
        self,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        etag: bytes,
        names: Iterable[str],
        changes: int,
        fresh_s: float,
    ) -> None:
        """`changes` as it was before the answer was read."""
        if changes != self._changes or len(body) > MAX_ANSWER_BYTES:
            return
        self._drop(target)
        self._answers[target] = CachedAnswer(headers, body, etag, self._clock_s() + fresh_s)
        self._names[target] = tuple(names)
        for name in self._names[target]:
            self._targets.setdefault(name, set()).add(target)
        while len(self._answers) > MAX_ANSWERS:
            self._drop(next(iter(self._answers)))

    def forget(self, names: Iterable[str]) -> None:
        """Something of these messages changed."""
        self._changes += 1
        for name in names:
            for target in tuple(self._targets.get(name, ())):
                self._drop(target)

    def clear(self) -> None:
        """Of whatever message: the ledger is another one."""
        self._changes += 1
        for target in tuple(self._answers):
            self._drop(target)

    def _drop(self, target: bytes) -> None:
        if self._answers.pop(target, None) is None:
            return
        for name in self._names.pop(target):
            targets = self._targets[name]
            targets.discard(target)
            if not targets:
                del self._targets[name]
