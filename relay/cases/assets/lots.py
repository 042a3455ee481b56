"""Lots of food as a processor splits and merges them, and what a recall of one of them reaches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from eth_abi.abi import encode
from web3 import Web3

SEED, MOST_RECALLED, HARVESTED_OF = 22, 40, 10
"""Of every `HARVESTED_OF` lots one is a harvest. A recall of more than `MOST_RECALLED` lots would be several messages."""
RECORD = ["bytes32", "uint128", "bytes32[]", "uint128[]"]


@dataclass(frozen=True)
class Record:
    """A lot of `amount`, made of `inputs`: lots with how much was taken of each; none for a harvest."""

    lot: bytes
    amount: int
    inputs: dict[bytes, int] = field(default_factory=dict)

    @property
    def leaf(self) -> bytes:
        """As the book hashes it, and as it is anchored."""
        return encode(RECORD, [self.lot, self.amount, list(self.inputs), list(self.inputs.values())])

    @property
    def certificate(self) -> bytes:
        """The farm's word for a harvest."""
        return encode(["bytes32", "uint128"], [self.lot, self.amount])


def lot_id(number: int) -> bytes:
    """Of a lot by its number."""
    return bytes(Web3.keccak(text=f"lot {number}"))


def season(count: int) -> list[Record]:
    """Harvests, then lots that are split off and merged out of what is left, of a harvest or of recent lots."""
    random = Random(SEED)  # noqa: S311 - a seed, not a secret
    records = [Record(lot_id(number), 100_000 + number) for number in range(max(2, count // HARVESTED_OF))]
    harvested, left = len(records), {record.lot: record.amount for record in records}
    for number in range(harvested, count):
        recent = [record.lot for record in records[max(harvested, number - 20) :]]
        sources = [lot for lot in (records[number % harvested].lot, *recent) if left[lot] > 1]
        chosen = random.sample(sources, min(len(sources), random.choice((1, 1, 2))))
        inputs = {lot: 1 + left[lot] // random.randint(2, 6) for lot in chosen}
        for lot, taken in inputs.items():
            left[lot] -= taken
        made = Record(lot_id(number), max(1, sum(inputs.values()) * 9 // 10), inputs)
        left[made.lot] = made.amount
        records.append(made)
    return records


def made_of(records: Sequence[Record], lot: bytes) -> set[bytes]:
    """The lot and everything that something of it went into: a search of the graph from it on."""
    found, waiting = {lot}, [lot]
    while waiting:
        source = waiting.pop()
        new = {record.lot for record in records if source in record.inputs} - found
        found |= new
        waiting += new
    return found


def to_recall(records: Sequence[Record]) -> tuple[bytes, list[bytes]]:
    """The harvest that most lots come from, of those that one message recalls; and these lots."""
    reached = {record.lot: sorted(made_of(records, record.lot)) for record in records if not record.inputs}
    lot = max(reached, key=lambda one: (len(reached[one]) <= MOST_RECALLED, len(reached[one])))
    return lot, reached[lot][:MOST_RECALLED]
