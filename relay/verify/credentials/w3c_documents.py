"""Credentials of VC Data Model 2.0 judged from files: what `hutong identity credential` reads, and what it found."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, Judge, MalformedInput, VerificationError
from hutong.light_clients.interface.judge import Audit
from hutong.relay.services.identity.rules.jose import (
    Algorithm,
    JsonObject,
    KeySet,
    VerificationKey,
    read_json_object,
    read_key_set,
)
from hutong.relay.services.identity.rules.jose.key_set import MAX_KEY_SET_BYTES
from hutong.relay.services.identity.rules.vc2 import (
    MAX_DOCUMENT_BYTES,
    credential_is_in_time,
    judge_credential_model,
    judge_credential_token,
    judge_integrity,
)
from hutong.relay.verify.credentials.presentations import read_presentation
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.verdict_fields import verdict_fields


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """Keys that the reader trusts: by URL for proofs in a document, as a set for tokens."""

    methods: Mapping[str, VerificationKey]
    token_keys: KeySet


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """What every rule said, and the credential where all of them held."""

    verdicts: tuple[CheckVerdict, ...]
    credential: JsonObject | None


def read_issuer_keys(methods: Sequence[str], key_files: Sequence[Path]) -> IssuerKeys:
    """`URL=FILE` for each key that proofs name, and files of keys for tokens.

    Raises:
        UnusableInput: neither is given, a word is not of that form, or a file holds no key, or not one alone.
    """
    if not methods and not key_files:
        raise UnusableInput(
            "nobody is trusted: give --issuer-key for a token, or --method URL=JWK for proofs in a document"
        )
    named: dict[str, VerificationKey] = {}
    for word in methods:
        url, equals, path = word.rpartition("=")
        if not equals or not url:
            raise UnusableInput(f"--method {word}: is not URL=FILE")
        (key,) = _keys(Path(path), 1)
        named[url] = key
    try:
        return IssuerKeys(named, KeySet(tuple(key for path in key_files for key in _keys(path, None))))
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None


def _keys(path: Path, count: int | None) -> tuple[VerificationKey, ...]:
    try:
        keys = read_key_set(read_file(path, MAX_KEY_SET_BYTES), str(path)).keys
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    if count is not None and len(keys) != count:
        raise UnusableInput(f"{path}: has {len(keys)} keys, where one is meant")
    return keys


def judge_document(
    judge: Judge, text: str, keys: IssuerKeys, algorithms: AbstractSet[Algorithm], now_ns: int
) -> JsonObject:
    """A credential as token, or as document with Data Integrity proofs.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    if not text.lstrip().startswith("{"):
        return judge_credential_token(judge, text, algorithms, keys.token_keys, now_ns)
    document = read_json_object(text.encode("latin-1"), "document", MAX_DOCUMENT_BYTES)
    judge_credential_model(judge, document)
    judge_integrity(judge, document, keys.methods, now_ns)
    judge(credential_is_in_time, document, now_ns)
    return document


def judge_document_file(
    path: Path, keys: IssuerKeys, algorithms: AbstractSet[Algorithm], now_ns: int
) -> DocumentReport:
    """Every rule of a file, up to the first that does not hold.

    Raises:
        UnusableInput: the file cannot be read, or is empty or too long.
    """
    text = read_presentation(path)
    verdicts: list[CheckVerdict] = []
    try:
        credential = judge_document(Audit(verdicts.append), text, keys, algorithms, now_ns)
    except VerificationError as error:
        if not verdicts or verdicts[-1].error is not error:  # raised between rules, by a reader of parts
            verdicts.append(CheckVerdict("document_well_formed", "VC Data Model 2.0 §6", error))
        return DocumentReport(tuple(verdicts), None)
    return DocumentReport(tuple(verdicts), credential)


def report_fields(report: DocumentReport) -> dict[str, Any]:
    """The report as JSON has it."""
    return {
        "valid": report.credential is not None,
        "credential": report.credential,
        "status": None
        if report.credential is None
        else {"checked": False, "entry": report.credential.get("credentialStatus")},
        "checks": [verdict_fields(verdict) for verdict in report.verdicts],
    }
