"""Evidence of a case and its stored form, versions 1 and 2 (docs/spec/case-evidence.md). Of any origin; nothing is verified here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.audit.cases.conclusion import read_conclusion
from hutong.relay.audit.cases.statements import (
    MessageStatement,
    SealStatement,
    Statement,
    StateStatement,
    name_of,
    read_statement,
    statement_fields,
)
from hutong.relay.audit.cases.statements.words import base64_text

EVIDENCE_FORMAT = "hutong-case-evidence"
EVIDENCE_VERSION, SEALED_VERSION = 1, 2
"""The second has statements of kind `seal`, the first has none: each evidence has one encoding."""
MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
MAX_STATEMENTS = 4_096
MAX_BUNDLES = 2_048
MAX_BUNDLE_BYTES = 16 * 1024 * 1024
MAX_CONTAINERS = 400_000
"""Brackets of objects and lists, counted before any is made; those in texts count too."""

BUNDLED = MessageStatement | StateStatement | SealStatement
"""Kinds that name a bundle."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`statements` ascend by their ids; `bundles` are by name exactly those that statements name."""

    case: str
    statements: tuple[Statement, ...]
    bundles: Mapping[str, bytes]
    conclusion: Mapping[str, Any] = field(default_factory=dict)


def encode_evidence(evidence: Evidence) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; bytes as base64, heights as texts.

    Nothing is checked: see `check_evidence`.
    """
    document = {
        "format": EVIDENCE_FORMAT,
        "version": _version_of(evidence),
        "case": evidence.case,
        "statements": [statement_fields(statement) for statement in evidence.statements],
        "bundles": {name: base64_text(bundle) for name, bundle in evidence.bundles.items()},
        "conclusion": dict(evidence.conclusion),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def decode_evidence(data: bytes) -> Evidence:
    """Inverse of `encode_evidence`.

    Raises:
        MalformedInput: anything else than the canonical bytes of its version, or a value out of bounds.
    """
    if data.count(b"{") + data.count(b"[") > MAX_CONTAINERS:
        raise MalformedInput("evidence", f"more than {MAX_CONTAINERS} objects and lists")
    document = Document.parse(data, "evidence", MAX_EVIDENCE_BYTES)
    with document.of_format("evidence of a case", EVIDENCE_FORMAT) as fields:
        version = fields["version"]
        evidence = Evidence(
            name_of(fields["case"], "the name of a case"),
            tuple(read_statement(one) for one in fields["statements"].items(MAX_STATEMENTS, least=1)),
            {
                name_of(name, "the name of a bundle"): bundle.base64(MAX_BUNDLE_BYTES)
                for name, bundle in fields["bundles"].entries(MAX_BUNDLES)
            },
            read_conclusion(fields["conclusion"]),
        )
    version.exactly(_version_of(evidence), "is not the version of such statements")
    check_evidence(evidence)
    if encode_evidence(evidence) != data:
        raise MalformedInput("evidence", "is not the canonical encoding")
    return evidence


def _version_of(evidence: Evidence) -> int:
    has_seals = any(isinstance(one, SealStatement) for one in evidence.statements)
    return SEALED_VERSION if has_seals else EVIDENCE_VERSION


def check_evidence(evidence: Evidence) -> None:
    """Statements ascend by their ids, none twice; every bundle that one names is here, and no other.

    Raises:
        MalformedInput: naming the field.
    """
    ids = [statement.id for statement in evidence.statements]
    for index, (first, second) in enumerate(pairwise(ids), 1):
        if first >= second:
            raise MalformedInput(f"evidence.statements[{index}].id", "must ascend, none twice", second, f"> {first}")
    named = {one.bundle for one in evidence.statements if isinstance(one, BUNDLED)}
    missing, spare = sorted(named - evidence.bundles.keys()), sorted(evidence.bundles.keys() - named)
    if missing or spare:
        raise MalformedInput(
            "evidence.bundles", "must be those that statements name", got=spare or None, expected=missing or None
        )
