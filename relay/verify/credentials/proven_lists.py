"""A status list as a hub's records prove it, from a record bundle of its issuer and the reader's checkpoint."""

from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import CheckVerdict, VerificationError
from hutong.light_clients.interface.judge import Audit
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit.records import Asked
from hutong.relay.services.identity.rules.acceptance.credential import trust_in_key
from hutong.relay.services.identity.rules.acceptance.standing import (
    SPEC,
    Ground,
    issuer_is_registered,
    judge_list_record,
    proven_list,
)
from hutong.relay.services.identity.rules.organisations.issued import key_is_the_dids
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust
from hutong.relay.services.identity.rules.status import ProvenList
from hutong.relay.verify.credentials.identity_records import DidQuestion, judge_did_file, proven_values


@dataclass(frozen=True, slots=True)
class ListProof:
    """What every rule said. `proven` and `trust`, in the key that the list is bound to, are there where all of them held."""

    verdicts: tuple[CheckVerdict, ...]
    proven: ProvenList | None = None
    trust: IssuerTrust | None = None


def judge_list_proof(
    file: Path, checkpoint: Checkpoint, place: tuple[DidQuestion, int], now_ns: int, asked: Asked
) -> ListProof:
    """The issuer's records whole, and its list, under one header.

    Args:
        place: the issuer, and the number of its list.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        UnusableInput: the file cannot be read, or is of another hub.
    """
    question, number = place
    report = judge_did_file(file, checkpoint, question, now_ns, asked)
    checks = [one.check for one in report.records.verdicts] + list(report.checks)
    if report.is_refused or report.records.bundle is None:
        return ListProof(tuple(checks))
    judge = Audit(checks.append)
    ground = Ground(question.hub, proven_values(report.records.bundle), report.time_s)
    try:
        issuer = judge(issuer_is_registered, report.proven, question.did)
        record = judge_list_record(judge, ground, question.did, number)
        key = judge(key_is_the_dids, issuer, record.bound.key_thumbprint)
        trust = trust_in_key(key)
    except VerificationError as error:
        if checks[-1].error is not error:
            checks.append(CheckVerdict("list_well_formed", SPEC, error))
        return ListProof(tuple(checks))
    return ListProof(tuple(checks), proven_list(record, issuer.epoch, KeyPurpose.SIGNING), trust)
