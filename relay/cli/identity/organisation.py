"""Options of what organisations write on a hub, and the sending of it.

Whoever only judges has no relay installed: what reads a configuration or signs is imported when it is called.
"""

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.administration.identity.identifiers import did_of_text
from hutong.relay.cli.common.options import ConfigFile, HubName, Keystore, PasswordEnv, PasswordFile
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.services.identity.rules.records.keys import hub_name

if TYPE_CHECKING:
    from hutong.adapters.ics26.answers import Receipt
    from hutong.relay.config import HubChainConfig
    from hutong.relay.hub.application.abi import Function
    from hutong.relay.keys import Signer

MAX_TIME_S = 2**63 - 1
SIGNATURE_HEX_DIGITS = 130

Did = Annotated[str, typer.Argument(metavar="DID", help="did:hutong:<hub>:<id>, or the id as 64 hexadecimal digits.")]


@dataclass(frozen=True, slots=True)
class AccountKey:
    """The keystore of a hub account."""

    keystore: Keystore
    password_file: PasswordFile = None
    password_env: PasswordEnv = None

    def open(self) -> "Signer":
        """Open the keystore.

        Raises:
            Refused: code 2, it does not open.
        """
        from hutong.relay.cli.common.session import signer_of

        return signer_of(self.keystore, self.password_file, self.password_env)


@dataclass(frozen=True, slots=True)
class Account:
    """The hub, and the account that sends."""

    config: ConfigFile
    key: AccountKey
    hub: HubName = None

    def hub_config(self) -> "HubChainConfig":
        """The hub's part of the configuration.

        Raises:
            Refused: code 2, there is no such hub.
        """
        from hutong.relay.administration.configured import hub_of
        from hutong.relay.cli.common.session import config_of

        return hub_of(config_of(self.config), self.hub)

    def address(self) -> bytes:
        """The 20 bytes of the account.

        Raises:
            Refused: code 2, its keystore does not open.
        """
        return bytes.fromhex(self.key.open().address[2:])

    def did(self, text: str) -> bytes:
        """The 32 bytes of a DID of this hub.

        Raises:
            Unusable: it is of another hub, or not a DID.
        """
        return did_of_text(text, hub_name(self.hub_config().chain_id))

    def send(self, data: bytes) -> "Receipt":
        """One call of the module, in a transaction of this account.

        Raises:
            Refused: code 2, an option is unusable; code 1, the hub refused it.
        """
        from hutong.relay.administration.identity.writing import call_identity
        from hutong.relay.cli.common.session import run_administration

        signer = self.key.open()
        return run_administration(partial(call_identity, self.hub_config(), signer, data))

    def write(self, function: "Function", did: str, *values: Any) -> "Receipt":
        """What the account of a log key writes: it is this account's own key.

        Raises:
            Refused: as `send`.
        """
        from hutong.relay.administration.identity.key_files import key_of_account
        from hutong.relay.services.identity.rules.organisations.key_form import thumbprint

        writer = (self.did(did), thumbprint(key_of_account(self.key.open().public_key)))
        return self.send(function.call(writer, *values))


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller's account, and what other controllers have signed."""

    account: Account
    signature: Annotated[
        list[str], typer.Option("--signature", help="Of another controller over --show-operation, 0x and 130 digits.")
    ] = field(default_factory=list)
    show_operation: Annotated[
        bool, typer.Option("--show-operation", help="Print what controllers sign (EIP-712) and send nothing.")
    ] = False

    def decide(self, function: "Function", did: str, *values: Any) -> None:
        """Send what the controllers decide, or print what they sign.

        Raises:
            Refused: code 2, an option is unusable; code 1, the hub refused it.
        """
        from hutong.relay.administration.identity.writing import Decision, decide, typed_data
        from hutong.relay.cli.common.session import run_administration

        hub, decision = self.account.hub_config(), Decision(self.account.did(did), function, values)
        if self.show_operation:
            typer.echo(json.dumps(run_administration(partial(typed_data, hub, decision)), indent=2))
            raise typer.Exit(0)
        signer = self.account.key.open()
        signatures = [_signature(text) for text in self.signature]
        run_administration(partial(decide, hub, signer, decision, signatures))


def _signature(text: str) -> bytes:
    digits = text.removeprefix("0x")
    if len(digits) != SIGNATURE_HEX_DIGITS or set(digits.lower()) - set("0123456789abcdef"):
        raise Refused(f"--signature: {text[:80]!r} is not 65 bytes in hexadecimal digits", UNUSABLE)
    return bytes.fromhex(digits)


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """A key of an organisation."""

    key: Annotated[
        Path, typer.Option(help="Its public JWK: P-256, secp256k1, Ed25519, X25519 or SM2; of SM2 also PEM.")
    ]
    purpose: Annotated[
        list[str], typer.Option("--purpose", help="signing, presentation, seal, log or contract; repeatable.")
    ]
    valid_from: Annotated[int, typer.Option(min=0, max=MAX_TIME_S, help="Unix seconds; without it now.")] = 0
    valid_until: Annotated[int, typer.Option(min=1, max=MAX_TIME_S, help="Unix seconds at which it ends.")] = MAX_TIME_S
    next_key: Annotated[
        Path | None, typer.Option(help="Public JWK of the only key that may follow this one by `key rotate`.")
    ] = None

    def struct(self) -> tuple[Any, ...]:
        """As the module takes a key.

        Raises:
            Refused: code 2, a file or purpose is unusable.
        """
        from hutong.relay.administration.identity.key_files import key_struct, read_public_key, thumbprint_of_file

        with refusing(VerificationError):
            following = bytes(32) if self.next_key is None else thumbprint_of_file(self.next_key)
            window = (self.valid_from, self.valid_until, following)
            return key_struct(read_public_key(self.key), tuple(self.purpose), window)
