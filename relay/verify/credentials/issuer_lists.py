"""A list of accredited issuers from a scheme file: words of its operator, and for each entity a bundle of proven records."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.light_clients.interface import VERIFY, PredicateFailed, VerificationError
from hutong.light_clients.interface.document import Document, Members
from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit.records import Asked
from hutong.relay.services.identity.rules.dids.did_hutong import HutongDid, parse_hutong_did
from hutong.relay.services.identity.rules.dids.syntax import parse_did
from hutong.relay.services.identity.rules.exports.list_form import MAX_UPDATE_S, Scheme, Standing
from hutong.relay.services.identity.rules.exports.listed_issuer import (
    MAX_LISTED,
    MAX_TEXT_CHARS,
    ListedIssuer,
    Words,
    judge_listed,
)
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA
from hutong.relay.services.identity.rules.uris import MAX_URI_CHARS
from hutong.relay.verify.credentials.identity_records import DidQuestion, judge_did_file
from hutong.relay.verify.inputs import UnusableInput, read_file

MAX_SCHEME_BYTES: Final = 4 << 20
MAX_CERTIFICATE_FILE_BYTES: Final = 1 << 16
MAX_CERTIFICATES: Final = 8
HOUR_S: Final = 3_600
Form = Callable[[Scheme, tuple[ListedIssuer, ...], Standing], JsonObject]


@dataclass(frozen=True, slots=True)
class SchemeFile:
    """A scheme with its entities; files are named from the folder of the scheme."""

    scheme: Scheme
    entities: tuple[tuple[HutongDid, Path, Words], ...]


class NotListed(Exception):
    """What the records do not show of an entity; the text is one sentence for the user."""


def read_scheme(file: Path) -> SchemeFile:
    """The scheme of a TOML file.

    Raises:
        UnusableInput: it cannot be read, or is not one; the certificates that it names, too.
    """
    try:
        members = tomllib.loads(read_file(file, MAX_SCHEME_BYTES).decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnusableInput(f"{file} is not TOML: {error}") from None
    try:
        with Document(members, "scheme").members() as fields:
            schema = fields["schema"].text(64, 3)
            scheme = Scheme(
                fields["operator"].text(MAX_TEXT_CHARS, 1),
                ANY_SCHEMA if schema == "all" else Document(schema, "scheme.schema").hex(32),
                fields["language"].ascii(35, 2),
                fields["update_within_hours"].integer(1, MAX_UPDATE_S // HOUR_S) * HOUR_S,
                _optional(fields, "operator_id"),
                _optional(fields, "territory"),
                _optional(fields, "list_type"),
                _optional(fields, "service_type"),
                _optional(fields, "information"),
                _optional(fields, "schema_url"),
            )
            entities = [_entity(each, file.parent) for each in fields["entities"].items(MAX_LISTED, 1)]
    except VerificationError as error:
        raise UnusableInput(f"{file}: {error}") from None
    return SchemeFile(scheme, tuple(entities))


def _optional(fields: Members, name: str) -> str | None:
    given = fields.optional(name)
    return None if given is None else given.text(MAX_URI_CHARS, 1)


def _entity(document: Document, folder: Path) -> tuple[HutongDid, Path, Words]:
    with document.members() as fields:
        did = parse_hutong_did(parse_did(fields["did"].ascii(MAX_URI_CHARS, 1)))
        bundle = folder / fields["bundle"].text(MAX_URI_CHARS, 1)
        certificate = _optional(fields, "certificate")
        words = Words(
            fields["name"].text(MAX_TEXT_CHARS, 1),
            fields["street"].text(MAX_TEXT_CHARS, 1),
            fields["country"].ascii(2, 2),
            fields["contact"].ascii(MAX_URI_CHARS, 1),
            fields["information"].ascii(MAX_URI_CHARS, 1),
            _optional(fields, "locality"),
            _optional(fields, "postal_code"),
            () if certificate is None else read_certificates(folder / certificate),
        )
    return did, bundle, words


def read_certificates(file: Path) -> tuple[bytes, ...]:
    """Certificates of a PEM file as DER, in their order.

    Raises:
        UnusableInput: it cannot be read, or does not hold 1 to `MAX_CERTIFICATES`.
    """
    try:
        found = x509.load_pem_x509_certificates(read_file(file, MAX_CERTIFICATE_FILE_BYTES))
    except ValueError as error:
        raise UnusableInput(f"{file} is not certificates in PEM: {error}") from None
    if len(found) > MAX_CERTIFICATES:
        raise UnusableInput(f"{file} holds more than {MAX_CERTIFICATES} certificates")
    return tuple(one.public_bytes(Encoding.DER) for one in found)


def exported(file: Path, checkpoint: Checkpoint, form: Form, asked: Asked, now_ns: int) -> tuple[JsonObject, Standing]:
    """The list in its form, and where it stands: each entity judged from its bundle, or no list at all.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        UnusableInput: a file cannot be used.
        NotListed: the records of an entity do not show that it may be on the list.
    """
    read = read_scheme(file)
    issuers: list[ListedIssuer] = []
    stands: list[Standing] = []
    for did, bundle, words in read.entities:
        question = DidQuestion(did.hub, did.id, read.scheme.schema)
        report = judge_did_file(bundle, checkpoint, question, now_ns, asked)
        if report.is_refused:
            failure = report.records.failure
            why = report.checks[-1].error if failure is None else failure.check.error
            raise NotListed(f"{words.name}: {why}")
        if report.proven is None or report.records.bundle is None:
            raise NotListed(f"{words.name}: it is proven that the hub has no such DID")
        stands.append(Standing(report.time_s, report.records.bundle.height.revision_height))
        try:
            issuers.append(judge_listed(VERIFY, did.hub, report.proven, report.time_s, words))
        except PredicateFailed as error:
            raise NotListed(f"{words.name}: {error}") from None
    at = Standing(min(one.time_s for one in stands), max(one.height for one in stands))
    try:
        return form(read.scheme, tuple(issuers), at), at
    except (PredicateFailed, MalformedInput) as error:
        raise NotListed(str(error)) from None
