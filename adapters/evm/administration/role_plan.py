"""Who is to hold which role on new contracts: the AccessManager calls that make it so, and what stands after them."""

from collections.abc import Mapping
from dataclasses import dataclass

from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.access_manager import (
    GRANT_ROLE,
    RENOUNCE_ROLE,
    SET_GRANT_DELAY,
    SET_ROLE_GUARDIAN,
    SET_TARGET_ADMIN_DELAY,
    SET_TARGET_FUNCTION_ROLE,
)
from hutong.adapters.evm.administration.rights import ARTIFACTS, MANAGER, Member, Rights, Role, Target
from hutong.contracts.roles import (
    ADMIN_ROLE,
    LIMITER_ROLE,
    MIGRATOR_ROLE,
    PAUSER_ROLE,
    RELAYER_ROLE,
    UNPAUSER_ROLE,
    FunctionRole,
    router_function_roles,
    signatures,
    swap_function_roles,
    title_function_roles,
    transfer_function_roles,
)

MAX_DELAY_S = 30 * 86_400
"""A client that cannot be replaced for longer is a bridge that stands still."""
MAX_MEMBERS = 16
NOBODY = "0x" + 40 * "0"
"""A role that it holds is nobody's for ever."""


class UnsafePlan(Exception):
    """Roles that guard nothing, or that the deployer would keep. `remedy` says what to name instead."""

    def __init__(self, rule: str, remedy: str) -> None:
        self.rule = rule
        self.remedy = remedy
        super().__init__(f"{rule}: {remedy}")


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds between decision and effect, by role. Pausers and relayers have none."""

    admin_s: int = 0
    migrator_s: int = 0
    limiter_s: int = 0
    unpauser_s: int = 0


@dataclass(frozen=True, slots=True)
class RolePlan:
    """EIP-55 addresses. `relayers` None opens relaying to everyone."""

    admin: str
    pausers: tuple[str, ...]
    unpausers: tuple[str, ...]
    limiters: tuple[str, ...]
    migrators: tuple[str, ...]
    relayers: tuple[str, ...] | None
    delays: Delays

    @classmethod
    def of_developer(cls, deployer: str, *, open_relaying: bool) -> "RolePlan":
        """Everything with one key and at once: for chains that hold nothing of value. `check` would refuse it.

        Args:
            deployer: EIP-55 address.
        """
        alone = (deployer,)
        return cls(deployer, alone, alone, alone, alone, None if open_relaying else alone, Delays())

    def check(self, deployer: str) -> None:
        """What off development chains must hold.

        The admin's delay covers the migrator's: an admin who makes another role the guardian, or itself the migrator,
        is seen for as long before it counts as pausers have to cancel what is scheduled now.

        Args:
            deployer: EIP-55 address, which may hold no role.

        Raises:
            UnsafePlan: the first rule that is broken, and what to name instead.
        """
        for name, members in self._named():
            if NOBODY in members:
                raise UnsafePlan(
                    f"{name} is the zero address", "nobody has its key: name the account that shall hold it"
                )
            if deployer in members:
                raise UnsafePlan(f"{name} is the deployer", "name another account: a key that deploys keeps nothing")
            if not members:
                raise UnsafePlan(f"no account is named for {name}", f"name one with --{name}")
            if len(set(members)) != len(members) or len(members) > MAX_MEMBERS:
                raise UnsafePlan(f"{name} repeats an account", f"at most {MAX_MEMBERS} different ones")
        delays = self.delays
        for name, delay_s in (("admin", delays.admin_s), ("migration", delays.migrator_s)):
            if not 0 < delay_s <= MAX_DELAY_S:
                raise UnsafePlan(f"--{name}-delay-s is {delay_s}", f"1 to {MAX_DELAY_S}; 172800 are two days")
        if delays.admin_s < delays.migrator_s:
            raise UnsafePlan("the admin's delay is shorter than the migrator's", "an admin could outrun the guardians")
        if not set(self.pausers) - {self.admin, *self.migrators}:
            raise UnsafePlan(
                "every pauser is also the admin or a migrator", "name one that is neither: it cancels what they decide"
            )

    def calls(self, contracts: Mapping[str, bytes], deployer: bytes) -> list[bytes]:
        """Calldata for the manager, to be sent in this order and in one transaction of the deployer.

        The deployer is admin until its end. The last call renounces that role, unless the plan gives it to the
        deployer.

        Args:
            contracts: addresses of 20 bytes by the names of `rights.ARTIFACTS`: those that are there.
            deployer: 20 bytes.
        """
        calls = [
            SET_TARGET_FUNCTION_ROLE.encode(contracts[name], list(each.selectors), each.role)
            for name, each in self._functions()
            if name in contracts
        ]
        roles = self._roles()
        for number, role in roles.items():
            if role.guardian != ADMIN_ROLE:
                calls.append(SET_ROLE_GUARDIAN.encode(number, role.guardian))
        # the admin's role last but one: until then these are the deployer's own calls, without a delay
        for number in sorted(roles, reverse=True):
            for address, member in roles[number].members.items():
                account = bytes(to_canonical_address(address))
                if number != ADMIN_ROLE or account != deployer:
                    calls.append(GRANT_ROLE.encode(number, account, member.delay_s))
        calls += [SET_GRANT_DELAY.encode(n, role.grant_delay_s) for n, role in roles.items() if role.grant_delay_s]
        if self.delays.admin_s:
            targets = [address for name, address in contracts.items() if name != MANAGER]
            calls += [SET_TARGET_ADMIN_DELAY.encode(address, self.delays.admin_s) for address in targets]
        if bytes(to_canonical_address(self.admin)) != deployer:
            calls.append(RENOUNCE_ROLE.encode(ADMIN_ROLE, deployer))
        return calls

    def rights(self, chain_id: int, height: int, addresses: Mapping[str, str]) -> Rights:
        """What stands after `calls`, to compare a chain with.

        Args:
            height: the block from which the manager has a history.
            addresses: of all contracts that are there, EIP-55, by the names of `rights.ARTIFACTS`.
        """
        targets = {}
        for name, address in addresses.items():
            functions = {
                signatures(ARTIFACTS[name])[selector]: each.role
                for of, each in self._functions()
                if of == name
                for selector in each.selectors
            }
            delay_s = 0 if name == MANAGER else self.delays.admin_s
            authority = "" if name == MANAGER else addresses[MANAGER]
            targets[name] = Target(address, functions, delay_s, False, authority)
        return Rights(chain_id, height, targets, self._roles())

    def _functions(self) -> list[tuple[str, FunctionRole]]:
        functions = {
            "router": router_function_roles(open_relaying=self.relayers is None),
            "transfer": transfer_function_roles(),
            "title": title_function_roles(),
            "swap": swap_function_roles(),
        }
        return [(name, each) for name, of_contract in functions.items() for each in of_contract]

    def _named(self) -> list[tuple[str, tuple[str, ...]]]:
        named = [
            ("admin", (self.admin,)),
            ("pauser", self.pausers),
            ("unpauser", self.unpausers),
            ("limiter", self.limiters),
            ("migrator", self.migrators),
        ]
        return named if self.relayers is None else [*named, ("relayer", self.relayers)]

    def _roles(self) -> dict[int, Role]:
        delays = self.delays

        def role(members: tuple[str, ...], delay_s: int, guardian: int = ADMIN_ROLE, grant_delay_s: int = 0) -> Role:
            return Role({each: Member(delay_s) for each in sorted(members)}, guardian, grant_delay_s=grant_delay_s)

        roles = {
            ADMIN_ROLE: role((self.admin,), delays.admin_s),
            PAUSER_ROLE: role(self.pausers, 0),
            UNPAUSER_ROLE: role(self.unpausers, delays.unpauser_s, PAUSER_ROLE),
            LIMITER_ROLE: role(self.limiters, delays.limiter_s, PAUSER_ROLE),
            MIGRATOR_ROLE: role(self.migrators, delays.migrator_s, PAUSER_ROLE, delays.migrator_s),
        }
        if self.relayers is not None:
            roles[RELAYER_ROLE] = role(self.relayers, 0)
        return roles
