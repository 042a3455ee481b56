"""What stands under keys of observations and epochs (docs/spec/records.md). Each type holds its own bounds."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.records.places import MAX_STORE_VALUE_BYTES

MAX_ATTESTORS = 64


class TrustKind(IntEnum):
    """Who stands for what was observed."""

    PROVEN = 1
    """The observed chain's own consensus."""
    ATTESTED = 2
    """Attestors of it, who can say anything together."""


@dataclass(frozen=True, slots=True)
class SourceTrust:
    """Proven, with two zeros; or attested by `threshold` of `attestors`, the set that signed."""

    kind: TrustKind
    threshold: int = 0
    attestors: int = 0

    def __post_init__(self) -> None:
        if self.kind is TrustKind.PROVEN:
            if (self.threshold, self.attestors) != (0, 0):
                raise MalformedInput("observation.trust", "proven: no attestors", (self.threshold, self.attestors))
        elif not 1 <= self.threshold <= self.attestors <= MAX_ATTESTORS:
            raise MalformedInput(
                "observation.trust", f"m of n with 1 <= m <= n <= {MAX_ATTESTORS}", (self.threshold, self.attestors)
            )


PROVEN = SourceTrust(TrustKind.PROVEN)


@dataclass(frozen=True, slots=True)
class Observation:
    """A value of another chain's state, or with None that nothing is there, as of its block `height`.

    `epoch` is the client's when this was written; `source_time_ns` the source block's own time, since 1970.
    """

    value: bytes | None
    trust: SourceTrust
    epoch: int
    height: Height
    source_time_ns: int

    def __post_init__(self) -> None:
        if self.value is not None and not 1 <= len(self.value) <= MAX_STORE_VALUE_BYTES:
            raise MalformedInput(
                "observation.value", f"present: 1 to {MAX_STORE_VALUE_BYTES} bytes", got=len(self.value)
            )
        for name in ("epoch", "source_time_ns"):
            if not 0 < getattr(self, name) <= MAX_UINT64:
                raise MalformedInput(f"observation.{name}", "a uint64, not zero", got=getattr(self, name))

    @property
    def source_time_s(self) -> int:
        """`source_time_ns` cut to whole seconds, as ages are counted."""
        return self.source_time_ns // NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class ClientEpoch:
    """Counts the changes that make a client's earlier observations worthless: frozen, expired, recovered.

    `generation` counts the client's recoveries alone.
    """

    number: int
    is_readable: bool
    generation: int

    def __post_init__(self) -> None:
        if not 0 < self.number <= MAX_UINT64:
            raise MalformedInput("epoch.epoch", "a uint64, not zero", got=self.number)
        if not 0 <= self.generation <= MAX_UINT64:
            raise MalformedInput("epoch.generation", "a uint64", got=self.generation)

    def followed_by(self, is_readable: bool, generation: int) -> Self:
        """The next epoch, or this one where neither differs."""
        if (is_readable, generation) == (self.is_readable, self.generation):
            return self
        return type(self)(self.number + 1, is_readable, generation)
