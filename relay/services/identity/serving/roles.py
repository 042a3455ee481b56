"""The one list of roles: by the name of its table, what makes it run."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import Any

from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.issuer.role import issuer_role
from hutong.relay.services.identity.registrar.role import registrar_role
from hutong.relay.services.identity.resolver.role import resolver_role
from hutong.relay.services.identity.serving.configuration import IdentityConfig
from hutong.relay.services.identity.serving.verifier_with_login import VerifierTables, verifier_role
from hutong.relay.services.identity.status_host.role import status_role

Begin = Callable[[Any, Common], AbstractAsyncContextManager[Role]]
"""From the role's table and what all share; what it opened is closed at the end of the block."""

ROLES: Mapping[str, Begin] = MappingProxyType(
    {
        "issuer": issuer_role,
        "status": status_role,
        "verifier": verifier_role,
        "resolver": resolver_role,
        "registrar": registrar_role,
    }
)


@asynccontextmanager
async def begin_roles(config: IdentityConfig, common: Common) -> AsyncIterator[tuple[Role, ...]]:
    """Every role whose table is there, in the order of ROLES.

    Raises:
        What a role's beginning raises; those begun before are closed.
    """
    async with AsyncExitStack() as stack:
        begun = []
        for name, begin in ROLES.items():
            table = _tables(config, name)
            if table is not None:
                begun.append(await stack.enter_async_context(begin(table, common)))
        yield tuple(begun)


def _tables(config: IdentityConfig, name: str) -> Any:
    if name == "verifier" and config.verifier is not None:
        return VerifierTables(config.verifier, config.login)
    return getattr(config, name)
