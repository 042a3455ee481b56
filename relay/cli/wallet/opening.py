"""What every command of `hutong wallet` has: which wallet, and its password."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.relay.services.identity.wallet import Wallet

DEFAULT_HOME = Path("~/.hutong-wallet")


@dataclass(frozen=True, slots=True)
class WalletOptions:
    """Options of a command that opens a wallet."""

    home: Annotated[Path, typer.Option(help="The wallet's folder.")] = DEFAULT_HOME
    password_file: Annotated[
        Path | None, typer.Option(help="File with the wallet's password, mode 0600; without it you are asked.")
    ] = None
    password_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with the wallet's password.")
    ] = None

    @property
    def folder(self) -> Path:
        """With `~` resolved."""
        return self.home.expanduser()

    def password(self, *, is_new: bool = False) -> bytes:
        """From its source, or from the person at the terminal, who types a new one twice.

        Raises:
            Refused: both sources, one that cannot be read, or no terminal to ask at.
        """
        from hutong.relay.cli.common.session import demand_terminal
        from hutong.relay.config.keys import KeystoreConfig
        from hutong.relay.keys import KeyUnavailable, forbid_core_dumps, read_password

        forbid_core_dumps()
        if self.password_file is None and self.password_env is None:
            demand_terminal("the password", "--password-file or --password-env")
            return str(typer.prompt("Password", hide_input=True, confirmation_prompt=is_new, err=True)).encode()
        sources = {"password_file": self.password_file, "password_env": self.password_env}
        try:
            key = KeystoreConfig.model_validate({"keystore": self.folder / "keystore.json", **sources})
        except ValueError:  # pydantic's; it would show fields, not secrets, but not in one sentence
            raise Refused("give one of --password-file, and --password-env with a variable's name", UNUSABLE) from None
        with refusing(KeyUnavailable):
            return read_password(key)

    @contextmanager
    def opened(self, provider: Path | None = None) -> Iterator["Wallet"]:
        """The wallet, vouched for by a provider's file, where one is named; whose refusals end the command: 1 where a rule, an issuer or a verifier said no, 2 for the rest.

        Raises:
            Refused: the block was refused, or the wallet cannot be opened.
        """
        from hutong.relay.services.identity.wallet import (
            NothingLeft,
            PeerRefused,
            PeerUnreachable,
            Wallet,
            WalletUnusable,
        )

        no = (VerificationError, NothingLeft, PeerRefused)
        named = None if provider is None else provider.expanduser()
        with (
            refusing(WalletUnusable, PeerUnreachable, refused=no),
            Wallet.open(self.folder, self.password(), provider=named) as wallet,
        ):
            yield wallet
