"""The rule of case 3, on what statements show: a whole window, no warm hour, a recall of its maker that blocks in time."""

from dataclasses import replace

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import Height
from hutong.relay.audit.cases.cold_chain import conclude
from hutong.relay.audit.cases.statements import Fate
from tests.relay.audit.cases.shown_recall import (
    MAKER,
    STRANGER,
    TOLD_S,
    Anchoring,
    altered,
    concluded,
    meant,
    message,
    recall,
)

LOT, READINGS, CARRIER = "lot-v-7", b"\x61" * 20, b"\x62" * 20
LOT_ID = keccak256(LOT.encode())
FROM_S = TOLD_S - 72 * 3_600
TRUST = meant({"readings": READINGS}, {"carrier": CARRIER}, {"lot": LOT, "anchor": "4"})


def hours(**tenths) -> list[bytes]:
    return [f"{LOT},{FROM_S + 3_600 * hour},{tenths.get(f'hour_{hour}', 30 + hour % 9)}".encode() for hour in range(72)]


def anchoring(entries, to_s=TOLD_S) -> Anchoring:
    return Anchoring("hour", READINGS, CARRIER, 4, entries, (FROM_S, to_s))


def case(entries=None, stated=None, **changed):
    return {**anchoring(hours() if entries is None else entries).shown(stated), **recall([LOT_ID]), **changed}


def test_what_holds_is_concluded():
    assert concluded(conclude, case(), TRUST) == {
        "lot": LOT,
        "hours": 72,
        "warmest_tenths_c": 38,
        "blocked_after_s": {"e1": 6, "e2": 6},
    }
    assert concluded(conclude, case(hours(hour_7=80)), TRUST)["warmest_tenths_c"] == 80
    assert concluded(conclude, {**case(), **recall([LOT_ID], 15)}, TRUST)["blocked_after_s"] == {"e1": 15, "e2": 15}


def test_attack_J21_a_removed_hour_is_detected():
    """Left out of the statements, of the tree that is stated, or of the tree that was anchored."""
    statements = case()
    del statements["hour-0013"]
    assert concluded(conclude, statements, TRUST) == "window_is_whole"
    for changed in ({"index": 12}, {"size": 73}, {"offset": 32}):
        statements = case()
        moved = statements["hour-0013"]
        statements["hour-0013"] = replace(moved, statement=replace(moved.statement, **changed))
        assert concluded(conclude, statements, TRUST) == "window_is_whole"
    spare = {**case(), "hour-0072": case()["hour-0071"]}
    assert concluded(conclude, spare, TRUST) == "window_is_whole"
    removed = [entry for hour, entry in enumerate(hours()) if hour != 13]
    assert concluded(conclude, case(stated=removed), TRUST) == "window_is_whole"
    assert concluded(conclude, case(removed), TRUST) == "hours_follow_each_other"
    assert concluded(conclude, case(hours()[:-1]), TRUST) == "hours_follow_each_other"


def test_attack_J21_a_warm_or_foreign_reading_is_detected():
    assert concluded(conclude, case(hours(hour_7=81)), TRUST) == "no_hour_is_too_warm"
    foreign = [*hours()[:40], hours()[40].replace(b"v-7", b"v-8"), *hours()[41:]]
    assert concluded(conclude, case(foreign), TRUST) == "reading_is_of_the_lot"
    twice = [*hours()[:40], hours()[39], *hours()[41:]]
    assert concluded(conclude, case(twice), TRUST) == "hours_follow_each_other"


def test_attack_J21_an_anchor_of_somebody_else_is_refused():
    for trust in (
        meant({"readings": READINGS}, {"carrier": STRANGER}, TRUST.values),
        meant({"readings": STRANGER}, {"carrier": CARRIER}, TRUST.values),
        meant({"readings": READINGS}, {"carrier": CARRIER}, {"lot": LOT, "anchor": "5"}),
    ):
        assert concluded(conclude, case(), trust) == "slot_is_meant"
    no_index = meant({"readings": READINGS}, {"carrier": CARRIER}, {"lot": LOT, "anchor": "-1"})
    assert concluded(conclude, case(), no_index) == "index_is_meant"
    statements = case()
    del statements["hour-window"]
    assert concluded(conclude, statements, TRUST) == "statement_is_there"


def test_attack_J21_a_recall_that_is_late_is_refused():
    for took_s in (16, -1):
        assert concluded(conclude, {**case(), **recall([LOT_ID], took_s)}, TRUST) == "recall_blocks_in_time"
    statements = case()
    never = altered(statements["blocked-e2"], 0)
    assert concluded(conclude, case(**{"blocked-e2": never}), TRUST) == "recall_blocks_in_time"


def test_attack_J21_a_recall_that_may_have_been_sent_before_its_time_is_refused():
    """Under which header a sending is shown says nothing of when it was: the timeout, which the Mailbox bounds, does."""
    for timeout_s, refused in ((TOLD_S + 86_399, True), (TOLD_S + 900, True), (TOLD_S + 86_400, False)):
        late = message("recall-e1", [LOT_ID], timeout_s=timeout_s)
        held = concluded(conclude, case(**{"recall-e1": late}), TRUST) != "recall_blocks_in_time"
        assert held is not refused, timeout_s


def test_attack_J21_a_recall_of_somebody_else_or_of_another_lot_is_refused():
    other = keccak256(b"another lot")
    for changed, refusal in (
        ({"recall-e1": message("recall-e1", [LOT_ID], STRANGER)}, "recall_is_the_makers"),
        ({"recall-e1": message("recall-e1", [LOT_ID], MAKER, Fate.REFUSED)}, "recall_is_the_makers"),
        ({"recall-e1": message("recall-e1", [])}, "recall_is_the_makers"),
        ({"recall-e1": message("recall-e1", [LOT_ID, LOT_ID])}, "recall_is_the_makers"),
        ({"recall-e1": message("recall-e1", [LOT_ID, other])}, "recalls_agree"),
        ({"recall-e1": message("recall-e1", [other])}, "slot_is_meant"),
        (recall([other]), "lot_is_recalled"),
        ({"forged-recall": message("forged-recall", [other], MAKER, Fate.REFUSED)}, "forged_recall_was_refused"),
        ({"forged-recall": message("forged-recall", [other], STRANGER)}, "forged_recall_was_refused"),
    ):
        assert concluded(conclude, case(**changed), TRUST) == refusal, changed.keys()
    blocked = case()["blocked-e1"]
    elsewhere = replace(blocked, statement=replace(blocked.statement, chain_id="9", height=Height(0, 1)))
    assert concluded(conclude, case(**{"blocked-e1": elsewhere}), TRUST) == "slot_is_meant"


def test_attack_J21_a_refused_message_that_is_no_recall_to_a_shop():
    """Anybody can have a message refused, and it shows nothing of the shop."""
    lots = [keccak256(b"another lot")]
    good = message("forged-recall", lots, STRANGER, Fate.REFUSED)
    for forged in (
        message("forged-recall", lots, STRANGER, Fate.REFUSED, receiver=b"\x66" * 20),
        message("forged-recall", [], STRANGER, Fate.REFUSED),
        replace(good, bundle=replace(good.bundle, legs=good.bundle.legs[::-1])),
    ):
        assert concluded(conclude, case(**{"forged-recall": forged}), TRUST) == "forged_recall_was_refused"
    assert concluded(conclude, case(**{"forged-recall": good}), TRUST)["hours"] == 72


def test_attack_J21_a_list_of_before_the_anchor():
    """True of an earlier block: nothing was anchored, no hour is missing, and none was too warm."""
    statements = case()
    for name in list(statements):
        if name.startswith("hour-"):
            empty = name.endswith(("-root", "-window"))
            if empty:
                statements[name] = altered(statements[name], 0)
            else:
                del statements[name]
    assert concluded(conclude, statements, TRUST) == "window_is_whole"
