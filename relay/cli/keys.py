"""`hutong keys`: encrypted keystores for the relay and for deployments."""

import os
from pathlib import Path
from typing import Annotated

import typer

from relay.config import KeyConfig

app = typer.Typer(help="Encrypted V3 keystores.", no_args_is_help=True)


@app.command()
def add(
    keystore: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    password_file: Annotated[Path | None, typer.Option(help="File with the password, mode 0600.")] = None,
    password_env: Annotated[str | None, typer.Option(help="Environment variable with the password.")] = None,
    import_file: Annotated[
        Path | None, typer.Option(help="File (mode 0600) with an existing key in hex; without it a key is generated.")
    ] = None,
) -> None:
    """Create a keystore and print its address. The password is asked for unless a source is given."""
    from relay.config import UnsafeFile, read_private_file
    from relay.keys import KeyUnavailable, create_keystore, read_password

    try:
        if password_file is None and password_env is None:
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True).encode()
        else:
            source = KeyConfig.model_validate(
                {"keystore": keystore, "password_file": password_file, "password_env": password_env}
            )
            password = read_password(source)
        private_key = os.urandom(32) if import_file is None else _private_key(read_private_file(import_file))
        typer.echo(create_keystore(keystore, private_key, password))
    except (KeyUnavailable, UnsafeFile) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except ValueError:
        typer.echo(f"{import_file or keystore}: give one password source, and a key of 32 bytes in hex", err=True)
        raise typer.Exit(2) from None


@app.command(name="list")
def list_(directory: Annotated[Path, typer.Argument(help="Directory of keystores.")]) -> None:
    """Show the keystores of a directory with their addresses. Nothing is decrypted."""
    from relay.keys import list_keystores

    for key in list_keystores(directory):
        typer.echo(f"{key.address or '-'}  {key.path}" + (f"  ({key.problem})" if key.problem else ""))


def _private_key(content: bytes) -> bytes:
    key = bytes.fromhex(content.decode("ascii").strip().removeprefix("0x"))
    if len(key) != 32:
        raise ValueError("32 bytes")
    return key
