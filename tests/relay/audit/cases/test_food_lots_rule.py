"""The rule of case 22, on what statements show: the book's records, their origins, what a recall must name."""

from dataclasses import replace

from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.gmp import GMP_PORT, GmpPacketData, encode_message
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchored_root import item_slots
from hutong.relay.audit.cases.food_lots import LotRecord, conclude, reached_from
from hutong.relay.audit.cases.statements import EntryStatement, Fate, MessageStatement, ShownEntry, ShownMessage
from hutong.relay.audit.cases.statements.message import Said
from hutong.relay.cases.anchoring import root_and_paths, slots_of
from hutong.relay.cases.assets.lots import Record, lot_id, made_of, season, to_recall
from tests.relay.audit.cases.shown_recall import (
    MAKER,
    RECORDED,
    STRANGER,
    TO_P1,
    TOLD_S,
    Anchoring,
    concluded,
    meant,
    recall,
    state,
)

ANCHOR, BOOK, FARM, CERTIFICATES = b"\x71" * 20, b"\x72" * 20, b"\x73" * 20, b"\x74" * 20
A, B, C, D = (lot_id(number) for number in range(4))
GOOD = (Record(A, 100), Record(B, 50), Record(C, 60, {A: 50, B: 10}), Record(D, 30, {C: 30}))
VALUES = {"recalled": B.hex(), "records": "3"}
TRUST = meant({"anchor": ANCHOR, "book": BOOK, "certificates": CERTIFICATES}, {"farm": FARM}, VALUES)


def head_of(records) -> bytes:
    head = bytes(32)
    for record in records:
        head = keccak256(head + keccak256(record.leaf))
    return head


def told(certificates, sender=FARM, fate=Fate.DELIVERED, receiver=CERTIFICATES, name="certified", bundle=TO_P1):
    """A message of the farm's log that says a root over certificates."""
    payload = encode(["bytes32", "uint64"], [merkle.root(certificates), len(certificates)])
    data = GmpPacketData(f"0x{sender.hex()}", f"0x{receiver.hex()}", b"", payload, "")
    version, value = encode_message(data)
    said = Said(GMP_PORT, GMP_PORT, version, "application/x-solidity-abi", value, TOLD_S)
    statement = MessageStatement(name, "c", bundle.packet_id, fate)
    return ShownMessage(statement, bundle, said, ((TOLD_S, TOLD_S), (TOLD_S, TOLD_S)))


def certified_by(message, leaves):
    """The message, and every certificate under the root that it says."""
    root = merkle.root(leaves)
    offset = message.said.value.index(root)
    shown = {"certified": message, "forged-certificates": FORGED}
    for number, leaf in enumerate(leaves):
        path, name = merkle.prove(list(leaves), number), f"certificate-{number:04}"
        said = EntryStatement(name, leaf, number, path.total, path.aunts, "certified", offset)
        shown[name] = ShownEntry(said, root, message)
    return shown


FORGED = told([b"a false origin"], STRANGER, Fate.REFUSED, name="forged-certificates")


def case(records=GOOD, certified=None, named=None, taken=None):
    """`certified`: harvests that the farm certified; `named`: lots of the recall; `taken`: records that the book took."""
    certified = [one for one in records if not one.inputs] if certified is None else certified
    named = sorted(made_of(records, B)) if named is None else named
    window = (TOLD_S - 10, TOLD_S)
    leaves = [one.certificate for one in certified]
    lots = Anchoring("lot", ANCHOR, MAKER, 3, [one.leaf for one in records], window)
    head = state("book-head", BOOK, bytes(32), head_of(records if taken is None else taken))
    return {**certified_by(told(leaves), leaves), **lots.shown(), "book-head": head, **recall(named)}


def test_what_holds_is_concluded():
    assert concluded(conclude, case(), TRUST) == {
        "lots": 4,
        "harvested": 2,
        "recalled": B.hex(),
        "affected": [lot.hex() for lot in sorted((B, C, D))],
        "blocked_after_s": {"e1": 6, "e2": 6},
    }


def test_attack_J21_a_recall_that_names_too_few_or_too_many_is_refused():
    for named in ([B, C], [B], [A, B, C, D], [B, C, D, b"\7" * 32]):
        assert concluded(conclude, case(named=named), TRUST) == "recall_names_what_is_affected"
    for recalled in ("00" * 32, "not hex", A.hex()):
        trust = meant(TRUST.chain("p1").contracts, {"farm": FARM}, {**VALUES, "recalled": recalled})
        assert concluded(conclude, case(), trust) == "recall_names_what_is_affected"


def test_attack_J21_more_out_of_a_lot_than_in_it_is_refused():
    for record in (
        Record(D, 31, {C: 30}),
        Record(D, 60, {C: 61}),
        Record(D, 10, {A: 51}),
        Record(D, 10, {lot_id(9): 10}),
        Record(C, 10, {A: 10}),
        Record(D, 0, {C: 30}),
        # the book takes nothing of a lot that there is not, or of one that there is
        Record(D, 30, {C: 30, lot_id(9): 0}),
        Record(D, 30, {C: 30, A: 0}),
    ):
        records = (*GOOD[:3], record)
        assert concluded(conclude, case(records), TRUST) == "nothing_comes_from_nothing", record
    before = (GOOD[0], GOOD[2], GOOD[1], GOOD[3])
    assert concluded(conclude, case(before), TRUST) == "nothing_comes_from_nothing"


def test_attack_J21_a_harvest_without_its_certificate_is_refused():
    for certified in (GOOD[:1], [GOOD[0], Record(B, 49)], [GOOD[0], GOOD[1], Record(B, 51)]):
        assert concluded(conclude, case(certified=certified), TRUST) == "harvests_are_certified"
    leaves = [one.certificate for one in GOOD[:2]]
    for message, rule in (
        (told(leaves, sender=STRANGER), "root_is_the_issuers"),
        (told(leaves, receiver=BOOK), "root_is_the_issuers"),
        (told(leaves, fate=Fate.REFUSED), "root_is_the_issuers"),
        (told(leaves, bundle=RECORDED), "message_is_between"),
        (told([*leaves, leaves[0]]), "window_is_whole"),
    ):
        statements = {**case(), **certified_by(message, leaves)} if rule != "window_is_whole" else case()
        assert concluded(conclude, {**statements, "certified": message}, TRUST) == rule


def test_attack_J21_forged_certificates_that_were_none():
    """What was refused must have been somebody else's root, for the contract that hears the farm."""
    for changed in (
        {"sender": FARM},
        {"receiver": BOOK},
        {"fate": Fate.DELIVERED},
    ):
        said = {"sender": STRANGER, "fate": Fate.REFUSED, "name": "forged-certificates", **changed}
        statements = {**case(), "forged-certificates": told([b"a false origin"], **said)}
        assert concluded(conclude, statements, TRUST) == "forged_root_was_refused"


def test_attack_J21_a_certificate_left_out_or_of_another_root_is_refused():
    statements = case()
    kept = {name: one for name, one in statements.items() if name != "certificate-0001"}
    assert concluded(conclude, kept, TRUST) == "window_is_whole"
    moved = statements["certificate-0001"]
    other = replace(moved, statement=replace(moved.statement, offset=0))
    assert concluded(conclude, {**statements, "certificate-0001": other}, TRUST) == "window_is_whole"
    spare = replace(statements["certificate-0001"].statement, id="certificate-0002")
    more = {**statements, "certificate-0002": replace(statements["certificate-0001"], statement=spare)}
    assert concluded(conclude, more, TRUST) == "window_is_whole"


def test_attack_J21_a_book_of_before_the_recall():
    """What was made of the recalled harvest between reading and recall would be in no list."""
    statements = case()
    head = statements["book-head"]
    for time_s, refused in ((TOLD_S - 1, True), (TOLD_S, False)):
        statements["book-head"] = replace(head, statement=replace(head.statement, time_s=time_s))
        assert (concluded(conclude, statements, TRUST) == "book_is_not_older") is refused


def test_attack_J21_records_that_the_book_did_not_take_are_refused():
    """A lot left out, put in, moved or altered, with the anchored tree rebuilt: the book's head is another."""
    for records in (GOOD[:3], (*GOOD, Record(lot_id(5), 1, {D: 5})), (GOOD[1], GOOD[0], *GOOD[2:])):
        assert concluded(conclude, case(records, named=sorted((B, C, D)), taken=GOOD), TRUST) == "records_are_the_books"
    malformed = encode(["bytes32", "uint128", "bytes32[]", "uint128[]"], [D, 30, [C], []])
    statements = case()
    lots = Anchoring("lot", ANCHOR, MAKER, 3, [*(one.leaf for one in GOOD[:3]), malformed], (1, 2))
    head = keccak256(head_of(GOOD[:3]) + keccak256(malformed))
    statements |= {**lots.shown(), "book-head": state("book-head", BOOK, bytes(32), head)}
    assert concluded(conclude, statements, TRUST) == "record_is_well_formed"


@given(st.integers(4, 60), st.data())
@settings(max_examples=30, deadline=None)
def test_the_two_searches_of_the_graph_agree(count, draw):
    records = season(count)
    lot = draw.draw(st.sampled_from(records)).lot
    read = [LotRecord(one.lot, one.amount, tuple(one.inputs.items())) for one in records]
    assert reached_from(read, lot) == made_of(records, lot)
    assert (
        concluded(
            conclude,
            case(records, named=sorted(made_of(records, records[0].lot))),
            meant(TRUST.chain("p1").contracts, {"farm": FARM}, {**VALUES, "recalled": records[0].lot.hex()}),
        )["lots"]
        == count
    )


def test_both_sizes_recall_several_lots_and_not_all():
    for count in (100, 1_000):
        records = season(count)
        source, affected = to_recall(records)
        assert set(affected) == made_of(records, source) and 10 < len(affected) <= 40


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=40))
def test_a_cases_tree_is_the_light_clients(leaves):
    root, paths = root_and_paths(leaves)
    assert root == merkle.root(leaves)
    assert [tuple(path) for path in paths] == [merkle.prove(leaves, at).aunts for at in range(len(leaves))]


def test_a_cases_slots_are_the_archives():
    assert slots_of("0x" + "21" * 20, 7) == item_slots(b"\x21" * 20, 7)
