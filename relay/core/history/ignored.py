"""What an operator said is to be left alone, as the ledger has it: also of jobs that the queue lost and has again."""

from collections.abc import Mapping

import trio

from hutong.relay.core.complaints import Complaints
from hutong.relay.dispatch import Job
from hutong.relay.ledger import Ledger, LedgerUnavailable
from hutong.relay.telemetry import get_logger

READ_EVERY_S = 5.0


class Ignored:
    """By job, with the reason. `run` it under supervision."""

    def __init__(self, ledger: Ledger, complaints: Complaints) -> None:
        self._ledger = ledger
        self._complaints = complaints
        self._reasons: Mapping[str, str] = {}
        self._log = get_logger("ignored")

    async def reason(self, job: Job) -> str | None:
        """Why the job is to be left alone; None: it is not. Before it says so it asks again: that may be undone by now.

        A job that was ignored less than READ_EVERY_S ago may still be given None.
        """
        if job.id in self._reasons:
            await self._read()
        return self._reasons.get(job.id)

    async def _read(self) -> None:
        try:
            self._reasons = await self._ledger.ignored()
        except LedgerUnavailable as error:
            if self._complaints.is_new(str(error)):
                self._log.warning("what is to be ignored is not known anew", reason=str(error))

    async def run(self) -> None:
        """For ever. While the ledger is away, what it said last holds."""
        while True:
            await self._read()
            await trio.sleep(READ_EVERY_S)
