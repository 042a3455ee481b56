"""`hutong hub key`: the consensus key of a home, encrypted or plain. No command takes or prints a secret."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import demand_terminal

app = command_group("The consensus key of a home: encrypted, or plain.")
Home = Annotated[Path, typer.Option(help="The home of a node of the embedded engine, or of a signer; it may run.")]


@app.command()
def encrypt(
    home: Home,
    scrypt_iterations: Annotated[
        int | None, typer.Option(help="Cost of opening it; a power of two (default: the library's).")
    ] = None,
    *,
    password: KeyPassword,
) -> None:
    """Put the key under a password, which `hutong hub start` is given from then on. Asked for unless a source is given.

    Exit codes: 0 done, 2 unusable home or password.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.key_encryption import encrypt_own_key
    from hutong.relay.keys import forbid_core_dumps

    def new_password(path: Path) -> bytes:
        if password.is_named:
            return password.read(path)
        demand_terminal("the new password", "--key-password-file or --key-password-env")
        return str(
            typer.prompt(f"New password of {path}", hide_input=True, confirmation_prompt=True, err=True)
        ).encode()

    forbid_core_dumps()
    with refusing(UnusableHome):
        file = encrypt_own_key(home, new_password, scrypt_iterations)
    typer.echo(f"{file.public_key.address.hex().upper()} in {file.path} is encrypted now; older copies of it are not")


@app.command()
def decrypt(
    home: Home,
    unencrypted: Annotated[
        bool, typer.Option("--unencrypted", help="Confirm that the key shall stand in a file for all who can read it.")
    ] = False,
    *,
    password: KeyPassword,
) -> None:
    """Take the password off: a plain priv_validator_key.json, mode 0600, as CometBFT reads it.

    Exit codes: 0 done, 2 unusable home or password.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.key_encryption import decrypt_own_key
    from hutong.relay.keys import forbid_core_dumps

    if not unencrypted:
        raise Refused("this writes the key unencrypted; say --unencrypted if that is what you want", UNUSABLE)
    forbid_core_dumps()
    with refusing(UnusableHome):
        file = decrypt_own_key(home, password.source())
    typer.echo(f"{file.public_key.address.hex().upper()} in {file.path} is plain now")


@app.command()
def source(
    home: Home,
    key: Annotated[Path, typer.Option(help="A file with a [key] table: where the key is from now on (docs/keys.md).")],
    move_to: Annotated[
        Path | None,
        typer.Option(
            help="New folder for the key and its record as CometBFT's files, for a stock signer. Without it the key file is"
            " deleted: the source has the key already."
        ),
    ] = None,
) -> None:
    """Let a stopped node or signer sign by a key that is elsewhere, and take the key out of its home. The record stays there.

    Exit codes: 0 done, 2 unusable home or key file.
    """
    from hutong.relay.hub.home.home import REMOTE_KEY_FILE, UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.remote_signer.placing import place_key
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    with refusing(UnusableHome, NodeRefused):
        public_key = place_key(home, key, move_to)
    typer.echo(f"{public_key.address.hex().upper()} is where {home / REMOTE_KEY_FILE} says now")
    if move_to is not None:
        typer.echo(f"{move_to} holds the key and its record for the signer; no other copy may sign")


@app.command()
def show(home: Home, as_json: AsJson = False) -> None:
    """Print the key's address and public key, and whether it is encrypted. No password is needed.

    Exit codes: 0 done, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.key_encryption import own_key_file
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    with refusing(UnusableHome):
        file = own_key_file(home)
    address, public_key = file.public_key.address.hex().upper(), file.public_key.data.hex()
    if as_json:
        row = {"address": address, "public_key": public_key, "encrypted": file.is_encrypted, "file": str(file.path)}
        typer.echo(json.dumps(row))
        return
    typer.echo(f"{address} {public_key} {file.path} ({'encrypted' if file.is_encrypted else 'plain'})")
