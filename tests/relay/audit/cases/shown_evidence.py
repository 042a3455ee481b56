"""Evidence of a small case of the tests' own: states that a simulated hub's records show, an entry under one, and a recorded
message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Height, PredicateFailed, rule
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit.cases import CaseAuditor, CaseReport, CaseTrust, Evidence, encode_evidence
from hutong.relay.audit.cases.shown import slot_is_meant, statement_is_there
from hutong.relay.audit.cases.statements import (
    EntryStatement,
    Fate,
    MessageStatement,
    ShownEntry,
    ShownMessage,
    ShownState,
    StateStatement,
)
from hutong.relay.audit.cases.trust import ChainMeant
from tests.relay.audit.records.shown_records import (
    ACCOUNT,
    CLIENT,
    EPOCH_KEY,
    KEY,
    PLACE,
    SOURCE_AGE_S,
    Hub,
    hub_time_s,
    observed_records,
)
from tests.relay.audit.test_recorded_bundles import NOW_NS, bundle_of, checkpoints, data_of

LEAVES = tuple(f"reading {number}".encode() for number in range(5))
ROOT = merkle.root(list(LEAVES))
TRUST = CaseTrust("hutong-1", {"farm": ChainMeant("farm", "1337", CLIENT, {"anchor": ACCOUNT})})
MESSAGE_TRUST = CaseTrust("hutong-1", {})


@rule("tests")
def entry_is_called_by_its_index(name, one):
    """A name that says nothing could be another, and a byte of it would turn no verdict."""
    expected = f"entry-{one.statement.index}"
    if name != expected:
        raise PredicateFailed("entry_is_called_by_its_index", "another name", name, expected)


def sum_up(inquiry, shown, trust):
    """The tests' case: what is anchored, and which leaves are shown under it."""
    root = inquiry.about("root")(statement_is_there, shown, "root", ShownState)
    number = inquiry.about("root")(slot_is_meant, root, trust, "farm", "anchor", PLACE.slot)
    entries = shown.of_kind(ShownEntry)
    for name, one in entries.items():
        inquiry.about(name)(entry_is_called_by_its_index, name, one)
    leaves = [one.statement.leaf.decode() for one in entries.values()]
    return {"root": number.to_bytes(32, "big").hex(), "leaves": leaves}


def list_fates(inquiry, shown, trust):
    """The tests' other case: how messages ended, and the SHA-256 of what they said."""
    found = shown.of_kind(ShownMessage)
    return {name: [one.statement.fate.value, sha256(one.said.value).hex()] for name, one in found.items()}


RULES = {"harvest": sum_up, "letters": list_fates}


@dataclass(frozen=True)
class ShownEvidence:
    """Evidence that holds, under these checkpoints and this trust at this time."""

    evidence: Evidence
    checkpoints: Sequence[Checkpoint]
    trust: CaseTrust
    now_ns: int

    def audited(self, data: bytes | None = None) -> CaseReport:
        auditor = CaseAuditor(self.checkpoints, self.trust, self.now_ns, RULES)
        return auditor.audit(encode_evidence(self.evidence) if data is None else data)

    def changed(self, **fields) -> "ShownEvidence":
        return replace(self, evidence=replace(self.evidence, **fields))

    def with_statement(self, name: str, **fields) -> "ShownEvidence":
        statements = tuple(replace(one, **fields) if one.id == name else one for one in self.evidence.statements)
        return self.changed(statements=statements)

    def statement(self, name: str):
        return next(one for one in self.evidence.statements if one.id == name)


def root_hub(root: bytes = ROOT, **changed) -> Hub:
    """One that has observed the root at the place of the trust's anchor."""
    return Hub(observed_records(value=root), **changed)


def entry(leaves: Sequence[bytes], index: int, name: str = "") -> EntryStatement:
    proof = merkle.prove(list(leaves), index)
    return EntryStatement(name or f"entry-{index}", leaves[index], index, len(leaves), proof.aunts, "root", 0)


def root_statement(root: bytes = ROOT) -> StateStatement:
    return StateStatement("root", "records", "hutong-1", CLIENT, PLACE, root, Height(0, 7), hub_time_s() - SOURCE_AGE_S)


def harvest(hub: Hub | None = None, root: bytes = ROOT, leaves: Sequence[bytes] = LEAVES) -> ShownEvidence:
    """A root that a hub has observed, and two leaves under it."""
    made = hub or root_hub(root)
    evidence = Evidence(
        "harvest",
        (entry(leaves, 0), entry(leaves, 4), root_statement(root)),
        {"records": encode_record_bundle(made.bundle(KEY, EPOCH_KEY))},
        {"root": root.hex(), "leaves": [leaves[0].decode(), leaves[4].decode()]},
    )
    return ShownEvidence(evidence, (made.checkpoint(),), TRUST, made.now_ns)


FATES = {
    "message-delivered": Fate.DELIVERED,
    "message-refused-by-the-hub": Fate.REFUSED,
    "timeout-leg-1": Fate.TIMED_OUT,
    "timeout-leg-2": Fate.REFUSED,
    "tokens-delivered": Fate.DELIVERED,
}


def letter(name: str, said: bytes, fate: Fate | None = None) -> ShownEvidence:
    """A recorded message, by the name of its bundle."""
    fate = fate or FATES[name]
    statement = MessageStatement("letter", name, bundle_of(name).packet_id, fate)
    evidence = Evidence("letters", (statement,), {name: data_of(name)}, {"letter": [fate.value, sha256(said).hex()]})
    return ShownEvidence(evidence, checkpoints(), MESSAGE_TRUST, NOW_NS)
