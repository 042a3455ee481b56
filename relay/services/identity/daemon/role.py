"""A role of the daemon: routes, work in the background, and whether it can do its work."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from hutong.relay.services.identity.daemon.hub_records import HubRecords
from hutong.relay.services.identity.daemon.record_bundles import OpenRecords
from hutong.relay.services.identity.daemon.settings import IdentityServer
from hutong.relay.web.api_keys import KeyRing


@dataclass(frozen=True, slots=True)
class Common:
    """What every role is given. `now_s` is Unix time; `random_bytes` is the system's randomness."""

    server: IdentityServer
    keys: KeyRing
    now_s: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    registry: CollectorRegistry
    """For metrics of the role's own, whose labels are bounded."""
    hub: HubRecords | None = None
    """Records of the hub that the configuration names; None where it names none."""
    open_records: OpenRecords | None = None
    """Opens what shows a hub's records in bundles; None where whoever started the process has nothing that does."""


async def _nothing_to_run() -> None:
    """A role without work in the background."""


def _able() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Role:
    """One role as it runs."""

    name: str
    router: APIRouter
    run: Callable[[], Awaitable[None]] = _nothing_to_run
    """Ends when it has nothing more to do; what it raises starts it again, with a delay."""
    not_ready: Callable[[], str | None] = _able
    """What keeps it from its work, in one sentence; asked for `/readyz`, must not wait."""
    page_policies: Mapping[str, bytes] = field(default_factory=dict)
    """Content-Security-Policy of paths that are pages with other needs than the server's pages have."""
