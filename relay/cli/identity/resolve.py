"""`hutong identity resolve`: the document of a DID, from its identifier, or from a log or records that were fetched before."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.identity.resolve_answered import ResolverOptions, resolve_answered
from hutong.relay.cli.identity.resolve_recorded import RecordOptions, resolve_recorded

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.dids.resolution import NotResolved, Resolved
    from hutong.relay.services.identity.rules.dids.webvh.anchor import LogAnchor
    from hutong.relay.services.identity.rules.dids.webvh.resolution import Material


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What a did:webvh is resolved from."""

    log: Annotated[Path | None, typer.Option(help="did.jsonl of a did:webvh, as its host serves it.")] = None
    witness_file: Annotated[Path | None, typer.Option(help="did-witness.json, where the log names witnesses.")] = None
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION:SHA256",
            help="Line of the log that a hub's record anchors, such as 3:5f…; a log without it is refused.",
        ),
    ] = None

    def read(self, did: str) -> "Material":
        """The files.

        Raises:
            Refused: there is no log for a DID that has one, or the anchor is not one.
            UnusableInput: a file cannot be read.
        """
        from hutong.light_clients.interface import VerificationError
        from hutong.relay.services.identity.rules.dids.syntax import parse_did
        from hutong.relay.services.identity.rules.dids.webvh.entry import MAX_LOG_BYTES
        from hutong.relay.services.identity.rules.dids.webvh.identifier import METHOD, parse_webvh_did
        from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
        from hutong.relay.services.identity.rules.dids.webvh.witnesses import MAX_WITNESS_BYTES
        from hutong.relay.verify.inputs import read_file

        if self.log is None:
            try:
                named = parse_webvh_did(parse_did(did))
            except VerificationError:
                return Material()
            raise Refused(
                f"did:{METHOD} is resolved from its log: fetch {named.log_url} and give it with --log", UNUSABLE
            )
        witness_file = None if self.witness_file is None else read_file(self.witness_file, MAX_WITNESS_BYTES)
        return Material(read_file(self.log, MAX_LOG_BYTES), witness_file, self._anchor())

    def _anchor(self) -> "LogAnchor | None":
        from hutong.light_clients.interface import MalformedInput
        from hutong.relay.services.identity.rules.dids.webvh.anchor import LogAnchor

        if self.anchor is None:
            return None
        version, _, head = self.anchor.partition(":")
        try:
            return LogAnchor(int(version), bytes.fromhex(head))
        except (ValueError, MalformedInput):
            raise Refused("--anchor: write VERSION:SHA256, such as 3: and 64 hex digits", UNUSABLE) from None


@dataclass(frozen=True, slots=True)
class VersionOptions:
    """Which version of the document, and how it is written."""

    version_id: Annotated[str | None, typer.Option(help="The version with this whole id.")] = None
    version_time: Annotated[
        str | None, typer.Option(help="The version of this time, such as 2026-01-31T12:00:00Z.")
    ] = None
    accept: Annotated[
        str | None, typer.Option(help="Media types as HTTP's Accept: application/did, did+json, did+ld+json.")
    ] = None
    expand: Annotated[bool, typer.Option("--expand", help="Write relative ids with the DID before them.")] = False


def resolve_command(
    did: Annotated[str, typer.Argument(metavar="DID", help="did:key, did:jwk, did:webvh or did:hutong.")],
    at: Annotated[
        str | None, typer.Option(help="Your time, RFC 3339 or Unix seconds; without it the host's clock.")
    ] = None,
    as_json: AsJson = False,
    *,
    given: LogOptions,
    records: RecordOptions,
    asked: ResolverOptions,
    version: VersionOptions,
) -> None:
    """Resolve a DID offline, or ask a resolver and judge its answer: 0 there is a document, 1 there is none or the log is refused, 2 it cannot be judged here.

    With --json the W3C resolution result is printed, whatever the answer is.
    """
    from hutong.relay.services.identity.rules.dids.resolution import NotResolved, ResolutionOptions
    from hutong.relay.services.identity.rules.dids.resolve import resolve

    if asked.is_given:
        query = {"versionId": version.version_id, "versionTime": version.version_time}
        named = {name: value for name, value in query.items() if value is not None}
        raise typer.Exit(resolve_answered(did, asked, records, named, at, as_json=as_json))
    options = ResolutionOptions(version.accept, version.version_id, version.version_time, version.expand)
    if did.startswith("did:hutong:"):
        found = resolve_recorded(did, records, at, options)
    else:
        found = resolve(did, given.read(did), judged_at_ns(at, "--at") // NANOSECONDS_PER_SECOND, options)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    if isinstance(found, NotResolved):
        if not as_json:
            typer.echo(f"{found.code.title} {printable(found.detail)}", err=True)
        raise typer.Exit(_exit_code(found))
    if not as_json:
        _print(found)
    raise typer.Exit(REFUSED if found.document is None else 0)


def _exit_code(found: "NotResolved") -> int:
    from hutong.relay.services.identity.rules.dids.resolution import ErrorCode

    refused = (ErrorCode.INVALID_DID, ErrorCode.INVALID_DID_DOCUMENT, ErrorCode.NOT_FOUND)
    return REFUSED if found.code in refused else UNUSABLE


def _print(found: "Resolved") -> None:
    """The version, and each key under what it is for."""
    from hutong.relay.services.identity.rules.dids.document import read_document

    metadata = found.metadata.as_json()
    for name in ("versionId", "created", "updated", "nextVersionId"):
        if name in metadata:
            typer.echo(f"{name}: {printable(str(metadata[name]))}")
    if found.metadata.deactivated:
        typer.echo("deactivated")
    if found.document is None:
        return
    document = read_document(found.document)
    typer.echo(f"id: {printable(str(document.did))}")
    for relationship, items in document.relationships.items():
        for item in items:
            name = item if isinstance(item, str) else item.id
            typer.echo(f"{relationship.value}: {printable(name)}")
    for service in document.services:
        typer.echo(f"service {printable(', '.join(service.types))}: {printable(json.dumps(service.endpoint))}")
