"""What `hutong hub init` writes into a new hub's genesis, by concern."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub.accounts import holder_of
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.hub.application.revision import rules_versions

if TYPE_CHECKING:
    from hutong.relay.administration.hub.founding import Government
    from hutong.relay.administration.hub.keystores import KeystoreEncryption

DEFAULT_EVM_CHAIN_ID = 41_000


class Governors(StrEnum):
    """Who decides about validators, clients, pauses and rules."""

    ADMINS = "admins"
    VALIDATORS = "validators"


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """The chain: its names, blocks and first balances."""

    chain_id: Annotated[str, typer.Option(help="CometBFT chain id, name-1.")] = "hutong-1"
    evm_chain_id: Annotated[int, typer.Option(help="EIP-155 chain id of the hub's EVM.")] = DEFAULT_EVM_CHAIN_ID
    fund: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS[=WEI]", help="Balance in genesis; may be repeated.")
    ] = None
    block_interval_ms: Annotated[int, typer.Option(help="Time between blocks.")] = 1_000
    proof_block_ms: Annotated[int, typer.Option(help="Time to the next block after the app hash changed.")] = 200
    rules_version: Annotated[
        int,
        typer.Option(
            min=rules_versions.FIRST,
            max=rules_versions.NEWEST,
            help="Rules of the first block; an older one only to rehearse an upgrade.",
        ),
    ] = rules_versions.NEWEST
    block_max_gas: Annotated[
        int | None, typer.Option(help="Of the gas limits in a block (default: one transaction's most, 16777216).")
    ] = None
    gm: Annotated[
        bool,
        typer.Option("--gm", help="Accept FISCO BCOS chains under SM2 and SM3: every node then needs the extra gm."),
    ] = False


@dataclass(frozen=True, slots=True)
class KeystoreOptions:
    """How the keystores that are made here are encrypted."""

    admin_password_file: Annotated[
        Path | None,
        typer.Option(
            help="Password of the keystores, mode 0600 (default: HOME/admin_password or operator_password, made at random)."
        ),
    ] = None
    scrypt_iterations: Annotated[
        int | None, typer.Option(help="Cost of the keystores; a power of two (default: the library's).")
    ] = None

    def encryption(self) -> "KeystoreEncryption":
        """The same as keystores are made by it."""
        from hutong.relay.administration.hub.keystores import KeystoreEncryption

        return KeystoreEncryption(self.admin_password_file, self.scrypt_iterations)


@dataclass(frozen=True, slots=True)
class GovernmentOptions:
    """Who decides on the hub."""

    governed_by: Annotated[
        Governors, typer.Option(help="Who decides: m of n admins, or the validators by more than two thirds of power.")
    ] = Governors.ADMINS
    admin: Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="An admin's address; may be repeated.")] = (
        None
    )
    admins: Annotated[
        int, typer.Option(min=0, max=64, help="Make this many admin keystores in HOME/admins (1 without --admin).")
    ] = 0
    threshold: Annotated[
        int | None, typer.Option(min=1, max=64, help="Approvals that an admin action needs (default: more than half).")
    ] = None
    operator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where the validators govern: the account that speaks for one, repeated for each in the order of their homes"
            " (default: keystores are made in HOME/operators).",
        ),
    ] = None
    voting_period_s: Annotated[
        int, typer.Option(min=60, max=30 * 86_400, help="Where the validators govern: how long a proposal is open.")
    ] = 3 * 86_400

    def decide(self, home: Path, validators: int, keystores: KeystoreOptions) -> "Government":
        """Who that is; keystores are made in `home` for those who are not named.

        Args:
            validators: how many homes the hub begins with.

        Raises:
            Refused: code 2, options of one kind of government are given for the other.
            Unusable, UnsafeFile, MalformedInput, ValueError, OSError: as `holder_of` and the two governments.
        """
        from hutong.relay.administration.hub import founding

        given = [holder_of(text, "--admin") for text in self.admin or ()]
        operators = [holder_of(text, "--operator") for text in self.operator or ()]
        if self.governed_by is Governors.VALIDATORS:
            if given or self.admins or self.threshold is not None:
                raise Refused(
                    "--governed-by validators: there are no admins, leave --admin, --admins and --threshold out",
                    UNUSABLE,
                )
            return founding.government_of_validators(operators, validators, home, keystores.encryption())
        if operators:
            raise Refused("--operator: only with --governed-by validators", UNUSABLE)
        return founding.government_of_admins(given, self.admins, self.threshold, home, keystores.encryption())


@dataclass(frozen=True, slots=True)
class GasOptions:
    """What gas costs, and who may put code onto the hub and call it."""

    base_fee: Annotated[
        str | None,
        typer.Option(metavar="WEI", help="First and least price of a unit of gas (EIP-1559); without it gas is free."),
    ] = None
    fee_recipient: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With --base-fee: who gets the tips (default: burnt too).")
    ] = None
    open_code: Annotated[
        bool | None,
        typer.Option(
            "--open-code/--closed-code",
            help="Everybody creates and calls contracts, or named accounts and contracts alone (default: closed, open with"
            " --base-fee).",
        ),
    ] = None
    deployer: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="An account that creates contracts on a closed hub; may be repeated."),
    ] = None
    contract: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A contract that may be called on a closed hub; may be repeated."),
    ] = None


@dataclass(frozen=True, slots=True)
class ObservationOptions:
    """Who has the hub observe other chains' state."""

    open_observations: Annotated[
        bool,
        typer.Option(
            "--open-observations", help="Everybody opens keys of observations (default: named writers alone)."
        ),
    ] = False
    writer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS=KEYS", help="An account that opens up to so many keys of observations; may be repeated."
        ),
    ] = None
