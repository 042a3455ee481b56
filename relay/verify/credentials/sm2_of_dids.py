"""Keys of SM2 of a DID, from a bundle of its records and the reader's checkpoint: whose signature a file has, and to whom it is sealed."""

from dataclasses import dataclass

from hutong.light_clients.interface import Audit, CheckVerdict, PredicateFailed, VerificationError
from hutong.relay.services.identity.rules.organisations.file_signatures import (
    SignedFile,
    did_has_a_key_to_seal_to,
    judge_signed_file,
)
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.key_record import KeyRecord
from hutong.relay.verify.credentials.identity_records import DidReport


@dataclass(frozen=True, slots=True)
class FileReport:
    """`checks` are the rules of the records and then of the file; the last one failed where `key` is None."""

    checks: tuple[CheckVerdict, ...]
    key: bytes | None


def judge_file_of_did(report: DidReport, signed: SignedFile) -> FileReport:
    """Judge a file's signature by records that were judged; `key` is the thumbprint of the one that signed it.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    checks = list(report.checks)
    try:
        found = judge_signed_file(Audit(checks.append), _registered(report), report.time_s, signed)
    except VerificationError as error:
        if not checks or checks[-1].error is not error:
            checks.append(CheckVerdict("did_is_registered", "docs/spec/identity-records.md", error))
        return FileReport(tuple(checks), None)
    return FileReport(tuple(checks), found)


def key_to_seal_to(report: DidReport) -> tuple[bytes, KeyRecord]:
    """The key of SM2 that files for a DID are sealed to, with its thumbprint.

    Raises:
        PredicateFailed: the DID is not registered, or has no such key that counts.
    """
    return did_has_a_key_to_seal_to(_registered(report), report.time_s)


def _registered(report: DidReport) -> ProvenDid:
    if report.proven is None:
        raise PredicateFailed("did_is_registered", "it is proven that the hub has no such DID")
    return report.proven
