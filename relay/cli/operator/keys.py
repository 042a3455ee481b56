"""`hutong keys`: encrypted keystores for the relay and for deployments. No command takes or prints a secret."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.keystore_access import PasswordEnv, PasswordFile, key_config, key_sentences, new_password
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.operator.reader_keys import app as reader_keys
from hutong.relay.cli.operator.sm2.command import app as sm2_keys
from hutong.relay.cli.operator.token_keys import app as token_keys
from hutong.relay.config import AnyKeyConfig

Keystore = Annotated[Path, typer.Argument(help="The keystore file.")]
Prefix = Annotated[
    str | None, typer.Option(help="What stands before the 1 of a Cosmos chain's addresses, as cosmos: show them so.")
]

app = command_group("Encrypted V3 keystores, keys of readers, keys on tokens, and keys of SM2.")
app.add_typer(reader_keys, name="hpke")
app.add_typer(token_keys, name="token")
app.add_typer(sm2_keys, name="sm2")

# Arguments are seen by everybody on the machine. A key among them is refused without being repeated, which the usual
# "unexpected extra argument" would do.
_NO_EXTRA = {"allow_extra_args": True}


@app.command(context_settings=_NO_EXTRA)
def add(
    context: typer.Context,
    keystore: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    import_file: Annotated[
        Path | None, typer.Option(help="File (mode 0600) with an existing key in hex; without it a key is generated.")
    ] = None,
) -> None:
    """Create a keystore with a new key and print its address. The password is asked for unless a source is given."""
    from hutong.relay.config import read_private_file
    from hutong.relay.keys import key_from_hex, new_key

    with key_sentences(context):
        private_key = new_key() if import_file is None else key_from_hex(read_private_file(import_file))
        _create(keystore, private_key, password_file, password_env)


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that exists already, and where it is read."""

    file: Annotated[Path | None, typer.Option(help="File (mode 0600) with the key in hex or the mnemonic.")] = None
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the key or mnemonic from standard input.")] = False
    mnemonic: Annotated[bool, typer.Option("--mnemonic", help="It is a BIP-39 phrase, not a key in hex.")] = False
    path: Annotated[str, typer.Option(help="BIP-32 path of the account of a mnemonic.")] = "m/44'/60'/0'/0/0"

    def read(self, *, password_given: bool) -> bytes:
        """The private key, 32 bytes.

        Args:
            password_given: without it a password would be asked for, which standard input cannot serve as well.

        Raises:
            Refused: code 2, there are two sources, or nobody can be asked.
            KeyRefused: what is read is not a key.
            UnsafeFile: the file cannot be read, or others can read it.
        """
        from hutong.relay.keys import key_from_hex, key_from_mnemonic

        content = _secret_input(self.file, stdin=self.stdin, password_given=password_given)
        return key_from_mnemonic(content, self.path) if self.mnemonic else key_from_hex(content)


@app.command(name="import", context_settings=_NO_EXTRA)
def import_(
    context: typer.Context,
    keystore: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    *,
    given: GivenKey,
) -> None:
    """Put an existing key into a new keystore and print its address. Without --file and --stdin it is asked for, unseen."""
    with key_sentences(context):
        private_key = given.read(password_given=(password_file or password_env) is not None)
        _create(keystore, private_key, password_file, password_env)


@app.command(context_settings=_NO_EXTRA)
def export(
    context: typer.Context,
    keystore: Keystore,
    to: Annotated[Path, typer.Option(help="The file to write, mode 0600; it must not exist.")],
    unencrypted: Annotated[
        bool, typer.Option("--unencrypted", help="Confirm that the key shall stand in a file for all who can read it.")
    ] = False,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
) -> None:
    """Write a keystore's private key, unencrypted, to a new file. Prints only its address."""
    from hutong.relay.keys import export_key

    with key_sentences(context):
        if not unencrypted:
            raise Refused(
                "this writes the private key unencrypted; say --unencrypted if that is what you want", UNUSABLE
            )
        if (password_file is None) == (password_env is None):
            raise Refused("give exactly one of --password-file and --password-env", UNUSABLE)
        typer.echo(export_key(key_config(keystore, password_file, password_env), to))


@app.command(name="list")
def list_(
    directory: Annotated[Path | None, typer.Argument(help="Directory of keystores.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="The relay's TOML file: its keys, with the chains' balances.")
    ] = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
) -> None:
    """Show keystores with their addresses: those of a directory, or a configuration's with chain and balance. Nothing is decrypted."""
    from hutong.relay.administration.keys.stored_keys import configured_keys, keys_in

    if (directory is None) == (config is None):
        raise Refused("give a directory or --config", UNUSABLE)
    rows: list[dict[str, Any]] = []
    if config is not None:
        from hutong.relay.cli.common.session import config_of

        rows = configured_keys(config_of(config))
    elif directory is not None:
        rows = keys_in(directory, prefix)
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        parts = [row["address"] or "-", row["file"]]
        if "chain" in row:
            amount = row["balance_wei"]
            parts.insert(1, f"{row['chain']}  {'?' if amount is None else amount} {row['unit']}")
        problem = row["problem"] or row.get("balance_problem")
        typer.echo("  ".join(parts) + (f"  ({problem})" if problem else ""))


@app.command()
def check(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The TOML file of a relay, an attestor, a signer, or an identity daemon."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="A file with a [key] table instead, such as a stopped validator's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask what holds each key of a configuration whether it would sign now: keystores are opened, signers asked. Nothing is
    signed.

    Exit codes: 0 all would, 1 one would not, 2 unusable configuration.
    """
    import trio

    from hutong.relay.administration.keys.key_health import check_keys
    from hutong.relay.keys import forbid_core_dumps

    forbid_core_dumps()
    found = trio.run(check_keys, _keys_to_check(config, key))
    if as_json:
        rows = [
            {"of": one.field, "key": one.place, "ready": one.health.ready, "detail": one.health.detail} for one in found
        ]
        typer.echo(json.dumps(rows, indent=1))
    else:
        for one in found:
            typer.echo(
                f"{one.field}  {one.place}  {'ready' if one.health.ready else 'NOT READY'}  ({one.health.detail})"
            )
    if not all(one.health.ready for one in found):
        raise typer.Exit(REFUSED)


@app.command(context_settings=_NO_EXTRA)
def show(
    context: typer.Context,
    keystore: Keystore,
    prefix: Prefix = None,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
) -> None:
    """Print a keystore's address: EIP-55, or with --prefix that of a Cosmos chain. The password is needed only for
    keystores of other programs, which do not say their public key."""
    from hutong.relay.administration.keys.stored_keys import bech32_address, key_row
    from hutong.relay.keys import load_signer, stored_key

    with key_sentences(context):
        if password_file is not None or password_env is not None:
            signer = load_signer(key_config(keystore, password_file, password_env))
            typer.echo(signer.address if prefix is None else bech32_address(prefix, signer.public_key))
            return
        row = key_row(stored_key(keystore), prefix)
        if row["address"] is None:
            raise Refused(f"{keystore}: {row['problem'] or 'says no address; give its password'}", UNUSABLE)
        typer.echo(row["address"])


def _keys_to_check(config: Path | None, key: Path | None) -> list[tuple[str, AnyKeyConfig | Path]]:
    from hutong.relay.administration.keys.key_health import configured_in
    from hutong.relay.config import ConfigError, load_key_file

    if (config is None) == (key is None):
        raise Refused("give --config or --key", UNUSABLE)
    with refusing(ConfigError):
        if config is not None:
            return configured_in(config)
        assert key is not None
        return [("key", load_key_file(key))]


def _create(keystore: Path, private_key: bytes, password_file: Path | None, password_env: str | None) -> None:
    from hutong.relay.keys import create_keystore

    typer.echo(create_keystore(keystore, private_key, new_password(keystore, password_file, password_env)))


def _secret_input(file: Path | None, *, stdin: bool, password_given: bool) -> bytes:
    from hutong.relay.config import read_private_file
    from hutong.relay.keys import MAX_IMPORT_BYTES

    if file is not None and stdin:
        raise Refused("give one of --file and --stdin", UNUSABLE)
    if file is not None:
        return read_private_file(file)
    if not stdin:
        from hutong.relay.cli.common.session import demand_terminal

        demand_terminal("the key", "--file or --stdin")
        return str(typer.prompt("Key or mnemonic", hide_input=True)).encode()
    if not password_given:
        raise Refused("with --stdin give the password by --password-file or --password-env", UNUSABLE)
    return sys.stdin.buffer.read(MAX_IMPORT_BYTES + 1)
