"""The verifier, and login on it where its table is there: one role, since both ask by one desk."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import anyio

from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.login.role import begin_login, login_router
from hutong.relay.services.identity.login.settings import LoginConfig
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.erasing import SWEEP_S
from hutong.relay.services.identity.verifier.role import begin_desk, role_of, status_fetching
from hutong.relay.services.identity.verifier.settings import VerifierConfig


@dataclass(frozen=True, slots=True)
class VerifierTables:
    """The two tables."""

    verifier: VerifierConfig
    login: LoginConfig | None


@asynccontextmanager
async def verifier_role(tables: VerifierTables, common: Common) -> AsyncIterator[Role]:
    """The role of a configuration.

    Raises:
        RoleUnusable: a file that cannot be used.
    """
    with open_database(common.server) as engine:
        async with status_fetching(common) as fetch, AsyncExitStack() as closing:
            desk = begin_desk(tables.verifier, common, engine, fetch)
            closing.push_async_callback(desk.aclose)
            if tables.login is None:
                yield role_of(desk, common)
                return
            login = begin_login(tables.login, common, engine, desk)
            closing.push_async_callback(login.provider.aclose)
            role = role_of(desk, common, (login_router(login),))

            async def sweep() -> None:
                while True:
                    await anyio.to_thread.run_sync(login.store.remove_ended, common.now_s())
                    await anyio.sleep(SWEEP_S)

            async def both() -> None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(sweep)
                    await role.run()

            yield replace(role, run=both, not_ready=lambda: role.not_ready() or login.provider.key_problem)
