"""The commands of `hutong keys sm2`. None takes or prints a secret."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common import bounded_files
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.operator.sm2 import files
from hutong.relay.cli.operator.sm2.dids import OfDid

KeyFile = Annotated[Path, typer.Argument(help="PKCS #8 in PEM, not encrypted, mode 0600.")]
Output = Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]
Identifier = Annotated[
    str, typer.Option(help="Of the signer: signature and verification need the same. 1 to 8191 bytes.")
]
Purpose = Annotated[
    str, typer.Option("--for", help="What the file is for: it opens under the same words alone. Not secret.")
]
DEFAULT_IDENTIFIER = "1234567812345678"

app = command_group("Keys of SM2 in OpenSSL's files: signatures, and files sealed by SM2 and SM4.")


def _one_of(file: Path | None, of: OfDid, option: str) -> None:
    """Raises Refused, code 2: not exactly one of a key's file and a DID was given."""
    if (file is None) == (of.did is None):
        raise Refused(f"whose key: give {option} FILE, or --did with --records and --checkpoint", UNUSABLE)


@app.command()
def generate(key: Output) -> None:
    """Write a new key, mode 0600, and print its public key in PEM."""
    from hutong.light_clients.crypto import gm
    from hutong.relay.base.durable_files import PRIVATE

    with files.sentences():
        made = gm.new_key_pair()
        bounded_files.write_new(key, gm.key_pair_to_pem(made), PRIVATE)
        typer.echo(gm.public_key_to_pem(made.public_key).decode(), nl=False)


@app.command()
def show(key: KeyFile) -> None:
    """Print the public key of a key file in PEM."""
    from hutong.light_clients.crypto import gm

    with files.sentences():
        typer.echo(gm.public_key_to_pem(files.read_key_pair(key).public_key).decode(), nl=False)


@app.command()
def sign(
    key: KeyFile,
    file: Annotated[Path, typer.Argument(help="The file to sign, at most 64 MiB.")],
    signature: Output,
    identifier: Identifier = DEFAULT_IDENTIFIER,
) -> None:
    """Sign a file: ASN.1 of r and s over SM3 of the identifier, the key and the file, as OpenSSL takes it."""
    from hutong.light_clients.crypto import gm
    from hutong.relay.base.durable_files import READABLE

    with files.sentences():
        pair, content = files.read_key_pair(key), bounded_files.read(file, files.MAX_SIGNED_BYTES)
        made = gm.sign(pair, content, identifier.encode())
        bounded_files.write_new(signature, gm.signature_to_der(made), READABLE)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The file that was signed.")],
    signature: Annotated[Path, typer.Argument(help="Its signature in ASN.1.")],
    of: OfDid,
    by: Annotated[
        Path | None,
        typer.Option(help="The signer's public key in PEM; or a DID's keys: --did, --records, --checkpoint."),
    ] = None,
    identifier: Identifier = DEFAULT_IDENTIFIER,
    as_json: AsJson = False,
) -> None:
    """Judge a file's signature, offline. Exit codes: 0 good, 1 not by this signer and identifier, 2 something cannot be read."""
    from hutong.light_clients.crypto import gm
    from hutong.light_clients.crypto.gm.signature import MAX_DER_BYTES

    _one_of(by, of, "--by")
    with files.sentences():
        public_key = None if by is None else files.read_public_key(by)
        content = bounded_files.read(file, files.MAX_SIGNED_BYTES)
        shown = gm.signature_from_der(bounded_files.read(signature, MAX_DER_BYTES))
        if public_key is None:
            from hutong.relay.services.identity.rules.organisations.file_signatures import SignedFile

            of.judge_file(SignedFile(content, shown, identifier.encode()), as_json=as_json)
        is_good = gm.verify(public_key, content, shown, identifier.encode())
        if as_json:
            typer.echo(json.dumps({"valid": is_good}))
            raise typer.Exit(0 if is_good else REFUSED)
        if not is_good:
            raise Refused("the signature is not of this file by this key and identifier", REFUSED)
    typer.echo("good")


@app.command()
def seal(
    file: Annotated[Path, typer.Argument(help="The file to seal, at most 1 MiB.")],
    sealed: Output,
    of: OfDid,
    to: Annotated[
        Path | None, typer.Option(help="The reader's public key in PEM; or a DID's: --did, --records, --checkpoint.")
    ] = None,
    purpose: Purpose = "",
) -> None:
    """Seal a file to a reader's key. Whoever has the key opens it; nothing says who sealed it."""
    from hutong.relay.base.durable_files import READABLE
    from hutong.relay.keys.sm2_sealed_file import MAX_CONTENT_BYTES, seal_file

    _one_of(to, of, "--to")
    with files.sentences():
        content = bounded_files.read(file, MAX_CONTENT_BYTES)
        print_of, public_key = of.key_to_seal_to() if to is None else ("", files.read_public_key(to))
        bounded_files.write_new(sealed, seal_file(public_key, content, purpose), READABLE)
    if print_of:
        typer.echo(f"sealed to {of.did}, key {print_of}")


@app.command(name="open")
def open_(
    key: KeyFile,
    sealed: Annotated[Path, typer.Argument(help="The sealed file.")],
    file: Annotated[Path, typer.Argument(help="The file to write, mode 0600; it must not exist.")],
    purpose: Purpose = "",
) -> None:
    """Open a sealed file. Exit codes: 0 opened, 1 it does not open, 2 something cannot be read."""
    from hutong.relay.base.durable_files import PRIVATE
    from hutong.relay.keys.sm2_sealed_file import MAX_SEALED_FILE_BYTES, open_file

    with files.sentences():
        pair, data = files.read_key_pair(key), bounded_files.read(sealed, MAX_SEALED_FILE_BYTES)
        bounded_files.write_new(file, open_file(pair.private_key, data, purpose), PRIVATE)
