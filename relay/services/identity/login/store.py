"""Logins that have begun, and codes that wait to be taken, each once. Nothing of a person outlives its code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Engine, MetaData, Table, Text, delete, func, select

from hutong.relay.services.identity.store.erasing import empty_log

MAX_OPEN: Final = 20_000
metadata = MetaData()
LOGINS = Table(
    "login_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("ends_s", BigInteger, nullable=False, index=True),
)
CODES = Table(
    "login_codes",
    metadata,
    Column("code_sha256", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("granted", Text, nullable=False),
    Column("ends_s", BigInteger, nullable=False, index=True),
)


class TooManyOpen(Exception):
    """`MAX_OPEN` logins are open."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that has begun. `session` is the hash of the browser's; `parameters` are the application's request."""

    id: str
    session: str
    parameters: Mapping[str, str]
    ends_s: int


class LoginStore:
    """Two tables of the daemon's database. Methods block: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self) -> None:
        """Make the tables where they are not there."""
        metadata.create_all(self._engine)

    def begin(self, login: Login) -> None:
        """Keep a new login.

        Raises:
            TooManyOpen: as many as may be are open.
        """
        with self._engine.begin() as connection:
            if connection.execute(select(func.count()).select_from(LOGINS)).scalar_one() >= MAX_OPEN:
                raise TooManyOpen
            connection.execute(
                LOGINS.insert().values(
                    id=login.id,
                    session=login.session,
                    parameters=json.dumps(dict(login.parameters)),
                    ends_s=login.ends_s,
                )
            )

    def get(self, login_id: str, now_s: int) -> Login | None:
        """A login that has not ended."""
        query = select(LOGINS).where(LOGINS.c.id == login_id, LOGINS.c.ends_s > now_s)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else Login(row["id"], row["session"], json.loads(row["parameters"]), row["ends_s"])

    def end(self, login_id: str) -> bool:
        """Remove a login; whether the caller is the one that did."""
        with self._engine.begin() as connection:
            return connection.execute(delete(LOGINS).where(LOGINS.c.id == login_id)).rowcount == 1

    def keep_code(self, code: str, client_id: str, granted: Mapping[str, Any], ends_s: int) -> None:
        """What a code stands for; of the code the hash alone."""
        text = json.dumps(granted, ensure_ascii=False)
        with self._engine.begin() as connection:
            connection.execute(
                CODES.insert().values(code_sha256=_digest(code), client_id=client_id, granted=text, ends_s=ends_s)
            )

    def take_code(self, code: str, client_id: str, now_s: int) -> dict[str, Any] | None:
        """What a code of this client stands for, once: it is gone with the first who asks."""
        own = (CODES.c.code_sha256 == _digest(code), CODES.c.client_id == client_id)
        with self._engine.begin() as connection:
            row = connection.execute(select(CODES.c.granted, CODES.c.ends_s).where(*own)).one_or_none()
            if row is None or connection.execute(delete(CODES).where(*own)).rowcount != 1 or row.ends_s <= now_s:
                return None
        found: dict[str, Any] = json.loads(row.granted)
        return found

    def remove_ended(self, before_s: int) -> int:
        """Remove what ended before a time, in Unix seconds; how many rows."""
        with self._engine.begin() as connection:
            count = sum(
                connection.execute(delete(table).where(table.c.ends_s < before_s)).rowcount for table in (LOGINS, CODES)
            )
        empty_log(self._engine)
        return count


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()
