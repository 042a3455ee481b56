"""A transaction from its being signed to its end."""

from dataclasses import dataclass, field

import trio

from hutong.adapters.interface import SignedTransaction, TransactionOutcome
from hutong.relay.archive import Evidence
from hutong.relay.ledger import RecordedJob

Jobs = tuple[RecordedJob | None, ...]
"""What each message of a transaction is for; None where it updates a client."""


@dataclass(frozen=True, slots=True)
class Included:
    """One of the transaction's variants is in a final block."""

    outcome: TransactionOutcome


@dataclass(frozen=True, slots=True)
class Lost:
    """No variant will ever be included; its jobs are to be looked at again."""

    reason: str


@dataclass(slots=True)
class Pending:
    """A transaction on its way. `wait` gives its end.

    `variants` use the same nonce and carry `jobs`, but for those in `other_jobs` by hash: an earlier process signed them
    and could not say that they were not sent.
    """

    nonce: int
    jobs: Jobs
    evidence: tuple[Evidence, ...]
    variants: list[SignedTransaction]
    sent_at_s: float
    broadcast_at_s: float
    misses: int = 0
    refusals: int = 0
    other_jobs: dict[bytes, Jobs] = field(default_factory=dict)
    _ended: trio.Event = field(default_factory=trio.Event)
    _end: Included | Lost | None = None
    _ids: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = frozenset(job.id for job in self.jobs if job is not None)

    def jobs_of(self, transaction_hash: bytes) -> Jobs:
        """What the messages of one variant, named by its hash, are for; of an unknown hash those of the
        newest process.
        """
        return self.other_jobs.get(transaction_hash, self.jobs)

    def carries(self, job_id: str) -> bool:
        """Any variant does."""
        return job_id in self._ids or any(
            job is not None and job.id == job_id for jobs in self.other_jobs.values() for job in jobs
        )

    async def wait(self) -> Included | Lost:
        """Wait until the transaction has ended for good. Several tasks may wait; a cancelled one leaves it as
        it was.
        """
        await self._ended.wait()
        if self._end is None:
            raise RuntimeError("a pending transaction ended without saying how")
        return self._end

    def finish(self, end: Included | Lost) -> None:
        """Say how it ended, and wake who waits. Called once, by the account that follows it."""
        self._end = end
        self._ended.set()
