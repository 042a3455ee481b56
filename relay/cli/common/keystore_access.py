"""What commands about keystores share: where a password comes from, and refusals as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.config import KeystoreConfig

PasswordFile = Annotated[Path | None, typer.Option(help="File with the password, mode 0600.")]
PasswordEnv = Annotated[str | None, typer.Option(help="Environment variable with the password.")]


def key_config(keystore: Path, password_file: Path | None, password_env: str | None) -> KeystoreConfig:
    """The keystore with the source of its password that the options name.

    Raises:
        Refused: code 2, not exactly one source.
    """
    try:
        return KeystoreConfig.model_validate(
            {"keystore": keystore, "password_file": password_file, "password_env": password_env}
        )
    except ValueError:  # pydantic's; it would show fields, not secrets, but not in one sentence
        raise Refused(
            "give one password source: --password-file, or --password-env with a variable's name", UNUSABLE
        ) from None


def new_password(keystore: Path, password_file: Path | None, password_env: str | None) -> bytes:
    """The password of a keystore that is made: by an option, else asked for twice at the terminal.

    Raises:
        Refused: code 2, two sources, or nobody is at a terminal.
        KeyUnavailable: the source cannot be read.
    """
    from hutong.relay.keys import read_password

    if password_file is None and password_env is None:
        from hutong.relay.cli.common.session import demand_terminal

        demand_terminal("the password", "--password-file or --password-env")
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True)).encode()
    return read_password(key_config(keystore, password_file, password_env))


@contextmanager
def key_sentences(context: typer.Context) -> Iterator[None]:
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
