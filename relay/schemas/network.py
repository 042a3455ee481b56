"""Chains, the light clients on them, and the ways between them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from hutong.relay.schemas.documented import UNDESCRIBED, WITHOUT_BOUNDS
from hutong.relay.schemas.fields import Count, Instant, Items, Name, Seconds, Text, Wei, Whole
from hutong.relay.schemas.words import IN_PLACE, ClientStatus


@dataclass(frozen=True, slots=True)
class End:
    """A chain by its configured name, and the light client on it (null where it is not known)."""

    chain: Annotated[Name, Field(examples=["alpha"])]
    client: Annotated[Name | None, Field(examples=["client-0"])]


@dataclass(frozen=True, slots=True)
class Apps:
    """Addresses, null where the chain has none."""

    transfer: Name | None
    mailbox: Name | None


@dataclass(frozen=True, slots=True)
class Chain:
    """A configured chain as it was when it was last read; `age_s` is of its newest final block."""

    __pydantic_config__ = UNDESCRIBED

    name: Annotated[Name, Field(examples=["alpha"])]
    kind: Annotated[Name, Field(examples=["evm"])]
    chain_id: Annotated[Name, Field(examples=["1001"])]
    router: Name | None
    apps: Apps
    height: Annotated[Count | None, Field(description="of the newest final block")]
    time: Instant | None
    age_s: Annotated[Seconds | None, Field(description="of that block")]
    paused: bool | None
    error: Annotated[Text | None, Field(description="why the chain could not be read last")]


@dataclass(frozen=True, slots=True)
class ChainList:
    """Every configured chain."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[Chain]


@dataclass(frozen=True, slots=True)
class Follows:
    """The chain that a light client follows."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    chain_id: Name


@dataclass(frozen=True, slots=True)
class Client:
    """A light client. One without a trusting period never expires."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    client: Name
    client_type: Name | None
    follows: Follows
    status: Annotated[ClientStatus, IN_PLACE]
    latest_height: Annotated[Name | None, Field(examples=["0-1234"])]
    latest_time: Instant | None
    trusting_period_s: Whole | None
    expires_at: Instant | None
    seconds_to_expiry: Whole | None
    counterparty: End
    error: Text | None


@dataclass(frozen=True, slots=True)
class ClientList:
    """The light clients of every configured path."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[Client]


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a path: why it waits (null: it does not) and how many packets are under way."""

    waiting: Text | None
    cause: Name | None
    since: Instant | None
    do: Text | None
    open: Count


@dataclass(frozen=True, slots=True)
class Path:
    """A configured path."""

    __pydantic_config__ = UNDESCRIBED

    a: End
    b: End
    a_to_b: Direction
    b_to_a: Direction


@dataclass(frozen=True, slots=True)
class PathList:
    """Every configured path."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[Path]


@dataclass(frozen=True, slots=True)
class Hop:
    """A packet's way from one chain to the next."""

    __pydantic_config__ = UNDESCRIBED

    source: End
    destination: End


@dataclass(frozen=True, slots=True)
class Send:
    """What a Transfer or Mailbox of the source is called with."""

    client: Name
    next_client: Name | None


@dataclass(frozen=True, slots=True)
class Fee:
    """What the relay paid on a chain, on average a message."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class RouteEstimate:
    """Of the last 7 days; times are None without samples."""

    __pydantic_config__ = UNDESCRIBED

    samples: Count
    p50_s: Seconds | None
    p95_s: Seconds | None
    fees: Items[Fee]


@dataclass(frozen=True, slots=True)
class Route:
    """One hop, or two over the hub `via`."""

    __pydantic_config__ = UNDESCRIBED

    hops: Annotated[tuple[Hop, ...], Field(min_length=1, max_length=2), WITHOUT_BOUNDS]
    via: Name | None
    send: Send
    estimate: RouteEstimate


@dataclass(frozen=True, slots=True)
class RouteList:
    """Every way from one chain to another, direct ones first."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[Route]


@dataclass(frozen=True, slots=True)
class HeldToken:
    """The token, or a voucher of it, on one chain."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    denom: Text
    address: Name | None
    name: Text | None
    symbol: Text | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token at home, and every voucher of it that was seen."""

    denom: Text
    chain: Annotated[Name, Field(description="its home")]
    name: Text | None
    symbol: Text | None
    decimals: Count | None
    look_alike: bool
    """Another token has its name or symbol."""
    held: Items[HeldToken]


@dataclass(frozen=True, slots=True)
class TokenList:
    """Iterates over its tokens. While not `complete`, some are not listed or not named yet, so `look_alike` says
    nothing of those.
    """

    __pydantic_config__ = UNDESCRIBED

    items: Items[Token]
    complete: Annotated[
        bool, Field(description="false: tokens may be missing, so `look_alike: false` says nothing of those")
    ] = field(default_factory=bool)
    """False also of a server that does not say it."""

    def __iter__(self) -> Iterator[Token]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
