"""What became of the demo hub's validators, for its report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Crash:
    """A validator that was killed, with the height that the others had then, and the height at which it was back."""

    validator: str
    height: int
    back_at_height: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A node that joined by CometBFT's state sync: the height of the snapshot, and where it was level with the
    others."""

    node: str
    snapshot_height: int
    level_at_height: int


@dataclass(frozen=True, slots=True)
class Validators:
    """What became of the hub's nodes. `agreed_height` is None where two nodes differ in their app hash at one
    height."""

    count: int
    crashes: tuple[Crash, ...]
    joined: Joined | None
    agreed_height: int | None

    @property
    def good(self) -> bool:
        """One was killed and came back, and all have the same state."""
        return bool(self.crashes) and self.agreed_height is not None
