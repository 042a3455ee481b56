"""Records of the hub's state as its RPC shows them: observations with their client's epoch, writers, proofs."""

from collections.abc import Iterator
from typing import Any

from hutong.light_clients.crypto import ADDRESS_BYTES, sha256
from hutong.light_clients.records import (
    OBSERVATION_PREFIX,
    ClientEpoch,
    ObservationKey,
    PlaceKind,
    TrustKind,
    decode_observation,
    parse_observation_key,
)
from hutong.light_clients.records.places import AccountField
from hutong.relay.hub.application.observations.epochs import epoch_of
from hutong.relay.hub.application.observations.writers import Writers
from hutong.relay.hub.state import StateView, keys

MAX_VALUE_BYTES = 1024 * 1024
"""Of a page: values of Cosmos stores have up to 8 KiB each."""
_FAMILIES = sorted(OBSERVATION_PREFIX + f"{kind.family}/".encode() for kind in PlaceKind)


def observation_rows(view: StateView, after: bytes, most: int) -> list[dict[str, Any]]:
    """Observations whose keys are above `after`, ascending; at most `most`, or as many as hold MAX_VALUE_BYTES."""
    epochs: dict[str, ClientEpoch | None] = {}
    found: list[dict[str, Any]] = []
    size = 0
    for key, value in _observed(view, after):
        place = parse_observation_key(key)
        if place.client_id not in epochs:
            epochs[place.client_id] = epoch_of(view, place.client_id)
        found.append(_row(view, place, key, value, epochs[place.client_id]))
        size += len(value)
        if len(found) == most or size >= MAX_VALUE_BYTES:
            break
    return found


def _observed(view: StateView, after: bytes) -> Iterator[tuple[bytes, bytes]]:
    for family in _FAMILIES:
        row = view.next(max(after, family))
        while row is not None and row[0].startswith(family):
            yield row
            row = view.next(row[0])


def _row(view: StateView, place: ObservationKey, key: bytes, value: bytes, epoch: ClientEpoch | None) -> dict[str, Any]:
    observation = decode_observation(value)
    opener = view.get(keys.observation_opened_key(sha256(key)))
    trust = observation.trust
    return {
        "key": f"0x{key.hex()}",
        "client": place.client_id,
        **_place(place),
        "value": None if observation.value is None else f"0x{observation.value.hex()}",
        "trust": "proven" if trust.kind is TrustKind.PROVEN else "attested",
        "threshold": trust.threshold,
        "attestors": trust.attestors,
        "height": {
            "revisionNumber": observation.height.revision_number,
            "revisionHeight": observation.height.revision_height,
        },
        "sourceTimeNs": str(observation.source_time_ns),
        "epoch": observation.epoch,
        "isCurrent": epoch is not None and epoch.is_readable and epoch.number == observation.epoch,
        "openedBy": None if opener is None else f"0x{opener.hex()}",
        "record": f"0x{value.hex()}",
    }


def _place(place: ObservationKey) -> dict[str, Any]:
    if place.kind is PlaceKind.STORE:
        return {"kind": "store", "keyHash": f"0x{place.tail.hex()}"}
    account, rest = place.tail[:ADDRESS_BYTES], place.tail[ADDRESS_BYTES:]
    shown = {"kind": place.kind.family, "account": f"0x{account.hex()}"}
    if place.kind is PlaceKind.SLOT:
        return shown | {"slot": f"0x{rest.hex()}"}
    return shown | {"field": AccountField(rest[0]).name.lower()}


def service_rows(view: StateView, service: bytes, prefix: bytes, after: bytes, most: int) -> list[dict[str, Any]]:
    """Records of a service whose keys begin with `prefix` and are above `after`, ascending; at most `most`.

    Of a prefix that does not begin with that of the service (`identity/`, `storage/`) there are none.
    """
    found: list[dict[str, Any]] = []
    if not prefix.startswith(service):
        return found
    row = view.next(max(prefix, after))
    while row is not None and row[0].startswith(prefix) and len(found) < most:
        found.append({"key": f"0x{row[0].hex()}", "value": f"0x{row[1].hex()}"})
        row = view.next(row[0])
    return found


def writer_rows(view: StateView, after: bytes, most: int) -> dict[str, Any]:
    """Whether everybody opens keys, and the named writers above the address `after`, ascending."""
    writers, prefix = Writers(view), keys.OBSERVATION_WRITER_PREFIX
    rows: list[dict[str, Any]] = []
    row = view.next(prefix + after)
    while row is not None and row[0].startswith(prefix) and len(rows) < most:
        account = row[0][len(prefix) :]
        rows.append(
            {
                "address": f"0x{account.hex()}",
                "limit": hex(writers.limit(account)),
                "keys": hex(writers.count(account)),
            }
        )
        row = view.next(row[0])
    return {"open": writers.is_open, "writers": rows}
