"""What statements of a court's exhibit show: the hub's seed, anchors on two chains, orders and releases."""

import json
from collections.abc import Sequence
from dataclasses import replace

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import Height
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots, word
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.audit.cases import CaseTrust
from hutong.relay.audit.cases.statements import EntryStatement, ShownEntry, ShownState, StateStatement
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.services.storage.rules.records.keys import seed_key
from hutong.relay.services.storage.rules.records.values import SeedRecord, encode_seed_record
from tests.relay.audit.cases.shown_recall import state

BEFORE_S, ANCHORED_S, UNTIL_S = 1_800_000_000, 1_800_000_400, 1_800_009_000
EPOCH, HEIGHT = 7, 90
ANCHOR, ORDERS = b"\x71" * 20, b"\x72" * 20
POLICE, READER = b"\x73" * 20, b"\x74" * 20
CHAIN_IDS = {"e1": "7101", "p1": "7103"}
SEED = SeedRecord(b"\x5a" * 32, b"\x5b" * 32, HEIGHT + 4, ANCHORED_S, 64, 1, 1)
PIECE = 16 * 1024
PIECES = [(b"title" + SEED.seed).ljust(PIECE, b"\0"), b"\1" * PIECE, b"\2" * 100]
SIZE = sum(map(len, PIECES))


def trust(**values: str) -> CaseTrust:
    contracts = {"anchor": ANCHOR, "orders": ORDERS}
    chains = {name: ChainMeant(name, chain_id, f"{name}-0", contracts) for name, chain_id in CHAIN_IDS.items()}
    said = {"beacon-epoch": str(EPOCH), "anchor-e1": "2", "anchor-p1": "0"}
    return CaseTrust("hutong-1", chains, {"police": POLICE}, {**said, **values})


def record(**said: object) -> bytes:
    known = {"bytes": SIZE, "exhibit": "camera-1", "object": "bafyrei1", "sha256": "ab" * 32}
    return json.dumps({**known, **said}, sort_keys=True, separators=(",", ":")).encode()


def hub_state(name: str, value: bytes | None, height: int, time_s: int, key: bytes = b"") -> ShownState:
    what = RecordKey(key or seed_key(EPOCH))
    return ShownState(StateStatement(name, "h", "hutong-1", None, what, value, Height(0, height), time_s), time_s, None)


def beacon(seed: SeedRecord | None = SEED) -> dict[str, ShownState]:
    value = None if seed is None else encode_seed_record(seed)
    return {
        "beacon-before": hub_state("beacon-before", None, HEIGHT, BEFORE_S),
        "beacon": hub_state("beacon", value, HEIGHT + 9, BEFORE_S + 60),
    }


def anchored(chain: str, leaves: Sequence[bytes], anchored_s: int = ANCHORED_S) -> dict[str, ShownState | ShownEntry]:
    index = int(trust().value(f"anchor-{chain}"))
    root = merkle.root(list(leaves))
    words = AnchoredRoot(root, len(leaves), BEFORE_S, ANCHORED_S, anchored_s).words
    slots = item_slots(POLICE, index)
    shown: dict[str, ShownState | ShownEntry] = {
        f"{chain}-{part}": state(f"{chain}-{part}", ANCHOR, slot, said, CHAIN_IDS[chain])
        for part, slot, said in zip(("root", "window"), slots, words, strict=True)
    }
    for part, place in (("head", 0), ("record", len(leaves) - 1)):
        proof = merkle.prove(list(leaves), place)
        said = EntryStatement(f"{chain}-{part}", leaves[place], place, len(leaves), proof.aunts, f"{chain}-root", 0)
        source = shown[f"{chain}-root"]
        assert isinstance(source, ShownState)
        shown[said.id] = ShownEntry(said, root, source)
    return shown


def book(orders: Sequence[tuple[int, bytes]], releases: Sequence[tuple[int, int]]) -> dict[str, ShownState]:
    """Orders by their end and exhibit; releases by order and second."""
    words = {"orders-count": (0, len(orders)), "releases-count": (1, len(releases))}
    items = {}
    for at, (until_s, exhibit) in enumerate(orders):
        items[f"order-{at:04}-who"] = _item(0, 2 * at, until_s << 160 | int.from_bytes(READER, "big"))
        items[f"order-{at:04}-what"] = _item(0, 2 * at + 1, int.from_bytes(exhibit, "big"))
    for at, (order, time_s) in enumerate(releases):
        items[f"release-{at:04}"] = _item(1, at, order << 64 | time_s)
    slots = {name: (word(slot), word(value)) for name, (slot, value) in words.items()} | items
    return {name: state(name, ORDERS, slot, value, CHAIN_IDS["p1"]) for name, (slot, value) in slots.items()}


def _item(slot: int, index: int, value: int) -> tuple[bytes, bytes]:
    return word(int.from_bytes(keccak256(word(slot)), "big") + index), word(value)


def exhibit(said: bytes | None = None, pieces: Sequence[bytes] = PIECES, **changed):
    """All statements that hold; `changed` replaces some of them."""
    leaves = [*pieces, record() if said is None else said]
    orders = book([(UNTIL_S, keccak256(leaves[-1]))], [(0, ANCHORED_S + 5)])
    later = anchored("p1", leaves, ANCHORED_S + 30)
    return {**beacon(), **anchored("e1", leaves), **later, **orders, **changed}


def without(shown, *prefixes: str):
    return {name: one for name, one in shown.items() if not name.startswith(prefixes)}


def stated(one, **fields):
    """The same with other fields in its statement."""
    return replace(one, statement=replace(one.statement, **fields))
