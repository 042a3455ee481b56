"""What is decided on a chain's contracts and has no effect yet, and what it would change of who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.access_manager import CANCEL
from hutong.adapters.evm.administration.rights import (
    ARTIFACTS,
    MANAGER,
    Difference,
    Member,
    Rights,
    Role,
    Target,
    differences,
    role_name,
)
from hutong.adapters.evm.administration.wording import SELECTOR_BYTES, Worded, in_words
from hutong.contracts.roles import ADMIN_ROLE, signatures

EXPIRATION_S = 7 * 86_400
"""AccessManager's `expiration`: for so long after its time a scheduled call can be made."""


@dataclass(frozen=True, slots=True)
class ScheduledCall:
    """A call that an AccessManager lets `caller` make on `target` from `ready_at_s` on. EIP-55 addresses.

    `guardian` is the role whose members may cancel it, besides `caller` and the admin.
    """

    operation: bytes
    caller: str
    target: str
    data: bytes
    ready_at_s: int
    guardian: int = ADMIN_ROLE

    @property
    def expires_at_s(self) -> int:
        """From then on it cannot be made any more."""
        return self.ready_at_s + EXPIRATION_S

    @property
    def cancelling(self) -> bytes:
        """Calldata for the AccessManager that takes it back."""
        return CANCEL.encode(to_canonical_address(self.caller), to_canonical_address(self.target), self.data)


@dataclass(frozen=True, slots=True)
class Decision:
    """`kind` is `call` where a call is scheduled; else a call was made whose effect begins later: `member`, `member_delay`,
    `grant_delay`, `target_admin_delay`. `by` is an EIP-55 address, None where the chain does not say who decided."""

    kind: str
    what: str
    by: str | None
    effective_at_s: int
    call: ScheduledCall | None = None


def decision_of(call: ScheduledCall, names: Mapping[str, str]) -> Decision:
    """The decision that a scheduled call is, with its function and arguments in words on one printable line.

    Args:
        names: of contracts, by EIP-55 address; others are called by their address.
    """
    contract = names.get(call.target, call.target)
    worded = in_words(call.data)
    said = f"0x{call.data[:SELECTOR_BYTES].hex()}, which hutong cannot read" if worded is None else _said(worded, names)
    return Decision("call", f"{contract} {said}", call.caller, call.ready_at_s, call)


def function_of(call: ScheduledCall) -> str:
    """The name of the function by its selector alone, so also where the arguments cannot be read; empty if unknown."""
    for artifact in ARTIFACTS.values():
        signature = signatures(artifact).get(call.data[:SELECTOR_BYTES])
        if signature is not None:
            return signature.partition("(")[0]
    return ""


def deviations(expected: Rights, found: Rights, call: ScheduledCall) -> tuple[Difference, ...]:
    """What would differ from the file if the call were made, and does not differ already.

    A call of the AccessManager that cannot be read is one too: ABI data with something appended is as good to the contract.

    Args:
        expected: what the file says.
        found: what stands, with the manager among its targets.
    """
    after = _after(found, call)
    if after is None:
        selector = call.data[:SELECTOR_BYTES].hex()
        return (Difference(f"calls.{MANAGER}.0x{selector}", None, "a call that hutong cannot read"),)
    known = set(differences(expected, found))
    return tuple(each for each in differences(expected, after) if each not in known)


def _said(worded: Worded, names: Mapping[str, str]) -> str:
    notes = {}
    for name, value in worded.arguments.items():
        if name in ("roleId", "admin", "guardian") and isinstance(value, int):
            notes[name] = role_name(value)
        elif name == "target" and value in names:
            notes[name] = names[value]
        elif name == "selectors":
            known = signatures(ARTIFACTS.get(names.get(worded.arguments.get("target", ""), ""), ARTIFACTS[MANAGER]))
            notes[name] = ", ".join(known.get(bytes.fromhex(each[2:]), "unknown") for each in value[:32])
    return worded.said(notes)


def _after(found: Rights, call: ScheduledCall) -> Rights | None:
    """As if the call had been made and everything that it begins were in force; None if it cannot be read."""
    if call.target != found.targets[MANAGER].address:
        return found
    worded = in_words(call.data)
    if worded is None or worded.function not in signatures(ARTIFACTS[MANAGER]).values():
        return None
    return _after_role(found, worded) or _after_target(found, worded) or found


def _after_role(found: Rights, worded: Worded) -> Rights | None:
    """None where the call changes no role."""
    number = worded.arguments.get("roleId")
    if not isinstance(number, int):
        return None
    role = found.roles.get(number, Role())
    match worded.function.partition("(")[0], worded.arguments:
        case "grantRole", {"account": account, "executionDelay": delay_s}:
            member = replace(role.members.get(account, Member()), delay_s=delay_s, coming_delay_s=None)
            role = replace(role, members={**role.members, account: member})
        case "revokeRole", {"account": account}:
            role = replace(role, members={each: of for each, of in role.members.items() if each != account})
        case "setRoleAdmin", {"admin": admin}:
            role = replace(role, admin=admin)
        case "setRoleGuardian", {"guardian": guardian}:
            role = replace(role, guardian=guardian)
        case "setGrantDelay", {"newDelay": delay_s}:
            role = replace(role, grant_delay_s=delay_s)
        case _:
            return None
    return replace(found, roles={**found.roles, number: role})


def _after_target(found: Rights, worded: Worded) -> Rights | None:
    """None where the call changes none of the contracts that are looked at."""
    address = worded.arguments.get("target")
    for name, target in found.targets.items():
        if target.address == address:
            changed = _changed(name, target, worded.function.partition("(")[0], worded.arguments)
            return None if changed is None else replace(found, targets={**found.targets, name: changed})
    return None


def _changed(name: str, target: Target, function: str, arguments: Mapping[str, Any]) -> Target | None:
    match function, arguments:
        case "setTargetAdminDelay", {"newDelay": delay_s}:
            return replace(target, admin_delay_s=delay_s)
        case "setTargetClosed", {"closed": closed}:
            return replace(target, closed=closed)
        case "updateAuthority", {"newAuthority": authority}:
            return replace(target, authority=authority)
        case "setTargetFunctionRole", {"selectors": selectors, "roleId": role}:
            known = signatures(ARTIFACTS[name])
            functions = dict(target.functions)
            functions |= {known.get(bytes.fromhex(each[2:]), each): role for each in selectors}
            return replace(target, functions={each: of for each, of in functions.items() if of != ADMIN_ROLE})
    return None
