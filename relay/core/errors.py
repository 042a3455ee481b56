"""Why a job, a route or the whole relay cannot go on, cut by what has to happen next."""


class CoreError(Exception):
    """Base of every expected failure of the core; the message is one sentence for the operator."""


class StartRefused(CoreError):
    """The relay must not start: configuration and chains contradict each other, or another relay runs here."""


class RouteBlocked(CoreError):
    """No job of the route can go on now, and none is at fault: wait and try the same jobs again."""


class SubmissionRefused(CoreError):
    """The transaction was not sent and will not be: fee cap, empty wallet, or a pool that refuses it."""
