"""One look at issuers: what a hub's records say of them, and what a cache keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.evm.cache_calls import CacheCalls, CachedList
from hutong.adapters.interface import ChainAdapter
from hutong.adapters.rpc import each_of
from hutong.relay.core.observing.issuers import (
    IssuerState,
    PushedIssuer,
    Records,
    list_keys,
    queries_of,
    state_of,
    unopened_of,
)
from hutong.relay.core.observing.looking import observing_hub


@dataclass(frozen=True, slots=True)
class IssuersOnHub:
    """What the hub's newest state says of all, and which lists of whom are not opened."""

    states: tuple[IssuerState, ...]
    unopened: tuple[tuple[str, tuple[int, ...]], ...]


async def look_at_issuers(
    hub: ChainAdapter, pushed: Sequence[PushedIssuer], time_s: int, keys: Sequence[bytes] = ()
) -> IssuersOnHub:
    """Read the hub's newest state, by its node's word alone.

    Args:
        time_s: of the hub's newest header, Unix seconds.
        keys: of records that were needed last, which are read at once; others are read as the walk comes to them.

    Raises:
        AdapterError: the hub does not answer.
        MalformedInput: a value that is not a record.
    """
    records: dict[bytes, bytes | None] = {}
    missing: Sequence[bytes] = keys or [key for one in pushed for key in list_keys(one)]
    states: list[IssuerState] = []
    while missing:
        values = await observing_hub(hub).unproven_values(missing)
        records |= zip(missing, values, strict=True)
        states, missing = _states_of(pushed, records, time_s)
    unopened = tuple((one.name, numbers) for one in pushed if (numbers := unopened_of(one, records)))
    return IssuersOnHub(tuple(states), unopened)


def keys_of(pushed: Sequence[PushedIssuer], seen: IssuersOnHub) -> tuple[bytes, ...]:
    """Of all records that a look needed."""
    lists = [key for one in pushed for key in list_keys(one)]
    return tuple(dict.fromkeys([*lists, *(key for state in seen.states for key in state.needed)]))


async def kept_of(calls: CacheCalls, states: Sequence[IssuerState]) -> list[list[CachedList | None]]:
    """What a cache keeps of the lists of each state, in the order of its roots.

    Raises:
        AdapterError: no cache is there, or its chain does not answer.
    """
    places = [(state.query.issuer, number) for state in states for number, _ in state.said.roots]
    answers = await each_of(lambda place: calls.kept(*place), places)
    kept = dict(zip(places, answers, strict=True))
    return [[kept[state.query.issuer, number] for number, _ in state.said.roots] for state in states]


def _states_of(
    pushed: Sequence[PushedIssuer], records: Records, time_s: int
) -> tuple[list[IssuerState], tuple[bytes, ...]]:
    """What is said of each part, and the keys of records that are needed for the others."""
    states: list[IssuerState] = []
    missing: dict[bytes, None] = {}
    for one in pushed:
        if any(key not in records for key in list_keys(one)):
            missing |= dict.fromkeys(list_keys(one))
            continue
        for query in queries_of(one, records):
            state = state_of(one, query, records, time_s)
            if isinstance(state, IssuerState):
                states.append(state)
            else:
                missing[state] = None
    return states, tuple(missing)
