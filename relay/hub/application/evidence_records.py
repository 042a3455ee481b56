"""Records of double votes in the state: who, when, with what power, and in which block the proof stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hutong.relay.hub.application.abci import Misbehaviour
from hutong.relay.hub.state import StateView
from hutong.relay.hub.state.keys import EVIDENCE_PREFIX, evidence_key

_WORD = 8


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """`recorded_at` is the height of the block that carries both votes."""

    misbehaviour: Misbehaviour
    recorded_at: int


def encode_record(misbehaviour: Misbehaviour, recorded_at: int) -> bytes:
    """BE8 each of power, total power, block time ns, height of the block that carries the evidence."""
    numbers = (misbehaviour.power, misbehaviour.total_power, misbehaviour.time_ns, recorded_at)
    return b"".join(number.to_bytes(_WORD, "big") for number in numbers)


def write_records(view: StateView, misbehaviours: Sequence[Misbehaviour], height: int) -> None:
    """Write one record for each item, in block `height`.

    One of a validator and height stays as it was first written.
    """
    for item in misbehaviours:
        key = evidence_key(item.height, item.address)
        if view.get(key) is None:
            view.set(key, encode_record(item, height))


def read_records(view: StateView) -> Iterator[EvidenceRecord]:
    """Records in the order of the heights that were voted on, then of addresses."""
    for key, value in view.with_prefix(EVIDENCE_PREFIX):
        place = key.removeprefix(EVIDENCE_PREFIX)
        height, address = int.from_bytes(place[:_WORD], "big"), place[_WORD:]
        power, total, time_ns, recorded_at = (
            int.from_bytes(value[start : start + _WORD], "big") for start in range(0, 4 * _WORD, _WORD)
        )
        yield EvidenceRecord(Misbehaviour(address, power, height, time_ns, total), recorded_at)
