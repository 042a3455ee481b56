"""Which of the held jobs make the next batch."""

from collections.abc import Sequence

from relay.dispatch import Taken

PROOF_BYTES = 6_000
"""Allowance for one item's proof and encoding; the adapter counts exactly and refuses what is too large."""
HEADER_BYTES = 12_000
"""Allowance for the client update."""


def select(held: Sequence[Taken], suspects: set[str], most_items: int, most_bytes: int) -> list[Taken]:
    """At least one job of `held` (not empty), at most `most_items` and about `most_bytes`.

    Jobs that failed before travel in ever smaller company, and suspects alone, so that a bad one spoils little.
    """
    first = min(held, key=lambda item: (item.job.id in suspects, item.attempts))
    if first.job.id in suspects:
        return [first]
    company = max(1, most_items // 4**first.attempts)
    chosen: list[Taken] = []
    size = HEADER_BYTES
    for item in held:
        if item.attempts != first.attempts or item.job.id in suspects:
            continue
        size += estimated_bytes(item)
        if chosen and size > most_bytes:
            break
        chosen.append(item)
        if len(chosen) == company:
            break
    return chosen


def estimated_bytes(taken: Taken) -> int:
    """About what the job adds to a transaction."""
    job = taken.job
    payloads = sum(len(payload.value) + 512 for payload in job.packet.payloads)
    acknowledgements = () if job.acknowledgement is None else job.acknowledgement.app_acknowledgements
    return PROOF_BYTES + payloads + sum(map(len, acknowledgements))
