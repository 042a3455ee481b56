"""Chains, the light clients on them, and the ways between them, as docs/spec/api.md has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from hutong.relay.sdk.fields import MAX_ITEMS, Count, Instant, Known, Name, Seconds, Text, Units, Whole


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    schema: Name


@dataclass(frozen=True, slots=True)
class Status:
    name: Name
    version: Name
    time: Instant
    ledger: LedgerStatus
    chains: Count
    paths: Count
    inside_relay: bool


@dataclass(frozen=True, slots=True)
class End:
    """A chain by its configured name, and the light client on it; None where it is not known."""

    chain: Name
    client: Name | None


@dataclass(frozen=True, slots=True)
class Apps:
    """Addresses, None where the chain has none."""

    transfer: Name | None
    mailbox: Name | None


@dataclass(frozen=True, slots=True)
class Chain:
    """`height` and `time` are of the newest final block; `error` says why the chain could not be read last."""

    name: Name
    kind: Name
    chain_id: Name
    router: Name | None
    apps: Apps
    height: Count | None
    time: Instant | None
    age_s: Seconds | None
    paused: bool | None
    error: Text | None


@dataclass(frozen=True, slots=True)
class Chains:
    items: Annotated[tuple[Chain, ...], Field(max_length=MAX_ITEMS)]


class ClientStatus(Known):
    ACTIVE = "active"
    FROZEN = "frozen"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Follows:
    chain: Name
    chain_id: Name


@dataclass(frozen=True, slots=True)
class LightClient:
    """A client without a trusting period never expires."""

    chain: Name
    client: Name
    client_type: Name | None
    follows: Follows
    status: ClientStatus
    latest_height: Name | None
    latest_time: Instant | None
    trusting_period_s: Whole | None
    expires_at: Instant | None
    seconds_to_expiry: Whole | None
    counterparty: End
    error: Text | None


@dataclass(frozen=True, slots=True)
class LightClients:
    items: Annotated[tuple[LightClient, ...], Field(max_length=MAX_ITEMS)]


@dataclass(frozen=True, slots=True)
class Direction:
    """Why one direction of a path waits (None: it does not), and how many packets are under way."""

    waiting: Text | None
    cause: Name | None
    since: Instant | None
    do: Text | None
    open: Count


@dataclass(frozen=True, slots=True)
class Path:
    a: End
    b: End
    a_to_b: Direction
    b_to_a: Direction


@dataclass(frozen=True, slots=True)
class Paths:
    items: Annotated[tuple[Path, ...], Field(max_length=MAX_ITEMS)]


@dataclass(frozen=True, slots=True)
class Hop:
    source: End
    destination: End


@dataclass(frozen=True, slots=True)
class Send:
    """What a Transfer or Mailbox of the source is called with."""

    client: Name
    next_client: Name | None


@dataclass(frozen=True, slots=True)
class Fee:
    chain: Name
    fee_wei: Units


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of the last 7 days; times are None without samples."""

    samples: Count
    p50_s: Seconds | None
    p95_s: Seconds | None
    fees: Annotated[tuple[Fee, ...], Field(max_length=MAX_ITEMS)]


@dataclass(frozen=True, slots=True)
class Route:
    """One hop, or two over the hub `via`."""

    hops: Annotated[tuple[Hop, ...], Field(min_length=1, max_length=2)]
    via: Name | None
    send: Send
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Routes:
    items: Annotated[tuple[Route, ...], Field(max_length=MAX_ITEMS)]


@dataclass(frozen=True, slots=True)
class HeldToken:
    """The token, or a voucher of it, on one chain."""

    chain: Name
    denom: Text
    address: Name | None
    name: Text | None
    symbol: Text | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token at its home `chain`, and every voucher of it that was seen. `look_alike`: another one has its name or
    symbol.
    """

    denom: Text
    chain: Name
    name: Text | None
    symbol: Text | None
    decimals: Count | None
    look_alike: bool
    held: Annotated[tuple[HeldToken, ...], Field(max_length=MAX_ITEMS)]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Iterates over its tokens. While not `complete`, some are not listed or not named yet, so `look_alike` says
    nothing of those.
    """

    items: Annotated[tuple[Token, ...], Field(max_length=MAX_ITEMS)]
    complete: bool = False
    """False also of a server that does not say it."""

    def __iter__(self) -> Iterator[Token]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
