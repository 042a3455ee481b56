"""Options of commands about persons, as values."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.identity.organisation import Account
from hutong.relay.services.identity.rules.persons.person import (
    NO_COMMITMENT,
    next_key_commitment,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import (
    PersonPolicy,
    decode_person_policy,
    policy_commitment_of,
)

if TYPE_CHECKING:
    from hutong.relay.administration.identity.persons import At, Wanted
    from hutong.relay.services.identity.registrar.person_key import PersonKey

SALT_BYTES = 16

Shard = Annotated[int, typer.Argument(metavar="SHARD", min=0, help="Number of the registrar's shard.")]
Index = Annotated[int, typer.Argument(metavar="INDEX", min=0, max=2**20 - 1, help="The person's index in it.")]
Folder = Annotated[Path, typer.Option(help="Where the registrar's shards are kept; made where it is not there.")]


@dataclass(frozen=True, slots=True)
class PersonKeystore:
    """The key of a person or guardian, which is not that of the account that sends."""

    person_keystore: Annotated[Path, typer.Option(help="V3 keystore of the person's or guardian's key.")]
    person_password_file: Annotated[Path | None, typer.Option(help="File with its password, mode 0600.")] = None
    person_password_env: Annotated[str | None, typer.Option(help="Or a variable that holds it.")] = None

    def open(self, hub: str) -> "PersonKey":
        """The key, for one hub by its name.

        Raises:
            Refused: code 2, it does not open.
        """
        from hutong.relay.config import KeystoreConfig, UnsafeFile
        from hutong.relay.keys import KeyUnavailable, load_key
        from hutong.relay.services.identity.registrar.person_key import PersonKey

        if (self.person_password_file is None) == (self.person_password_env is None):
            raise Refused("give exactly one of --person-password-file and --person-password-env", UNUSABLE)
        key = KeystoreConfig(
            keystore=self.person_keystore,
            password_file=self.person_password_file,
            password_env=self.person_password_env,
        )
        try:
            return load_key(key, lambda secret: PersonKey(secret, hub))
        except (KeyUnavailable, UnsafeFile) as error:
            raise Refused(str(error), UNUSABLE) from None


@dataclass(frozen=True, slots=True)
class RecoveryOptions:
    """Who may recover the person; nobody without any."""

    guardian: Annotated[
        list[str], typer.Option("--guardian", help="Account that may begin a recovery; repeatable.")
    ] = field(default_factory=list)
    guardians_needed: Annotated[int, typer.Option(min=1, max=8, help="How many guardians it takes.")] = 1
    registrar_may: Annotated[bool, typer.Option("--registrar-may", help="The registrar may, too.")] = False
    recovery_delay: Annotated[
        int, typer.Option(min=3_600, max=2_592_000, help="Seconds in which the present key cancels.")
    ] = 604_800

    def policy(self) -> PersonPolicy | None:
        """With a random salt; None where nobody may.

        Raises:
            Unusable: an account is not one. MalformedInput: a member out of its rule.
        """
        from hutong.relay.administration.addresses import address_of

        if not self.guardian and not self.registrar_may:
            return None
        guardians = tuple(sorted(address_of(one, "--guardian") for one in self.guardian))
        needed = self.guardians_needed if guardians else 0
        return PersonPolicy(os.urandom(SALT_BYTES), needed, guardians, self.registrar_may, self.recovery_delay)


@dataclass(frozen=True, slots=True)
class ToKey:
    """Who follows."""

    to: Annotated[str, typer.Option(help="Account of the key that follows.")]
    next_key: Annotated[
        str | None, typer.Option("--next", help="Account of the only key that may follow that one, kept elsewhere.")
    ] = None
    policy_after: Annotated[
        str | None,
        typer.Option(
            help="Policy of recovery from then on, as `enrol` wrote it, or `none`; without it the present one."
        ),
    ] = None

    def wanted(self, shard_number: int, index: int) -> "Wanted":
        """What is to become of a person.

        Raises:
            Unusable, Refused, MalformedInput: an option is unusable.
        """
        from hutong.relay.administration.addresses import address_of
        from hutong.relay.administration.identity.persons import Wanted

        after: bytes | None = None
        if self.policy_after is not None:
            policy = (
                None
                if self.policy_after == "none"
                else decode_person_policy(hex_of("--policy-after", self.policy_after))
            )
            after = commitment_of(policy)
        return Wanted(shard_number, index, address_of(self.to, "--to"), next_of(self.next_key), after)


def commitment_of(policy: PersonPolicy | None) -> bytes:
    return NO_COMMITMENT if policy is None else policy_commitment_of(policy)


def next_of(text: str | None) -> bytes:
    from hutong.relay.administration.addresses import address_of

    return NO_COMMITMENT if text is None else next_key_commitment(address_of(text, "--next"))


def hex_of(option: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise Refused(f"{option}: hexadecimal digits, not {text[:80]!r}", UNUSABLE) from None


def place_at(account: Account, folder: Path, did: str) -> "At":
    from hutong.relay.administration.identity.persons import At

    return At(account.hub_config(), folder, account.did(did))


def writer_of(account: Account, did: str) -> tuple[bytes, bytes]:
    from hutong.relay.administration.identity.key_files import key_of_account
    from hutong.relay.services.identity.rules.organisations.key_form import thumbprint

    return account.did(did), thumbprint(key_of_account(account.key.open().public_key))
