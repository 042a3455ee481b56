"""Judging observations with the hub's own rules before paying for them (docs/spec/records.md, "Writing")."""

from collections.abc import Sequence

from hutong.adapters.interface import ObserveCall, PlaceValues
from hutong.light_clients.interface import (
    VERIFY,
    LightClient,
    PredicateFailed,
    StateProver,
    UnsupportedOperation,
    nothing_shown,
)
from hutong.light_clients.records import FieldPlace, SlotPlace, StorePlace, judge_evm_places
from hutong.light_clients.records.places import TYPES_WITH_KEYS
from hutong.relay.core.route.local_verification import VerifiedClient


def verify_observations(
    light_client: LightClient, client: VerifiedClient, call: ObserveCall, values: Sequence[bytes | None], now_ns: int
) -> None:
    """What is shown proves `values` at the call's places under the client's state at its height, to the hub's rules.

    Args:
        values: that the source's adapter read.
        now_ns: by which the hub's next block would judge.

    Raises:
        UnsupportedOperation: not of clients of this type, or absence, where they prove presence alone.
        VerificationError: the first rule that does not hold; `values_are_proven` where another value is shown.
    """
    if isinstance(light_client, StateProver):
        proven = _evm_values(light_client, client, call, now_ns)
    elif light_client.client_type in TYPES_WITH_KEYS:
        proven = _store_values(light_client, client, call)
    else:
        raise UnsupportedOperation(f"observations over clients of type {light_client.client_type}")
    if tuple(values) != proven:
        raise PredicateFailed("values_are_proven", "other values are proven than were read", tuple(values), proven)


def claims_of(read: PlaceValues, places: Sequence[SlotPlace | FieldPlace | StorePlace]) -> tuple[bytes, ...]:
    """What the items of a call claim: the values of store keys, empty for absence; of EVM places the proof says all."""
    return tuple(
        (value or b"") if isinstance(place, StorePlace) else b""
        for place, value in zip(places, read.values, strict=True)
    )


def _evm_values(
    prover: StateProver, client: VerifiedClient, call: ObserveCall, now_ns: int
) -> tuple[bytes | None, ...]:
    places = [place for place in call.places if not isinstance(place, StorePlace)]
    if len(places) != len(call.places):
        raise PredicateFailed("place_of_client", "an EVM chain has slots and accounts")
    root = prover.judge_state_root(VERIFY, client.client_state, client.states, call.height, call.shown, now_ns)
    return judge_evm_places(VERIFY, root.state_root, call.nodes, places)


def _store_values(light_client: LightClient, client: VerifiedClient, call: ObserveCall) -> tuple[bytes | None, ...]:
    VERIFY(nothing_shown, call.shown)
    values: list[bytes | None] = []
    for place, proof, claim in zip(call.places, call.nodes, call.claims, strict=True):
        if not isinstance(place, StorePlace):
            raise PredicateFailed("place_of_client", "a Cosmos chain has store keys", got=place.kind)
        value = claim or None
        light_client.judge_membership(VERIFY, client.client_state, client.consensus_state, proof, place.path, value)
        values.append(value)
    return tuple(values)
