"""Roles of the AccessManager and which restricted functions each may call (docs/spec/router.md).

Functions that are not named here stay with `ADMIN_ROLE`: addClient, addIBCApp, the Mailbox's setHubClient and peers,
Transfer's setHubClient, cancelHeld and describeVoucher, and setHubClient of Title and Swap.
"""

from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from hutong.contracts.artifacts import load_artifact

ADMIN_ROLE = 0
RELAYER_ROLE = 1
PAUSER_ROLE = 2
UNPAUSER_ROLE = 3
LIMITER_ROLE = 4
MIGRATOR_ROLE = 5
"""Replaces a broken client's contract; its holders are meant to have an execution delay, in which pausers can cancel."""
PUBLIC_ROLE = 2**64 - 1
"""Everyone has it: giving the relay functions to it opens relaying."""

ROLE_NAMES = {
    ADMIN_ROLE: "admin",
    RELAYER_ROLE: "relayer",
    PAUSER_ROLE: "pauser",
    UNPAUSER_ROLE: "unpauser",
    LIMITER_ROLE: "limiter",
    MIGRATOR_ROLE: "migrator",
    PUBLIC_ROLE: "everyone",
}

RELAYER_FUNCTIONS = ("updateClient", "recvPacket", "ackPacket", "timeoutPacket")


@dataclass(frozen=True, slots=True)
class FunctionRole:
    """Arguments of `AccessManager.setTargetFunctionRole` beside the target."""

    selectors: tuple[bytes, ...]
    role: int


def _canonical_type(parameter: dict[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_canonical_type, parameter['components']))}){kind.removeprefix('tuple')}"


def signatures(contract: str) -> dict[bytes, str]:
    """Every function of a contract's ABI: `name(types)` by selector."""
    found = [
        f"{entry['name']}({','.join(map(_canonical_type, entry['inputs']))})"
        for entry in load_artifact(contract).abi
        if entry["type"] == "function"
    ]
    return {keccak(signature.encode())[:4]: signature for signature in found}


def selectors(contract: str, names: tuple[str, ...]) -> tuple[bytes, ...]:
    """Selectors of every function of these names, overloads included."""
    return tuple(
        selector for selector, signature in signatures(contract).items() if signature.partition("(")[0] in names
    )


def router_function_roles(*, open_relaying: bool) -> tuple[FunctionRole, ...]:
    """What to set on a new router; with `open_relaying` everyone may relay, else holders of `RELAYER_ROLE`."""
    return (
        FunctionRole(selectors("Router", RELAYER_FUNCTIONS), PUBLIC_ROLE if open_relaying else RELAYER_ROLE),
        FunctionRole(selectors("Router", ("pause",)), PAUSER_ROLE),
        FunctionRole(selectors("Router", ("unpause",)), UNPAUSER_ROLE),
        FunctionRole(selectors("Router", ("migrateClient",)), MIGRATOR_ROLE),
    )


def transfer_function_roles() -> tuple[FunctionRole, ...]:
    """What to set on a new Transfer."""
    return (
        FunctionRole(selectors("Transfer", ("pause",)), PAUSER_ROLE),
        FunctionRole(selectors("Transfer", ("unpause",)), UNPAUSER_ROLE),
        FunctionRole(selectors("Transfer", ("setClientLimit", "setOriginLimit")), LIMITER_ROLE),
    )


def title_function_roles() -> tuple[FunctionRole, ...]:
    """What to set on a new Title."""
    return (
        FunctionRole(selectors("Title", ("pause",)), PAUSER_ROLE),
        FunctionRole(selectors("Title", ("unpause",)), UNPAUSER_ROLE),
        FunctionRole(selectors("Title", ("setCustodyLimit",)), LIMITER_ROLE),
    )


def swap_function_roles() -> tuple[FunctionRole, ...]:
    """What to set on a new Swap."""
    return (
        FunctionRole(selectors("Swap", ("pause",)), PAUSER_ROLE),
        FunctionRole(selectors("Swap", ("unpause",)), UNPAUSER_ROLE),
    )
