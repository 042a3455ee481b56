"""The rule of case 13 on records of a simulated hub: what two chains have issued against what custodians reported."""

from dataclasses import replace

import pytest

from hutong.light_clients.feeds import Round, encode_round, feed_id, median, round_slot
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.records import (
    PROVEN,
    ClientEpoch,
    Observation,
    ObservationKey,
    SlotPlace,
    SourceTrust,
    StorePlace,
    TrustKind,
    encode_epoch,
    encode_observation,
    epoch_key,
)
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import CaseAuditor, CaseTrust, Evidence, encode_evidence
from hutong.relay.audit.cases.reserves import MOST_APART_S, SLOTS
from hutong.relay.audit.cases.statements import ReportStatement, StateStatement
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.records import RecordAuditor
from tests.light_clients.feeds.feed_signers import feed_of, reported
from tests.relay.audit.records.shown_records import SOURCE_AGE_S, Hub, bft_evm, hub_time_s

TOKENS = {"e1": bytes([0x71]) * 20, "e2": bytes([0x72]) * 20}
CLIENTS = {"e1": "bft-evm-0", "e2": "attestation-0"}
TRUSTS = {"e1": PROVEN, "e2": SourceTrust(TrustKind.ATTESTED, 2, 3)}
FEED_CONTRACT = bytes([0x73]) * 20
FEED = feed_of(5, 3)
TIME_S = hub_time_s() - SOURCE_AGE_S
HELD = {("supply", "e1"): 600, ("supply", "e2"): 400, ("committed", "e1"): 600, ("committed", "e2"): 400}
TRUST = CaseTrust(
    "hutong-1",
    {
        "e1": ChainMeant("e1", "7101", CLIENTS["e1"], {"reserve-token": TOKENS["e1"], "feed": FEED_CONTRACT}),
        "e2": ChainMeant("e2", "7102", CLIENTS["e2"], {"reserve-token": TOKENS["e2"]}),
    },
    values={"reserve-feed": f"0x{feed_id(FEED).hex()}", "reserve-apart-s": "60"},
)
APART_S, DENOM = 60, "courtyard"
COSMOS = ChainMeant("t", "simd-1", "07-tendermint-0")
WITH_T = replace(TRUST, chains={**TRUST.chains, "t": COSMOS}, values={**TRUST.values, "reserve-denom": DENOM})


class Reserves:
    """Evidence under one hub; `changes` are words of slots, `values` what three custodians report for `time_s`."""

    def __init__(self, changes=None, values=(1_000, 1_000, 9_999_999), time_s=TIME_S, feed=FEED, cosmos=None):
        self.words = {key: value.to_bytes(32, "big") for key, value in (HELD | (changes or {})).items()}
        self.reports = reported(feed, list(values), time_s=time_s)
        self.round = Round(median(list(values)), time_s, len(values))
        self.feed = feed
        self.places = {
            f"{name}-{chain}": (chain, SlotPlace(TOKENS[chain], SLOTS[name]), word)
            for (name, chain), word in self.words.items()
        }
        slot = round_slot(feed_id(feed))
        self.places["reserve"] = ("e1", SlotPlace(FEED_CONTRACT, slot), encode_round(self.round))
        if cosmos is not None:
            self.places["supply-t"] = ("t", StorePlace(b"bank", b"\0" + DENOM.encode()), cosmos)
        clients, trusts = CLIENTS | {"t": COSMOS.hub_client}, TRUSTS | {"t": PROVEN}
        records = {epoch_key(client): encode_epoch(ClientEpoch(1, True, 0)) for client in clients.values()}
        for chain, place, word in self.places.values():
            said = Observation(word, trusts[chain], 1, Height(0, 7), TIME_S * NANOSECONDS_PER_SECOND)
            records[ObservationKey.of(clients[chain], place).to_bytes()] = encode_observation(said)
        self.hub = Hub(records)
        bundle = encode_record_bundle(self.hub.bundle(*records))
        statements = [
            StateStatement(name, "records", "hutong-1", clients[chain], place, word, Height(0, 7), TIME_S)
            for name, (chain, place, word) in self.places.items()
        ]
        report = ReportStatement("reported", feed, time_s, tuple(self.reports), "reserve")
        ordered = tuple(sorted([*statements, report], key=lambda one: one.id))
        self.evidence = Evidence("reserves", ordered, {"records": bundle}, self.conclusion)

    @property
    def conclusion(self):
        numbers = {name: int.from_bytes(word, "big") for name, (_, _, word) in self.places.items()}
        shown = self.places["supply-t"][2] if "supply-t" in self.places else b""
        there = {"t": int(shown)} if shown.isdigit() else {}
        supplies = {chain: numbers[f"supply-{chain}"] for chain in TOKENS} | there
        return {
            "reserve": str(self.round.value),
            "supplies": {chain: str(amount) for chain, amount in supplies.items()},
            "supply": str(sum(supplies.values())),
            "committed": str(sum(numbers[f"committed-{chain}"] for chain in TOKENS) + sum(there.values())),
            "custodians": "3 of 5",
        }

    def audited(self, trust=TRUST, checkpoints=()):
        auditor = CaseAuditor((self.hub.checkpoint(), *checkpoints), trust, self.hub.now_ns)
        return auditor.audit(encode_evidence(self.evidence))

    def refusal(self, trust=TRUST):
        report = self.audited(trust)
        assert report.failure is not None
        return report.failure.check.name

    def with_statement(self, name, **fields):
        statements = tuple(replace(one, **fields) if one.id == name else one for one in self.evidence.statements)
        self.evidence = replace(self.evidence, statements=statements)
        return self


def test_supplies_are_covered_and_the_liar_among_custodians_is_not_heard():
    report = Reserves().audited()
    assert report.failure is None, report.failure
    assert report.conclusion == {
        "reserve": "1000",
        "supplies": {"e1": "600", "e2": "400"},
        "supply": "1000",
        "committed": "1000",
        "custodians": "3 of 5",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {("supply", "e2"): 401, ("committed", "e2"): 401},
        {("committed", "e1"): 601},
        {("supply", "e1"): 601},
    ],
    ids=("minted past", "promised past", "more exists than was committed"),
)
def test_attack_J21_more_committed_than_held(changes):
    """All of it is proven: the chains did go past what custodians report."""
    assert Reserves(changes).refusal() == "supply_is_covered"


def test_attack_J21_a_report_of_two_of_five():
    assert Reserves(values=(1_000, 1_000)).refusal() == "reports_are_enough"


def test_attack_J21_a_report_of_another_time():
    """Consistent all through, and of times between which anything may have been minted: before the report, or too long after."""
    for before_s, holds in (
        (0, True),
        (APART_S, True),
        (APART_S + 1, False),
        (3_600, False),
        (-1, False),
        (-30, False),
    ):
        made = Reserves(time_s=TIME_S - before_s)
        assert made.audited().is_valid is holds, before_s
        if not holds:
            assert made.refusal() == "times_are_near"


def test_attack_J21_a_bound_that_the_reader_did_not_give():
    for text in ("0", str(MOST_APART_S + 1), "3600", "-1", "", "1e3", "9" * 40):
        trust = replace(TRUST, values={**TRUST.values, "reserve-apart-s": text})
        assert Reserves().refusal(trust) == "bound_is_given"
    without = {name: text for name, text in TRUST.values.items() if name != "reserve-apart-s"}
    with pytest.raises(MissingTrust):
        Reserves().audited(replace(TRUST, values=without))


def test_what_exists_on_a_cosmos_chain_counts():
    made = Reserves(values=[1_500] * 3, cosmos=b"500")
    report = made.audited(WITH_T)
    assert report.failure is None, report.failure
    assert report.conclusion["supplies"] == {"e1": "600", "e2": "400", "t": "500"}
    assert (report.conclusion["supply"], report.conclusion["committed"]) == ("1500", "1500")


def test_attack_J21_a_cosmos_chain_left_out_or_of_another_supply():
    assert Reserves(values=[1_500] * 3, cosmos=b"501").refusal(WITH_T) == "supply_is_covered"
    assert Reserves().refusal(WITH_T) == "statement_is_there"
    for value in (b"4x", b"-4", b"1" * 39):
        assert Reserves(values=[1_500] * 3, cosmos=value).refusal(WITH_T) == "bank_supply_is_meant"
    other = replace(WITH_T, values={**WITH_T.values, "reserve-denom": "stake"})
    assert Reserves(values=[1_500] * 3, cosmos=b"500").refusal(other) == "bank_supply_is_meant"
    client = replace(COSMOS, hub_client="07-tendermint-1")
    another = replace(WITH_T, chains={**WITH_T.chains, "t": client})
    assert Reserves(values=[1_500] * 3, cosmos=b"500").refusal(another) == "bank_supply_is_meant"


def test_attack_J21_a_report_that_is_not_what_stands():
    """Signed by the custodians, for the same round, and another one than was pushed."""
    made = Reserves()
    other = tuple(reported(FEED, [2_000] * 3, time_s=TIME_S))
    assert made.with_statement("reported", reports=other).refusal() == "reports_made_what_stands"


def test_attack_J21_a_value_that_its_custodian_did_not_sign():
    made = Reserves()
    first, *others = made.reports
    forged = (replace(first, value=5_000), *others)
    assert made.with_statement("reported", reports=forged).refusal() == "signed_by_signers"


def test_attack_J21_a_feed_of_the_forgers_own():
    """Its custodians sign what is wanted, and its slot is shown: it is not the feed that the reader means."""
    own = feed_of(5, 3, label="reserve-of-mine")
    made = Reserves({("supply", "e1"): 9_000, ("committed", "e1"): 9_000}, values=[10_000] * 3, feed=own)
    assert made.refusal() == "slot_is_meant"


def test_attack_J21_a_supply_by_the_chains_own_word():
    """The hub's client of the chain is what this case asks for: of an attested chain its attestors stand behind it too."""
    shown = bft_evm()
    made = Reserves()
    place = next(one for one in shown.bundle.statements if one.value and isinstance(one.what, SlotPlace))
    own = {
        "bundle": "own",
        "chain_id": "1337",
        "client": None,
        "what": place.what,
        "value": place.value,
        "height": shown.bundle.height,
    }
    made.evidence = replace(made.evidence, bundles={**made.evidence.bundles, "own": encode_record_bundle(shown.bundle)})
    alone = RecordAuditor(shown.checkpoint, made.hub.now_ns).audit(encode_record_bundle(shown.bundle))
    assert alone.state is not None
    time_s = alone.state.time_ns // NANOSECONDS_PER_SECOND
    made.with_statement("supply-e1", time_s=time_s, **own)
    report = made.audited(checkpoints=(shown.checkpoint,))
    assert report.failure is not None
    assert report.failure.check.name == "state_is_observed"
