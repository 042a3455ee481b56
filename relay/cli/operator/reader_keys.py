"""`hutong keys hpke`: keys to which others seal, and files sealed to them. No command takes or prints a secret."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.bounded_files import read, write_new
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.keystore_access import PasswordEnv, PasswordFile, key_config, key_sentences, new_password
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

DEFAULT_KEM = "mlkem768-x25519"
Keystore = Annotated[Path, typer.Argument(help="The keystore of the key.")]
Output = Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]
Purpose = Annotated[
    str, typer.Option("--for", help="What the file is for: it opens under the same words alone. Not secret.")
]

app = command_group("Keys to which others seal messages (HPKE), and files sealed to them.")
_NO_EXTRA = {"allow_extra_args": True}


@app.command(context_settings=_NO_EXTRA)
def generate(
    context: typer.Context,
    keystore: Output,
    kem: Annotated[
        str, typer.Option(help="mlkem768-x25519 (also against quantum computers), x25519 or p-256.")
    ] = DEFAULT_KEM,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
) -> None:
    """Create a keystore with a new key and print the public key, which is what others seal to."""
    from hutong.relay.keys.reader_key import KEMS, create_reader_keystore, new_reader_key, public_key_document

    with key_sentences(context), _hpke_sentences():
        if kem not in KEMS:
            raise Refused(f"--kem {kem[:40]!r} is not one of {', '.join(KEMS)}", UNUSABLE)
        key = new_reader_key(KEMS[kem])
        create_reader_keystore(keystore, key, new_password(keystore, password_file, password_env))
        typer.echo(json.dumps(public_key_document(key.public_key)))


@app.command(context_settings=_NO_EXTRA)
def show(context: typer.Context, keystore: Keystore) -> None:
    """Print the public key that a keystore says it has. The password is not needed."""
    from hutong.relay.keys.reader_key import public_key_document, stored_reader_key

    with key_sentences(context), _hpke_sentences():
        typer.echo(json.dumps(public_key_document(stored_reader_key(keystore))))


@app.command(context_settings=_NO_EXTRA)
def seal(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to seal, at most 1 MiB.")],
    sealed: Output,
    to: Annotated[Path, typer.Option(help="File with the reader's public key, as generate and show print it.")],
    purpose: Purpose = "",
) -> None:
    """Seal a file to a reader's key. Whoever has the key opens it; nothing says who sealed it."""
    from hutong.light_clients.crypto.hpke import MAX_PLAINTEXT_BYTES
    from hutong.relay.base.durable_files import READABLE
    from hutong.relay.keys.reader_key import MAX_PUBLIC_KEY_FILE_BYTES, read_public_key
    from hutong.relay.keys.sealed_file import seal_file

    with key_sentences(context), _hpke_sentences():
        reader = read_public_key(read(to, MAX_PUBLIC_KEY_FILE_BYTES), str(to))
        write_new(sealed, seal_file(reader, read(file, MAX_PLAINTEXT_BYTES), purpose), READABLE)


@app.command(name="open", context_settings=_NO_EXTRA)
def open_(
    context: typer.Context,
    keystore: Keystore,
    sealed: Annotated[Path, typer.Argument(help="The sealed file.")],
    file: Annotated[Path, typer.Argument(help="The file to write, mode 0600; it must not exist.")],
    purpose: Purpose = "",
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
) -> None:
    """Open a sealed file. Exit codes: 0 opened, 1 it does not open, 2 something cannot be read."""
    from hutong.relay.base.durable_files import PRIVATE
    from hutong.relay.keys import read_password
    from hutong.relay.keys.reader_key import open_reader_keystore
    from hutong.relay.keys.sealed_file import MAX_SEALED_FILE_BYTES, open_file

    with key_sentences(context), _hpke_sentences():
        data = read(sealed, MAX_SEALED_FILE_BYTES)
        key = open_reader_keystore(keystore, read_password(key_config(keystore, password_file, password_env)))
        write_new(file, open_file(key, data, purpose), PRIVATE)


@contextmanager
def _hpke_sentences() -> Iterator[None]:
    """What cannot be sealed or opened as one sentence: code 1 where a file does not open, else 2."""
    from hutong.light_clients.crypto.hpke import HpkeError, HpkeNotInstalled, NotOpened
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.keys.sealed_file import PurposeTooLong

    try:
        yield
    except NotOpened as error:
        raise Refused(f"it {error}", REFUSED) from None
    except (HpkeError, HpkeNotInstalled, MalformedInput, PurposeTooLong) as error:
        raise Refused(str(error), UNUSABLE) from None
