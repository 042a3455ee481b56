"""A source under its key's policy: judged, written down, then signed. Nothing that holds the guarded source has the other one."""

import time
from collections.abc import Callable

import trio

from hutong.adapters.interface.errors import SignerUnavailable, SigningRefused
from hutong.relay.base.os_errors import os_reason
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.keys.documents import SigningDocument
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.policy import KeyPolicy
from hutong.relay.keys.signing_record import SigningRecord
from hutong.relay.keys.source import KeyAlgorithm, KeySource, SourceHealth
from hutong.relay.keys.spending import DAY_S, Spending, cost_of


class GuardedSource:
    """What is signed costs as written down, whether its signature was used or not: a lost answer counts."""

    def __init__(
        self,
        source: KeySource,
        policy: PolicyConfig,
        record: SigningRecord | None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """`record` may hold lines of other keys, and be shared with them.

        Raises:
            KeyUnavailable: the policy counts days, and there is no record, or lines of today were moved away from it.
        """
        if policy.counts_days and record is None:
            raise KeyUnavailable(
                source.name, "policy: what may be spent a day needs policy.record, or a restart would forget"
            )
        lacking = None if record is None or record.newest_day < int(now_s()) // DAY_S else record.missing
        if policy.counts_days and record is not None and lacking is not None:
            raise KeyUnavailable(
                record.path,
                f"lines up to {lacking.number} are not beside it, and some are of today (UTC):"
                " put them back, or nobody knows what is left to be spent",
            )
        self._source = source
        self._policy = KeyPolicy(policy)
        self._record = record
        self._now_s = now_s
        self._spending = Spending.of(policy)
        for line in () if record is None else record.signed:
            if line.key == source.public_key and line.cost is not None:
                self._spending.spend(line.cost, line.time_s)

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._source.name

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return self._source.algorithm

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._source.public_key

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`. What is judged is spent before anybody else is judged, also where it cannot be written down."""
        self._policy.check(self.name, document)
        cost = cost_of(document)
        now_s = int(self._now_s())
        if cost is not None:
            reason = self._spending.forbids(cost, now_s)
            if reason is not None:
                raise SigningRefused(self.name, f"policy.{reason}")
            self._spending.spend(cost, now_s)
        # Not to be cancelled: others may be written down together with it.
        with trio.CancelScope(shield=True):
            await self._write_down(document, now_s)
        return await self._source.sign(document)

    async def _write_down(self, document: SigningDocument, now_s: int) -> None:
        if self._record is None:
            return
        try:
            await self._record.written(self.public_key, document, now_s)
        except OSError as error:
            raise SignerUnavailable(
                self.name, f"signs nothing that cannot be written down: {self._record.path}: {os_reason(error)}"
            ) from None

    async def health(self) -> SourceHealth:
        """See `KeySource`: that of what is under the policy."""
        return await self._source.health()

    async def aclose(self) -> None:
        """See `KeySource`. The record stays open: it belongs to the process."""
        await self._source.aclose()
