"""Where the password of a consensus key comes from: a file, an environment variable, or the person at the terminal."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hutong.relay.hub.home.key_file import EncodeKey, Password

KeyPasswordFile = Annotated[Path | None, typer.Option(help="File with the password of the consensus key, mode 0600.")]
KeyPasswordEnv = Annotated[
    str | None, typer.Option(metavar="NAME", help="Environment variable with the password of the consensus key.")
]
NewKeyPasswordFile = Annotated[
    Path | None, typer.Option(help="Encrypt the new consensus key with the password in this file, mode 0600.")
]
NewKeyPasswordEnv = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Encrypt the new consensus key with the password in this environment variable."),
]


def key_password(file: Path | None, env: str | None) -> "Password":
    """A password that is read when an encrypted key is met, not before.

    A person at the terminal is asked where neither option is given.

    Returns:
        What is called with the key's path. It raises UnusableHome where there is no password.
    """
    from hutong.relay.hub.home.key_file import no_password

    def password(path: Path) -> bytes:
        if file is not None or env is not None:
            return given_password(path, file, env)
        if not sys.stdin.isatty():
            return no_password(path)
        return str(typer.prompt(f"Password of {path}", hide_input=True, err=True)).encode()

    return password


def given_password(path: Path, file: Path | None, env: str | None) -> bytes:
    """The password that the options name.

    Args:
        path: of the key, named in errors.

    Raises:
        UnusableHome: not exactly one of `file` and `env` is given, or it cannot be read.
    """
    from hutong.relay.config import KeyConfig
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.keys import KeyUnavailable, read_password

    try:
        config = KeyConfig.model_validate({"keystore": path, "password_file": file, "password_env": env})
    except ValueError:  # pydantic's is not one sentence
        raise UnusableHome("give one of --key-password-file and --key-password-env, with a variable's name") from None
    try:
        return read_password(config)
    except KeyUnavailable as error:
        raise UnusableHome(f"{path}: {error.reason}") from None


def new_key_encoding(path: Path, file: Path | None, env: str | None, iterations: int | None = None) -> "EncodeKey":
    """How a new key is written: plain where no password is given.

    Args:
        path: of the key, named in errors.
        iterations: scrypt's N; None: the library's default.

    Raises:
        UnusableHome: as `given_password`.
    """
    from hutong.relay.hub.home.key_file import PLAIN, encrypted

    if file is None and env is None:
        return PLAIN
    return encrypted(given_password(path, file, env), path, iterations)
