"""Chains, hubs and clients as a configuration names them."""

from hutong.relay.administration.errors import Unusable
from hutong.relay.config import (
    AnyChainConfig,
    Config,
    CosmosChainConfig,
    EvmChainConfig,
    HubChainConfig,
    PathEnd,
)
from hutong.relay.config.logs import LogConfig


def evm_chain_of(config: Config, name: str) -> EvmChainConfig:
    """The EVM chain of that name; a hub is not an EVM chain here.

    Raises:
        Unusable: no chain has the name, or it is of another kind.
    """
    chain = chain_of(config, name)
    if not isinstance(chain, EvmChainConfig):
        raise Unusable(f"chain {name} is of kind {chain.kind}; an EVM chain is needed here")
    return chain


def chain_of(config: Config, name: str) -> AnyChainConfig:
    """The chain of that name, of any kind.

    Raises:
        Unusable: no chain has the name.
    """
    try:
        return config.chain(name)
    except KeyError:
        known = ", ".join(chain.name for chain in config.chains)
        raise Unusable(f"no chain is called {name}; the configuration has {known}") from None


def log_of(config: Config, name: str) -> LogConfig:
    """The signed log of that name.

    Raises:
        Unusable: no log has the name.
    """
    log = config.log(name)
    if log is None:
        known = ", ".join(one.name for one in config.logs) or "none"
        raise Unusable(f"no log is called {name}; the configuration has {known}")
    return log


def member_chain_of(config: Config, name: str) -> EvmChainConfig | CosmosChainConfig:
    """A chain that joins a hub, by its name.

    Raises:
        Unusable: no chain has the name, or it is a hub.
    """
    chain = chain_of(config, name)
    if isinstance(chain, HubChainConfig):
        raise Unusable(f"chain {name} is a hub; an EVM or Cosmos chain is needed here")
    return chain


def hub_of(config: Config, name: str | None) -> HubChainConfig:
    """The hub of that name, or the only one.

    Raises:
        Unusable: no hub has the name, or without a name there is not exactly one.
    """
    if name is None:
        hubs = [chain for chain in config.chains if isinstance(chain, HubChainConfig)]
        if len(hubs) != 1:
            raise Unusable(f"the configuration has {len(hubs)} hubs; name one with --hub")
        return hubs[0]
    chain = chain_of(config, name)
    if not isinstance(chain, HubChainConfig):
        raise Unusable(f"chain {name} is not a hub")
    return chain


def client_end_of(config: Config, chain: str, client: str, option: str = "--client") -> PathEnd:
    """A client on a configured chain; whether it exists there is not asked.

    Args:
        option: names the identifier in a refusal.

    Raises:
        Unusable: the chain is unknown or the identifier is not one.
    """
    name = chain_of(config, chain).name
    try:
        return PathEnd(chain=name, client=client)
    except ValueError:
        raise Unusable(f"{option}: {client[:80]!r} is not a client identifier, which looks like name-number") from None


def followed_of(config: Config, end: PathEnd) -> PathEnd:
    """The other end of a client's path: whom it follows.

    Raises:
        Unusable: it is an end of no configured path.
    """
    for path in config.paths:
        if end == path.a:
            return path.b
        if end == path.b:
            return path.a
    raise Unusable(f"{end.chain} {end.client} is not an end of a configured path")


def only_client_of(config: Config, chain: str) -> str:
    """The chain's client of its only path.

    Raises:
        Unusable: it has none or several.
    """
    clients = [end.client for path in config.paths for end in (path.a, path.b) if end.chain == chain]
    if len(clients) != 1:
        raise Unusable(f"{chain} has {len(clients)} paths in the configuration; name its client with --client")
    return clients[0]


def attested_pair_of(config: Config, a: str, b: str) -> tuple[EvmChainConfig, EvmChainConfig]:
    """Two attested EVM chains, which can hold clients of each other without a hub.

    Raises:
        Unusable: no chain has a name, both are one, or one is not attested or of another kind.
    """
    for name in (a, b):
        if isinstance(chain_of(config, name), CosmosChainConfig):
            raise Unusable(
                f"not supported: a path without a hub to {name}, of kind cosmos: its clients verify no EVM chain"
            )
    ends = evm_chain_of(config, a), evm_chain_of(config, b)
    if a == b:
        raise Unusable("a path joins two chains")
    for end in ends:
        if end.consensus != "attested":
            raise Unusable(
                f"not supported: a path without a hub to {end.name}, whose consensus is {end.consensus}:"
                " EVM chains hold no light client of it"
            )
    return ends
