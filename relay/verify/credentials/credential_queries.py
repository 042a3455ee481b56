"""Queries for credentials (DCQL) against credentials in files: what `hutong identity query` reads, and what it found."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from hutong.light_clients.interface import CheckVerdict, MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.interface.judge import VERIFY, audit
from hutong.relay.services.identity.rules.dcql import (
    MAX_QUERY_BYTES,
    DcqlQuery,
    HeldCredential,
    Match,
    judge_credential,
    matches,
    read_query,
    sets_are_answered,
)
from hutong.relay.services.identity.rules.jose import JsonValue, encode_base64url, read_jws
from hutong.relay.services.identity.rules.sd_jwt import read_compact
from hutong.relay.services.identity.rules.sd_jwt.disclosures import disclosures_well_formed
from hutong.relay.services.identity.rules.sd_jwt.unpacking import digest_algorithm_is_sha256, disclosures_unpack
from hutong.relay.verify.credentials.presentations import read_presentation
from hutong.relay.verify.inputs import UnusableInput, read_file

MAX_CERTIFICATES = 4


@dataclass(frozen=True, slots=True)
class QueryReport:
    """Which files answer each credential query, the ids to present, and why the query is not answered where it is not."""

    found: dict[str, tuple[Match, ...]]
    present: tuple[str, ...]
    refusal: PredicateFailed | None
    reasons: dict[str, tuple[CheckVerdict | None, ...]]
    """By id of a query that nothing answers, the rule that each file did not hold."""


def read_query_file(path: Path) -> DcqlQuery:
    """The query of a file: the object `dcql_query` of a request.

    Raises:
        UnusableInput: the file cannot be read, or holds no such query.
    """
    try:
        return read_query(read_file(path, MAX_QUERY_BYTES))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def read_held(path: Path) -> HeldCredential:
    """A credential as its holder has it: with all its disclosures, its issuer's signature not judged.

    Raises:
        UnusableInput: the file cannot be read, or holds no SD-JWT VC whose disclosures unpack.
    """
    try:
        parts = read_compact(read_presentation(path), str(path))
        jws = read_jws(parts.issuer_jwt, str(path))
        payload = jws.claims()
        digest_algorithm_is_sha256(payload)
        claims = disclosures_unpack(payload, disclosures_well_formed(parts.disclosures)).claims
    except VerificationError as error:
        raise UnusableInput(f"{path}: {error}") from None
    return HeldCredential(claims, "cnf" in claims, {"aki": authority_keys(jws.header.get("x5c"))})


def authority_keys(chain: JsonValue) -> frozenset[str]:
    """The key identifiers of who signed the certificates of `x5c`, as a query's `aki` writes them (OpenID4VP 1.0 §6.1.1.1).

    Certificates that cannot be read name nobody: nothing is believed of them here.
    """
    found = set()
    for text in chain[:MAX_CERTIFICATES] if isinstance(chain, list) else []:
        try:
            certificate = x509.load_der_x509_certificate(b64decode(str(text), validate=True))
            identifier = certificate.extensions.get_extension_for_class(
                x509.AuthorityKeyIdentifier
            ).value.key_identifier
        except (ValueError, x509.ExtensionNotFound):
            continue
        if identifier is not None:
            found.add(encode_base64url(identifier))
    return frozenset(found)


def answer(query: DcqlQuery, held: Sequence[HeldCredential]) -> QueryReport:
    """What of `held` answers `query`, and whether that is enough."""
    found = matches(VERIFY, query, held)
    reasons = {
        asked.id: tuple(_refusal(audit(judge_credential, asked, credential)) for credential in held)
        for asked in query.credentials
        if asked.id not in found
    }
    try:
        return QueryReport(found, sets_are_answered(query, found), None, reasons)
    except PredicateFailed as error:
        return QueryReport(found, (), error, reasons)


def _refusal(verdicts: Sequence[CheckVerdict]) -> CheckVerdict | None:
    return next((verdict for verdict in verdicts if not verdict.held), None)


def report_fields(report: QueryReport, files: Sequence[Path]) -> dict[str, Any]:
    """The report as JSON has it."""
    return {
        "answered": report.refusal is None,
        "present": list(report.present),
        "reason": None if report.refusal is None else str(report.refusal),
        "credentials": {
            name: [
                {"file": str(files[match.position]), "disclosed": [list(place) for place in match.disclosed]}
                for match in answering
            ]
            for name, answering in report.found.items()
        },
        "unanswered": {
            name: [
                {"file": str(file), "reason": None if verdict is None else str(verdict.error)}
                for file, verdict in zip(files, verdicts, strict=True)
            ]
            for name, verdicts in report.reasons.items()
        },
    }
