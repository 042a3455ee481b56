"""Evidence of cases that stand on feeds: states of their contracts as a simulated hub has observed them, and signed reports."""

from dataclasses import dataclass, field, replace

from hutong.light_clients.feeds import Round, encode_round, feed_id, judge_round, round_slot
from hutong.light_clients.interface import VERIFY, Height
from hutong.light_clients.records import ObservationKey, SlotPlace, encode_epoch, encode_observation, epoch_key
from hutong.relay.archive.bundle import decode_bundle
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.cases import CaseAuditor, CaseTrust, Evidence, encode_evidence
from hutong.relay.audit.cases.statements import Fate, ReportStatement, Said, ShownMessage, StateStatement, said_by
from hutong.relay.audit.cases.trust import ChainMeant
from tests.light_clients.feeds.feed_signers import reported
from tests.relay.audit.cases.shown_evidence import letter
from tests.relay.audit.records.shown_records import EPOCH, SOURCE_AGE_S, Hub, hub_time_s, observation
from tests.relay.audit.test_recorded_bundles import data_of

CHAINS = {"e1": ("1001", "bft-evm-0"), "e2": ("1002", "bft-evm-1"), "p1": ("1003", "bft-evm-2")}
"""Chain ids and the hub's clients; e1 and e2 are those of the recorded message."""
DELIVERED = "message-delivered"
SHOWN_AT_S = hub_time_s() - SOURCE_AGE_S
"""When the observed blocks were."""


def address(name: str) -> bytes:
    """Of a contract, made of its name."""
    return name.encode().ljust(20, b"\x01")


@dataclass
class FeedCase:
    """States by name: (chain, contract, slot of 32 bytes, word of 32 bytes)."""

    states: dict[str, tuple[str, str, bytes, bytes]] = field(default_factory=dict)
    reports: dict[str, ReportStatement] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    contracts: tuple[str, ...] = ("feed",)
    people: dict[str, bytes] = field(default_factory=dict)

    def trust(self, **values) -> CaseTrust:
        chains = {
            name: ChainMeant(name, chain_id, client, {one: address(one) for one in self.contracts})
            for name, (chain_id, client) in CHAINS.items()
        }
        return CaseTrust("hutong-1", chains, self.people, self.values | values)

    def stand(self, name, chain, feed, stands: Round):
        """A round in a feed's slot."""
        self.states[name] = (chain, "feed", round_slot(feed_id(feed)), encode_round(stands))

    def report(self, name, feed, values, time_s, under, **options) -> Round:
        reports = reported(feed, values, time_s=time_s, **options)
        self.reports[name] = ReportStatement(name, feed, time_s, reports, under)
        return judge_round(VERIFY, feed, time_s, reports)

    def evidence(self, case, conclusion) -> tuple[Evidence, CaseAuditor]:
        """Under an auditor who has the hub's checkpoint."""
        records, statements = {}, dict(self.reports)
        for name, (chain, contract, slot, word) in self.states.items():
            client, place = CHAINS[chain][1], SlotPlace(address(contract), slot)
            told = observation(hub_time_s(), value=word)
            records[ObservationKey.of(client, place).to_bytes()] = encode_observation(told)
            records[epoch_key(client)] = encode_epoch(EPOCH)
            statements[name] = StateStatement(
                name, "records", "hutong-1", client, place, word, Height(0, 7), SHOWN_AT_S
            )
        hub = Hub(records)
        bundles = {"records": encode_record_bundle(hub.bundle(*records))}
        evidence = Evidence(case, tuple(statements[name] for name in sorted(statements)), bundles, conclusion)
        return evidence, CaseAuditor((hub.checkpoint(),), self.trust(), hub.now_ns, {case: lambda *_: conclusion})

    def shown(self, case="feeds", conclusion=None):
        """What an auditor has found of states and reports, before the case's own rule."""
        evidence, auditor = self.evidence(case, conclusion or {})
        report = auditor.audit(encode_evidence(evidence))
        assert report.failure is None, report.failure
        return report.shown


def said_message(value: bytes, port: str, version: str, **statement) -> ShownMessage:
    """A recorded message that was delivered from e1 to e2, as if it had said this."""
    recorded = letter(DELIVERED, said_by(decode_bundle(data_of(DELIVERED))).value, Fate.DELIVERED).audited().shown
    (found,) = recorded.of_kind(ShownMessage).values()
    said = Said(port, port, version, "application/x-solidity-abi", value, 2_000_000_000)
    return replace(found, said=said, statement=replace(found.statement, **statement))
