"""Applications that `deploy` puts on a chain beside the bridge's own contracts, for whoever wants them."""

from collections.abc import Iterable
from enum import StrEnum


class App(StrEnum):
    """An application by its name in options and files, in the order in which they are created."""

    TITLE = "title"
    SWAP = "swap"
    FEED = "feed"
    ANCHOR = "anchor"

    @property
    def artifact(self) -> str:
        """The contract's name."""
        return self.value.capitalize()

    @property
    def has_port(self) -> bool:
        """Whether it owns the router's port of its name, and asks the AccessManager. The others have no owner."""
        return self in (App.TITLE, App.SWAP)


def in_creation_order(apps: Iterable[App]) -> tuple[App, ...]:
    """Each once. The order fixes their addresses."""
    wanted = set(apps)
    return tuple(app for app in App if app in wanted)
