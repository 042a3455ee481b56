"""Who may do what on the contracts of a chain, as a value: what was intended and what stands are both of this kind."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from hutong.contracts.apps import App
from hutong.contracts.roles import ADMIN_ROLE, ROLE_NAMES

MANAGER = "access_manager"
BRIDGE = {MANAGER: "AccessManager", "router": "Router", "mailbox": "Mailbox", "transfer": "Transfer"}
"""The contracts that every chain has, by their name in files and options, with the artifact that has their ABI."""
ARTIFACTS = BRIDGE | {app.value: app.artifact for app in App if app.has_port}
"""All that ask the manager, likewise."""


Key = TypeVar("Key", int, str)


def role_name(role: int) -> str:
    """`admin`, `pauser` …, or `role-17` for one that hutong does not know."""
    return ROLE_NAMES.get(role, f"role-{role}")


@dataclass(frozen=True, slots=True)
class Member:
    """An account with a role. `delay_s` lies between its decision and the effect.

    Of what stands: `since_s` is when the role begins where that is still to come, `coming_delay_s` the delay that an
    announced change leads to.
    """

    delay_s: int = 0
    since_s: int | None = None
    coming_delay_s: int | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """Members by EIP-55 address. `guardian` may cancel what members have scheduled, `admin` grants and revokes: role
    numbers.

    `grant_delay_s` passes before a new grant begins.
    """

    members: Mapping[str, Member] = field(default_factory=dict)
    guardian: int = ADMIN_ROLE
    admin: int = ADMIN_ROLE
    grant_delay_s: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A contract. `functions`: the roles of functions that are not the admin's, by signature (a selector in hex where
    no ABI has it). `admin_delay_s` passes before another role gets a function. `authority`: whom the contract asks.
    """

    address: str
    functions: Mapping[str, int] = field(default_factory=dict)
    admin_delay_s: int = 0
    closed: bool = False
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """Targets by the names of ARTIFACTS; roles by number. `height` is the block from which the manager has a history."""

    chain_id: int
    height: int
    targets: Mapping[str, Target]
    roles: Mapping[int, Role]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where what stands is not what the file says: `None` on the side that has nothing there."""

    place: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        return self.said("stands")

    def said(self, verb: str) -> str:
        """`verb` is `stands`, or `would stand` of what is to come."""
        if self.expected is None:
            return f"{self.place}: {self.found} {verb}, and the file has nothing"
        if self.found is None:
            return f"{self.place}: the file says {self.expected}, and nothing {verb}"
        return f"{self.place}: the file says {self.expected}, {self.found} {verb}"


def differences(expected: Rights, found: Rights) -> tuple[Difference, ...]:
    """Every place where what stands is not what was expected, contracts first; empty if both agree."""
    return tuple(_differences(expected, found))


def _differences(expected: Rights, found: Rights) -> Iterator[Difference]:
    yield from _unequal("chain_id", expected.chain_id, found.chain_id)
    for name in _either(expected.targets, found.targets):
        wanted, standing = expected.targets.get(name), found.targets.get(name)
        if wanted is None or standing is None:
            yield Difference(
                f"contracts.{name}",
                None if wanted is None else wanted.address,
                None if standing is None else standing.address,
            )
            continue
        yield from _of_target(name, wanted, standing)
    for role in _either(expected.roles, found.roles):
        yield from _of_role(role_name(role), expected.roles.get(role, Role()), found.roles.get(role, Role()))


def _of_target(name: str, expected: Target, found: Target) -> Iterator[Difference]:
    yield from _unequal(f"contracts.{name}", expected.address, found.address)
    yield from _unequal(f"authority of {name}", expected.authority, found.authority)
    yield from _unequal(f"target_admin_delay_s.{name}", expected.admin_delay_s, found.admin_delay_s)
    yield from _unequal(f"closed.{name}", expected.closed, found.closed)
    for function in _either(expected.functions, found.functions):
        wanted = role_name(expected.functions.get(function, ADMIN_ROLE))
        yield from _unequal(
            f"functions.{name}.{function}", wanted, role_name(found.functions.get(function, ADMIN_ROLE))
        )


def _of_role(name: str, expected: Role, found: Role) -> Iterator[Difference]:
    for address in _either(expected.members, found.members):
        place = f"roles.{name}.members.{address}"
        wanted, standing = expected.members.get(address), found.members.get(address)
        if wanted is None or standing is None:
            yield Difference(
                place, None if wanted is None else _shown(wanted), None if standing is None else _shown(standing)
            )
        elif wanted != standing:
            yield Difference(place, _shown(wanted), _shown(standing))
    yield from _unequal(f"roles.{name}.guardian", role_name(expected.guardian), role_name(found.guardian))
    yield from _unequal(f"roles.{name}.admin", role_name(expected.admin), role_name(found.admin))
    yield from _unequal(f"roles.{name}.grant_delay_s", expected.grant_delay_s, found.grant_delay_s)


def _shown(member: Member) -> str:
    begins = "" if member.since_s is None else f", from Unix time {member.since_s} on"
    coming = "" if member.coming_delay_s is None else f", soon {member.coming_delay_s} s"
    return f"a member with a delay of {member.delay_s} s{coming}{begins}"


def _unequal(place: str, expected: object, found: object) -> Iterator[Difference]:
    if expected != found:
        yield Difference(place, str(expected), str(found))


def _either(one: Iterable[Key], other: Iterable[Key]) -> list[Key]:
    return sorted(set(one) | set(other))
