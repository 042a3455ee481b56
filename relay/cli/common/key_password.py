"""Where the password of a consensus key comes from: a file, an environment variable, or the person at the terminal."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hutong.relay.hub.home.key_file import EncodeKey, Password


@dataclass(frozen=True, slots=True)
class KeyPassword:
    """Options of a command that opens a consensus key."""

    key_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of the consensus key, mode 0600.")
    ] = None
    key_password_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the password of the consensus key.")
    ] = None

    @property
    def is_named(self) -> bool:
        """Whether an option says where the password is."""
        return self.key_password_file is not None or self.key_password_env is not None

    def source(self) -> "Password":
        """A password that is read when an encrypted key is met, not before.

        A person at the terminal is asked where neither option is given.

        Returns:
            What is called with the key's path. It raises UnusableHome where there is no password.
        """
        from hutong.relay.hub.home.key_file import no_password

        def password(path: Path) -> bytes:
            if self.is_named:
                return self.read(path)
            if not sys.stdin.isatty():
                return no_password(path)
            return str(typer.prompt(f"Password of {path}", hide_input=True, err=True)).encode()

        return password

    def read(self, path: Path) -> bytes:
        """The password that the options name.

        Args:
            path: of the key, named in errors.

        Raises:
            UnusableHome: not exactly one of the options is given, or it cannot be read.
        """
        from hutong.relay.hub.home.key_file import read_key_password

        return read_key_password(path, self.key_password_file, self.key_password_env)


@dataclass(frozen=True, slots=True)
class NewKeyPassword:
    """Options of a command that makes a consensus key."""

    key_password_file: Annotated[
        Path | None, typer.Option(help="Encrypt the new consensus key with the password in this file, mode 0600.")
    ] = None
    key_password_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Encrypt the new consensus key with the password in this environment variable."
        ),
    ] = None

    @property
    def is_named(self) -> bool:
        """Whether the new key shall be encrypted."""
        return self.key_password_file is not None or self.key_password_env is not None

    def encoding(self, path: Path, iterations: int | None = None) -> "EncodeKey":
        """How the new key is written: plain where no password is given.

        Args:
            path: of the key, named in errors.
            iterations: scrypt's N; None: the library's default.

        Raises:
            UnusableHome: both options are given, or the password cannot be read.
        """
        from hutong.relay.hub.home.key_file import PLAIN, encrypted, read_key_password

        if not self.is_named:
            return PLAIN
        return encrypted(read_key_password(path, self.key_password_file, self.key_password_env), path, iterations)
