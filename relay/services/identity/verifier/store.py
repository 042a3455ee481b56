"""Requests that wallets answer, each once, and what came of them, for as long as anybody may ask.

One row a request. It is claimed by one statement that changes it from `waiting`, so that of two answers at the same time
one is judged. The private key that the answer is encrypted to leaves the row with the claim.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Engine, MetaData, Table, Text, delete, func, select, update

from hutong.relay.services.identity.store.erasing import empty_log

MAX_OPEN: Final = 10_000
"""Requests that wait or whose result is kept, of programs with a key together, and as many of the pages' visitors together:
strangers who open pages push out nobody who has a key."""
NAMED: Final = "key:"
"""What an owner with a key begins with."""
GRACE_S: Final = 60
"""For which a request that nobody answered is still known, as expired."""
metadata = MetaData()
REQUESTS = Table(
    "verifier_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("policy", Text, nullable=False),
    Column("owner", Text, nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("encryption_jwk", Text, nullable=True),
    Column("return_to", Text, nullable=True),
    Column("created_s", BigInteger, nullable=False),
    Column("ends_s", BigInteger, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("code_sha256", Text, nullable=True),
    Column("is_returned", Boolean, nullable=False),
    Column("outcome", Text, nullable=True),
)


class State(StrEnum):
    """How a request stands."""

    WAITING = "waiting"
    JUDGING = "judging"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DECLINED = "declined"
    EXPIRED = "expired"


class Channel(StrEnum):
    """Whether the wallet is on the device of the browser that asks: then its browser brings a code back."""

    SAME_DEVICE = "same-device"
    CROSS_DEVICE = "cross-device"


FINAL: Final = (State.ACCEPTED, State.REFUSED, State.DECLINED)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `owner` is who may read the result: a key's name, or the hash of a browser's session with its purpose.

    `ends_s`: until then an answer is taken, or, after it came, the result is kept. `encryption_jwk` is None once it was
    answered, and where a plain answer is asked for. `return_to` is where the wallet leads the browser, with a code.
    """

    id: str
    policy: str
    owner: str
    channel: Channel
    nonce: str
    challenge: str
    encryption_jwk: Mapping[str, Any] | None
    return_to: str | None
    created_s: int
    ends_s: int
    state: State = State.WAITING
    code_sha256: str | None = None
    is_returned: bool = False
    outcome: Mapping[str, Any] | None = None


class TooManyOpen(Exception):
    """`MAX_OPEN` requests are open."""


class RequestStore:
    """The table in a database that others share. Each method is one transaction; they block, so call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self) -> None:
        """Make the table where it is not there."""
        metadata.create_all(self._engine)

    def add(self, asked: Asked) -> None:
        """Keep a new request.

        Raises:
            TooManyOpen: as many as may be are open.
        """
        with self._engine.begin() as connection:
            named = REQUESTS.c.owner.startswith(NAMED, autoescape=True)
            same = named if asked.owner.startswith(NAMED) else ~named
            if connection.execute(select(func.count()).select_from(REQUESTS).where(same)).scalar_one() >= MAX_OPEN:
                raise TooManyOpen
            connection.execute(REQUESTS.insert().values(**_row(asked)))

    def get(self, request_id: str, now_s: int) -> Asked | None:
        """A request; one whose time for an answer is over is `EXPIRED`, one whose result is no longer kept is gone."""
        with self._engine.connect() as connection:
            found = connection.execute(select(REQUESTS).where(REQUESTS.c.id == request_id)).mappings().one_or_none()
        asked = None if found is None else _asked(found, now_s)
        return None if asked is None or (asked.state in FINAL and now_s >= asked.ends_s) else asked

    def of_owner(self, owner: str, now_s: int) -> tuple[Asked, ...]:
        """Requests of an owner, the newest first."""
        query = select(REQUESTS).where(REQUESTS.c.owner == owner).order_by(REQUESTS.c.created_s.desc(), REQUESTS.c.id)
        with self._engine.connect() as connection:
            asked = [_asked(row, now_s) for row in connection.execute(query.limit(64)).mappings()]
        return tuple(one for one in asked if one.state not in FINAL or now_s < one.ends_s)

    def claim(self, request_id: str, now_s: int) -> bool:
        """Whether the caller is the one that judges the answer: of all who ask, one is told so, once."""
        claimed = (
            update(REQUESTS)
            .where(REQUESTS.c.id == request_id, REQUESTS.c.state == State.WAITING.value, REQUESTS.c.ends_s > now_s)
            .values(state=State.JUDGING.value, encryption_jwk=None)
        )
        with self._engine.begin() as connection:
            return connection.execute(claimed).rowcount == 1

    def settle(self, request_id: str, state: State, outcome: Mapping[str, Any], code_sha256: str, ends_s: int) -> None:
        """What came of a claimed request, kept until `ends_s`."""
        settled = (
            update(REQUESTS)
            .where(REQUESTS.c.id == request_id, REQUESTS.c.state == State.JUDGING.value)
            .values(
                state=state.value,
                outcome=json.dumps(outcome, ensure_ascii=False),
                code_sha256=code_sha256,
                ends_s=ends_s,
            )
        )
        with self._engine.begin() as connection:
            connection.execute(settled)

    def mark_returned(self, request_id: str) -> None:
        """The browser of the session brought the code."""
        with self._engine.begin() as connection:
            connection.execute(update(REQUESTS).where(REQUESTS.c.id == request_id).values(is_returned=True))

    def forget(self, request_ids: Sequence[str]) -> None:
        """Remove requests with what was shown."""
        with self._engine.begin() as connection:
            connection.execute(delete(REQUESTS).where(REQUESTS.c.id.in_(request_ids)))

    def remove_ended(self, before_s: int) -> int:
        """Remove results that ended by a time, in Unix seconds, and other requests GRACE_S later; how many.

        What was removed until now, also by `forget`, is in no file of the database afterwards.
        """
        is_final = REQUESTS.c.state.in_([one.value for one in FINAL])
        ended = ((REQUESTS.c.ends_s <= before_s) & is_final) | (REQUESTS.c.ends_s <= before_s - GRACE_S)
        with self._engine.begin() as connection:
            count = connection.execute(delete(REQUESTS).where(ended)).rowcount
        empty_log(self._engine)
        return count


def _row(asked: Asked) -> dict[str, Any]:
    return {
        "id": asked.id,
        "policy": asked.policy,
        "owner": asked.owner,
        "channel": asked.channel.value,
        "nonce": asked.nonce,
        "challenge": asked.challenge,
        "encryption_jwk": None if asked.encryption_jwk is None else json.dumps(asked.encryption_jwk),
        "return_to": asked.return_to,
        "created_s": asked.created_s,
        "ends_s": asked.ends_s,
        "state": asked.state.value,
        "code_sha256": asked.code_sha256,
        "is_returned": asked.is_returned,
        "outcome": None,
    }


def _asked(row: Mapping[Any, Any], now_s: int) -> Asked:
    values = {column.name: row[column.name] for column in REQUESTS.columns}
    state = State(values["state"])
    if state not in FINAL and now_s >= values["ends_s"]:
        state = State.EXPIRED
    for name in ("encryption_jwk", "outcome"):
        if values[name] is not None:
            values[name] = json.loads(values[name])
    return Asked(**{**values, "state": state, "channel": Channel(values["channel"])})
