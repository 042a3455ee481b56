"""What a hub observes of other chains and who opens keys for it, as its node says (docs/spec/records.md)."""

from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.rpc import Fields
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.records import (
    MAX_OBSERVATION_BYTES,
    Observation,
    ObservationKey,
    decode_observation_of,
    parse_observation_key,
)

MAX_WRITERS = 100_000
MAX_OBSERVED = 100_000
MAX_KEY_BYTES = 200
ADDRESS_BYTES = 20
FIRST_KEY = b"\0"
"""Below every key."""
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Writer:
    """An account that may have up to `limit` keys open, and has `keys`."""

    address: bytes
    limit: int
    keys: int


@dataclass(frozen=True, slots=True)
class ObservationWriters:
    """Who opens keys: everybody, or the named writers, ascending; `is_complete` is False if there are more than were read."""

    is_open: bool
    writers: tuple[Writer, ...]
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation under its key. `is_current`: its client is active and has changed nothing since."""

    key: ObservationKey
    observation: Observation
    is_current: bool


@dataclass(frozen=True, slots=True)
class ObservedPlaces:
    """In the order of their keys; `is_complete` is False if there are more than were read."""

    observed: tuple[Observed, ...]
    is_complete: bool = True


async def observation_writers(execution: ExecutionRpc) -> ObservationWriters:
    """Page by page, until a page brings nothing new or MAX_WRITERS are known.

    Raises:
        BadAnswer: a malformed page. RpcRefused: the node does not offer it.
        EndpointUnavailable: no endpoint answers.
    """
    known: dict[bytes, Writer] = {}
    while True:
        before = len(known)
        last = max(known, default=bytes(ADDRESS_BYTES))
        page = await execution.client.call("hutong_observationWriters", [f"0x{last.hex()}"], _writers)
        known |= {writer.address: writer for writer in page.writers}
        # A node that repeats its page has no more to say.
        if not before < len(known) < MAX_WRITERS:
            is_complete = len(known) == before or len(page.writers) < _PAGE
            return ObservationWriters(page.is_open, tuple(known[one] for one in sorted(known)), is_complete)


async def observed_page(execution: ExecutionRpc, after: bytes = FIRST_KEY) -> tuple[Observed, ...]:
    """What is observed under keys above `after`, at most 1 000 in the order of their keys. Nothing is proven.

    Raises:
        As `observed_places`.
    """
    return await execution.client.call("hutong_observations", [f"0x{after.hex()}"], _observed)


async def observed_places(execution: ExecutionRpc) -> ObservedPlaces:
    """Page by page, until a page brings nothing new or MAX_OBSERVED are known. Nothing is proven: that is the record's.

    Raises:
        BadAnswer: a malformed page, or a record that does not fit its key. RpcRefused: the node does not offer it.
        EndpointUnavailable: no endpoint answers.
    """
    known: dict[bytes, Observed] = {}
    while True:
        before = len(known)
        page = await observed_page(execution, max(known, default=FIRST_KEY))
        known |= {one.key.to_bytes(): one for one in page}
        if not before < len(known) < MAX_OBSERVED:
            return ObservedPlaces(tuple(known[key] for key in sorted(known)), len(known) == before)


def _writers(fields: Fields) -> ObservationWriters:
    writers = tuple(
        Writer(item.at("address").data(ADDRESS_BYTES), item.at("limit").quantity(), item.at("keys").quantity())
        for item in fields.at("writers").items(_PAGE)
    )
    return ObservationWriters(fields.at("open").flag(), writers)


def _observed(fields: Fields) -> tuple[Observed, ...]:
    return tuple(_place(item) for item in fields.items(_PAGE))


def _place(item: Fields) -> Observed:
    key = item.at("key").data(max_bytes=MAX_KEY_BYTES)
    record = item.at("record").data(max_bytes=MAX_OBSERVATION_BYTES)
    try:
        place = parse_observation_key(key)
        return Observed(place, decode_observation_of(place, record), item.at("isCurrent").flag())
    except MalformedInput as error:
        raise item.bad(str(error)) from error
