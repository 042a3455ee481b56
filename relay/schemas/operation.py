"""The relay as a whole: its status, its figures, and what an operator did."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from hutong.relay.schemas.documented import UNDESCRIBED, WITHOUT_BOUNDS
from hutong.relay.schemas.fields import Count, Instant, Items, Name, Seconds, Wei
from hutong.relay.schemas.messages import Job
from hutong.relay.schemas.words import App

Window = Literal["1h", "24h", "7d"]


@dataclass(frozen=True, slots=True)
class Schema:
    """The ledger's: the newest of its migrations."""

    __pydantic_config__ = UNDESCRIBED

    schema: Annotated[Name, Field(examples=["0004"])]


@dataclass(frozen=True, slots=True)
class Status:
    """What answers here."""

    __pydantic_config__ = UNDESCRIBED

    name: Annotated[Name, WithJsonSchema({"type": "string", "const": "hutong"})]
    version: Name
    time: Instant
    ledger: Schema
    chains: Count
    paths: Count
    inside_relay: bool


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """`total`, and how many stand in each state."""

    __pydantic_config__ = UNDESCRIBED

    total: Count
    open: Count
    acknowledged: Count
    refused: Count
    timed_out: Count
    settled: Count
    dead: Count


@dataclass(frozen=True, slots=True)
class RouteCount:
    """Messages from chain to chain, by app."""

    __pydantic_config__ = UNDESCRIBED

    source: Name
    destination: Name
    app: App
    total: Count
    open: Count


@dataclass(frozen=True, slots=True)
class ChainCost:
    """What the relay did and paid on a chain."""

    __pydantic_config__ = UNDESCRIBED

    chain: Name
    deliveries: Count
    transactions: Count
    reverted: Count
    gas_used: Count
    fee_wei: Wei


@dataclass(frozen=True, slots=True)
class Totals:
    """At most some seconds older than the answer: `as_of`."""

    __pydantic_config__ = UNDESCRIBED

    messages: MessageCounts
    routes: Items[RouteCount]
    costs: Items[ChainCost]
    as_of: Instant


@dataclass(frozen=True, slots=True)
class Bucket:
    """Messages sent and settled from `start` on; times from sending to settling, None where nothing settled."""

    __pydantic_config__ = UNDESCRIBED

    start: Instant
    sent: Count
    settled: Count
    p50_s: Seconds | None
    p95_s: Seconds | None


@dataclass(frozen=True, slots=True)
class Series:
    """Oldest bucket first, each of `bucket_s` seconds."""

    __pydantic_config__ = UNDESCRIBED

    window: Annotated[Name, WithJsonSchema({"type": "string", "enum": ["1h", "24h", "7d"]})]
    bucket_s: Annotated[int, Field(gt=0, lt=2**31), WITHOUT_BOUNDS]
    items: Items[Bucket]


@dataclass(frozen=True, slots=True)
class Health:
    """The server answers."""

    __pydantic_config__ = UNDESCRIBED

    status: Annotated[Name, Field(examples=["ok"])]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the server needs, each `ok` or what is wrong with it."""

    __pydantic_config__ = UNDESCRIBED

    ready: bool
    ledger: Annotated[Name, Field(examples=["ok"])]
    chains: Annotated[dict[str, str], Field(examples=[{"alpha": "ok"}])]


@dataclass(frozen=True, slots=True)
class Retried:
    """A dead letter that is tried again."""

    __pydantic_config__ = UNDESCRIBED

    job: Job


@dataclass(frozen=True, slots=True)
class RetriedAll:
    """How many dead letters are tried again."""

    __pydantic_config__ = UNDESCRIBED

    retried: Annotated[Count, Field(examples=[12])]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A job, and whether it is left alone."""

    __pydantic_config__ = UNDESCRIBED

    job: Job
    ignored: bool
