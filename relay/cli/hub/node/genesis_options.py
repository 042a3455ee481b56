"""What `hutong hub init` writes into a new hub's genesis, by concern."""

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.hub.node.addresses import account_of, holder_of
from hutong.relay.hub.application.revision import rules_versions

if TYPE_CHECKING:
    from hutong.relay.hub.application.admin import AdminSet
    from hutong.relay.hub.application.genesis import HubParams
    from hutong.relay.hub.application.machine.fees import FeeRules
    from hutong.relay.hub.application.named_code import CodeRules

DEFAULT_EVM_CHAIN_ID = 41_000
DEFAULT_FUNDING_WEI = 10**24
_FUND = re.compile(r"(?:0x)?([0-9a-fA-F]{40})(?:=([0-9]{1,38}))?")


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

    def params(self) -> "HubParams":
        """The hub's parameters.

        Raises:
            MalformedInput: one is out of its bounds.
        """
        from hutong.relay.hub.application.genesis import HubParams

        return HubParams(
            block_interval_ms=self.block_interval_ms,
            proof_block_delay_ms=self.proof_block_ms,
            block_max_gas=HubParams().block_max_gas if self.block_max_gas is None else self.block_max_gas,
        )

    def funding(self) -> tuple[tuple[bytes, int], ...]:
        """(account, wei) of each balance.

        Raises:
            Refused: code 2, a text is neither ADDRESS nor ADDRESS=WEI.
        """
        return tuple(_funding(text) for text in self.fund or ())


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

    def make(self, home: Path, role: str, count: int) -> list[bytes]:
        """New keystores HOME/<role>s/<role>-N.json; their addresses, 20 bytes each.

        Args:
            home: gets <role>_password as well, at random, where no password file is named.

        Raises:
            UnsafeFile: the password file cannot be read, or others can read it.
            ValueError: the cost is not a power of two.
            OSError: a file cannot be written.
        """
        from hutong.relay.base.durable_files import write_durably
        from hutong.relay.config import read_private_file
        from hutong.relay.hub.home.key_file import new_secret
        from hutong.relay.keys import create_keystore

        if count == 0:
            return []
        password_file = self.admin_password_file
        if password_file is None:
            password_file = home / f"{role}_password"
            write_durably(password_file, os.urandom(24).hex().encode() + b"\n")
        password = read_private_file(password_file).rstrip(b"\r\n")
        (home / f"{role}s").mkdir(mode=0o700, exist_ok=True)
        return [
            account_of(
                create_keystore(
                    home / f"{role}s" / f"{role}-{number}.json", new_secret(), password, self.scrypt_iterations
                ),
                f"--{role}",
            )
            for number in range(1, count + 1)
        ]


@dataclass(frozen=True, slots=True)
class Government:
    """Who decides on a new hub: a set of admins, or the validators' operators."""

    admins: "AdminSet | None"
    operators: tuple[bytes, ...]


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

    def decide(self, home: Path, validators: int, keystores: KeystoreOptions) -> Government:
        """Who that is; keystores are made in `home` for those who are not named.

        Args:
            validators: how many homes the hub begins with.

        Raises:
            Refused: code 2, an address is none, or options of one kind of government are given for the other.
            UnsafeFile, ValueError, OSError: as `KeystoreOptions.make`.
            MalformedInput: the threshold does not fit the admins.
        """
        from hutong.relay.hub.application.admin import AdminSet

        given = [holder_of(text, "--admin") for text in self.admin or ()]
        operators = [holder_of(text, "--operator") for text in self.operator or ()]
        if self.governed_by is Governors.VALIDATORS:
            if given or self.admins or self.threshold is not None:
                raise Refused(
                    "--governed-by validators: there are no admins, leave --admin, --admins and --threshold out",
                    UNUSABLE,
                )
            if len(operators) not in (0, validators):
                raise Refused(f"--operator: give one for each of the {validators} validators, or none", UNUSABLE)
            made = keystores.make(home, "operator", 0 if operators else validators)
            return Government(None, (*operators, *made))
        if operators:
            raise Refused("--operator: only with --governed-by validators", UNUSABLE)
        wanted = self.admins if self.admins or given else 1
        everyone = (*given, *keystores.make(home, "admin", wanted))
        return Government(AdminSet(everyone, len(everyone) // 2 + 1 if self.threshold is None else self.threshold), ())


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

    def fees(self) -> "FeeRules | None":
        """The market of gas; None where it is free.

        Raises:
            Refused: code 2, the fee is no number, or a recipient is named without it.
        """
        from hutong.relay.hub.application.machine.fees import NOBODY, FeeRules

        if self.base_fee is None:
            if self.fee_recipient is not None:
                raise Refused("--fee-recipient: there are tips only with --base-fee", UNUSABLE)
            return None
        if re.fullmatch(r"[0-9]{1,38}", self.base_fee) is None:
            raise Refused(f"--base-fee {self.base_fee[:64]}: a whole number of wei", UNUSABLE)
        recipient = NOBODY if self.fee_recipient is None else account_of(self.fee_recipient, "--fee-recipient")
        return FeeRules(int(self.base_fee), recipient)

    def code_rules(self, rules_version: int) -> "CodeRules | None":
        """Who may create and call contracts. None where nothing is said: then genesis needs no word of it.

        Raises:
            Refused: code 2, an address is none, or the rules of this version know no such thing.
        """
        from hutong.relay.hub.application.named_code import CodeRules

        deployers = {holder_of(text, "--deployer") for text in self.deployer or ()}
        contracts = {account_of(text, "--contract") for text in self.contract or ()}
        if self.open_code is None and not deployers and not contracts:
            return None
        if rules_version < rules_versions.BOUNDED_EXECUTION:
            raise Refused("--open-code, --closed-code, --deployer and --contract: from rules version 3 on", UNUSABLE)
        is_open = self.base_fee is not None if self.open_code is None else self.open_code
        return CodeRules(is_open, tuple(sorted(deployers)), tuple(sorted(contracts)))


def _funding(text: str) -> tuple[bytes, int]:
    match = _FUND.fullmatch(text)
    if match is None:
        raise Refused(f"--fund {text[:64]}: give ADDRESS or ADDRESS=WEI", UNUSABLE)
    return bytes.fromhex(match[1]), DEFAULT_FUNDING_WEI if match[2] is None else int(match[2])
