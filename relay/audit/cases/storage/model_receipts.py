"""The rule of case 8: receipts of an approved model are anchored, one of a withdrawn version is flagged, and an operator that had
lost what it was given missed its audit and holds the same again.

Statements `approved` and `withdrawn`: approvals of the office, of which the hub's records refuse the second; `model`: what p1 keeps
of the first. `batch-0000-root`, `batch-0000-window` on: the hospital's anchors on e2; `receipt` and `flagged`, one receipt of each.
`audit-passed`, `audit-missed`, `audit-repaired`: the hub's verdicts on one operator.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials.credentials_meant import (
    credential_is_meant,
    gate_is_meant,
    mapping_slot,
    nothing_else_is_shown,
    refused_as_meant,
)
from hutong.relay.audit.cases.named import credential_is_there, state_is_there
from hutong.relay.audit.cases.shown import Shown, slot_is_meant, statement_is_there
from hutong.relay.audit.cases.statements import SPEC, ShownEntry, ShownState
from hutong.relay.audit.cases.storage.hub_records import epoch_is_meant, hub_record_is_meant
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.services.identity.rules.seals import ClaimValue
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import Outcome, VerdictRecord, decode_verdict_record

CASE = "model-receipts"
REGULATOR_CHAIN, HOSPITAL_CHAIN = "p1", "e2"
MODELS_SLOT = 1
"""Of `ExampleModels.models`, after the nonces of its gate."""
MAX_BATCHES = 1_000
AUDITS = (("audit-passed", Outcome.PASSED), ("audit-missed", Outcome.MISSED), ("audit-repaired", Outcome.PASSED))
_RECEIPT = re.compile(
    rb'\{"answer":"[0-9a-f]{64}","approval":"(?P<approval>[0-9a-f]{64})","input":"[0-9a-f]{64}","time_s":[1-9][0-9]{0,10}\}'
)
_ROOT = re.compile(r"batch-[0-9]{4}-root")


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    approved, weights = _judge_approval(inquiry.about("approved"), shown, trust)
    judge = inquiry.about("withdrawn")
    credential = judge(credential_is_there, shown, "withdrawn")
    judge(credential_is_meant, credential, trust, "office", "schema")
    withdrawn = judge(refused_as_meant, credential, ["status_is_valid"])
    batches = _judge_batches(inquiry.about("batches"), shown, trust)
    receipt, flagged = (
        inquiry.about(name)(receipt_is_of_the_model, shown, name, digest, batches)
        for name, digest in (("receipt", approved), ("flagged", withdrawn))
    )
    judge = inquiry.about("audits")
    operator = judge(operator_is_meant, trust)
    audits = [
        (
            epoch,
            judge(verdict_is, judge(hub_record_is_meant, shown, trust, name, keys.verdict_key(operator, epoch)), ends),
        )
        for name, ends in AUDITS
        for epoch in [judge(epoch_is_meant, trust, f"epoch-{name}")]
    ]
    judge(what_was_missed_is_held_again, audits)
    said = {"receipts": sum(batches), "weights": weights, "proven": receipt, "flagged": flagged}
    return said | {"repaired": True}


def _judge_approval(judge: Judge, shown: Shown, trust: CaseTrust) -> tuple[str, str]:
    credential = judge(credential_is_there, shown, "approved")
    judge(credential_is_meant, credential, trust, "office", "schema")
    judge(gate_is_meant, credential, trust, REGULATOR_CHAIN, "models")
    claims = judge(nothing_else_is_shown, credential, ("weights",))
    slot = mapping_slot(credential.digest, MODELS_SLOT)
    word = judge(slot_is_meant, judge(state_is_there, shown, "model"), trust, REGULATOR_CHAIN, "models", slot)
    return credential.digest.hex(), judge(model_is_registered, word, claims)


def _judge_batches(judge: Judge, shown: Shown, trust: CaseTrust) -> list[int]:
    """How many receipts each batch has."""
    count = judge(batches_are_bounded, shown)
    found = []
    for number in range(count):
        words = []
        for part, slot in zip(("root", "window"), item_slots(trust.person("hospital"), number), strict=True):
            state = judge(state_is_there, shown, f"batch-{number:04}-{part}")
            words.append(judge(slot_is_meant, state, trust, HOSPITAL_CHAIN, "receipts", slot).to_bytes(32, "big"))
        found.append(judge(batch_is_anchored, AnchoredRoot.of_words(words[0], words[1])))
    return found


@rule(SPEC)
def model_is_registered(word: int, claims: Sequence[ClaimValue]) -> str:
    """What the register keeps under the approval is the hash of its weights' address. Returns the address.

    Raises:
        PredicateFailed: it keeps something else, or nothing; or the claim is not a text.
    """
    (weights,) = claims
    if not isinstance(weights, str):
        raise PredicateFailed("model_is_registered", "the weights' address is not a text", weights)
    if word.to_bytes(32, "big") != keccak256(weights.encode()):
        raise PredicateFailed("model_is_registered", "the register keeps something else", word, weights)
    return weights


@rule(SPEC)
def batches_are_bounded(shown: Shown) -> int:
    """How many batches are stated: at least one.

    Raises:
        PredicateFailed: none, or too many.
    """
    count = sum(_ROOT.fullmatch(name) is not None for name in shown.of_kind(ShownState))
    if not 1 <= count <= MAX_BATCHES:
        raise PredicateFailed("batches_are_bounded", "so many batches are stated", count, f"1 to {MAX_BATCHES}")
    return count


@rule(SPEC)
def batch_is_anchored(anchor: AnchoredRoot) -> int:
    """The list has the batch. Returns how many receipts it is of.

    Raises:
        PredicateFailed: there is nothing at its place.
    """
    if anchor.count == 0:
        raise PredicateFailed("batch_is_anchored", "nothing is anchored there", 0, ">= 1")
    return anchor.count


@rule(SPEC)
def receipt_is_of_the_model(shown: Shown, name: str, approval: str, batches: Sequence[int]) -> Mapping[str, Any]:
    """The entry is a receipt in one of the batches, and says this approval. Returns it.

    Args:
        approval: digest of its seal, hexadecimal.

    Raises:
        PredicateFailed: it is not a receipt, of another model, or under something else.
    """
    said = statement_is_there(shown, name, ShownEntry).statement
    under = {f"batch-{number:04}-root": count for number, count in enumerate(batches)}
    if (said.size, said.offset) != (under.get(said.under), 0):
        raise PredicateFailed("receipt_is_of_the_model", f"{name} is not in a batch", said.under, said.size)
    form = _RECEIPT.fullmatch(said.leaf)
    if form is None:
        raise PredicateFailed("receipt_is_of_the_model", f"{name} is not a receipt", said.leaf[:64])
    if form["approval"].decode() != approval:
        raise PredicateFailed("receipt_is_of_the_model", f"{name} is of another model", form["approval"], approval)
    found: Mapping[str, Any] = json.loads(said.leaf)
    return found


@rule(SPEC)
def operator_is_meant(trust: CaseTrust) -> bytes:
    """The reader's value is the id of an operator.

    Raises:
        PredicateFailed: it is not.
        MissingTrust: there is none.
    """
    text = trust.value("audited")
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        raise PredicateFailed("operator_is_meant", "is not the id of an operator", text)
    return bytes.fromhex(text)


@rule(SPEC)
def verdict_is(state: ShownState, outcome: Outcome) -> VerdictRecord:
    """The hub's verdict, under a seed that an auditor's secret is in.

    Raises:
        PredicateFailed: there is none, another one, or a weak one.
        MalformedInput: what stands there is not a verdict.
    """
    if state.statement.value is None:
        raise PredicateFailed("verdict_is", "the hub has no verdict", expected=outcome.name)
    verdict = decode_verdict_record(state.statement.value)
    if verdict.outcome is not outcome:
        raise PredicateFailed("verdict_is", "the audit ended otherwise", verdict.outcome.name, outcome.name)
    if verdict.reveals == 0:
        raise PredicateFailed("verdict_is", "no auditor's secret is in the seed", 0, ">= 1")
    return verdict


@rule(SPEC)
def what_was_missed_is_held_again(audits: Sequence[tuple[int, VerdictRecord]]) -> None:
    """Three epochs, one after the other, of one set.

    Raises:
        PredicateFailed: they are in another order, or not of the same entries.
    """
    name, epochs = "what_was_missed_is_held_again", [epoch for epoch, _ in audits]
    if epochs != sorted(set(epochs)):
        raise PredicateFailed(name, "the epochs do not ascend", epochs)
    roots = {verdict.set_root for _, verdict in audits}
    if len(roots) != 1:
        raise PredicateFailed(name, "the audits are of different sets", len(roots), 1)
