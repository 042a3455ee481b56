"""A key source for code that blocks in threads, as consensus does when it signs; failures are two, by what to do next."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import trio

from hutong.adapters.interface.errors import DocumentUnsupported, SigningFailed, SigningRefused
from hutong.relay.keys.documents import ConsensusProposal, ConsensusSkip, ConsensusVote, ConsensusVoteExtension
from hutong.relay.keys.source import KeySource, SourceHealth
from hutong.relay.keys.sources.privval import PrivvalKey
from hutong.relay.keys.sources.signed_earlier import SignedEarlier

T = TypeVar("T")


class SourceAway(Exception):
    """The source gives no signature now, or a wrong one: one sentence. Asking again is right."""


class SourceRefuses(Exception):
    """The source does not sign this document, now or later: one sentence."""


@dataclass(frozen=True, slots=True)
class DatedSignature:
    """64 bytes r ‖ s with low s, over the document with this time."""

    signature: bytes
    timestamp_ns: int


class BlockingSource:
    """Called in threads or where no trio runs, never in a task. At most `limit_s` a call.

    Outside `in_this_run` each call is a run of its own, which opens what it needs and lets go of it.
    """

    def __init__(self, source: KeySource, limit_s: float) -> None:
        self._source, self._limit_s = source, limit_s
        self._token: trio.lowlevel.TrioToken | None = None

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._source.name

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._source.public_key

    def sign(
        self, document: ConsensusVote | ConsensusProposal | ConsensusSkip | ConsensusVoteExtension
    ) -> DatedSignature:
        """The signature; its time is the document's, or that of an earlier signature for the same vote or proposal.

        Raises:
            SourceAway: no signature now. What was asked for may have been signed.
            SourceRefuses: never one for this document.
        """
        asked_ns = document.timestamp_ns if isinstance(document, ConsensusVote | ConsensusProposal) else 0
        try:
            return DatedSignature(self._run(lambda: self._source.sign(document))[:64], asked_ns)
        except SignedEarlier as earlier:
            return DatedSignature(earlier.signature[:64], earlier.timestamp_ns)
        except (SigningRefused, DocumentUnsupported) as error:
            raise SourceRefuses(str(error)) from None
        except SigningFailed as error:
            raise SourceAway(str(error)) from None
        except trio.TooSlowError:
            raise SourceAway(f"{self.name}: gave no answer in {self._limit_s:g} s") from None

    def health(self) -> SourceHealth:
        """Whether it would sign now; never raises."""
        try:
            return self._run(self._source.health)
        except trio.TooSlowError:
            return SourceHealth(ready=False, detail=f"{self.name}: gave no answer in {self._limit_s:g} s")

    async def keep_awake(self) -> None:
        """What an idle source needs now and then; most need nothing."""
        if isinstance(self._source, PrivvalKey):
            await self._source.keep_awake()

    @asynccontextmanager
    async def in_this_run(self) -> AsyncIterator[None]:
        """Calls of any thread are made in this run of trio meanwhile, and what they open stays open until its end."""
        self._token = trio.lowlevel.current_trio_token()
        try:
            yield
        finally:
            self._token = None
            with trio.CancelScope(shield=True):
                await self._source.aclose()

    def _run(self, call: Callable[[], Awaitable[T]]) -> T:
        async def bounded() -> T:
            with trio.fail_after(self._limit_s):
                return await call()

        async def alone() -> T:
            try:
                return await bounded()
            finally:
                await self._source.aclose()

        token = self._token
        return trio.run(alone) if token is None else trio.from_thread.run(bounded, trio_token=token)
