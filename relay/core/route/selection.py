"""Which of the held jobs make the next batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.core.watching.discovery import is_expired
from hutong.relay.dispatch import JobKind, Taken

ITEM_BYTES = 512
"""Of an item beside its payloads and its proof."""
EXPIRES_SOON_S = 20
"""More than some blocks of a destination take: what has less left when it is simulated may be expired when it is executed."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What proofs and updates of a route have lately been like: an allowance, for the adapter counts exactly."""

    proof_bytes: int = 5_500
    update_bytes: int = 12_000

    def after(self, proofs: Iterable[bytes], updates: Iterable[bytes]) -> "Sizes":
        """With what a batch was found to have: sizes of bytes as they are sent, not of hex.

        The largest proof counts with an eighth more and 64 bytes; without proofs the old allowance stays. Updates count
        three times, and 2 000 bytes at least.
        """
        largest = max(map(len, proofs), default=None)
        proof_bytes = self.proof_bytes if largest is None else largest + largest // 8 + 64
        return Sizes(proof_bytes, max(2_000, sum(len(update) * 3 for update in updates)))


def select(
    held: Sequence[Taken], suspects: set[str], most_items: int, most_bytes: int, sizes: Sizes | None = None
) -> list[Taken]:
    """At least one job of `held` (not empty), at most `most_items` and about `most_bytes`.

    Jobs that failed before travel in ever smaller company, and suspects alone, so that a bad one spoils little.

    Args:
        suspects: ids of jobs that failed in company.
        most_bytes: of the transaction; one job alone may exceed it.
    """
    first = min(held, key=lambda item: (item.job.id in suspects, item.attempts))
    if first.job.id in suspects:
        return [first]
    company = max(1, most_items // 4**first.attempts)
    chosen: list[Taken] = []
    sizes = sizes or Sizes()
    size = sizes.update_bytes
    for item in held:
        if item.attempts != first.attempts or item.job.id in suspects:
            continue
        size += estimated_bytes(item, sizes)
        if chosen and size > most_bytes:
            break
        chosen.append(item)
        if len(chosen) == company:
            break
    return chosen


def expiring(jobs: Sequence[Taken], time_ns: int) -> list[Taken]:
    """RECEIVE jobs whose packet is received at `time_ns` of the destination (nanoseconds) but may not be EXPIRES_SOON_S
    later.

    Jobs that are expired already are among them.
    """
    soon_ns = time_ns + EXPIRES_SOON_S * NANOSECONDS_PER_SECOND
    return [one for one in jobs if one.job.kind is JobKind.RECEIVE and is_expired(one.job.packet, soon_ns)]


def estimated_bytes(taken: Taken, sizes: Sizes) -> int:
    """About how many bytes the job adds to a transaction: payloads, acknowledgements and the allowance for a proof."""
    job = taken.job
    payloads = sum(len(payload.value) + 512 for payload in job.packet.payloads)
    acknowledgements = () if job.acknowledgement is None else job.acknowledgement.app_acknowledgements
    return ITEM_BYTES + sizes.proof_bytes + payloads + sum(map(len, acknowledgements))
