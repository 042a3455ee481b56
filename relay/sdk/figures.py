"""Sums and series over everything that a relay's ledger keeps, as docs/spec/api.md has them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.sdk.fields import MAX_ITEMS, Count, Instant, Name, Seconds, Units
from hutong.relay.sdk.messages import App

Window = Literal["1h", "24h", "7d"]


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """`total`, and how many stand in each state."""

    total: Count
    open: Count
    acknowledged: Count
    refused: Count
    timed_out: Count
    settled: Count
    dead: Count


@dataclass(frozen=True, slots=True)
class RouteCount:
    source: Name
    destination: Name
    app: App
    total: Count
    open: Count


@dataclass(frozen=True, slots=True)
class RelayCosts:
    """What the relay did and paid on a chain."""

    chain: Name
    deliveries: Count
    transactions: Count
    reverted: Count
    gas_used: Count
    fee_wei: Units


@dataclass(frozen=True, slots=True)
class Totals:
    """At most some seconds older than the answer: `as_of`."""

    messages: MessageCounts
    routes: Annotated[tuple[RouteCount, ...], Field(max_length=MAX_ITEMS)]
    costs: Annotated[tuple[RelayCosts, ...], Field(max_length=MAX_ITEMS)]
    as_of: Instant


@dataclass(frozen=True, slots=True)
class Bucket:
    """Messages sent and settled from `start` on; times from sending to settling, None where nothing settled."""

    start: Instant
    sent: Count
    settled: Count
    p50_s: Seconds | None
    p95_s: Seconds | None


@dataclass(frozen=True, slots=True)
class Series:
    """Oldest bucket first, each of `bucket_s` seconds."""

    window: Name
    bucket_s: Annotated[int, Field(gt=0, lt=2**31)]
    items: Annotated[tuple[Bucket, ...], Field(max_length=MAX_ITEMS)]
