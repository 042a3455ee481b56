"""Rules between fields: duplicates, unknown names, swapped ends (attack list G13)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from relay.config.errors import Problem
from relay.config.model import Config, EvmChainConfig, PathConfig, PathEnd, is_solidity_client


def consistency_problems(config: Config) -> Iterator[Problem]:
    """Every contradiction inside a well-formed configuration."""
    yield from _duplicate_chains(config)
    yield from _duplicate_keys(config)
    yield from _path_problems(config)


def _duplicate_chains(config: Config) -> Iterator[Problem]:
    names: dict[str, int] = {}
    ids: dict[tuple[str, str | int], int] = {}
    for index, chain in enumerate(config.chains):
        first = names.setdefault(chain.name, index)
        if first != index:
            yield Problem(
                f"chains.{index}.name", f"{chain.name!r} is also chains.{first}", "give each chain its own name"
            )
        first = ids.setdefault((chain.kind, chain.chain_id), index)
        if first != index:
            yield Problem(
                f"chains.{index}.chain_id",
                f"{chain.chain_id!r} is also chains.{first}",
                "name each chain once; several endpoints go into its rpc list",
            )


def _duplicate_keys(config: Config) -> Iterator[Problem]:
    for index, chain in enumerate(config.chains):
        keystores: dict[Path, int] = {}
        for number, key in enumerate(chain.keys):
            first = keystores.setdefault(key.keystore, number)
            if first != number:
                yield Problem(
                    f"chains.{index}.keys.{number}.keystore",
                    f"is also keys.{first}",
                    "give each account its own key: two with one key would take each other's nonces",
                )


def _path_problems(config: Config) -> Iterator[Problem]:
    kinds = {chain.name: chain.kind for chain in config.chains}
    consensus = {chain.name: chain.consensus for chain in config.chains if isinstance(chain, EvmChainConfig)}
    ends: dict[PathEnd, str] = {}
    for index, path in enumerate(config.paths):
        if path.a.chain == path.b.chain:
            yield Problem(f"paths.{index}.b.chain", "both ends are on the same chain", "name the other chain")
        yield from _trust_problems(index, path, consensus)
        for side, end in (("a", path.a), ("b", path.b)):
            field = f"paths.{index}.{side}"
            kind = kinds.get(end.chain)
            if kind is None:
                known = ", ".join(sorted(kinds))
                yield Problem(f"{field}.chain", f"no chain is named {end.chain!r}", f"use one of: {known}")
                continue
            first = ends.setdefault(end, field)
            if first != field:
                yield Problem(
                    field, f"{end.chain}:{end.client} is also {first}", "a client belongs to one path: remove one"
                )
            if is_solidity_client(end.client) != (kind == "evm"):
                expected = "client-N" if kind == "evm" else "type-N such as bft-evm-0"
                yield Problem(
                    f"{field}.client",
                    f"{end.client!r} cannot be a client on {end.chain}, of kind {kind}",
                    f"its clients are named {expected}; are the ends of the path swapped?",
                )


def _trust_problems(index: int, path: PathConfig, consensus: Mapping[str, str]) -> Iterator[Problem]:
    """The hub's client is of the type that the other chain's consensus needs."""
    for side, end, other in (("a", path.a, path.b), ("b", path.b, path.a)):
        followed = consensus.get(other.chain)
        expected = {"qbft": "bft-evm", "attested": "attestation"}.get(followed or "")
        if expected is None or is_solidity_client(end.client) or end.chain in consensus:
            continue
        if not end.client.startswith(f"{expected}-"):
            yield Problem(
                f"paths.{index}.{side}.client",
                f"{end.client!r} cannot follow {other.chain}, whose consensus is {followed}",
                f"the hub's client of it is named {expected}-N",
            )
