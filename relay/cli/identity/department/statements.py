"""`hutong identity document`, `schema`, `anchor`: hashes of what an organisation keeps off the hub."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.crypto import sha256
from hutong.relay.administration.identity.identifiers import schema_of_text
from hutong.relay.cli.identity.organisation import Controller, Did
from hutong.relay.verify.inputs import read_file

MAX_FILE_BYTES = 1024 * 1024
MAX_WEBVH_BYTES = 8 * 1024 * 1024


def document(
    did: Did,
    controller: Controller,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="JCS bytes; without it none.")] = None,
) -> None:
    """Name the supplement of the DID document, such as its services, by its SHA-256."""
    from hutong.relay.hub.application.identity import interface

    hashed = bytes(32) if file is None else sha256(read_file(file, MAX_FILE_BYTES))
    controller.decide(interface.SET_DOCUMENT, did, hashed)
    typer.echo(f"{did} names the document {hashed.hex()}")


def schema(
    did: Did,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The schema, byte for byte as it is published.")],
    controller: Controller,
    under: Annotated[
        str | None,
        typer.Option("--by", help="Schema of the accreditation to register it by: `all`; without it its own."),
    ] = None,
) -> None:
    """Say on the hub that this organisation brought in a schema, and print its SHA-256."""
    from hutong.relay.hub.application.identity import interface

    hashed = sha256(read_file(file, MAX_FILE_BYTES))
    by = hashed if under is None else schema_of_text(None if under == "all" else under)
    controller.decide(interface.REGISTER_SCHEMA, did, hashed, by)
    typer.echo(hashed.hex())


def anchor(
    did: Did,
    log: Annotated[Path, typer.Argument(metavar="FILE", help="did.jsonl of a did:webvh, as it is served.")],
    controller: Controller,
) -> None:
    """Anchor the newest line of a did:webvh log on the hub: it can never be rolled back to an earlier one. The log is not judged."""
    from hutong.relay.hub.application.identity import interface

    lines = read_file(log, MAX_WEBVH_BYTES).rstrip(b"\n").split(b"\n")
    controller.decide(interface.ANCHOR_WEBVH, did, len(lines), sha256(lines[-1]))
    typer.echo(f"{did} anchors line {len(lines)}")
