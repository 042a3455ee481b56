"""What the configuration wants observed over one client of a hub."""

from dataclasses import dataclass

from eth_utils.address import to_canonical_address

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.records import ObservationKey, Place
from hutong.relay.config import Config, PathEnd, UnusableLayout
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.observing.issuers import PushedIssuer


@dataclass(frozen=True, slots=True)
class Watched:
    """A place with its record key on the hub. It is renewed at a change (`on_change`), at an interval, or both."""

    name: str
    place: Place
    key: bytes
    interval_ns: int | None
    on_change: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """A record of the hub that a reader is to have; `observed_client` is the client on the hub that shows it."""

    name: str
    key: bytes
    observed_client: str


def watched_over(config: Config, end: PathEnd) -> tuple[Watched, ...]:
    """All that is observed over the client `end`, ascending by record key. Reads the layouts' files.

    Raises:
        StartRefused: a layout names no slot, or two entries are of one place.
    """
    found: dict[bytes, Watched] = {}
    for index, one in enumerate(config.observations):
        if end not in config.observed_over(one):
            continue
        try:
            place = one.place()
        except UnusableLayout as error:
            raise StartRefused(f"observations.{index}.{error}") from None
        key = ObservationKey.of(end.client, place).to_bytes()
        if key in found:
            raise StartRefused(f"observations.{index}: is the place of {found[key].name!r}; take one of them out")
        interval_ns = None if one.interval_s is None else one.interval_s * NANOSECONDS_PER_SECOND
        found[key] = Watched(one.name, place, key, interval_ns, one.on_change)
    return tuple(found[key] for key in sorted(found))


def pushed_over(config: Config, end: PathEnd) -> dict[bytes, tuple[Pushed, ...]]:
    """By the reader's 20-byte address, what is pushed to it over the client `end`, which follows a hub.

    Raises:
        StartRefused: as `watched_over`.
    """
    found: dict[bytes, list[Pushed]] = {}
    for over in dict.fromkeys(over for one in config.observations if one.push_to for over in config.observed_over(one)):
        if end not in config.pushed_over(over.chain, end.chain):
            continue
        keys = {one.name: one.key for one in watched_over(config, over)}
        for one in config.observations:
            for push in one.push_to:
                if push.chain == end.chain and over in config.observed_over(one):
                    reader = to_canonical_address(push.reader)
                    found.setdefault(reader, []).append(Pushed(one.name, keys[one.name], over.client))
    return {reader: tuple(pushed) for reader, pushed in found.items()}


def issuers_over(config: Config, end: PathEnd) -> dict[bytes, tuple[PushedIssuer, ...]]:
    """By the cache's 20-byte address, the issuers that are brought to it over the client `end`, which follows a hub."""
    found: dict[bytes, list[PushedIssuer]] = {}
    for one in config.issuers:
        hub = config.hub_of(one)
        for push in one.push_to:
            if hub is not None and push.chain == end.chain and end in config.pushed_over(hub, end.chain):
                cache = to_canonical_address(push.cache)
                found.setdefault(cache, []).append(PushedIssuer(one.name, one.did, one.lists, one.interval_s))
    return {cache: tuple(pushed) for cache, pushed in found.items()}
