"""What the ledger takes and gives."""

from dataclasses import dataclass
from enum import StrEnum


class TransactionState(StrEnum):
    """A transaction is `signed` until its nonce is used up on the chain; every other state is final."""

    SIGNED = "signed"
    INCLUDED = "included"
    REVERTED = "reverted"
    REPLACED = "replaced"
    """Another transaction used the nonce: a dearer copy of ours, or someone else's with the same key."""
    REFUSED = "refused"
    """The pool refused it for good; its nonce was given to another."""


@dataclass(frozen=True, slots=True)
class RecordedJob:
    """What a message of a recorded transaction was for; `id` is `kind:packet id`."""

    id: str
    event_time_ns: int

    @property
    def kind(self) -> str:
        return self.id.partition(":")[0]

    @property
    def packet_id(self) -> str:
        return self.id.partition(":")[2]


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """A transaction as recorded before it was sent. `jobs` has one entry a message, None where it updates a client.

    `prepared` is the submitter's own text, from which it can sign again.
    """

    chain: str
    hash: bytes
    sender: str
    nonce: int
    raw: bytes
    prepared: str
    jobs: tuple[RecordedJob | None, ...]
    signed_at_ns: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one packet's step cost and where it is. `gas_used` and `fee_wei` are its share of a batch of `batch_size`."""

    packet_id: str
    kind: str
    chain: str
    transaction_hash: bytes
    height: int
    batch_size: int
    gas_used: int
    fee_wei: int
    event_time_ns: int
    block_time_ns: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Sums over the deliveries and all transactions of a chain, paid failures included."""

    chain: str
    deliveries: int
    transactions: int
    reverted: int
    gas_used: int
    fee_wei: int


def shares(total: int, count: int) -> list[int]:
    """Cut `total` into `count` integers that differ by at most one and sum to it."""
    base, rest = divmod(total, count)
    return [base + (1 if index < rest else 0) for index in range(count)]
