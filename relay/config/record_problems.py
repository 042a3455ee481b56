"""Rules between fields of what is kept fresh on hubs and brought from there: `[[observations]]` and `[[issuers]]`."""

from collections.abc import Iterator

from hutong.relay.config.chains import HubChainConfig
from hutong.relay.config.errors import Problem
from hutong.relay.config.model import Config
from hutong.relay.config.records.issuers import IssuerConfig, name_in_dids
from hutong.relay.config.records.observations import ObservationConfig


def record_problems(config: Config) -> Iterator[Problem]:
    """Contradictions of observations and issuers with the rest of the configuration."""
    yield from _observation_problems(config)
    yield from _issuer_problems(config)


def _observation_problems(config: Config) -> Iterator[Problem]:
    kinds = {chain.name: chain.kind for chain in config.chains}
    names: dict[str, int] = {}
    for index, one in enumerate(config.observations):
        field = f"observations.{index}"
        first = names.setdefault(one.name, index)
        if first != index:
            yield Problem(f"{field}.name", f"is also observations.{first}", "give each its own name")
        kind = kinds.get(one.chain)
        if kind is None:
            known = ", ".join(sorted(kinds))
            yield Problem(f"{field}.chain", f"no chain is named {one.chain!r}", f"use one of: {known}")
            continue
        if one.is_evm != (kind == "evm"):
            asked, has = (
                ("a slot or account", "keys of stores") if one.is_evm else ("a key of a store", "slots and accounts")
            )
            yield Problem(f"{field}", f"names {asked}, and {one.chain}, of kind {kind}, has {has}", "name what it has")
            continue
        if not one.is_evm and (one.store is None) != (kind == "hub"):
            yield Problem(
                f"{field}.store",
                "is set, and a hub has one store" if kind == "hub" else "is missing, and a Cosmos chain has several",
                "take it out" if kind == "hub" else "name the module's store, such as bank",
            )
        yield from _observed_over_problems(field, config, one)


def _observed_over_problems(field: str, config: Config, one: ObservationConfig) -> Iterator[Problem]:
    ends = config.observed_over(one)
    if len(ends) == 1:
        yield from _push_problems(field, config, one, ends[0].chain)
        return
    if not ends and one.over is not None:
        yield Problem(
            f"{field}.over",
            f"{one.over.chain}:{one.over.client} is no end, on a hub, of a path with {one.chain}",
            "name the hub's end of one of the [[paths]], or take it out where there is one",
        )
    elif not ends:
        yield Problem(
            f"{field}.chain",
            f"no path leads from {one.chain} to a hub, so no hub's client shows its state",
            "add their path to [[paths]]",
        )
    else:
        listed = ", ".join(f"{end.chain}:{end.client}" for end in ends)
        yield Problem(
            f"{field}.over", f"is missing, and {len(ends)} clients follow {one.chain}", f"use one of: {listed}"
        )


def _push_problems(field: str, config: Config, one: ObservationConfig, hub: str) -> Iterator[Problem]:
    readers: set[tuple[str, str]] = set()
    for number, push in enumerate(one.push_to):
        place = f"{field}.push_to.{number}"
        yield from _destination_problems(f"{place}.chain", config, hub, push.chain)
        reader = (push.chain, push.reader.lower())
        if reader in readers:
            yield Problem(place, "names a reader twice", "take one of them out")
        readers.add(reader)


def _destination_problems(field: str, config: Config, hub: str, chain: str) -> Iterator[Problem]:
    """What is pushed goes to an EVM chain over the one client there that follows the hub."""
    kinds = {one.name: one.kind for one in config.chains}
    if kinds.get(chain) != "evm":
        evm = ", ".join(sorted(name for name, kind in kinds.items() if kind == "evm"))
        yield Problem(field, f"no EVM chain is named {chain!r}", f"use one of: {evm}")
    elif len(ends := config.pushed_over(hub, chain)) != 1:
        yield Problem(
            field,
            f"{len(ends)} paths lead from {hub} to {chain}",
            "add their path to [[paths]]" if not ends else "not supported: leave one of them to another relay",
        )


def _issuer_problems(config: Config) -> Iterator[Problem]:
    names: dict[str, int] = {}
    places: dict[tuple[str, str, str, int], int] = {}
    for index, one in enumerate(config.issuers):
        field = f"issuers.{index}"
        first = names.setdefault(one.name, index)
        if first != index:
            yield Problem(f"{field}.name", f"is also issuers.{first}", "give each its own name")
        hub = config.hub_of(one)
        if hub is None:
            hubs = sorted(name_in_dids(chain.chain_id) for chain in config.chains if isinstance(chain, HubChainConfig))
            yield Problem(
                f"{field}.issuer",
                f"is a DID of the hub {one.hub_name!r}, which {'is not' if one.hub_name not in hubs else 'several are'}"
                " in [[chains]]",
                f"use a DID of one of: {', '.join(hubs) or 'none is configured'}",
            )
            continue
        yield from _cache_problems(field, config, one, hub)
        for push in one.push_to:
            for number in one.lists:
                first = places.setdefault((push.chain, push.cache.lower(), one.issuer, number), index)
                if first != index:
                    yield Problem(
                        f"{field}.lists", f"{number} of this issuer is also brought by issuers.{first}", "take it out"
                    )


def _cache_problems(field: str, config: Config, one: IssuerConfig, hub: str) -> Iterator[Problem]:
    chains: set[str] = set()
    for number, push in enumerate(one.push_to):
        place = f"{field}.push_to.{number}"
        yield from _destination_problems(f"{place}.chain", config, hub, push.chain)
        if push.chain in chains:
            yield Problem(f"{place}.chain", "names a chain twice", "name one cache for each chain: anybody may use it")
        chains.add(push.chain)
