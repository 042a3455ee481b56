"""Values of one chain's state, and the hub that keeps them as records (docs/spec/records.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hutong.adapters.interface.transactions import PreparedTransaction
from hutong.light_clients.interface import Height
from hutong.light_clients.records import ClientEpoch, Observation, Place


@dataclass(frozen=True, slots=True)
class PlaceValues:
    """What a chain's state holds at some places, in their order; None where nothing is there.

    `nodes` prove it, in the form that `observe` takes: trie nodes of all paths, or one proof a place.
    """

    values: tuple[bytes | None, ...]
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ObserveCall:
    """A call of `observe`: `places` ascend by their record keys, `claims` are as the spec's items want their values."""

    client_id: str
    height: Height
    shown: bytes
    nodes: tuple[bytes, ...]
    places: tuple[Place, ...]
    claims: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PreparedObservations:
    """`writes` says for each place whether its record would be written, as the newest state stands."""

    transaction: PreparedTransaction
    writes: tuple[bool, ...]


class ObservedChain(Protocol):
    """A chain whose state is observed."""

    async def read_places(self, places: Sequence[Place], height: Height) -> PlaceValues:
        """What the state holds at `places`, which ascend by their record keys, under the consensus state at `height`.

        Everything is verified under the root that the chain's adapter has for that block.

        Raises:
            NotSupported: a place that a chain of this kind does not have, or a value that no record can hold.
            PredicateFailed: `account_has_code`: a slot of an account without code.
            HeightUnavailable, EndpointUnavailable: no endpoint keeps that state, or gave proofs that verify.
        """

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """What leads from a client's consensus state at `height` to the chain's state root; empty where nothing is needed.

        Args:
            client_state: encoded, of the client that will judge.
            trusted: a lower height at which the client has a state; `bft-evm` clients need one.

        Raises:
            HeightUnavailable: `trusted` is missing or too far below, or attestors do not sign that height.
            EndpointUnavailable: no endpoint gave what is needed.
        """


class ObservingHub(Protocol):
    """A hub that keeps observations and other records."""

    async def unproven_values(self, keys: Sequence[bytes]) -> tuple[bytes | None, ...]:
        """What stands under keys of the state after the newest block, by a node's word alone; None where nothing does.

        Raises:
            EndpointUnavailable, HeightUnavailable: no endpoint answers.
        """

    @property
    def observations_address(self) -> str:
        """The account that `observe` is called on, as `PreparedTransaction.to` has it."""

    async def observations(self, keys: Sequence[bytes]) -> tuple[Observation | None, ...]:
        """What stands under keys of observations, on the node's newest state; None where nothing does.

        Raises:
            RefusedByChain: the hub is of rules before version 4.
            BadAnswer: not an observation of that key.
            EndpointUnavailable: no endpoint answers.
        """

    async def epoch(self, client_id: str) -> ClientEpoch | None:
        """The client's epoch without its generation (0 here); None where the client was never observed.

        Raises:
            As `observations`.
        """

    async def may_open(self, account: str) -> int | None:
        """How many more keys the account may open; None where everybody opens as many as there is room for.

        Raises:
            As `observations`.
        """

    async def prepare_observations(self, call: ObserveCall, sender: str) -> PreparedObservations:
        """Simulate, bound and price the call. Nothing is signed or sent.

        Raises:
            RefusedByChain: it would revert.
            BatchTooLarge: more bytes or gas than a transaction may have.
        """

    async def prepare_observations_after_update(self, call: ObserveCall, sender: str) -> PreparedTransaction:
        """Bound and price a call that stands on an update which is in no block yet, so that no node can simulate it.

        Its gas is bounded for keys that are open. What the hub would refuse is for the caller to have judged.

        Raises:
            BatchTooLarge: more bytes or gas than a transaction may have.
            EndpointUnavailable: no endpoint says the price of gas.
        """

    async def written_in(self, transaction_hash: bytes) -> frozenset[bytes]:
        """Keccak-256 of the keys that a mined transaction wrote; empty where it is not known.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
