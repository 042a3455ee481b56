"""Rules between fields: duplicates, unknown names, swapped ends (attack list G13)."""

from collections.abc import Hashable, Iterator, Mapping

from hutong.relay.config.chains import CosmosChainConfig, EvmChainConfig, HubChainConfig
from hutong.relay.config.endpoints import access_problems
from hutong.relay.config.errors import Problem
from hutong.relay.config.model import Config, PathConfig, is_solidity_client
from hutong.relay.config.path_end import PathEnd
from hutong.relay.config.record_problems import record_problems

_TENDERMINT = "07-tendermint"
_SHAPES = {"evm": "client-N", "hub": "type-N such as bft-evm-0", "cosmos": f"{_TENDERMINT}-N"}


def consistency_problems(config: Config) -> Iterator[Problem]:
    """Every contradiction inside a well-formed configuration. Nothing outside of it is asked: no file and no chain."""
    yield from _duplicate_chains(config)
    yield from _duplicate_keys(config)
    for index, chain in enumerate(config.chains):
        yield from access_problems(f"chains.{index}", chain.all_urls, chain.access)
    for index, log in enumerate(config.logs):
        yield from access_problems(f"logs.{index}", log.url, log.access)
    yield from _duplicate_logs(config)
    yield from _kept_log_problems(config)
    yield from _path_problems(config)
    yield from _anchor_problems(config)
    yield from record_problems(config)


def _duplicate_chains(config: Config) -> Iterator[Problem]:
    names: dict[str, int] = {}
    ids: dict[str, int] = {}
    for index, chain in enumerate(config.chains):
        first = names.setdefault(chain.name, index)
        if first != index:
            yield Problem(
                f"chains.{index}.name", f"{chain.name!r} is also chains.{first}", "give each chain its own name"
            )
        # As text and over all kinds: bundles and checkpoints name a chain by nothing else.
        first = ids.setdefault(str(chain.chain_id), index)
        if first != index:
            yield Problem(
                f"chains.{index}.chain_id",
                f"{chain.chain_id!r} is also chains.{first}",
                "name each chain once; several endpoints go into its rpc list",
            )


def _duplicate_logs(config: Config) -> Iterator[Problem]:
    names = {chain.name: f"chains.{index}" for index, chain in enumerate(config.chains)}
    origins: dict[str, int] = {}
    for index, log in enumerate(config.logs):
        first = names.setdefault(log.name, f"logs.{index}")
        if first != f"logs.{index}":
            yield Problem(f"logs.{index}.name", f"{log.name!r} is also {first}", "give each log its own name")
        other = origins.setdefault(log.origin, index)
        if other != index:
            yield Problem(
                f"logs.{index}.origin",
                f"{log.origin!r} is also logs.{other}",
                "name each log once; several endpoints go into its url list",
            )


def _kept_log_problems(config: Config) -> Iterator[Problem]:
    hubs = sorted(chain.name for chain in config.chains if isinstance(chain, HubChainConfig))
    for index, log in enumerate(config.logs):
        for number, end in enumerate(log.kept_on):
            if end.chain not in hubs:
                yield Problem(
                    f"logs.{index}.kept_on.{number}.chain",
                    f"{end.chain!r} is no hub of this configuration",
                    f"use one of: {', '.join(hubs) or 'none is configured'}",
                )


def _duplicate_keys(config: Config) -> Iterator[Problem]:
    for index, chain in enumerate(config.chains):
        known: dict[Hashable, int] = {}
        for number, key in enumerate(chain.keys):
            first = known.setdefault(key.same_key, number)
            if first != number:
                yield Problem(
                    f"chains.{index}.keys.{number}.{key.named_by}",
                    f"is also keys.{first}",
                    "give each account its own key: two with one key would take each other's nonces",
                )


def _anchor_problems(config: Config) -> Iterator[Problem]:
    anchor = None if config.archive is None else config.archive.anchor
    if anchor is None:
        return
    hubs = {chain.name: chain for chain in config.chains if isinstance(chain, HubChainConfig)}
    if anchor.hub is None and len(hubs) != 1:
        yield Problem("archive.anchor.hub", f"the configuration has {len(hubs)} hubs", "name the one with the contract")
    elif anchor.hub is not None and anchor.hub not in hubs:
        yield Problem("archive.anchor.hub", f"no hub is named {anchor.hub!r}", f"use one of: {', '.join(sorted(hubs))}")
    if any(key.same_key == anchor.key.same_key for hub in hubs.values() for key in hub.all_keys):
        yield Problem(
            f"archive.anchor.key.{anchor.key.named_by}",
            "is a key that the relay submits with",
            "give the anchor its own key: two users of one key would take each other's nonces",
        )


def _followed_by(chain: EvmChainConfig | CosmosChainConfig) -> tuple[str, str]:
    """(type of the clients that follow it, its consensus)."""
    if isinstance(chain, CosmosChainConfig):
        return _TENDERMINT, "CometBFT"
    return chain.client_type, chain.consensus


def _path_problems(config: Config) -> Iterator[Problem]:
    kinds = {chain.name: chain.kind for chain in config.chains}
    followed_by = {chain.name: _followed_by(chain) for chain in config.chains if not isinstance(chain, HubChainConfig)}
    ends: dict[PathEnd, str] = {}
    for index, path in enumerate(config.paths):
        if path.a.chain == path.b.chain:
            yield Problem(f"paths.{index}.b.chain", "both ends are on the same chain", "name the other chain")
        yield from _pair_problem(index, path, kinds)
        yield from _trust_problems(index, path, followed_by)
        for side, end in (("a", path.a), ("b", path.b)):
            field = f"paths.{index}.{side}"
            kind = kinds.get(end.chain)
            if kind is None and config.log(end.chain) is not None:
                yield Problem(
                    f"{field}.chain",
                    f"{end.chain!r} is a signed log: nothing can be sent to it, since nothing proves absence there",
                    "leave the path out; clients of a log are made and updated by hutong client",
                )
                continue
            if kind is None:
                known = ", ".join(sorted(kinds))
                yield Problem(f"{field}.chain", f"no chain is named {end.chain!r}", f"use one of: {known}")
                continue
            first = ends.setdefault(end, field)
            if first != field:
                yield Problem(
                    field, f"{end.chain}:{end.client} is also {first}", "a client belongs to one path: remove one"
                )
            if not _may_be_on(kind, end.client):
                yield Problem(
                    f"{field}.client",
                    f"{end.client!r} cannot be a client on {end.chain}, of kind {kind}",
                    f"its clients are named {_SHAPES[kind]}; are the ends of the path swapped?",
                )


def _may_be_on(kind: str, client_id: str) -> bool:
    """Of what chains of that kind name their clients; stock chains hold clients of CometBFT chains alone."""
    if kind == "cosmos":
        return _is_tendermint(client_id)
    return is_solidity_client(client_id) == (kind == "evm")


def _is_tendermint(client_id: str) -> bool:
    return client_id.startswith(f"{_TENDERMINT}-") and client_id[len(_TENDERMINT) + 1 :].isdecimal()


def _pair_problem(index: int, path: PathConfig, kinds: Mapping[str, str]) -> Iterator[Problem]:
    """A stock chain verifies no EVM chain; two of them are neither made nor tried by us."""
    pair = {kinds.get(path.a.chain), kinds.get(path.b.chain)}
    if path.a.chain != path.b.chain and pair in ({"cosmos", "evm"}, {"cosmos"}):
        yield Problem(
            f"paths.{index}",
            f"not supported: a path of {path.a.chain} and {path.b.chain} without a hub",
            "give each of them a path to the hub, and send over it",
        )


def _trust_problems(index: int, path: PathConfig, followed_by: Mapping[str, tuple[str, str]]) -> Iterator[Problem]:
    """The hub's client is of the type that the other chain's consensus needs."""
    for side, end, other in (("a", path.a, path.b), ("b", path.b, path.a)):
        expected, consensus = followed_by.get(other.chain, ("", ""))
        if not expected or is_solidity_client(end.client) or end.chain in followed_by:
            continue
        if not end.client.startswith(f"{expected}-"):
            yield Problem(
                f"paths.{index}.{side}.client",
                f"{end.client!r} cannot follow {other.chain}, whose consensus is {consensus}",
                f"the hub's client of it is named {expected}-N",
            )
