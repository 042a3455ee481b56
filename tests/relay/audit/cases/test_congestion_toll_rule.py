"""Case 16 as an auditor judges it: what follows from states, reports and the announcement, and every forgery of them."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds import Report, feed_id, judge_round
from hutong.light_clients.ibc.gmp import GmpPacketData, encode_gmp
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import Shown, encode_evidence
from hutong.relay.audit.cases.congestion_toll import conclude
from hutong.relay.audit.cases.readings import reading_of
from hutong.relay.audit.cases.statements import EntryStatement, Fate, ShownEntry
from hutong.relay.audit.inquiry import Inquiry
from tests.light_clients.feeds.feed_signers import STRANGER, feed_of, high_s, reported
from tests.relay.audit.cases.feed_evidence import SHOWN_AT_S, FeedCase, address, said_message

FEED = feed_of(7, 5)
FREE, BASE, RATE, MAX_AGE_S = 1_000, 200, 3, 15
FLOWS = ([990, 1_010, 1_000, -(10**9), 10**9], [1_100] * 7, [0, 1_200, 1_250, 1_300, 1_400])
TIMES = tuple(SHOWN_AT_S - 40 + number for number in range(len(FLOWS)))
PRICES = (BASE, BASE + 300, BASE + 750)
TRUST = {"toll-feed": f"0x{feed_id(FEED).hex()}", "toll-rule": f"{FREE}/{BASE}/{RATE}/{MAX_AGE_S}", "readings": "0"}
CITY = address("city")


def day_of(rounds):
    day = bytes(32)
    for made in rounds:
        price = BASE + max(0, made.value - FREE) * RATE
        day = keccak256(encode(["bytes32", "uint64", "int128", "uint128"], [day, made.time_s, made.value, price]))
    return day


def case_of(flows=FLOWS, times=TIMES, feed=FEED):
    """A day as an honest city, or a forger who makes everything anew but signatures, would have it."""
    case = FeedCase(values=dict(TRUST), contracts=("feed", "toll", "board", "readings"), people={"city": CITY})
    rounds = [
        case.report(f"round-{number:04}", feed, values, time_s, "feed")
        for number, (values, time_s) in enumerate(zip(flows, times, strict=True))
    ]
    case.stand("feed", "e1", feed, rounds[-1])
    case.states["day"] = ("e1", "toll", bytes(32), day_of(rounds))
    last = BASE + max(0, rounds[-1].value - FREE) * RATE
    word = len(rounds) << 192 | rounds[-1].time_s << 128 | last
    case.states["price"] = ("e1", "toll", (1).to_bytes(32, "big"), word.to_bytes(32, "big"))
    anchor(case)
    return case


def anchor(case, window=None, readings=None):
    """The city's anchor on p1 over the readings of the day, by default truly."""
    rounds = [case.reports[name] for name in sorted(case.reports)]
    made = [reading_of(one) for one in rounds] if readings is None else readings
    times = (rounds[0].time_s, rounds[-1].time_s + 1) if window is None else window
    words = AnchoredRoot(merkle.root(made), len(made), *times, times[1]).words
    for part, slot, word in zip(("root", "window"), item_slots(CITY, 0), words, strict=True):
        case.states[f"reading-{part}"] = ("p1", "readings", slot, word)


def entries(shown, readings):
    """Every reading under the anchored root."""
    source, found = shown.statements["reading-root"], {}
    for number, leaf in enumerate(readings):
        path, name = merkle.prove(list(readings), number), f"reading-{number:04}"
        said = EntryStatement(name, leaf, number, path.total, path.aunts, "reading-root", 0)
        found[name] = ShownEntry(said, merkle.root(list(readings)), source)
    return found


def announcement(price=PRICES[-1], time_s=TIMES[-1], sender="toll", receiver="board", **statement):
    payload = encode(["uint128", "uint64"], [price, time_s])
    data = GmpPacketData(f"0x{address(sender).hex()}", f"0x{address(receiver).hex()}", b"", payload, "")
    return said_message(encode_gmp(data), statement.pop("port", "gmpport"), "ics27-2", **statement)


def judged(case=None, message=None, readings=None, **values):
    case = case or case_of()
    shown = case.shown()
    rounds = [case.reports[name] for name in sorted(case.reports)]
    held = entries(shown, [reading_of(one) for one in rounds] if readings is None else readings)
    statements = {**shown.statements, **held, "announced": message or announcement()}
    return conclude(Inquiry(lambda _: None), Shown(dict(sorted(statements.items()))), case.trust(**values))


def refusal(*arguments, **values):
    with pytest.raises((PredicateFailed, MalformedInput)) as caught:
        judged(*arguments, **values)
    return getattr(caught.value, "predicate", "malformed")


def test_a_days_prices_follow_from_reports_and_the_published_rule():
    rounds = [1_000, 1_100, 1_250]
    assert judged() == {
        "prices": [[time_s, str(flow), str(price)] for time_s, flow, price in zip(TIMES, rounds, PRICES, strict=True)],
        "announced": [TIMES[-1], str(PRICES[-1])],
        "last_is_stale": True,
    }


def test_a_price_that_is_young_enough_is_not_stale():
    assert judged(**{"toll-rule": f"{FREE}/{BASE}/{RATE}/39"})["last_is_stale"] is False
    assert judged(**{"toll-rule": f"{FREE}/{BASE}/{RATE}/38"})["last_is_stale"] is True


def test_attack_J21_a_round_left_out_put_in_or_changed_is_not_the_day_that_the_contract_had():
    honest = case_of()
    for forged in (
        case_of(FLOWS[1:], TIMES[1:]),
        case_of((FLOWS[0], *FLOWS[1:2], FLOWS[1], FLOWS[2]), (*TIMES[:2], TIMES[1] + 1, TIMES[2] + 1)),
        case_of(([2_000] * 5, *FLOWS[1:])),
    ):
        forged.states["day"], forged.states["price"] = honest.states["day"], honest.states["price"]
        assert refusal(forged) == "day_is_recomputed"


def test_attack_J21_a_day_of_which_other_readings_are_anchored():
    """The city's own chain holds what everybody computes from: a round left out, put in or altered is not that day."""
    case = case_of()
    true = [reading_of(case.reports[name]) for name in sorted(case.reports)]
    for forged in (
        true[1:],
        true[:-1],
        [*true, b"\1" * 32],
        [true[1], true[0], true[2]],
        [true[0], b"\1" * 32, true[2]],
    ):
        case = case_of()
        anchor(case, readings=forged)
        assert refusal(case, readings=forged) == "readings_are_anchored"
    for window in ((TIMES[0] - 1, TIMES[-1] + 1), (TIMES[0], TIMES[-1] + 2)):
        case = case_of()
        anchor(case, window=window)
        assert refusal(case) == "readings_are_anchored"
    assert refusal(readings=true[:-1]) == "window_is_whole"
    stranger = case_of()
    stranger.people = {"city": address("stranger")}
    assert refusal(stranger) == "slot_is_meant"


def test_attack_J21_another_rule_than_the_published_one():
    for rule in (f"{FREE}/{BASE}/{RATE + 1}/15", f"{FREE + 1}/{BASE}/{RATE}/15", f"{FREE}/{BASE - 1}/{RATE}/15"):
        assert refusal(**{"toll-rule": rule}) == "day_is_recomputed"
    for text in ("", "1/2/3", "1/2/3/4/5", "1/2/3/-4", "1/2/3/x", f"1/2/{10**40}/4"):
        assert refusal(**{"toll-rule": text}) == "rule_is_given"


def test_attack_J21_a_feed_toll_or_board_that_the_reader_does_not_mean():
    assert refusal(case_of(feed=feed_of(7, 5, label="other"))) in ("slot_is_meant", "report_is_of_the_feed")
    assert refusal(**{"toll-feed": "0x" + "11" * 32}) == "slot_is_meant"
    assert refusal(**{"toll-feed": "0x11"}) == "id_is_given"
    for state, contract in (("day", "board"), ("price", "board"), ("feed", "toll")):
        other = case_of()
        chain, _, slot, word = other.states[state]
        other.states[state] = (chain, contract, slot, word)
        assert refusal(other) == "slot_is_meant"
    with pytest.raises(MissingTrust):
        conclude(Inquiry(lambda _: None), case_of().shown(), replace(case_of().trust(), values={}))


def test_attack_J21_a_round_under_another_name():
    other = case_of()
    first = replace(other.reports.pop("round-0000"), id="a-round")
    other.reports["a-round"] = first
    assert refusal(other) == "statements_are_numbered"
    silent = case_of()
    silent.reports.clear()
    assert refusal(silent) == "statements_are_numbered"


def test_attack_J21_rounds_do_not_ascend_or_do_not_stand():
    assert refusal(case_of(FLOWS, (TIMES[0], TIMES[0], TIMES[2]))) == "rounds_ascend"
    other = case_of()
    other.stand("feed", "e1", FEED, replace_round(other, value=1))
    assert refusal(other) == "reports_made_what_stands"
    none = case_of()
    none.states["feed"] = (*none.states["feed"][:3], bytes(32))
    assert refusal(none) == "round_stands"


def replace_round(case, **changes):
    last = case.reports["round-0002"]
    return replace(judge_round(VERIFY, FEED, last.time_s, last.reports), **changes)


def test_attack_J21_an_announcement_of_another_sender_receiver_or_fate():
    for forged in (
        announcement(sender="other"),
        announcement(receiver="other"),
        announcement(port="transfer"),
        announcement(fate=Fate.REFUSED),
    ):
        assert refusal(message=forged) == "announced_by_the_toll"


def test_attack_J21_an_announcement_of_a_round_that_is_not_shown():
    """A true one, of after the states: the evidence would say prices that belong to nothing in it."""
    for forged in (announcement(price=1), announcement(time_s=TIMES[-1] + 1), announcement(PRICES[0], TIMES[-1])):
        assert refusal(message=forged) == "announced_is_of_the_day"
    assert judged(message=announcement(PRICES[0], TIMES[0]))["announced"] == [TIMES[0], str(PRICES[0])]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda reports: reports[:4], "reports_are_enough"),
        (lambda reports: (*reports[:4], reports[3]), "signed_by_signers"),
        (lambda reports: (replace(reports[0], value=5), *reports[1:]), "signed_by_signers"),
        (lambda reports: (Report(reports[0].value, high_s(reports[0].signature)), *reports[1:]), "signed_by_signers"),
        (
            lambda reports: reported(FEED, [r.value for r in reports], time_s=TIMES[0], keys=(STRANGER,) * 7),
            "signed_by_signers",
        ),
    ],
    ids=("too few", "doubled", "value", "malleable", "stranger"),
)
def test_attack_J21_reports_that_signers_did_not_sign(change, name):
    """Signatures are checked before the case's rule sees anything."""
    case = case_of()
    first = case.reports["round-0000"]
    case.reports["round-0000"] = replace(first, reports=tuple(change(first.reports)))
    evidence, auditor = case.evidence("feeds", {})
    failure = auditor.audit(encode_evidence(evidence)).failure
    assert failure is not None
    assert failure.check.name == name


@pytest.mark.parametrize("under", ["day", "round-0001", "nothing"])
def test_attack_J21_reports_under_what_is_not_their_feeds_slot(under):
    case = case_of()
    case.reports["round-0000"] = replace(case.reports["round-0000"], under=under)
    evidence, auditor = case.evidence("feeds", {})
    failure = auditor.audit(encode_evidence(evidence)).failure
    assert failure is not None
    assert failure.check.name == "feed_is_shown"


def test_attack_J20_a_byte_changed_in_reports_turns_the_verdict():
    evidence, auditor = case_of(FLOWS[:1], TIMES[:1]).evidence("feeds", {})
    data = encode_evidence(evidence)
    assert auditor.audit(data).is_valid
    start, end = data.index(b'"feed":{'), data.index(b'"under"')
    for place in range(start, end, 7):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            report = auditor.audit(changed)
        except MissingTrust:
            continue
        if report.is_valid:  # another name of a statement, which the rule of the case refuses
            with pytest.raises(PredicateFailed, match="statements_are_numbered"):
                conclude(Inquiry(lambda _: None), report.shown, case_of().trust())
