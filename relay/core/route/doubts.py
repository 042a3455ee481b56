"""Failures that may be an endpoint's: an answer that cannot be read, a proof that does not verify.

An endpoint that lies once in twenty answers spoils most attempts, since one attempt asks for many answers. If each cost
the job one of its attempts, lies could make a dead letter of a sound packet. If none did, a job that every honest node
answers badly for would be tried for ever.
"""

FAILURES_AN_ATTEMPT = 8
MAX_JOBS = 10_000


class Doubts:
    """Counts such failures of each job in work; every eighth costs an attempt."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}

    def costs_an_attempt(self, job_id: str) -> bool:
        """Note one more failure of the job, and say whether it is counted."""
        if len(self._failures) >= MAX_JOBS:
            self._failures.clear()
        failures = self._failures.get(job_id, 0) + 1
        self._failures[job_id] = failures % FAILURES_AN_ATTEMPT
        return failures == FAILURES_AN_ATTEMPT

    def forget(self, job_id: str) -> None:
        """The job has left our hands for good."""
        self._failures.pop(job_id, None)
