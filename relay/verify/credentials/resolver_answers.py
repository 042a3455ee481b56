"""What a resolver answered of a did:hutong, judged from the file by the reader's checkpoint: the resolver itself is not believed."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import CheckVerdict, PredicateFailed, VerificationError, rule
from hutong.light_clients.interface.judge import Audit
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES
from hutong.relay.audit.records import Asked
from hutong.relay.services.identity.rules.dids.did_hutong import HutongDid
from hutong.relay.services.identity.rules.dids.recorded_document import RecordedDid, resolution_of_records
from hutong.relay.services.identity.rules.dids.representation import media_type_of
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, read_json_object
from hutong.relay.services.identity.rules.jose.strict_json import write_json
from hutong.relay.verify.credentials.identity_records import DidQuestion, DidReport, judge_did_bundle

SPEC: Final = "docs/spec/identity-dids.md"
PROOF_TYPE: Final = "HutongRecordBundle"
MAX_ANSWER_BYTES: Final = 2 * MAX_RECORD_BUNDLE_BYTES
_SUPPLEMENT: Final = ("alsoKnownAs", "service")


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """`checks` are of the answer itself; `records` is the judgement of the bundle in it, None where there is none.

    Everything holds where `failure` is None: the document is the records', or none is there and that is proven.
    """

    checks: tuple[CheckVerdict, ...]
    records: DidReport | None
    document: JsonObject | None
    failure: str | None


@rule(SPEC)
def answer_has_one_proof(answer: JsonObject) -> bytes:
    """`didResolutionMetadata.proof` has one record bundle. Returns its canonical bytes.

    Raises:
        PredicateFailed: none: also that there is no such DID has to be shown.
    """
    about = answer.get("didResolutionMetadata")
    proofs = about.get("proof") if isinstance(about, dict) else None
    if not isinstance(proofs, list) or len(proofs) != 1:
        raise PredicateFailed("answer_has_one_proof", "the answer is shown by nothing", got=proofs)
    proof = proofs[0]
    if not isinstance(proof, dict) or proof.get("type") != PROOF_TYPE or not isinstance(proof.get("bundle"), dict):
        raise PredicateFailed("answer_has_one_proof", "another kind of proof", got=proof, expected=PROOF_TYPE)
    return canonical_bundle(proof["bundle"])


def canonical_bundle(bundle: JsonValue) -> bytes:
    """The bundle's file: sorted keys, no spaces, ASCII, a line break at the end."""
    return canonical_json(bundle) + b"\n"


@rule(SPEC)
def absence_is_what_was_answered(document: JsonValue) -> None:
    """Where the hub has no such DID there is no document.

    Raises:
        PredicateFailed: there is one.
    """
    if document is not None:
        raise PredicateFailed("absence_is_what_was_answered", "the hub has no such DID, and a document is given")


@rule(SPEC)
def document_is_the_records(answered: JsonValue, recorded: JsonObject | None) -> None:
    """The document that is answered is the one that the records make.

    Raises:
        PredicateFailed: it is another, or one of the two is missing.
    """
    if answered != recorded:
        got = "no document" if answered is None else write_json(answered)
        raise PredicateFailed("document_is_the_records", "another document than the records make", got)


def judge_answer(
    data: bytes, did: HutongDid, checkpoint: Checkpoint, now_ns: int, asked: tuple[Asked, bytes | None]
) -> AnswerReport:
    """Every rule of an answer: its proof, the records in it, and that the document follows from them.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.
        asked: ages, and a schema for which the DID has to be accredited, or None.

    Raises:
        UnusableInput: the checkpoint is of another hub.
    """
    checks: list[CheckVerdict] = []
    judge = Audit(checks.append)
    report: DidReport | None = None
    ages, schema = asked
    document: JsonObject | None = None
    try:
        answer = read_json_object(data, "answer", MAX_ANSWER_BYTES)
        bundle = judge(answer_has_one_proof, answer)
        question = DidQuestion(did.hub, did.id, schema)
        report = judge_did_bundle(bundle, "the answer's proof", checkpoint, question, now_ns, ages)
        if report.is_refused:
            return AnswerReport(tuple(checks), report, None, refusal_of(report))
        answered = answer.get("didDocument")
        if report.proven is None:
            judge(absence_is_what_was_answered, answered)
            return AnswerReport(tuple(checks), report, None, None)
        document = document_of(did, report, answered)
        judge(document_is_the_records, answered, document)
    except VerificationError as error:
        return AnswerReport(tuple(checks), report, None, str(error))
    return AnswerReport(tuple(checks), report, document, None)


def document_of(did: HutongDid, report: DidReport, answered: JsonValue) -> JsonObject | None:
    """The document that the records make, in the answer's representation and with its supplement, whose hash they have.

    Raises:
        PredicateFailed, MalformedInput: another supplement than the recorded one.
    """
    if report.proven is None:
        raise TypeError("a DID that is not registered has no document")
    given: JsonObject = answered if isinstance(answered, dict) else {}
    said: JsonObject = {name: given[name] for name in _SUPPLEMENT if name in given}
    has_hash = any(report.proven.record.document.document_hash)
    supplement = canonical_json(said) if has_hash else None
    recorded = RecordedDid(did, report.proven.record, report.proven.counting_at(report.time_s), supplement)
    return resolution_of_records(recorded, media_type_of(given)).document


def refusal_of(report: DidReport) -> str:
    """Why the records in an answer are refused."""
    failure = report.records.failure
    if failure is not None:
        return f"{failure.subject}: {failure.check.error}"
    return str(report.checks[-1].error)
