"""`hutong identity register`, `jwk`: a new DID of an organisation, and the public key of a hub account as JSON."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.administration.identity.identifiers import did_text, schema_of_text
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.identity.organisation import MAX_TIME_S, Account, AccountKey
from hutong.relay.services.identity.rules.records.keys import did_id, hub_name

HASH_HEX_DIGITS = 64


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """Who controls the DID, and who may recover it."""

    controller: Annotated[
        list[str], typer.Option("--controller", help="Address of a hub account; without any the sender's alone.")
    ] = field(default_factory=list)
    threshold: Annotated[int, typer.Option(min=1, max=16, help="How many controllers decide.")] = 1
    next_policy: Annotated[
        str | None, typer.Option(help="Commitment to the controllers who alone may follow, 64 hexadecimal digits.")
    ] = None
    guardian: Annotated[
        list[str], typer.Option("--guardian", help="Address of an account that may begin a recovery; repeatable.")
    ] = field(default_factory=list)
    guardians_needed: Annotated[int, typer.Option(min=1, max=16, help="How many guardians it takes.")] = 1
    recovery_delay: Annotated[
        int, typer.Option(min=3_600, max=2_592_000, help="Seconds in which controllers may cancel it.")
    ] = 604_800

    def struct(self, sender: bytes) -> tuple[Any, ...]:
        """As the module takes a policy.

        Raises:
            Refused: code 2, a hash is not one. Unusable: an address is not one.
        """
        from hutong.relay.administration.addresses import address_of

        controllers = [address_of(one, "--controller") for one in self.controller] or [sender]
        guardians = sorted(address_of(one, "--guardian") for one in self.guardian)
        guarding = (self.guardians_needed, guardians, self.recovery_delay) if guardians else (0, [], 0)
        following = bytes(32) if self.next_policy is None else hash_of("--next-policy", self.next_policy)
        return (self.threshold, sorted(controllers), following, *guarding)


def register(
    account: Account,
    policy: PolicyOptions,
    keys: Annotated[
        list[str],
        typer.Option("--key", help="PURPOSES=FILE: purposes with commas, and a public JWK, or PEM of SM2; repeatable."),
    ],
    accredited: Annotated[
        str | None,
        typer.Option(
            help="SHA-256 of the schema for which the DID is accredited already, or `all`. Without it a stranger's place is"
            " taken, which ends unless somebody accredits the DID."
        ),
    ] = None,
    salt: Annotated[str | None, typer.Option(help="64 hexadecimal digits; without it random.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the DID that this salt gives, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register an organisation's DID on the hub; nobody else can register the same one. 0 done, 1 refused, 2 unusable."""
    from hutong.relay.hub.application.identity import interface

    chosen = os.urandom(32) if salt is None else hash_of("--salt", salt)
    sender = account.address()
    name = hub_name(account.hub_config().chain_id)
    did = did_id(name, sender, chosen)
    if not show:
        values = (chosen, policy.struct(sender), bytes(32), [_key(text) for text in keys])
        if accredited is None:
            account.send(interface.REGISTER.call(*values))
        else:
            schema = schema_of_text(None if accredited == "all" else accredited)
            account.send(interface.REGISTER_ACCREDITED.call(*values, schema))
    shown = {"did": did_text(name, did), "id": did.hex(), "salt": chosen.hex()}
    typer.echo(json.dumps(shown) if as_json else shown["did"] + (f"\nsalt {chosen.hex()}" if show else ""))


def jwk(signer: AccountKey) -> None:
    """Print the public key of a hub account as a JWK, such as for the key that writes lists and the log."""
    from hutong.relay.administration.identity.key_files import jwk_of_account

    typer.echo(json.dumps(jwk_of_account(signer.open().public_key)))


def _key(text: str) -> tuple[Any, ...]:
    from hutong.relay.administration.identity.key_files import key_struct, read_public_key

    purposes, is_said, file = text.partition("=")
    if not is_said or not file:
        raise Refused(f"--key: PURPOSES=FILE, not {text[:80]!r}", UNUSABLE)
    with refusing(VerificationError):
        return key_struct(read_public_key(Path(file)), tuple(purposes.split(",")), (0, MAX_TIME_S, bytes(32)))


def hash_of(option: str, text: str) -> bytes:
    """32 bytes that an option gives as 64 lower-case digits.

    Raises:
        Refused: code 2, it gives something else.
    """
    if len(text) != HASH_HEX_DIGITS or set(text) - set("0123456789abcdef"):
        raise Refused(f"{option}: 64 lower-case hexadecimal digits, not {text[:80]!r}", UNUSABLE)
    return bytes.fromhex(text)
