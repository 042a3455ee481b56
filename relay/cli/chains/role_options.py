"""Who shall hold which role on the contracts that `hutong deploy` makes, and with which delays."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.role_plan import RolePlan


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
        from hutong.adapters.evm.administration.role_plan import RolePlan
        from hutong.relay.administration.evm.role_order import named_roles_plan

        named, delays = self._named(), self._delays_s()
        if self.development:
            if any(named.values()) or any(delay is not None for delay in delays.values()) or out is not None:
                raise Refused(
                    "--development gives every role to the deployer: name none, and no delay or --out", UNUSABLE
                )
            return RolePlan.of_developer(signer.address, open_relaying=not self.relayer_role)
        if self.relayer_role:
            raise Refused("--relayer-role goes with --development; name the accounts with --relayer", UNUSABLE)
        return named_roles_plan(named, delays, signer.address, out)

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
