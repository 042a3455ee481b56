"""A DID's records in a bundle, at a moment, for a role that shows them. Whoever starts the daemon gives what answers it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hutong.relay.archive.record_bundle import RecordBundle


class HeightNotProvable(Exception):
    """The node keeps no state of that moment, or has not reached it. One sentence, with the heights."""


class HubSilent(Exception):
    """The hub's node does not answer. One sentence."""


@dataclass(frozen=True, slots=True)
class HubSource:
    """The relay's file, the hub's name in it (None: the only one), and a checkpoint from which readers judge."""

    relay: Path
    hub: str | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Which state: after block `height`, or as of `time_s` (Unix seconds); neither: the newest."""

    height: int | None = None
    time_s: int | None = None

    @property
    def is_newest(self) -> bool:
        """Whether no moment was named."""
        return self.height is None and self.time_s is None


class BundledRecords(Protocol):
    """Records of one hub. Nothing of it is believed by readers: they judge the bundle."""

    @property
    def hub(self) -> str:
        """The name in the hub's DIDs."""
        ...

    async def of_did(self, did: bytes, moment: Moment, schema: bytes | None) -> RecordBundle:
        """Every record of a DID, and with a schema its chain of accreditations; the DID's absence where there is none.

        Raises:
            HeightNotProvable, HubSilent: it cannot be shown.
        """
        ...


OpenRecords = Callable[[HubSource], AbstractAsyncContextManager[BundledRecords]]
"""Open while the block lasts."""
