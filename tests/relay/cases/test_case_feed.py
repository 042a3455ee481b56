"""A feed as cases have it, by web3 and eth-account alone, is the feed that library and auditors know."""

import json

from hutong.light_clients.feeds import Report as KnownReport
from hutong.light_clients.feeds import (
    feed_id,
    judge_round,
    parse_description,
    recover_signer,
    report_digest,
    round_slot,
)
from hutong.light_clients.interface import VERIFY, Height
from hutong.light_clients.records import SlotPlace
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.cases import decode_evidence
from hutong.relay.audit.cases.statements import ReportStatement, StateStatement
from hutong.relay.cases.case_feed import CaseFeed
from hutong.relay.cases.evidence import EvidenceWriter
from tests.contracts.feed.feed_desk import FeedDesk
from tests.light_clients.feeds.feed_signers import TIME_S
from tests.relay.audit.records.shown_records import PLACES, bft_evm


def test_id_slot_and_signatures_are_the_librarys():
    feed = CaseFeed.of_new_signers(7, 5, 60, "toll-ring-2")
    known = parse_description(json.dumps(feed.document).encode())
    assert (feed.id, feed.slot) == (feed_id(known), round_slot(feed_id(known)))
    assert FeedDesk().contract.call("idOf", feed.description) == feed.id
    reports = feed.reports(TIME_S, {0: -5, 2: 2**127 - 1, 4: 7, 5: 8, 6: -(2**127)})
    made = judge_round(VERIFY, known, TIME_S, [KnownReport(*one) for one in reports])
    assert (made.value, made.count) == (7, 5)
    digest = report_digest(feed.id, TIME_S, -5)
    assert recover_signer(digest, reports[0].signature) == bytes.fromhex(feed.signers[0].address[2:])


def test_reports_are_stated_as_auditors_read_them():
    feed, shown, writer = CaseFeed.of_new_signers(3, 2, 60, "kwh"), bft_evm(), EvidenceWriter("tolls")
    (place, *_) = [one for one in PLACES if isinstance(one, SlotPlace)]
    bundle = encode_record_bundle(shown.bundle)
    writer.own_slot("feed", f"0x{place.account.hex()}", place.slot, bundle, lambda _: TIME_S)
    writer.report("round", feed.document, TIME_S, feed.reports(TIME_S, {0: 5, 1: -6}), "feed")
    by_id = {one.id: one for one in decode_evidence(writer.encoded()).statements}
    state, report = by_id["feed"], by_id["round"]
    assert isinstance(state, StateStatement)
    assert state.height == Height(0, 4)
    assert isinstance(report, ReportStatement)
    assert (feed_id(report.feed), report.time_s, report.under) == (feed.id, TIME_S, "feed")
    assert [one.value for one in report.reports] == [5, -6]
