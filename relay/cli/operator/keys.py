"""`hutong keys`: encrypted keystores for the relay and for deployments. No command takes or prints a secret."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.config import Config, KeyConfig

if TYPE_CHECKING:
    from hutong.relay.keys import StoredKey

BALANCE_LIMIT_S = 10
NO_PUBLIC_KEY = "its public key is not in the file: hutong keys show, with its password"

Keystore = Annotated[Path, typer.Argument(help="The keystore file.")]
PasswordFile = Annotated[Path | None, typer.Option(help="File with the password, mode 0600.")]
Prefix = Annotated[
    str | None, typer.Option(help="What stands before the 1 of a Cosmos chain's addresses, as cosmos: show them so.")
]
PasswordEnv = Annotated[str | None, typer.Option(help="Environment variable with the password.")]

app = command_group("Encrypted V3 keystores.")

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
    with _sentences(context):
        if import_file is not None:
            _create(keystore, _from_file(import_file), password_file, password_env)
        else:
            _create(keystore, _new_key(), password_file, password_env)


@app.command(name="import", context_settings=_NO_EXTRA)
def import_(
    context: typer.Context,
    keystore: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    file: Annotated[Path | None, typer.Option(help="File (mode 0600) with the key in hex or the mnemonic.")] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the key or mnemonic from standard input.")] = False,
    mnemonic: Annotated[bool, typer.Option("--mnemonic", help="It is a BIP-39 phrase, not a key in hex.")] = False,
    path: Annotated[str, typer.Option(help="BIP-32 path of the account of a mnemonic.")] = "m/44'/60'/0'/0/0",
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
) -> None:
    """Put an existing key into a new keystore and print its address. Without --file and --stdin it is asked for, unseen."""
    from hutong.relay.keys import key_from_hex, key_from_mnemonic

    with _sentences(context):
        content = _secret_input(file, stdin=stdin, password_given=(password_file or password_env) is not None)
        private_key = key_from_mnemonic(content, path) if mnemonic else key_from_hex(content)
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

    with _sentences(context):
        if not unencrypted:
            raise Refused(
                "this writes the private key unencrypted; say --unencrypted if that is what you want", UNUSABLE
            )
        if (password_file is None) == (password_env is None):
            raise Refused("give exactly one of --password-file and --password-env", UNUSABLE)
        typer.echo(export_key(_key_config(keystore, password_file, password_env), to))


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
    from hutong.relay.keys import list_keystores, stored_key

    if (directory is None) == (config is None):
        raise Refused("give a directory or --config", UNUSABLE)
    rows: list[dict[str, Any]] = []
    if config is not None:
        from hutong.relay.cli.common.session import config_of

        loaded = config_of(config)
        for chain in loaded.chains:
            found = [_row(stored_key(key.keystore), chain.address_prefix) for key in chain.all_keys]
            amounts = _balances(loaded, chain.name, [row["address"] for row in found])
            rows += [
                row | {"chain": chain.name, "unit": chain.fee_denom} | more
                for row, more in zip(found, amounts, strict=True)
            ]
    elif directory is not None:
        if not directory.is_dir():
            raise Refused(f"{directory} is not a directory; give the one that holds the keystores", UNUSABLE)
        rows = [_row(key, prefix) for key in list_keystores(directory)]
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
    from hutong.relay.keys import load_signer, stored_key

    with _sentences(context):
        if password_file is not None or password_env is not None:
            signer = load_signer(_key_config(keystore, password_file, password_env))
            typer.echo(signer.address if prefix is None else _bech32(prefix, signer.public_key))
            return
        row = _row(stored_key(keystore), prefix)
        if row["address"] is None:
            raise Refused(f"{keystore}: {row['problem'] or 'says no address; give its password'}", UNUSABLE)
        typer.echo(row["address"])


def _row(key: "StoredKey", prefix: str | None) -> dict[str, Any]:
    address, problem = key.address, key.problem
    if prefix is not None:
        address = None if key.public_key is None else _bech32(prefix, key.public_key)
        problem = problem or (NO_PUBLIC_KEY if address is None else None)
    return {"address": address, "file": str(key.path), "problem": problem}


def _bech32(prefix: str, public_key: bytes) -> str:
    from hutong.adapters.cosmos.transactions.addresses import account_address

    if re.fullmatch(r"[a-z][a-z0-9]{0,30}", prefix, re.ASCII) is None:
        raise Refused(f"--prefix: {prefix[:40]!r} is not a prefix of addresses, such as cosmos", UNUSABLE)
    return account_address(prefix, public_key)


def _balances(config: Config, chain: str, wanted: Sequence[str | None]) -> list[dict[str, Any]]:
    from random import Random

    import trio

    from hutong.adapters.interface import AdapterError
    from hutong.relay.core.topology.chains import open_chain
    from hutong.relay.telemetry import configure_logs

    configure_logs("error")
    found: dict[str, str] = {}

    async def ask() -> None:
        with trio.fail_after(BALANCE_LIMIT_S):
            async with open_chain(config.chain(chain), Random()) as adapter:  # noqa: S311  endpoint choice, no secret
                await adapter.check_identity()
                for address in wanted:
                    if address is not None:
                        found[address] = str((await adapter.account(address)).balance_wei)

    problem: str | None = None
    try:
        trio.run(ask)
    except trio.TooSlowError:
        problem = f"{chain} did not answer in {BALANCE_LIMIT_S} s"
    except AdapterError as error:
        problem = str(error)
    except BaseExceptionGroup as group:
        expected_leaves(group, (AdapterError,))
        problem = f"{chain} does not answer"
    return [
        {"balance_wei": amount, "balance_problem": None if amount is not None or address is None else problem}
        for address in wanted
        for amount in [None if address is None else found.get(address)]
    ]


def _create(keystore: Path, private_key: bytes, password_file: Path | None, password_env: str | None) -> None:
    from hutong.relay.keys import create_keystore, read_password

    if password_file is None and password_env is None:
        from hutong.relay.cli.common.session import demand_terminal

        demand_terminal("the password", "--password-file or --password-env")
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True).encode()
    else:
        password = read_password(_key_config(keystore, password_file, password_env))
    typer.echo(create_keystore(keystore, private_key, password))


def _key_config(keystore: Path, password_file: Path | None, password_env: str | None) -> KeyConfig:
    try:
        return KeyConfig.model_validate(
            {"keystore": keystore, "password_file": password_file, "password_env": password_env}
        )
    except ValueError:  # pydantic's; it would show fields, not secrets, but not in one sentence
        raise Refused(
            "give one password source: --password-file, or --password-env with a variable's name", UNUSABLE
        ) from None


def _new_key() -> bytes:
    from hutong.relay.keys import KeyRefused, key_from_hex

    while True:  # a number outside the curve's order comes once in 2^128
        try:
            return key_from_hex(os.urandom(32).hex().encode())
        except KeyRefused:
            continue


def _from_file(file: Path) -> bytes:
    from hutong.relay.config import read_private_file
    from hutong.relay.keys import key_from_hex

    return key_from_hex(read_private_file(file))


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


@contextmanager
def _sentences(context: typer.Context) -> Iterator[None]:
    """Refusals as one sentence and exit code 2; no core file while a key is in memory."""
    from hutong.relay.config import UnsafeFile
    from hutong.relay.keys import KeyRefused, KeyUnavailable, forbid_core_dumps

    forbid_core_dumps()
    if context.args:
        raise Refused(
            "too many arguments: a key, mnemonic or password is never one, since everybody on the machine sees them",
            UNUSABLE,
        )
    try:
        yield
    except (KeyUnavailable, UnsafeFile) as error:
        raise Refused(str(error), UNUSABLE) from None
    except KeyRefused as error:
        raise Refused(
            f"what was given {error.reason}" if error.reason.startswith(("is", "has")) else error.reason, UNUSABLE
        ) from None
