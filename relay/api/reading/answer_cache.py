"""Serialised answers for a moment: what many clients ask again and again costs one query."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

MAX_ANSWERS = 8_192
MAX_ANSWER_BYTES = 64 * 1024
MAX_KEPT_BYTES = 32 * 1024 * 1024
"""Of all bodies together."""
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
    """A strong validator of a body, in quotes (RFC 9110 §8.8.3)."""
    return b'"' + blake2b(body, digest_size=12).hexdigest().encode() + b'"'


def target_of(scope: Mapping[str, Any]) -> bytes:
    """The request's target as its route reads it: whatever is another spelling of the same has no answer of its own."""
    path = quote(scope["path"], errors="surrogatepass")
    if not scope["query_string"]:
        return path.encode()
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return f"{path}?{urlencode(query, errors='surrogatepass')}".encode() if query else path.encode()


class AnswerCache:
    """By request target (`target_of`). `names` are the packet and message ids that an answer tells of."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._answers: OrderedDict[bytes, CachedAnswer] = OrderedDict()
        self._targets: dict[str, set[bytes]] = {}
        self._names: dict[bytes, tuple[str, ...]] = {}
        self._expiries: list[tuple[float, bytes]] = []
        self._bytes = 0
        self._changes = 0

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def changes(self) -> int:
        """How often `forget` was called: an answer that was read before a change must not be kept after it."""
        return self._changes

    def get(self, target: bytes) -> CachedAnswer | None:
        """The answer that is kept for a target (`target_of`); None where there is none, or it is too old."""
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
        """Keep an answer for `fresh_s`, unless something changed since it was read, or it is larger than
        MAX_ANSWER_BYTES.

        Args:
            target: as `target_of` gives it.
            names: ids that `forget` may be called with.
            changes: `changes` as it was before the answer was read.
        """
        if changes != self._changes or len(body) > MAX_ANSWER_BYTES:
            return
        self._drop(target)
        self._drop_expired()
        answer = CachedAnswer(headers, body, etag, self._clock_s() + fresh_s)
        self._answers[target] = answer
        self._bytes += len(body)
        heappush(self._expiries, (answer.until_s, target))
        self._names[target] = tuple(names)
        for name in self._names[target]:
            self._targets.setdefault(name, set()).add(target)
        while len(self._answers) > MAX_ANSWERS or self._bytes > MAX_KEPT_BYTES:
            self._drop(next(iter(self._answers)))

    def forget(self, names: Iterable[str]) -> None:
        """Something of these messages changed: answers that tell of them are dropped, and no answer read before is
        kept.
        """
        self._changes += 1
        for name in names:
            for target in tuple(self._targets.get(name, ())):
                self._drop(target)

    def clear(self) -> None:
        """Drop every answer, and keep none that was read before: the ledger is another one."""
        self._changes += 1
        for target in tuple(self._answers):
            self._drop(target)

    def _drop_expired(self) -> None:
        """An expiry outlives the answer that a change dropped, by no more than SETTLED_FRESH_S."""
        now_s = self._clock_s()
        while self._expiries and self._expiries[0][0] < now_s:
            until_s, target = heappop(self._expiries)
            answer = self._answers.get(target)
            if answer is not None and answer.until_s == until_s:
                self._drop(target)

    def _drop(self, target: bytes) -> None:
        answer = self._answers.pop(target, None)
        if answer is None:
            return
        self._bytes -= len(answer.body)
        for name in self._names.pop(target):
            targets = self._targets[name]
            targets.discard(target)
            if not targets:
                del self._targets[name]
