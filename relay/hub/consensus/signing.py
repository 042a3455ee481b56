"""The last-signed record as a value: what may be signed next, so that no validator ever contradicts itself.

The node puts the new record on disk before a signature leaves (rule of design.md, "Time, heights, blocks").
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from relay.hub.consensus.types import Step

SIGNING_STEPS = (Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT)


class DoubleSignRefused(Exception):
    """Signing this would contradict, or go behind, what was signed before."""

    def __init__(self, height: int, round_: int, step: Step, reason: str) -> None:
        self.height, self.round, self.step, self.reason = height, round_, step, reason
        super().__init__(height, round_, step, reason)

    def __str__(self) -> str:
        return f"refused to sign {self.step.name.lower()} at height {self.height} round {self.round}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature that left, or may have left, with exactly what it covers."""

    step: Step
    sign_bytes: bytes
    timestamp_ns: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class LastSigned:
    """Every signature of the newest height and round that anything was signed at."""

    height: int = 0
    round: int = 0
    signed: tuple[Signed, ...] = ()

    def at(self, step: Step) -> Signed | None:
        return next((entry for entry in self.signed if entry.step is step), None)


def next_signature(
    record: LastSigned,
    height: int,
    round_: int,
    step: Step,
    timestamp_ns: int,
    sign_bytes_at: Callable[[int], bytes],
    sign: Callable[[bytes], bytes],
) -> tuple[LastSigned, Signed]:
    """The record after signing, and the signature with its time.

    Asked again for what was signed before, with at most another timestamp, it returns the stored signature and the
    stored time (cometbft privval/file.go does the same), so that a restarted validator can go on.

    Raises:
        DoubleSignRefused: an earlier height, round or step, or other bytes at the same one.
    """
    if (height, round_) < (record.height, record.round):
        raise DoubleSignRefused(height, round_, step, f"already at height {record.height} round {record.round}")
    if (height, round_) == (record.height, record.round):
        known = record.at(step)
        if known is not None:
            if sign_bytes_at(known.timestamp_ns) != known.sign_bytes:
                raise DoubleSignRefused(height, round_, step, "other bytes were signed there")
            return record, known
        if any(entry.step > step for entry in record.signed):
            raise DoubleSignRefused(height, round_, step, "a later step was signed")
        entries = record.signed
    else:
        entries = ()
    message = sign_bytes_at(timestamp_ns)
    entry = Signed(step, message, timestamp_ns, sign(message))
    return replace(record, height=height, round=round_, signed=(*entries, entry)), entry
