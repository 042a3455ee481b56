"""The rule of case 8, on what statements show: receipts under anchored batches, a withdrawn model, a shard that was held again."""

import json
from dataclasses import replace

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import CaseTrust
from hutong.relay.audit.cases.statements import EntryStatement, ShownEntry
from hutong.relay.audit.cases.storage.model_receipts import conclude
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.services.storage.rules.records.keys import verdict_key
from hutong.relay.services.storage.rules.records.values import Outcome, VerdictRecord, encode_verdict_record
from tests.relay.audit.cases.credentials.sealed_evidence import GATE, ISSUER, SCHEMA, Made
from tests.relay.audit.cases.credentials.test_diploma_rule import shown_of, state_of
from tests.relay.audit.cases.shown_recall import concluded
from tests.relay.audit.cases.storage.shown_exhibit import hub_state, stated, without

HOSPITAL, RECEIPTS, OPERATOR = b"\x81" * 20, b"\x82" * 20, b"\x83" * 32
WEIGHTS = "cd" * 32
APPROVAL = Made({"weights": WEIGHTS, "lab": "one"}, ("weights",))
APPROVED = shown_of(APPROVAL, "approved", {"weights": WEIGHTS})
WITHDRAWN = shown_of(replace(APPROVAL, index=9), "withdrawn", refused_by="status_is_valid")
EPOCHS = {"audit-passed": 3, "audit-missed": 5, "audit-repaired": 6}
VALUES = {"office": f"did:hutong:h:{ISSUER.hex()}", "schema": SCHEMA.hex(), "audited": OPERATOR.hex()}
VALUES |= {f"epoch-{name}": str(epoch) for name, epoch in EPOCHS.items()}


def trust(**values: str) -> CaseTrust:
    p1 = ChainMeant("p1", str(GATE.chain_id), "p1-0", {"models": GATE.address})
    chains = {"p1": p1, "e2": ChainMeant("e2", "7102", "e2-0", {"receipts": RECEIPTS})}
    return CaseTrust("hutong-1", chains, {"hospital": HOSPITAL}, {**VALUES, **values})


def receipt(number: int, approval: bytes = APPROVED.digest) -> bytes:
    said = {"answer": f"{number:064}", "approval": approval.hex(), "input": "ab" * 32, "time_s": 1_800_000_000}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def batch(number: int, leaves):
    name, slots = f"batch-{number:04}", item_slots(HOSPITAL, number)
    root = merkle.root(leaves) if leaves else bytes(32)
    words = AnchoredRoot(root, len(leaves), 10 + number, 11 + number, 20).words
    return {
        f"{name}-{part}": state_of(f"{name}-{part}", RECEIPTS, slot, word, "7102")
        for part, slot, word in zip(("root", "window"), slots, words, strict=True)
    }


def entry(name: str, leaves, number: int):
    proof, place = merkle.prove(leaves, len(leaves) - 1), len(leaves) - 1
    said = EntryStatement(name, leaves[place], place, len(leaves), proof.aunts, f"batch-{number:04}-root", 0)
    return ShownEntry(said, merkle.root(leaves), batch(number, leaves)[f"batch-{number:04}-root"])


def audit(name: str, outcome: Outcome, held: int = 64, reveals: int = 1, root: bytes = b"\x0a" * 32):
    value = encode_verdict_record(VerdictRecord(outcome, 64, held, 0, reveals, b"\x0b" * 32, root, 90, 1_800_000_100))
    return hub_state(name, value, 99, 1_800_000_200, verdict_key(OPERATOR, EPOCHS[name]))


FIRST = [receipt(number) for number in range(3)]
LAST = [receipt(3), receipt(4, WITHDRAWN.digest)]


def case(**changed):
    model = state_of(
        "model", GATE.address, keccak256(APPROVED.digest + (1).to_bytes(32, "big")), b"", str(GATE.chain_id)
    )
    return {
        "approved": APPROVED,
        "withdrawn": WITHDRAWN,
        "model": stated(model, value=keccak256(WEIGHTS.encode())),
        **batch(0, FIRST),
        **batch(1, LAST),
        "receipt": entry("receipt", FIRST, 0),
        "flagged": entry("flagged", LAST, 1),
        "audit-passed": audit("audit-passed", Outcome.PASSED),
        "audit-missed": audit("audit-missed", Outcome.MISSED, 40),
        "audit-repaired": audit("audit-repaired", Outcome.PASSED),
        **changed,
    }


def refused(shown, **values):
    return concluded(conclude, shown, trust(**values))


def test_what_holds_is_concluded():
    assert refused(case()) == {
        "receipts": 5,
        "weights": WEIGHTS,
        "proven": json.loads(FIRST[-1]),
        "flagged": json.loads(LAST[-1]),
        "repaired": True,
    }


def test_attack_J21_a_receipt_of_another_model_or_of_no_batch():
    swapped = case(receipt=replace(case()["flagged"], statement=replace(case()["flagged"].statement, id="receipt")))
    assert refused(swapped) == "receipt_is_of_the_model"
    for fields in ({"under": "model"}, {"size": 4}, {"offset": 1}, {"leaf": b"{}"}):
        assert refused(case(receipt=stated(case()["receipt"], **fields))) == "receipt_is_of_the_model"
    assert refused(without(case(), "receipt")) == "receipt_is_of_the_model"


def test_attack_J21_a_batch_left_out_or_never_anchored():
    assert refused(without(case(), "batch-0000-window")) == "statement_is_there"
    assert refused(without(case(), "batch-0001")) == "receipt_is_of_the_model"
    assert refused(case(**batch(2, []))) == "batch_is_anchored"
    assert refused(without(case(), "batch")) == "batches_are_bounded"
    foreign = stated(case()["batch-0000-root"], chain_id="7103")
    assert refused(case(**{"batch-0000-root": foreign})) == "slot_is_meant"


def test_attack_J21_an_approval_that_is_another_or_holds_still():
    assert refused(case(model=stated(case()["model"], value=keccak256(b"other")))) == "model_is_registered"
    assert refused(case(approved=replace(APPROVED, claims={"weights": 5}))) == "model_is_registered"
    assert refused(case(withdrawn=replace(APPROVED, statement=replace(APPROVED.statement, id="withdrawn")))) == (
        "refused_as_meant"
    )
    assert refused(case(), schema="00" * 32) == "credential_is_meant"
    with pytest.raises(MissingTrust):
        concluded(conclude, case(), replace(trust(), people={}))


def test_attack_J21_audits_that_show_no_repair():
    for changed, refusal in (
        ({"audit-missed": audit("audit-missed", Outcome.PASSED)}, "verdict_is"),
        ({"audit-repaired": audit("audit-repaired", Outcome.MISSED, 1)}, "verdict_is"),
        ({"audit-repaired": audit("audit-repaired", Outcome.PASSED, reveals=0)}, "verdict_is"),
        ({"audit-repaired": stated(audit("audit-repaired", Outcome.PASSED), value=None)}, "verdict_is"),
        (
            {"audit-repaired": audit("audit-repaired", Outcome.PASSED, root=b"\x0c" * 32)},
            "what_was_missed_is_held_again",
        ),
    ):
        assert refused(case(**changed)) == refusal
    assert refused(case(), **{"epoch-audit-missed": "6"}) == "hub_record_is_meant"
    assert refused(case(), audited="ab") == "operator_is_meant"
    late = {"audit-missed": 7, "audit-repaired": 6}
    again = hub_state("audit-missed", case()["audit-missed"].statement.value, 99, 5, verdict_key(OPERATOR, 7))
    values = {f"epoch-{name}": str(epoch) for name, epoch in late.items()}
    assert refused(case(**{"audit-missed": again}), **values) == "what_was_missed_is_held_again"
