"""The rule of case 19: the recording is younger than the hub's seed and older than its anchors, and whoever saw it had an order.

Statements `beacon-before`, `beacon`: the hub's seed of an epoch, which there was not, and which there is. For e1 and p1, of which
one may be lost: `<chain>-root`, `<chain>-window`, the police's anchor there; `<chain>-head`, `<chain>-record`, its first entry
and its last. Where p1 is not lost `orders-count`, `order-0000-who`, `order-0000-what`, `releases-count`, `release-0000` and so on.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots, word
from hutong.relay.audit.cases.anchored import index_is_meant
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.named import state_is_there
from hutong.relay.audit.cases.shown import Shown, slot_is_meant, statement_is_there
from hutong.relay.audit.cases.statements import SPEC, ShownEntry, ShownState
from hutong.relay.audit.cases.storage.hub_records import judge_beacon
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "court-evidence"
CHAINS = ("e1", "p1")
COURT = "p1"
PIECE_BYTES = 16 * 1024
ORDERS_SLOT, RELEASES_SLOT = 0, 1
MAX_ORDERS = 64
MASK_64, MASK_160 = 2**64 - 1, 2**160 - 1
_RECORD = re.compile(
    rb'\{"bytes":[1-9][0-9]{0,14},"exhibit":"[a-z0-9-]{1,64}","object":"[a-z0-9-]{1,128}","sha256":"[0-9a-f]{64}"\}'
)


@dataclass(frozen=True, slots=True)
class Anchored:
    """What one chain shows of the recording: its first piece, its record, and the anchor."""

    anchor: AnchoredRoot
    head: bytes
    record: bytes


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    not_before_s, seed = judge_beacon(inquiry.about("beacon"), shown, trust)
    names = inquiry.about("anchors")(a_chain_is_left, shown)
    anchored = [_judge_anchor(inquiry, shown, trust, name) for name in names]
    said = inquiry.about("record")(record_is_the_recordings, anchored)
    inquiry.about("beacon")(head_has_the_beacon, anchored[0].head, seed, said)
    accesses = None
    if COURT in names:
        accesses = _judge_orders(inquiry, shown, trust, anchored[0].record)
    else:
        inquiry.about("orders")(orders_are_whole, shown, frozenset())
    return {
        "exhibit": said,
        "not_before_s": not_before_s,
        "not_after_s": min(one.anchor.anchored_at_s for one in anchored),
        "anchored_on": list(names),
        "accesses": accesses,
    }


def _judge_anchor(inquiry: Inquiry, shown: Shown, trust: CaseTrust, chain: str) -> Anchored:
    judge = inquiry.about(f"anchor on {chain}")
    slots = item_slots(trust.person("police"), judge(index_is_meant, trust, f"anchor-{chain}"))
    words = []
    for part, slot in zip(("root", "window"), slots, strict=True):
        state = judge(state_is_there, shown, f"{chain}-{part}")
        words.append(judge(slot_is_meant, state, trust, chain, "anchor", slot).to_bytes(32, "big"))
    anchor = AnchoredRoot.of_words(words[0], words[1])
    head = judge(entry_is_at, shown, f"{chain}-head", f"{chain}-root", 0, anchor.count)
    record = judge(entry_is_at, shown, f"{chain}-record", f"{chain}-root", anchor.count - 1, anchor.count)
    return Anchored(anchor, head, record)


def _judge_orders(inquiry: Inquiry, shown: Shown, trust: CaseTrust, record: bytes) -> list[Mapping[str, Any]]:
    judge = inquiry.about("orders")

    def number_at(name: str, slot: bytes) -> int:
        return judge(slot_is_meant, judge(state_is_there, shown, name), trust, COURT, "orders", slot)

    counts = [
        judge(count_is_bounded, number_at(name, word(slot)))
        for name, slot in (("orders-count", ORDERS_SLOT), ("releases-count", RELEASES_SLOT))
    ]
    orders = []
    for number in range(counts[0]):
        who = number_at(f"order-{number:04}-who", _item(ORDERS_SLOT, 2 * number))
        orders.append((who, number_at(f"order-{number:04}-what", _item(ORDERS_SLOT, 2 * number + 1))))
    releases = [number_at(f"release-{at:04}", _item(RELEASES_SLOT, at)) for at in range(counts[1])]
    judge(orders_are_whole, shown, _names_of(len(orders), len(releases)))
    return [judge(release_is_under_its_order, one, orders, record) for one in releases]


def _names_of(orders: int, releases: int) -> frozenset[str]:
    words = {f"order-{at:04}-{part}" for at in range(orders) for part in ("who", "what")}
    return frozenset(words | {f"release-{at:04}" for at in range(releases)} | {"orders-count", "releases-count"})


def _item(slot: int, index: int) -> bytes:
    return word(int.from_bytes(keccak256(word(slot)), "big") + index)


@rule(SPEC)
def a_chain_is_left(shown: Shown) -> tuple[str, ...]:
    """The chains of which something is stated: at least one of the two.

    Raises:
        PredicateFailed: both are lost.
    """
    found = tuple(chain for chain in CHAINS if f"{chain}-root" in shown.statements)
    if not found:
        raise PredicateFailed("a_chain_is_left", "no chain shows an anchor", expected=CHAINS)
    return found


@rule(SPEC)
def entry_is_at(shown: Shown, name: str, under: str, place: int, count: int) -> bytes:
    """The leaf of that number of a tree of `count`, under the root that statement `under` shows.

    Raises:
        PredicateFailed: there is no such statement, or it is of another place or tree.
    """
    said = statement_is_there(shown, name, ShownEntry).statement
    got, expected = (said.under, said.offset, said.index, said.size), (under, 0, place, count)
    if got != expected:
        raise PredicateFailed("entry_is_at", f"{name} is of another place", got, expected)
    return said.leaf


@rule(SPEC)
def record_is_the_recordings(anchored: Sequence[Anchored]) -> Mapping[str, Any]:
    """All chains show one tree; its last leaf says how large the recording is, and the others are as many as its pieces.

    Raises:
        PredicateFailed: they show different ones, or the record is not one, or of another size.
    """
    name, first = "record_is_the_recordings", anchored[0]
    for other in anchored[1:]:
        if (other.anchor.root, other.anchor.count) != (first.anchor.root, first.anchor.count):
            raise PredicateFailed(name, "the chains show different roots", other.anchor.root, first.anchor.root)
    if _RECORD.fullmatch(first.record) is None:
        raise PredicateFailed(name, "the last leaf is not a record", first.record[:64])
    said: Mapping[str, Any] = json.loads(first.record)
    pieces = -(-int(said["bytes"]) // PIECE_BYTES)
    if first.anchor.count != pieces + 1:
        raise PredicateFailed(name, "the tree is not over so many pieces", first.anchor.count - 1, pieces)
    return said


@rule(SPEC)
def head_has_the_beacon(head: bytes, seed: bytes, said: Mapping[str, Any]) -> None:
    """The recording's first piece is a whole one, and has the seed in it.

    Raises:
        PredicateFailed: it has not.
    """
    if len(head) != min(PIECE_BYTES, int(said["bytes"])):
        raise PredicateFailed("head_has_the_beacon", "the first piece is cut", len(head), PIECE_BYTES)
    if seed not in head:
        raise PredicateFailed("head_has_the_beacon", "the first piece does not have the hub's seed", expected=seed)


@rule(SPEC)
def count_is_bounded(count: int) -> int:
    """A list of orders or releases is not longer than evidence states.

    Raises:
        PredicateFailed: it is.
    """
    if count > MAX_ORDERS:
        raise PredicateFailed("count_is_bounded", "more than evidence states", count, MAX_ORDERS)
    return count


@rule(SPEC)
def orders_are_whole(shown: Shown, meant: frozenset[str]) -> None:
    """Every order and release of the book is stated, and nothing else.

    Args:
        meant: names of the statements of the book.

    Raises:
        PredicateFailed: a statement is too many.
    """
    found = {name for name in shown.of_kind(ShownState) if name.startswith(("order", "release"))}
    if found - meant:
        raise PredicateFailed("orders_are_whole", "a statement too many", min(found - meant))


@rule(SPEC)
def release_is_under_its_order(release: int, orders: Sequence[tuple[int, int]], record: bytes) -> Mapping[str, Any]:
    """The exhibit went to whom the court named, before the order was over. Returns the access.

    Args:
        release: number of the order and Unix seconds, as the book has them. orders: both words of each.

    Raises:
        PredicateFailed: there is no such order, it is of another exhibit, or was over.
    """
    name, number, time_s = "release_is_under_its_order", release >> 64, release & MASK_64
    if number >= len(orders):
        raise PredicateFailed(name, "there is no such order", number, f"< {len(orders)}")
    who, what = orders[number]
    if what.to_bytes(32, "big") != keccak256(record):
        raise PredicateFailed(name, "the order is of another exhibit", what.to_bytes(32, "big"), keccak256(record))
    until_s = who >> 160 & MASK_64
    if time_s >= until_s:
        raise PredicateFailed(name, "the order was over", time_s, f"< {until_s}")
    return {"order": number, "reader": f"0x{(who & MASK_160).to_bytes(20, 'big').hex()}", "released_at_s": time_s}
