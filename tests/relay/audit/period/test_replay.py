"""A small period of simulated chains, whole and damaged: what is proven, what it adds up to, and what is named."""

from dataclasses import replace

import pytest

from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.relay.archive.bundle import Bundle, Claim, decode_bundle, encode_bundle
from hutong.relay.audit import Auditor
from hutong.relay.audit.period import (
    EntryState,
    FindingKind,
    Inputs,
    PacketId,
    judge_entry,
    summarise,
    unreadable_entry,
)
from hutong.relay.audit.period.supply import Conservation
from hutong.relay.audit.period.totals import DeliveryState
from tests.relay.audit.simulated_period import HUB, TOKEN, Period, encoded

pytestmark = pytest.mark.safety

DELIVERIES = 48
FIRST, SECOND = "1001-client-0-{}.bundle.json", "1002-client-0-{}.bundle.json"


@pytest.fixture(scope="module")
def period():
    made = Period()
    bundles = dict(encoded(made, DELIVERIES, batch=6))
    return made, bundles


def replayed(period, bundles, expected=(), unreadable=()):
    made, _ = period
    auditor = Auditor(made.checkpoints, made.now_ns)
    entries = [judge_entry(auditor, name, data) for name, data in sorted(bundles.items())]
    entries += [unreadable_entry(name, "the disk refuses") for name in unreadable]
    return summarise(Inputs("period", made.now_ns, (), "0"), entries, made.checkpoints, expected)


def with_leg(data: bytes, index: int, **fields) -> bytes:
    bundle = decode_bundle(data)
    legs = list(bundle.legs)
    legs[index] = replace(legs[index], **fields)
    return encode_bundle(replace(bundle, legs=tuple(legs)))


def one_leg(data: bytes, index: int, *, until: Claim | None = None) -> bytes:
    """The half of a delivery, with the headers that its proofs stand on; with `until` its later claims are left away."""
    bundle = decode_bundle(data)
    leg = bundle.legs[index]
    if until is not None:
        proofs = tuple(proof for proof in leg.proofs if proof.claim in (Claim.SENT, until))
        leg = replace(leg, proofs=proofs, acknowledgement=leg.acknowledgement if until is Claim.ACKNOWLEDGED else None)
    chains = []
    for chain in bundle.chains:
        if chain.chain_id not in (leg.source_chain_id, leg.destination_chain_id):
            continue
        wanted = {
            proof.height.revision_height for proof in leg.proofs if leg.chain_id_of(proof.claim) == chain.chain_id
        }
        heights = sorted(
            {
                proof.height.revision_height
                for one in bundle.legs
                for proof in one.proofs
                if one.chain_id_of(proof.claim) == chain.chain_id
            }
        )
        kept = tuple(entry for height, entry in zip(heights, chain.headers, strict=True) if height in wanted)
        chains.append(replace(chain, headers=kept))
    return encode_bundle(Bundle((leg,), tuple(chains)))


def test_an_honest_period_is_clean_and_adds_up(period):
    found = replayed(period, period[1])
    assert found.is_clean, found.findings
    assert found.deliveries == found.count(EntryState.PROVEN) == DELIVERIES
    there, back = found.routes
    assert (there.chains, back.chains) == (("1001", HUB, "1002"), ("1002", HUB, "1001"))
    assert there.deliveries + back.deliveries == DELIVERIES
    assert there.states[DeliveryState.REFUSED] + back.states[DeliveryState.REFUSED] == 1
    (hub,) = [one for one in found.chains if one.chain_id == HUB]
    assert (hub.sent, hub.received, hub.settled) == (DELIVERIES, DELIVERIES, DELIVERIES)
    sent = there.tokens[f"1001/{TOKEN}"]
    home = back.tokens[f"1001/{TOKEN}"]
    assert sent.transfers == home.transfers == DELIVERIES // 6
    escrow, on_hub = found.supply
    assert escrow.conservation is on_hub.conservation is Conservation.HELD
    assert (escrow.chain_id, escrow.sent, escrow.came_home) == ("1001", sent.delivered, home.delivered)
    assert (on_hub.chain_id, on_hub.client_id, on_hub.token) == (HUB, "bft-evm-1", f"1001/{TOKEN}")


def test_changed_removed_and_copied_deliveries_are_named_and_nothing_else(period):
    bundles = dict(period[1])
    changed = bytearray(bundles[FIRST.format(9)])
    changed[len(changed) // 2] ^= 1
    bundles[FIRST.format(9)] = bytes(changed)
    del bundles[SECOND.format(10)]
    bundles["copy.bundle.json"] = bundles[FIRST.format(11)]
    refused, missing, duplicate = replayed(period, bundles).findings
    assert (refused.kind, missing.kind, duplicate.kind) == (
        FindingKind.REFUSED,
        FindingKind.MISSING,
        FindingKind.DUPLICATE,
    )
    assert refused.entries == (FIRST.format(9),) and refused.predicate
    assert set(missing.packets) == {"1002/client-0/10", f"{HUB}/bft-evm-0/10"}
    assert set(duplicate.entries) == {FIRST.format(11), "copy.bundle.json"}


def test_a_row_of_missing_deliveries_is_a_row(period):
    bundles = {name: data for name, data in period[1].items() if name not in map(FIRST.format, range(5, 9))}
    found = replayed(period, bundles).findings
    assert [finding.packets for finding in found] == [("1001/client-0/5..8",), (f"{HUB}/bft-evm-1/5..8",)]


def test_what_cannot_be_read_or_judged_does_not_stop_the_rest(period):
    bundles = dict(period[1])
    bundles[FIRST.format(3)] = b"{}"
    del bundles[SECOND.format(4)]
    stranger = decode_bundle(bundles[FIRST.format(5)])
    legs = (replace(stranger.legs[0], source_chain_id="1009"), stranger.legs[1])
    chains = tuple(
        sorted(
            (replace(c, chain_id="1009") if c.chain_id == "1001" else c for c in stranger.chains),
            key=lambda c: c.chain_id,
        )
    )
    bundles[FIRST.format(5)] = encode_bundle(replace(stranger, legs=legs, chains=chains))
    found = replayed(period, bundles, unreadable=[SECOND.format(4)])
    assert found.count(EntryState.PROVEN) == DELIVERIES - 3
    kinds = {finding.entries: finding for finding in found.findings if finding.entries}
    assert kinds[FIRST.format(3),].kind is FindingKind.REFUSED
    assert kinds[SECOND.format(4),].kind is FindingKind.UNREADABLE
    assert kinds[SECOND.format(4),].packets == ("1002/client-0/4", f"{HUB}/bft-evm-0/4")
    assert kinds[FIRST.format(5),].kind is FindingKind.UNJUDGED
    assert "1009" in kinds[FIRST.format(5),].reason


def test_returns_that_may_be_in_a_refused_file_leave_conservation_open(period):
    """The last delivery home leaves no gap; nothing but the refused file tells of it."""
    bundles = dict(period[1])
    last = max(
        (name for name in bundles if name.startswith("1002")), key=lambda name: int(name.split("-")[-1].split(".")[0])
    )
    bundles[last] = bundles[last][:-9] + b"}"
    found = replayed(period, bundles)
    escrow, on_hub = found.supply
    assert escrow.conservation is on_hub.conservation is Conservation.UNDETERMINED
    assert "not proven" in escrow.reason and "not proven" in on_hub.reason


def test_halves_in_two_files_are_one_delivery(period):
    bundles = dict(period[1])
    data = bundles.pop(FIRST.format(2))
    bundles["first.bundle.json"] = one_leg(data, 0, until=Claim.ACKNOWLEDGED)
    # A success that was sent on is refused without the second leg, so a half is one whose receipt alone is shown.
    found = replayed(period, bundles)
    assert [finding.predicate for finding in found.findings if finding.entries] == ["second_leg_present"]


def test_second_leg_without_its_first_is_named(period):
    bundles = dict(period[1])
    name = FIRST.format(2)
    bundles[name] = one_leg(bundles[name], 1)
    found = replayed(period, bundles).findings
    assert {finding.kind for finding in found} == {FindingKind.MISSING, FindingKind.SECOND_LEG_ALONE}
    (alone,) = [finding for finding in found if finding.kind is FindingKind.SECOND_LEG_ALONE]
    assert alone.packets == (f"{HUB}/bft-evm-1/2",) and alone.entries == (name,)


def test_a_refused_first_leg_whose_second_arrived_is_a_refund_without_failure():
    """Both halves hold alone; only together do they say that somebody was paid twice."""
    made = Period()
    data = encode_bundle(made.refunded_and_delivered())
    whole = replayed((made, {}), {"whole.bundle.json": data})
    assert [finding.predicate for finding in whole.findings] == ["acknowledgement_passed_on"]
    halves = {f"{index}.bundle.json": one_leg(data, index) for index in (0, 1)}
    (found,) = replayed((made, {}), halves).findings
    assert found.kind is FindingKind.REFUND_WITHOUT_FAILURE
    assert found.entries == ("0.bundle.json", "1.bundle.json")
    assert found.packets == ("1001/client-0/1", f"{HUB}/bft-evm-1/1")


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")], ids=["whole first", "whole last"])
def test_refused_a_second_leg_alone_of_what_another_file_shows_sent_on(names):
    """Its first leg is in the whole delivery; that it stands alone would hide that it is one too many."""
    made = Period()
    whole, again = map(encode_bundle, made.sent_on_twice())
    (found,) = replayed((made, {}), dict(zip(names, (whole, one_leg(again, 1)), strict=True))).findings
    assert found.kind is FindingKind.CONTRADICTION and "sent on twice" in found.reason
    assert found.entries == names
    assert found.packets == (f"{HUB}/bft-evm-1/1", f"{HUB}/bft-evm-1/2")


def test_refused_two_answers_to_one_packet():
    """Both a success, signed by the same validators."""
    made = Period()
    one = made.acknowledged_with(Acknowledgement((b"done",)))
    other = Period().acknowledged_with(Acknowledgement((b"paid",)))
    bundles = {"a": encode_bundle(one), "b": encode_bundle(other)}
    (found,) = replayed((made, {}), bundles).findings
    assert found.kind is FindingKind.CONTRADICTION and "two outcomes" in found.reason
    assert found.entries == ("a", "b")


def test_second_legs_twice_count_once(period):
    bundles = dict(period[1])
    bundles["second.bundle.json"] = one_leg(bundles[FIRST.format(2)], 1)
    (duplicate,) = replayed(period, bundles).findings
    assert duplicate.kind is FindingKind.DUPLICATE
    assert duplicate.packets == (f"{HUB}/bft-evm-1/2",)
    assert replayed(period, bundles).deliveries == DELIVERIES


def test_expected_packets_that_are_not_proven_are_named(period):
    known, unknown = PacketId("1001", "client-0", 1), PacketId("1001", "client-0", 9_999)
    (absent,) = replayed(period, period[1], expected=[known, unknown]).findings
    assert absent.kind is FindingKind.EXPECTED_ABSENT and absent.packets == (str(unknown),)


def test_shorter_evidence_of_one_packet_is_the_duplicate(period):
    bundles = dict(period[1])
    name = FIRST.format(8)
    assert decode_bundle(bundles[name]).legs[0].acknowledgement.is_error is False
    early = decode_bundle(bundles[name])
    legs = tuple(
        replace(leg, proofs=tuple(proof for proof in leg.proofs if proof.claim is not Claim.SETTLED))
        for leg in early.legs
    )
    settled = {proof.height.revision_height for proof in early.legs[0].proofs if proof.claim is Claim.SETTLED}
    assert settled
    chains = tuple(replace(c, headers=c.headers[:1]) if c.chain_id == "1001" else c for c in early.chains)
    bundles["early.bundle.json"] = encode_bundle(replace(early, legs=legs, chains=chains))
    found = replayed(period, bundles)
    (duplicate,) = found.findings
    assert "different evidence" in duplicate.reason
    (hub,) = [one for one in found.chains if one.chain_id == HUB]
    assert hub.settled == DELIVERIES
