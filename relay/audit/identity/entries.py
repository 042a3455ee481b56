"""Acceptances as entries of a period (docs/spec/audit-replay.md): no packets, and an outcome that says who accepted what."""

from hashlib import sha256

from hutong.relay.audit.auditor import MissingTrust
from hutong.relay.audit.identity.accepted import Accepted
from hutong.relay.audit.identity.auditor import AcceptanceAuditor, AcceptanceReport
from hutong.relay.audit.period.entries import MAX_REASON_CHARS, Entry, EntryState, Failure
from hutong.relay.services.identity.rules.acceptance.standing import SPEC

_SUBJECT = "acceptance"


def judge_acceptance_entry(auditor: AcceptanceAuditor, name: str, data: bytes) -> Entry:
    """The verdict on one entry, never an exception: nothing that is wrong with it may stop the rest.

    Args:
        data: of any origin and size.
    """
    try:
        report = auditor.judge(data)
    except MissingTrust as error:
        failure = Failure(_SUBJECT, "checkpoint_given", "docs/spec/checkpoint.md", str(error))
        return _unproven(name, data, EntryState.UNJUDGED, failure, 0)
    except ModuleNotFoundError as error:
        reason = f"credentials are judged with the extra identity, which is not installed here ({error.name})"
        return _unproven(name, data, EntryState.UNJUDGED, Failure(_SUBJECT, "extra_installed", SPEC, reason), 0)
    except Exception as error:
        # A defect of ours; the entry is not proven, and the reader is told that the verifier is to blame.
        reason = f"the verifier itself failed ({type(error).__name__}): report this file"
        return _unproven(name, data, EntryState.UNJUDGED, Failure(_SUBJECT, "verifier_failed", "", reason), 0)
    if report.accepted is None:
        return _unproven(name, data, EntryState.REFUSED, _failure(report), report.rules)
    chain_id = report.accepted.place.chain_id
    outcome = acceptance_outcome(report.accepted)
    digest = sha256(data).digest()
    trust = ((chain_id, report.trust),)
    return Entry(name, digest, len(data), EntryState.PROVEN, report.rules, (), (), None, trust, outcome)


def acceptance_outcome(accepted: Accepted) -> str:
    """One sentence: who accepted what of whom. Two acceptances of one nonce by one verifier have the same."""
    judged, addressee = accepted.judged, accepted.addressee
    what = f"index {judged.index} of list {judged.list_number} of {accepted.did}"
    return f"{addressee.audience} accepted {what}, nonce {addressee.nonce}"


def _failure(report: AcceptanceReport) -> Failure:
    failure = report.failure
    if failure is None:
        raise ValueError("an acceptance that is not accepted says why")
    reason = str(failure.check.error)[:MAX_REASON_CHARS]
    return Failure(failure.subject, failure.check.name, failure.check.source, reason)


def _unproven(name: str, data: bytes, state: EntryState, failure: Failure, rules: int) -> Entry:
    return Entry(name, sha256(data).digest(), len(data), state, rules, (), (), failure, (), "")
