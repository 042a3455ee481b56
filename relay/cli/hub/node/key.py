"""`hutong hub key`: the consensus key of a home, encrypted or plain. No command takes or prints a secret."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.key_password import KeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import demand_terminal

if TYPE_CHECKING:
    from hutong.relay.hub.home.key_file import KeyFile

app = command_group("The consensus key of a home: encrypted, or plain.")
Home = Annotated[Path, typer.Option(help="The home of a node of the embedded engine, or of a signer; it may run.")]


@app.command()
@grouped
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
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.key_file import encrypted, open_key, parse_key_file

    try:
        file = _key_file(home)
        if file.is_encrypted:
            raise UnusableHome(f"{file.path} is encrypted already")
        if not password.is_named:
            demand_terminal("the new password", "--key-password-file or --key-password-env")
            text = typer.prompt(f"New password of {file.path}", hide_input=True, confirmation_prompt=True, err=True)
            secret = str(text).encode()
        else:
            secret = password.read(file.path)
        key = open_key(file)
        data = encrypted(secret, file.path, scrypt_iterations)(key)
        if open_key(parse_key_file(file.path, data), lambda _: secret) != key:
            raise UnusableHome(f"{file.path}: the encrypted key does not open to the same key; nothing was changed")
        write_durably(file.path, data)
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    except (OSError, ValueError) as error:
        raise Refused(f"{home}: {error}", UNUSABLE) from None
    typer.echo(f"{file.public_key.address.hex().upper()} in {file.path} is encrypted now; older copies of it are not")


@app.command()
@grouped
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
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.hub.home.home import UnusableHome, encode_validator_key
    from hutong.relay.hub.home.key_file import open_key

    try:
        if not unencrypted:
            raise UnusableHome("this writes the key unencrypted; say --unencrypted if that is what you want")
        file = _key_file(home)
        if not file.is_encrypted:
            raise UnusableHome(f"{file.path} is not encrypted")
        key = open_key(file, password.source())
        write_durably(file.path, encode_validator_key(key))
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{home}: {error}", UNUSABLE) from None
    typer.echo(f"{key.public_key.address.hex().upper()} in {file.path} is plain now")


@app.command()
def show(home: Home, as_json: AsJson = False) -> None:
    """Print the key's address and public key, and whether it is encrypted. No password is needed.

    Exit codes: 0 done, 2 unusable home.
    """
    from hutong.relay.hub.home.home import UnusableHome

    try:
        file = _key_file(home)
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    address, public_key = file.public_key.address.hex().upper(), file.public_key.data.hex()
    if as_json:
        row = {"address": address, "public_key": public_key, "encrypted": file.is_encrypted, "file": str(file.path)}
        typer.echo(json.dumps(row))
        return
    typer.echo(f"{address} {public_key} {file.path} ({'encrypted' if file.is_encrypted else 'plain'})")


def _key_file(home: Path) -> "KeyFile":
    from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE, UnusableHome
    from hutong.relay.hub.home.key_file import read_key_file
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    if (home / "cometbft").is_dir():
        raise UnusableHome(
            f"{home} is of a hub under CometBFT, which reads its key plain: an encrypted one is not supported"
        )
    return read_key_file(home / VALIDATOR_KEY_FILE)
