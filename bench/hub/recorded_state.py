"""As many records as years of observing write, made by the module's own rules into a state that is laid down in bulk."""

from collections.abc import Iterator

from hutong.light_clients.interface import Height
from hutong.light_clients.records import PROVEN, Observation, ObservationKey, SlotPlace
from hutong.relay.hub.application.observations.keeping import keep_observation
from hutong.relay.hub.application.observations.writers import Writers
from hutong.relay.hub.state import keys

FIRST_EPOCH = 1
HEIGHT = Height(0, 1)


class _Laid:
    """A state in which every record is new: what the rules write, and of what they read again the counts alone."""

    def __init__(self) -> None:
        self.written: list[tuple[bytes, bytes]] = []
        self.counts: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.counts.get(key)

    def set(self, key: bytes, value: bytes) -> None:
        if key.startswith(keys.OBSERVATION_COUNT_PREFIX) or key == keys.OBSERVATIONS_OPEN_KEY:
            self.counts[key] = value
        else:
            self.written.append((key, value))

    def delete(self, key: bytes) -> None:
        raise NotImplementedError("a first observation takes nothing out")

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        raise NotImplementedError("a first observation reads no rows in order")

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        raise NotImplementedError("a first observation reads no rows in order")


def records(
    client_id: str, contract: bytes, slots: range, writer: bytes, time_ns: int
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values that `writer` leaves in the state by observing slots of a contract, on a hub that is open to all."""
    laid = _Laid()
    Writers(laid).set_open(True)
    for slot in slots:
        place = SlotPlace(contract, slot.to_bytes(32, "big"))
        value = (slot + 1).to_bytes(32, "big")
        key = ObservationKey.of(client_id, place).to_bytes()
        keep_observation(laid, writer, key, Observation(value, PROVEN, FIRST_EPOCH, HEIGHT, time_ns))
        yield from laid.written
        laid.written.clear()
    yield from ((key, value) for key, value in laid.counts.items() if key != keys.OBSERVATIONS_OPEN_KEY)
