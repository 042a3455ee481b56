"""The rule of case 22: every lot of the book comes from certified harvests, none of more than went into it, and the recall named
exactly the lots that something of the recalled harvest went into.

Statements `certified`, `certificate-0000` on: the message by which the farm's log told p1 a root, and all certificates under it;
`forged-certificates`: somebody else's, refused. `lot-root`, `lot-window`, `lot-0000` on: the processor's anchor and all records of its book; `book-head`: what the book's contract
holds over them. `recall-…`, `blocked-…`, `forged-recall` as in case 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.audit.cases.anchored import judge_window
from hutong.relay.audit.cases.certificates import judge_certificates
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.named import message_is_there, state_is_there
from hutong.relay.audit.cases.recalls import Recall, forged_recall_was_refused, judge_recall
from hutong.relay.audit.cases.shown import Shown, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, ShownState
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "food-lots"
SHOPS = ("e1", "e2")
RECORD = ["bytes32", "uint128", "bytes32[]", "uint128[]"]
CERTIFICATE = ["bytes32", "uint128"]
MAX_RECORD_BYTES = 64 * 1024
HEAD_SLOT = bytes(32)
"""`ExampleLotBook.head`."""


@dataclass(frozen=True, slots=True)
class LotRecord:
    """A lot of `amount`, of so much of each of `inputs`; a harvest has none."""

    lot: bytes
    amount: int
    inputs: tuple[tuple[bytes, int], ...]


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    certificates = judge_certificates(inquiry, shown, trust)
    _, entries = judge_window(inquiry, shown, trust, "lot", "anchor", "maker", "records")
    judge = inquiry.about("book")
    head = judge(state_is_there, shown, "book-head")
    judge(records_are_the_books, entries, judge(slot_is_meant, head, trust, "p1", "book", HEAD_SLOT))
    records = [judge(record_is_well_formed, entry) for entry in entries]
    judge(harvests_are_certified, records, certificates)
    judge(nothing_comes_from_nothing, records)
    recall, took = judge_recall(inquiry, shown, trust, SHOPS)
    recalled = trust.value("recalled")
    inquiry.about("recall")(book_is_not_older, head, recall)
    affected = inquiry.about("recall")(recall_names_what_is_affected, recall, records, recalled)
    forged = inquiry.about("forged recall")(message_is_there, shown, "forged-recall")
    inquiry.about("forged recall")(forged_recall_was_refused, forged, trust, SHOPS)
    return {
        "lots": len(records),
        "harvested": len(certificates),
        "recalled": recalled,
        "affected": [lot.hex() for lot in affected],
        "blocked_after_s": took,
    }


@rule(SPEC)
def records_are_the_books(entries: Sequence[bytes], head: int) -> None:
    """The anchored records are exactly those that the book's contract took, in its order.

    Raises:
        PredicateFailed: one is altered, left out, put in or moved.
    """
    computed = bytes(32)
    for entry in entries:
        computed = keccak256(computed + keccak256(entry))
    if int.from_bytes(computed, "big") != head:
        raise PredicateFailed("records_are_the_books", "the book holds other records", computed.hex(), f"{head:064x}")


@rule(SPEC)
def record_is_well_formed(entry: bytes) -> LotRecord:
    """An entry is a record of the book.

    Raises:
        PredicateFailed: it has not as many amounts as inputs.
        MalformedInput: it cannot be read.
    """
    lot, amount, inputs, amounts = decode_canonical(RECORD, entry, "lot", MAX_RECORD_BYTES)
    if len(inputs) != len(amounts):
        raise PredicateFailed("record_is_well_formed", "amounts of a record", len(amounts), len(inputs))
    return LotRecord(bytes(lot), amount, tuple(zip(map(bytes, inputs), amounts, strict=True)))


@rule(SPEC)
def harvests_are_certified(records: Sequence[LotRecord], certificates: Sequence[bytes]) -> None:
    """Every lot without inputs has the farm's certificate of its amount, and every certificate is of one lot.

    Raises:
        PredicateFailed: a harvest has none, or a certificate cannot be read or stands twice.
        MalformedInput: a certificate cannot be read.
    """
    name, certified = "harvests_are_certified", {}
    for certificate in certificates:
        lot, amount = decode_canonical(CERTIFICATE, certificate, "certificate", MAX_RECORD_BYTES)
        if bytes(lot) in certified:
            raise PredicateFailed(name, "two certificates are of one lot", bytes(lot).hex())
        certified[bytes(lot)] = amount
    for record in records:
        if not record.inputs and certified.get(record.lot) != record.amount:
            raise PredicateFailed(
                name, f"harvest {record.lot.hex()}", record.amount, certified.get(record.lot, "no certificate")
            )


@rule(SPEC)
def nothing_comes_from_nothing(records: Sequence[LotRecord]) -> None:
    """Every lot is made once, of lots that were there, of no more than was left of them, and no more comes out than goes in.

    Raises:
        PredicateFailed: naming the first lot of which that is not so.
    """
    name, left = "nothing_comes_from_nothing", dict[bytes, int]()
    for record in records:
        if record.lot in left or record.amount <= 0:
            raise PredicateFailed(name, f"lot {record.lot.hex()} is made twice, or of nothing", record.amount)
        for source, taken in record.inputs:
            if not 0 < taken <= left.get(source, 0):
                raise PredicateFailed(name, f"taken of {source.hex()}", taken, f"1 to {left.get(source, 0)}")
            left[source] -= taken
        total = sum(taken for _, taken in record.inputs)
        if record.inputs and record.amount > total:
            raise PredicateFailed(name, f"output of {record.lot.hex()}", record.amount, f"<= {total}")
        left[record.lot] = record.amount


@rule(SPEC)
def book_is_not_older(head: ShownState, recall: Recall) -> None:
    """The book was read at the maker's time of the recall or later, so that no lot made before it is missing.

    Raises:
        PredicateFailed: it was read before.
    """
    if head.statement.time_s < recall.told_s:
        raise PredicateFailed(
            "book_is_not_older", "the book was read before the recall", head.statement.time_s, f">= {recall.told_s}"
        )


@rule(SPEC)
def recall_names_what_is_affected(recall: Recall, records: Sequence[LotRecord], recalled: str) -> list[bytes]:
    """The lots of the recall are the recalled one and all that something of it went into. Returns them, ascending.

    Raises:
        PredicateFailed: one is named that is not affected, or one that is is not named.
    """
    affected = reached_from(records, bytes.fromhex(recalled) if _is_id(recalled) else b"")
    named = set(recall.lots)
    if named != affected:
        wrong = sorted(named ^ affected)
        what = "is not affected" if wrong[0] in named else "is not named"
        raise PredicateFailed("recall_names_what_is_affected", f"{wrong[0].hex()} {what}", len(named), len(affected))
    return sorted(affected)


def reached_from(records: Sequence[LotRecord], lot: bytes) -> set[bytes]:
    """The lot, if there is one, and every lot that something of it went into."""
    made: dict[bytes, list[bytes]] = {record.lot: [] for record in records}
    for record in records:
        for source, _ in record.inputs:
            made.setdefault(source, []).append(record.lot)
    return _closure(made, lot) if lot in made else set()


def _closure(made: Mapping[bytes, Sequence[bytes]], lot: bytes) -> set[bytes]:
    found, waiting = {lot}, [lot]
    while waiting:
        for product in made[waiting.pop()]:
            if product not in found:
                found.add(product)
                waiting.append(product)
    return found


def _is_id(text: str) -> bool:
    return len(text) == 64 and all(char in "0123456789abcdef" for char in text)
