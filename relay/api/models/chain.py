"""Chains, the light clients on them, and the ways between them."""

from typing import Literal

from pydantic import Field

from hutong.relay.api.models.base import Answer, End
from hutong.relay.api.models.instants import Instant, Wei


class Apps(Answer):
    """Addresses, null where the chain has none."""

    transfer: str | None
    mailbox: str | None


class Chain(Answer):
    name: str = Field(examples=["alpha"])
    kind: str = Field(examples=["evm"])
    chain_id: str = Field(examples=["1001"])
    router: str | None
    apps: Apps
    height: int | None = Field(description="of the newest final block")
    time: Instant | None
    age_s: float | None = Field(description="of that block")
    paused: bool | None
    error: str | None = Field(description="why the chain could not be read last")


class ChainList(Answer):
    items: list[Chain]


class Follows(Answer):
    chain: str
    chain_id: str


class Client(Answer):
    chain: str
    client: str
    client_type: str | None
    follows: Follows
    status: Literal["active", "frozen", "expired", "unknown"]
    latest_height: str | None = Field(examples=["0-1234"])
    latest_time: Instant | None
    trusting_period_s: int | None
    expires_at: Instant | None
    seconds_to_expiry: int | None
    counterparty: End
    error: str | None


class ClientList(Answer):
    items: list[Client]


class Direction(Answer):
    """One direction of a path: why it waits (null: it does not) and how many packets are under way."""

    waiting: str | None
    cause: str | None
    since: Instant | None
    do: str | None
    open: int


class Path(Answer):
    a: End
    b: End
    a_to_b: Direction
    b_to_a: Direction


class PathList(Answer):
    items: list[Path]


class Hop(Answer):
    source: End
    destination: End


class Send(Answer):
    """What a Transfer or Mailbox of the source is called with."""

    client: str
    next_client: str | None


class Fee(Answer):
    chain: str
    fee_wei: Wei


class RouteEstimate(Answer):
    samples: int
    p50_s: float | None
    p95_s: float | None
    fees: list[Fee]


class Route(Answer):
    hops: list[Hop]
    via: str | None
    send: Send
    estimate: RouteEstimate


class RouteList(Answer):
    items: list[Route]


class HeldToken(Answer):
    chain: str
    denom: str
    address: str | None
    name: str | None
    symbol: str | None


class Token(Answer):
    """A token at home, and every voucher of it that was seen."""

    denom: str
    chain: str = Field(description="its home")
    name: str | None
    symbol: str | None
    decimals: int | None
    look_alike: bool
    held: list[HeldToken]


class TokenList(Answer):
    items: list[Token]
    complete: bool = Field(description="false: tokens may be missing, so `look_alike: false` says nothing of those")
