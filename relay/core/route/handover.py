"""One prepared batch of a route goes to its account while the next is built: never two, so that failures are heard early."""

import trio


class Handover:
    """Between the loop that builds and the task that submits."""

    def __init__(self) -> None:
        self._ended = trio.Event()
        self._ended.set()
        self._failure: Exception | None = None

    def begin(self) -> None:
        """A batch is being submitted. Only to be called after `ended` returned: one batch is under way at a time."""
        self._ended = trio.Event()

    def end(self, failure: Exception | None = None) -> None:
        """The batch was submitted, or was not.

        Args:
            failure: what holds the route; the next `check` or `ended` raises it once.
        """
        self._failure = failure
        self._ended.set()

    def check(self) -> None:
        """Raise the failure that nobody has heard yet, once; nothing happens where there is none.

        Raises:
            SubmissionRefused, AdapterError: as `end` was told.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def ended(self) -> None:
        """Wait until no batch is being submitted. Returns at once where none is.

        Raises:
            SubmissionRefused, AdapterError: as `check`.
        """
        await self._ended.wait()
        self.check()
