"""The rule of case 14: one title on its way from its maker on p1 over e1 to the buyer on e2, live there alone and without a lien,
with the mileage that licensed inspectors wrote, which never went down.
"""

from collections.abc import Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.anchored import judge_window
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials.credentials_meant import (
    credential_is_meant,
    gate_is_meant,
    mapping_slot,
    nothing_else_is_shown,
)
from hutong.relay.audit.cases.credentials.title_way import (
    AWAY,
    LIVE,
    NOBODY,
    Moved,
    Way,
    is_the_same_title,
    judge_move,
    judge_word,
    person_text,
    title_stands_so,
)
from hutong.relay.audit.cases.named import credential_is_there
from hutong.relay.audit.cases.shown import Shown
from hutong.relay.audit.cases.statements import SPEC
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "vehicle-passport"
WAY = Way("maker", ("p1", "e1", "e2"))
HEADS_SLOT = 1
"""Of `ExampleInspections.heads`, after the nonces of its gate."""
MILEAGE = b"mileage".ljust(32, b"\0")
ENTRY_BYTES, COUNTER_BYTES = 128, 64
_ENTRY = ["bytes32", "uint128", "uint64", "bytes32"]


@rule(SPEC)
def mileage_of(move: Moved) -> int:
    """The title has one counter, its mileage, which goes up. Returns it, in kilometres.

    Raises:
        PredicateFailed: it has another, or more, or none.
    """
    if len(move.counters) != COUNTER_BYTES or move.counters[:32] != MILEAGE or move.counters[32]:
        raise PredicateFailed("mileage_of", "has no mileage, or more than that", move.counters)
    return int.from_bytes(move.counters[32:], "big")


@rule(SPEC)
def vehicle_was_new(mileage_km: int) -> None:
    """When its maker sent it, it had no mileage.

    Raises:
        PredicateFailed: it had.
    """
    if mileage_km:
        raise PredicateFailed("vehicle_was_new", "had a mileage", mileage_km, 0)


@rule(SPEC)
def no_lien_is_left(word: int) -> None:
    """Nobody has a lien.

    Raises:
        PredicateFailed: somebody has.
    """
    if word:
        raise PredicateFailed("no_lien_is_left", "there is a lien", hex(word))


@rule(SPEC)
def mileage_goes_up(entries: Sequence[bytes], sold: Moved, sold_km: int, licence: bytes) -> None:
    """Every entry is of the vehicle, under the licence, of a higher mileage and no earlier time than the one before; the last
    is of the mileage with which it was sold.

    Raises:
        PredicateFailed: naming the first that is not.
        MalformedInput: one cannot be read.
    """
    name, before = "mileage_goes_up", (0, 0)
    for at, entry in enumerate(entries):
        content, mileage, time_s, digest = decode_canonical(_ENTRY, entry, "entry", ENTRY_BYTES)
        if (content, digest) != (sold.content, licence):
            raise PredicateFailed(name, f"entry {at} is of another vehicle or licence", (content, digest))
        if mileage <= before[0] or time_s < before[1]:
            raise PredicateFailed(name, f"entry {at} goes back", (mileage, time_s), before)
        before = (mileage, time_s)
    if before[0] != sold_km:
        raise PredicateFailed(name, "was sold with another mileage", sold_km, before[0])


@rule(SPEC)
def book_has_these_entries(word: int, entries: Sequence[bytes]) -> None:
    """What the contract keeps is the hash over exactly these entries, in their order.

    Raises:
        PredicateFailed: it is of others.
    """
    head = bytes(32)
    for entry in entries:
        head = keccak256(head + keccak256(entry))
    if word.to_bytes(32, "big") != head:
        raise PredicateFailed("book_has_these_entries", "the book has other entries", word, head)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    judge = inquiry.about("vehicle")
    made, sold = (
        judge_move(inquiry.about(name), shown, trust, WAY, name, at) for at, name in enumerate(("made", "sold"))
    )
    judge(is_the_same_title, (made, sold), (made.receiver, person_text(trust, "buyer")))
    judge(vehicle_was_new, judge(mileage_of, made))
    sold_km, last = judge(mileage_of, sold), len(WAY.chains) - 1
    for at, chain in enumerate(WAY.chains):
        judge, first = inquiry.about(f"title on {chain}"), WAY.slot_at(trust, at, made.local_id)
        word = judge_word(judge, shown, trust, (f"title-{chain}", chain, "title"), first)
        judge(title_stands_so, word, *((LIVE, trust.person("buyer")) if at == last else (AWAY, NOBODY)))
        second = ((int.from_bytes(first, "big") + 1) % 2**256).to_bytes(32, "big")
        judge(no_lien_is_left, judge_word(judge, shown, trust, (f"lien-{chain}", chain, "title"), second))
    _, entries = judge_window(inquiry, shown, trust, "entry", "anchor", "inspector", "anchor")
    judge = inquiry.about("entries")
    judge(mileage_goes_up, entries, sold, sold_km, _licence(inquiry.about("licence"), shown, trust))
    slot = mapping_slot(WAY.id_at(trust, 1, made.local_id), HEADS_SLOT)
    judge(book_has_these_entries, judge_word(judge, shown, trust, ("book", "e1", "book"), slot), entries)
    return {"inspections": len(entries), "mileage_km": str(sold_km), "content": sold.content.hex()}


def _licence(judge: Judge, shown: Shown, trust: CaseTrust) -> bytes:
    licence = judge(credential_is_there, shown, "licence")
    judge(credential_is_meant, licence, trust, "authority", "schema")
    judge(gate_is_meant, licence, trust, "e1", "book")
    judge(nothing_else_is_shown, licence, ())
    return licence.digest
