"""What a hub observes of other chains, and records of its state."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.schemas.documented import UNDESCRIBED
from hutong.relay.schemas.fields import Count, Cursor, HexData, Instant, Items, Name, Seconds, Text


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the observed chain: a storage slot or a field of an account, or a store key by its hash in the record's key."""

    __pydantic_config__ = UNDESCRIBED

    kind: Literal["slot", "account", "store"]
    account: Name | None
    slot: Name | None
    field: Annotated[Name | None, Field(description="nonce, balance, code_hash or storage_root")]
    store_hash: Annotated[Name | None, Field(description="SHA-256 of the store's name with its length, and the key")]


@dataclass(frozen=True, slots=True)
class Observation:
    """A value of another chain's state, as a hub's node says; its bundle proves it. `age_s` is of the observed block."""

    __pydantic_config__ = UNDESCRIBED

    hub: Annotated[Name, Field(examples=["hub"])]
    key: HexData
    client: Annotated[Name, Field(examples=["bft-evm-0"])]
    chain: Annotated[Name | None, Field(description="that the client follows, where a configured path says it")]
    place: Place
    value: Annotated[HexData | None, Field(description="null: nothing is there")]
    height: Annotated[Name, Field(description="of the observed block", examples=["0-1234"])]
    time: Annotated[Instant, Field(description="of that block")]
    age_s: Seconds
    trust: Annotated[Literal["proven", "attested"], Field(description="by the chain's own consensus, or by attestors")]
    threshold: Annotated[Count, Field(description="of attestors; 0 where it is proven")]
    attestors: Count
    epoch: Annotated[Count, Field(description="of the client when this was written")]
    current: Annotated[bool, Field(description="the client is active and of that epoch: readers do not refuse it")]
    bundle: Annotated[Text, Field(description="address of the record bundle, for `hutong audit record`")]


@dataclass(frozen=True, slots=True)
class ObservationList:
    """In the order of their keys, hub by hub."""

    __pydantic_config__ = UNDESCRIBED

    items: Items[Observation]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Record:
    """A key of a hub's state after its newest block, as its node proves it."""

    __pydantic_config__ = UNDESCRIBED

    hub: Name
    key: HexData
    value: Annotated[HexData | None, Field(description="null: it is proven that nothing is there")]
    height: Annotated[Name, Field(description="of the header under which the proof stands", examples=["1-42"])]
    observation: Observation | None
    bundle: Text


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A key of a hub's state, and what it holds."""

    __pydantic_config__ = UNDESCRIBED

    key: HexData
    value: Annotated[HexData | None, Field(description="null: it is proven that nothing is there")]


@dataclass(frozen=True, slots=True)
class ShownEpoch:
    """The epoch of a client whose observations are among the records."""

    __pydantic_config__ = UNDESCRIBED

    client: Annotated[Name, Field(examples=["bft-evm-0"])]
    value: Annotated[HexData | None, Field(description="null: nothing was ever observed over it")]


@dataclass(frozen=True, slots=True)
class ReaderProof:
    """Records with one proof, as a HubReader of `chain` takes them: under the newest header that `client` there has of the hub.

    Records ascend by the SHA-256 of their keys, and so do epochs. `time` is the header's.
    """

    __pydantic_config__ = UNDESCRIBED

    hub: Name
    chain: Annotated[Name, Field(examples=["beta"])]
    client: Annotated[Name, Field(examples=["client-0"])]
    height: Annotated[Name, Field(examples=["1-42"])]
    time: Instant
    records: Items[ShownRecord]
    epochs: Items[ShownEpoch]
    terminals: HexData
    siblings: Items[HexData]
