"""When a record has to be renewed: by what stands on the hub and what the source's final block holds, and nothing else."""

from dataclasses import dataclass
from enum import StrEnum

from hutong.light_clients.interface import Height
from hutong.light_clients.records import ClientEpoch, Observation
from hutong.relay.core.observing.watched import Watched


class Reason(StrEnum):
    """Why a record is due."""

    FIRST = "never observed"
    EPOCH = "of an earlier epoch"
    CHANGED = "changed"
    INTERVAL = "interval passed"


@dataclass(frozen=True, slots=True)
class SourceBlock:
    """A final block of the observed chain: the height of a consensus state of it, and its time since 1970."""

    height: Height
    time_ns: int


@dataclass(frozen=True, slots=True)
class Value:
    """What was read at a place; None: nothing is there."""

    word: bytes | None


def why_due(
    watched: Watched,
    record: Observation | None,
    epoch: ClientEpoch | None,
    block: SourceBlock,
    value: Value | None,
) -> Reason | None:
    """Why the record is to be renewed with what `block` holds; None where it need not be.

    A record of this block or a newer one is never due: what is older replaces nothing.

    Args:
        value: at `block`; None where it was not read, which only what is renewed at an interval alone may leave out.
    """
    if record is None or epoch is None:
        return Reason.FIRST
    if record.epoch != epoch.number:
        return Reason.EPOCH
    if record.height >= block.height:
        return None
    if watched.on_change and value is not None and value.word != record.value:
        return Reason.CHANGED
    if watched.interval_ns is not None and block.time_ns - record.source_time_ns >= watched.interval_ns:
        return Reason.INTERVAL
    return None


def next_due_s(watched: Watched, record: Observation | None, block: SourceBlock) -> float | None:
    """In how many seconds of the source's clock the interval passes; None where no interval is set or it has no record."""
    if watched.interval_ns is None or record is None:
        return None
    return max(0.0, (record.source_time_ns + watched.interval_ns - block.time_ns) / 1e9)
