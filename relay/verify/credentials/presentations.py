"""Presentations of credentials judged from files: what `hutong identity verify` reads, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, MalformedInput, VerificationError
from hutong.light_clients.interface.judge import Audit
from hutong.relay.services.identity.rules.jose import TrustAnchors, encode_base64url, read_anchors, read_key_set
from hutong.relay.services.identity.rules.jose.certificates import MAX_ANCHOR_FILE_BYTES
from hutong.relay.services.identity.rules.jose.key_set import MAX_KEY_SET_BYTES
from hutong.relay.services.identity.rules.sd_jwt import (
    MAX_PRESENTATION_CHARS,
    IssuerTrust,
    PresentationPolicy,
    TrustedKeys,
    VerifiedPresentation,
    judge_presentation,
)
from hutong.relay.services.identity.rules.sd_jwt.issuer import Issuer
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.verdict_fields import verdict_fields

NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class PresentationReport:
    """What every rule said, and what is shown where all of them held."""

    verdicts: tuple[CheckVerdict, ...]
    shown: VerifiedPresentation | None


def read_presentation(path: Path) -> str:
    """The text of a file, without the line end after it. Whether it is a presentation is for the rules to say.

    Raises:
        UnusableInput: the file cannot be read, or is empty or too long.
    """
    data = read_file(path, MAX_PRESENTATION_CHARS + 2)
    return data.decode("latin-1").removesuffix("\n").removesuffix("\r")


def read_trust(key_files: Sequence[Path], issuer: str | None, anchor_files: Sequence[Path]) -> IssuerTrust:
    """Issuers by JWK files, all under one name or none, and anchors by PEM files.

    Raises:
        UnusableInput: neither is given, or a file is not what it must be.
    """
    if not key_files and not anchor_files:
        raise UnusableInput(
            "nobody is trusted: give --issuer-key with the issuer's JWK, or --trust with anchors in PEM"
        )
    try:
        keys = tuple(
            TrustedKeys(read_key_set(read_file(path, MAX_KEY_SET_BYTES), str(path)), issuer) for path in key_files
        )
        found = tuple(
            certificate
            for path in anchor_files
            for certificate in read_anchors(read_file(path, MAX_ANCHOR_FILE_BYTES), str(path)).certificates
        )
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    return IssuerTrust(keys, TrustAnchors(found) if found else None)


def judge_file(path: Path, policy: PresentationPolicy) -> PresentationReport:
    """Every rule of a presentation, up to the first that does not hold.

    Raises:
        UnusableInput: as `read_presentation`.
    """
    text = read_presentation(path)
    verdicts: list[CheckVerdict] = []
    try:
        shown = judge_presentation(Audit(verdicts.append), text, policy)
    except VerificationError as error:
        if not verdicts or verdicts[-1].error is not error:  # raised between rules, by a reader of parts
            verdicts.append(CheckVerdict("presentation_well_formed", "RFC 9901 §4", error))
        return PresentationReport(tuple(verdicts), None)
    return PresentationReport(tuple(verdicts), shown)


def report_fields(report: PresentationReport) -> dict[str, Any]:
    """The report as JSON has it."""
    shown = report.shown
    return {
        "valid": shown is not None,
        "vct": None if shown is None else shown.vct,
        "issuer": None if shown is None else issuer_fields(shown),
        "holder_key": None if shown is None or shown.holder is None else thumbprint(shown.holder.key.thumbprint()),
        "claims": None if shown is None else shown.claims,
        "disclosed": None if shown is None else sorted((list(path) for path in shown.unpacked.disclosed), key=str),
        "status": None if shown is None else {"checked": False, "reference": shown.status},
        "checks": [verdict_fields(verdict) for verdict in report.verdicts],
    }


def issuer_fields(shown: VerifiedPresentation) -> dict[str, str | None]:
    """Who signed: a name only where the trust binds one to the key."""
    return issuer_name_fields(shown.issuer)


def issuer_name_fields(issuer: Issuer) -> dict[str, str | None]:
    """A name only where the trust binds one to the key, the key, and who is certified, where a certificate was judged."""
    certificate = issuer.certificate
    return {
        "name": issuer.name,
        "key": thumbprint(issuer.key.thumbprint()),
        "certificate": None if certificate is None else certificate.fingerprint.hex(),
        "subject": None if certificate is None else certificate.subject,
    }


def thumbprint(digest: bytes) -> str:
    """As RFC 7638 writes it."""
    return encode_base64url(digest)
