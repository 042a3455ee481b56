"""What whoever runs the city does beside a case: documented acts of an operator, done for the case, never by it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hutong.relay.cases.organisation import Organisation


@dataclass(frozen=True, slots=True)
class ObservedSlot:
    """A storage slot of a contract that the relay is to keep as a record on the hub. `push_to` are names of chains whose
    HubReader is to have it too. `name` is for people."""

    name: str
    chain: str
    contract: str
    slot: bytes
    interval_s: int = 10
    push_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedKey:
    """A key of a Cosmos chain's store that the relay is to keep as a record on the hub, every `interval_s`; otherwise as of
    `ObservedSlot`."""

    name: str
    chain: str
    store: str
    key: bytes
    interval_s: int = 10
    push_to: tuple[str, ...] = ()


class StorageOperator(Protocol):
    """`operator` is its id, 64 digits; `shards` the folder in which it keeps what it was given."""

    @property
    def operator(self) -> str: ...
    @property
    def organisation(self) -> str: ...
    @property
    def shards(self) -> Path: ...


class StorageNetwork(Protocol):
    """Operators of several organisations, and the gateway of the case's writer (`writer`, 64 digits)."""

    url: str
    api_key: str
    s3_keys: tuple[str, str]
    writer: str

    @property
    def operators(self) -> Sequence[StorageOperator]: ...

    def lose(self, number: int) -> None:
        """SIGKILL to an operator; nobody starts it again."""

    def bring_back(self, *numbers: int) -> None:
        """Start lost operators, over what they held."""

    def scrub(self, number: int) -> str:
        """What an operator finds when it reads all that it holds (`hutong storage operator scrub`): empty where all is whole."""

    def repair(self) -> dict[str, Any]:
        """One pass of a repairer (`hutong storage repairer once`): what it did, by its own names."""


class Operator(Protocol):
    """Of the city that a case runs in."""

    def kill_relay(self) -> bool:
        """SIGKILL to the relay, which the city starts again; False where none runs just now."""

    def observe(self, places: Sequence[ObservedSlot | ObservedKey]) -> None:
        """Write these into the relay's configuration and restart it; those that are there stay as they are."""

    def deliver_from_log(self, packet: bytes) -> None:
        """A packet of the signed log (ABI): its publisher commits it (`hutong client commitment`), and it is delivered to the
        hub (`hutong client deliver`)."""

    def prove(self, chain: str, account: str, slots: Sequence[bytes]) -> bytes:
        """A record bundle of a contract's slots (32 bytes each), from the chain itself (`hutong prove`)."""

    def prove_records(self, keys: Sequence[bytes]) -> bytes:
        """A record bundle of keys of the hub's own state, all under one header of it (`hutong prove`)."""

    def update_client(self, chain: str) -> None:
        """Bring a chain's client of the hub to the newest header (`hutong client update`)."""

    def organisation(self, name: str) -> Organisation:
        """The organisation of that name on the hub: registered, accredited by the city's root for all schemas and with a status
        list, by whoever was first to ask for it."""

    def withdraw_accreditation(self, name: str) -> None:
        """The root takes that organisation's accreditation back."""

    def revoke(self, name: str, index: int) -> Organisation:
        """That organisation sets the bit of an index of its list, for ever. Returns it with the list as it is afterwards."""

    def storage(self, data: int, parity: int) -> AbstractContextManager[StorageNetwork]:
        """As many operators of trusted storage, a gateway and an auditor, which run for a `with`. Packs are stored with that code
        from then on, and operators are audited again and again."""

    def without(self, chain: str) -> AbstractContextManager[None]:
        """The node of an EVM chain stands still for a `with`: nobody gets an answer of it."""
