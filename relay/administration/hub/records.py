"""What a hub says of itself for its operators: quotas, double votes, stuck packets, whose code may run, observations."""

from random import Random
from typing import Any

from hutong.adapters.hub.admin import Quota, quota
from hutong.adapters.hub.code import NamedCode, named_code
from hutong.adapters.hub.evidence import DoubleVote, double_votes
from hutong.adapters.hub.observations import (
    ObservationWriters,
    Observed,
    ObservedPlaces,
    observation_writers,
    observed_places,
)
from hutong.adapters.hub.stuck import StuckPackets, stuck_packets
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.config import HubChainConfig


async def read_quota(hub: HubChainConfig, client: str, random: Random) -> Quota:
    """Both limits of a client of the hub, and what is in flight over it.

    Raises:
        AdapterError: the hub does not answer, or has no such client.
    """
    async with open_hub(hub, random) as chain:
        return await quota(chain.execution, client)


async def read_double_votes(hub: HubChainConfig, random: Random) -> tuple[DoubleVote, ...]:
    """Validators that signed two votes at one height.

    Raises:
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        return await double_votes(chain.execution)


async def read_stuck_packets(hub: HubChainConfig, client: str | None, random: Random) -> StuckPackets:
    """Packets that wait because a client of the hub is frozen or expired.

    Args:
        client: only over this one; None: over each.

    Raises:
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        return await stuck_packets(chain.execution, client)


async def read_named_code(hub: HubChainConfig, random: Random) -> NamedCode:
    """Who may create and call contracts on the hub.

    Raises:
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        return await named_code(chain.execution)


async def read_observations(hub: HubChainConfig, random: Random) -> tuple[ObservationWriters, ObservedPlaces]:
    """Who opens keys of observations on the hub, and what it observes of other chains' state.

    Raises:
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        return await observation_writers(chain.execution), await observed_places(chain.execution)


def double_vote_row(one: DoubleVote) -> dict[str, Any]:
    """A validator's two votes by the names that `--json` prints."""
    return {
        "validator": one.validator.hex().upper(),
        "height": one.height,
        "power": one.power,
        "total_power": one.total_power,
        "recorded_at": one.recorded_at,
    }


def named_code_fields(found: NamedCode) -> dict[str, Any]:
    """Who may create and call contracts, by the names that `--json` prints."""
    return {
        "open": found.is_open,
        "deployers": [f"0x{one.hex()}" for one in found.deployers],
        "contracts": {f"0x{one.hex()}": None if by is None else f"0x{by.hex()}" for one, by in found.contracts.items()},
    }


def observed_fields(writers: ObservationWriters, places: ObservedPlaces) -> dict[str, Any]:
    """Who opens keys and what is observed, by the names that `--json` prints."""
    named = [{"address": f"0x{one.address.hex()}", "limit": one.limit, "keys": one.keys} for one in writers.writers]
    return {
        "open": writers.is_open,
        "writers": named,
        "observations": [observed_row(one) for one in places.observed],
    }


def observed_row(one: Observed) -> dict[str, Any]:
    """An observation by the names that `--json` prints."""
    value, trust = one.observation.value, one.observation.trust
    return {
        "key": f"0x{one.key.to_bytes().hex()}",
        "client": one.key.client_id,
        "kind": one.key.kind.family,
        "place": f"0x{one.key.tail.hex()}",
        "value": None if value is None else f"0x{value.hex()}",
        "trust": trust.kind.name.lower(),
        "threshold": trust.threshold,
        "attestors": trust.attestors,
        "epoch": one.observation.epoch,
        "is_current": one.is_current,
        "height": str(one.observation.height),
        "source_time_ns": one.observation.source_time_ns,
    }
