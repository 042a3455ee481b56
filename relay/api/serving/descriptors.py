"""File descriptors for as many streams as may be open."""

import resource

SPARE = 512
"""For the ledger, the chains, and connections that are no streams."""


def allow_descriptors(streams: int) -> int:
    """Raise the soft limit of open files as far as the hard one lets, for `streams` and SPARE others.

    Returns:
        How many streams it is enough for, at least 1.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return streams if soft == resource.RLIM_INFINITY else max(1, min(streams, soft - SPARE))
