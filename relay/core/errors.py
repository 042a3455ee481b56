"""Why a job, a route or the whole relay cannot go on, cut by what has to happen next."""

from hutong.relay.ledger import Cause


class CoreError(Exception):
    """Base of every expected failure of the core; the message is one sentence for the operator."""


class StartRefused(CoreError):
    """The relay must not start: configuration and chains contradict each other, or another relay runs here."""


class _Waiting(CoreError):
    def __init__(self, reason: str, cause: Cause = Cause.OTHER) -> None:
        self.cause = cause
        super().__init__(reason)


class RouteBlocked(_Waiting):
    """No job of the route can go on now, and none is at fault: wait and try the same jobs again."""


class SubmissionRefused(_Waiting):
    """The transaction was not sent and will not be: fee cap, empty wallet, or a pool that refuses it."""


class TooDear(SubmissionRefused):
    """The transaction may cost more than the cap; one with fewer messages may not."""

    def __init__(self, chain: str, got_wei: int, limit_wei: int) -> None:
        super().__init__(
            f"{chain}: the fee may be {got_wei} of the fee token's smallest unit, the cap is {limit_wei}", Cause.FEE_CAP
        )
        self.got_wei = got_wei
        self.limit_wei = limit_wei
