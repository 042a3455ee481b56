"""Opening the daemon's database, which every role shares; each makes and keeps its own tables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine

from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.ledger.values.errors import LedgerUnavailable
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.settings import IdentityServer
from hutong.relay.services.identity.store.erasing import erase_what_is_deleted

FILE: Final = "identity.sqlite"


@contextmanager
def open_database(server: IdentityServer) -> Iterator[Engine]:
    """The database of a configuration, given back at the end. Nothing is connected yet.

    Raises:
        RoleUnusable: no such database, or its driver is not installed.
    """
    password = None if server.database_password_env is None else os.environ.get(server.database_password_env)
    if server.database_password_env is not None and password is None:
        raise RoleUnusable(
            f"the environment has no {server.database_password_env}, which holds the database's password"
        )
    server.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        engine = open_engine(server.database_url or f"sqlite:///{server.home / FILE}", password)
    except LedgerUnavailable as error:
        raise RoleUnusable(str(error)) from None
    erase_what_is_deleted(engine)
    try:
        yield engine
    finally:
        engine.dispose()
