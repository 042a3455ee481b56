"""Who shall hold which role on the contracts that `hutong deploy` makes, and with which delays."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import address_of
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.role_plan import RolePlan

DEFAULT_DELAY_S = 3_600
"""Of what limiters and unpausers decide, off development chains."""


def _accounts(name: str, does: str) -> object:
    return typer.Option(f"--{name}", help=f"EIP-55 address that {does}; may be repeated.")


@dataclass(frozen=True, slots=True)
class RoleOptions:
    """Every role by its account, and how long what its holders decide waits."""

    admin: Annotated[
        str | None, typer.Option(help="EIP-55 address that decides over clients, peers and roles: a multisig.")
    ] = None
    pauser: Annotated[list[str], _accounts("pauser", "pauses at once, and cancels what waits for its delay")] = field(
        default_factory=list
    )
    unpauser: Annotated[list[str], _accounts("unpauser", "ends a pause")] = field(default_factory=list)
    limiter: Annotated[list[str], _accounts("limiter", "sets what may move of a token")] = field(default_factory=list)
    migrator: Annotated[list[str], _accounts("migrator", "puts a substitute behind a frozen or expired client")] = (
        field(default_factory=list)
    )
    relayer: Annotated[list[str], _accounts("relayer", "may relay; without any, everyone may")] = field(
        default_factory=list
    )
    admin_delay_s: Annotated[
        int | None, typer.Option(help="Between the admin's decision and its effect; not below --migration-delay-s.")
    ] = None
    migration_delay_s: Annotated[
        int | None, typer.Option(help="Between a migrator's decision and its effect, in which pausers can cancel it.")
    ] = None
    limiter_delay_s: Annotated[int | None, typer.Option(help="Of limiters; an hour unless given.", min=0)] = None
    unpauser_delay_s: Annotated[int | None, typer.Option(help="Of unpausers; an hour unless given.", min=0)] = None
    development: Annotated[
        bool,
        typer.Option("--development", help="The deployer keeps every role, without delays: chains of no value alone."),
    ] = False
    relayer_role: Annotated[
        bool, typer.Option("--relayer-role", help="With --development: only holders of the role may relay.")
    ] = False

    def plan(self, signer: Signer, out: Path | None) -> "RolePlan":
        """The roles and delays with which the chain begins.

        Args:
            signer: of the deployer, who keeps nothing, except with --development.
            out: the new file for what then stands.

        Raises:
            Refused: code 2, roles or delays are none that a chain should begin with, or one is missing.
        """
        from eth_utils.address import to_checksum_address

        from hutong.adapters.evm.administration.role_plan import Delays, RolePlan, UnsafePlan

        deployer = str(to_checksum_address(signer.address))
        named = self._named()
        delays = self._delays_s()
        if self.development:
            if any(named.values()) or any(delay is not None for delay in delays.values()) or out is not None:
                raise Refused(
                    "--development gives every role to the deployer: name none, and no delay or --out", UNUSABLE
                )
            return RolePlan.of_developer(deployer, open_relaying=not self.relayer_role)
        if self.relayer_role:
            raise Refused("--relayer-role goes with --development; name the accounts with --relayer", UNUSABLE)
        accounts = {name: tuple(_account(text, f"--{name}") for text in texts) for name, texts in named.items()}
        missing = [f"--{name}" for name, members in accounts.items() if not members and name != "relayer"]
        missing += [f"--{name}-delay-s" for name in ("admin", "migration") if delays[name] is None]
        missing += ["--out"] if out is None else []
        if missing:
            raise Refused(
                f"missing: {', '.join(missing)}. The deployer keeps nothing, so each role needs an account of its own; a chain that"
                " holds nothing of value takes --development instead",
                UNUSABLE,
            )
        if out is not None and out.exists():
            raise Refused(f"{out} exists; give the contracts of a new chain a new file", UNUSABLE)
        limiter_s, unpauser_s = delays["limiter"], delays["unpauser"]
        plan = RolePlan(
            accounts["admin"][0],
            accounts["pauser"],
            accounts["unpauser"],
            accounts["limiter"],
            accounts["migrator"],
            accounts["relayer"] or None,
            Delays(
                delays["admin"] or 0,
                delays["migration"] or 0,
                DEFAULT_DELAY_S if limiter_s is None else limiter_s,
                DEFAULT_DELAY_S if unpauser_s is None else unpauser_s,
            ),
        )
        try:
            plan.check(deployer)
        except UnsafePlan as error:
            raise Refused(f"{error.rule}: {error.remedy}", UNUSABLE) from None
        return plan

    def _named(self) -> dict[str, list[str]]:
        return {
            "admin": [] if self.admin is None else [self.admin],
            "pauser": self.pauser,
            "unpauser": self.unpauser,
            "limiter": self.limiter,
            "migrator": self.migrator,
            "relayer": self.relayer,
        }

    def _delays_s(self) -> dict[str, int | None]:
        return {
            "admin": self.admin_delay_s,
            "migration": self.migration_delay_s,
            "limiter": self.limiter_delay_s,
            "unpauser": self.unpauser_delay_s,
        }


def _account(text: str, option: str) -> str:
    """With its checksum: a role that goes to a mistyped address is nobody's for ever."""
    from eth_utils.address import is_checksum_address, to_checksum_address

    address = address_of(text, option)
    if not is_checksum_address(text):
        raise Refused(
            f"{option}: write {to_checksum_address(address)}, if that is it: roles need the checksum", UNUSABLE
        )
    return text
