"""From what a caller shows to what a chain's state held at some places, judged by the chain's light client."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hutong.light_clients.interface import (
    VERIFY,
    Height,
    MalformedInput,
    PredicateFailed,
    StateProver,
    UnsupportedOperation,
    nothing_shown,
)
from hutong.light_clients.records import (
    MAX_STORE_VALUE_BYTES,
    PROVEN,
    FieldPlace,
    ObservationKey,
    Place,
    SlotPlace,
    SourceTrust,
    StorePlace,
    TrustKind,
    decode_place,
    judge_evm_places,
)
from hutong.light_clients.records.places import TYPES_WITH_KEYS
from hutong.relay.hub.application.clients import KnownBlock

MAX_ITEMS = 64


@dataclass(frozen=True, slots=True)
class Item:
    """A place with its record key, and the value that the caller claims, where the proof needs one."""

    key: bytes
    place: Place
    claimed: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What a caller shows of one block: what leads to the state root, trie nodes or proofs, and the places."""

    height: Height
    shown: bytes
    nodes: tuple[bytes, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """The values in the order of the items, None for nothing; and who stands for them."""

    values: tuple[bytes | None, ...]
    trust: SourceTrust


def decode_items(client_id: str, items: Sequence[tuple[int, bytes, bytes]]) -> tuple[Item, ...]:
    """1 to `MAX_ITEMS` places in ascending order of their record keys.

    Raises:
        MalformedInput: none or too many, an unknown kind, a name of another form, or out of order.
    """
    if not 1 <= len(items) <= MAX_ITEMS:
        raise MalformedInput("items", f"must be 1 to {MAX_ITEMS}", got=len(items))
    decoded = []
    for kind, name, claimed in items:
        place = decode_place(kind, name)
        decoded.append(Item(ObservationKey.of(client_id, place).to_bytes(), place, claimed))
    if any(first.key >= second.key for first, second in pairwise(decoded)):
        raise MalformedInput("items", "must ascend by record key, none twice")
    return tuple(decoded)


def prove(block: KnownBlock, client_type: str, shown: Shown) -> Proven:
    """What the state of a believed block held at the places.

    Raises:
        UnsupportedOperation: not of clients of this type, or absence, where they prove presence alone.
        VerificationError: the first rule that does not hold.
    """
    if isinstance(block.light_client, StateProver):
        return _prove_evm(block, block.light_client, shown)
    if client_type in TYPES_WITH_KEYS:
        return _prove_store(block, shown)
    raise UnsupportedOperation(f"observations over clients of type {client_type}")


def _prove_evm(block: KnownBlock, prover: StateProver, shown: Shown) -> Proven:
    places: list[SlotPlace | FieldPlace] = []
    for index, item in enumerate(shown.items):
        if isinstance(item.place, StorePlace):
            raise PredicateFailed("place_of_client", "an EVM chain has slots and accounts", got=item.place.kind)
        if item.claimed:
            raise MalformedInput(f"items[{index}].value", "is empty: the proof says it", got=item.claimed)
        places.append(item.place)
    root = prover.judge_state_root(
        VERIFY, block.client_state, block.consensus_states, shown.height, shown.shown, block.now_ns
    )
    values = judge_evm_places(VERIFY, root.state_root, shown.nodes, places)
    trust = SourceTrust(TrustKind.ATTESTED, root.threshold, root.attestors) if root.threshold else PROVEN
    return Proven(values, trust)


def _prove_store(block: KnownBlock, shown: Shown) -> Proven:
    VERIFY(nothing_shown, shown.shown)
    if len(shown.nodes) != len(shown.items):
        raise MalformedInput("nodes", "one proof an item", got=len(shown.nodes), expected=len(shown.items))
    values: list[bytes | None] = []
    for index, (item, proof) in enumerate(zip(shown.items, shown.nodes, strict=True)):
        if not isinstance(item.place, StorePlace):
            raise PredicateFailed("place_of_client", "a Cosmos chain has store keys", got=item.place.kind)
        if len(item.claimed) > MAX_STORE_VALUE_BYTES:
            raise MalformedInput(
                f"items[{index}].value", f"more than {MAX_STORE_VALUE_BYTES} bytes", got=len(item.claimed)
            )
        value = item.claimed or None
        block.light_client.judge_membership(
            VERIFY, block.client_state, block.consensus_state, proof, item.place.path, value
        )
        values.append(value)
    return Proven(tuple(values), PROVEN)
