"""The relay's configuration: what a TOML file may say. Unknown keys are refused.

Example:

    [relay]
    home = "state"                       # relative to this file
    # redis_url = "redis://127.0.0.1:6379/0"
    http = "127.0.0.1:9464"              # /metrics, /healthz and /readyz

    [api]
    listen = "127.0.0.1:9480"            # the HTTP API and the explorer

    [[chains]]
    name = "alpha"
    kind = "evm"
    chain_id = 1001
    consensus = "qbft"
    rpc = ["http://127.0.0.1:18545"]
    ws = ["ws://127.0.0.1:18545"]
    router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    key = { keystore = "keys/alpha.json", password_env = "HUTONG_ALPHA_PASSWORD" }

    [[chains]]
    name = "hoodi"
    kind = "evm"
    chain_id = 560048
    consensus = "ethereum"
    network = "hoodi"                    # mainnet, or a file of a devnet's answers {spec, genesis}
    beacon = ["http://127.0.0.1:5052"]   # Beacon API with its light client half
    rpc = ["http://127.0.0.1:8551"]      # eth_getProof of a day ago
    router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    key = { keystore = "keys/hoodi.json", password_env = "HUTONG_HOODI_PASSWORD" }

    [[chains]]
    name = "hub"
    kind = "hub"
    chain_id = "hutong-1"
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]
    keys = [                             # or several accounts, side by side
        { keystore = "keys/hub-1.json", password_file = "keys/hub.password" },
        { keystore = "keys/hub-2.json", password_file = "keys/hub.password" },
    ]

    [[chains]]
    name = "simd"
    kind = "cosmos"
    chain_id = "simd-1"
    rpc = ["http://127.0.0.1:26757"]     # CometBFT RPC
    bech32_prefix = "cosmos"
    gas_price = "0.025stake"
    max_fee = 5_000_000                  # stake, for one transaction
    key = { keystore = "keys/simd.json", password_env = "HUTONG_SIMD_PASSWORD" }

    [[paths]]
    a = { chain = "alpha", client = "client-0" }
    b = { chain = "hub", client = "bft-evm-0" }

    [[paths]]
    a = { chain = "simd", client = "07-tendermint-0" }
    b = { chain = "hub", client = "07-tendermint-0" }
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from hutong.relay.config.api import ApiConfig
from hutong.relay.config.chains import AnyChainConfig, ChainConfig
from hutong.relay.config.fields import (
    MAX_URL_CHARS,
    Address,
    EnvironmentName,
    FilePath,
    ListenAddress,
    Model,
    Name,
    resolve_path,
    url_of,
)
from hutong.relay.config.keys import AnyKeyConfig
from hutong.relay.config.logs import LogConfig
from hutong.relay.config.path_end import PathEnd
from hutong.relay.config.records.issuers import IssuerConfig, name_in_dids
from hutong.relay.config.records.observations import ObservationConfig
from hutong.relay.config.retries import RetriesConfig
from hutong.relay.config.turns import TurnsConfig

MAX_CHAINS = 64
MAX_PATHS = 256
MAX_OBSERVATIONS = 1_024
MAX_ISSUERS = 1_024

_SOLIDITY_CLIENT = re.compile(r"client-[0-9]{1,20}")


def _check_ledger_url(url: str) -> str:
    if len(url) > MAX_URL_CHARS:
        raise ValueError(f"is longer than {MAX_URL_CHARS} characters")
    parts = urlsplit(url)
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise ValueError("must look like postgresql://user@host:5432/database")
    if parts.password or "password" in parts.query.lower():
        raise ValueError("must not hold a password: name its variable in ledger_password_env")
    return url


def _place(value: Any) -> Any:
    if isinstance(value, str) and "://" in value:
        if len(value) > MAX_URL_CHARS or not value.startswith("s3://"):
            raise ValueError("must be a folder or s3://bucket/prefix")
        return value
    return resolve_path(value)


class PathConfig(Model):
    """Two clients that are each other's counterparty; packets are relayed both ways."""

    a: PathEnd
    b: PathEnd
    retries: RetriesConfig | None = None
    """In place of the file's `[retries]`, for this path."""

    @property
    def name(self) -> str:
        """`chain:client~chain:client`, end `a` first, for people."""
        return f"{self.a.chain}:{self.a.client}~{self.b.chain}:{self.b.client}"


class RelayConfig(Model):
    """The process itself."""

    home: FilePath
    redis_url: Annotated[str, url_of("redis", "rediss", "unix")] | None = None
    """Without it the embedded Valkey runs in `home`."""
    redis_password_env: EnvironmentName | None = None
    redis_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] = "hutong"
    """Begins the name of every key on the server. Relays that share the work share it; others on the server have another."""
    ledger_url: Annotated[str, AfterValidator(_check_ledger_url)] | None = None
    """`postgresql://user@host:port/database`; without it a SQLite file in `home`."""
    owner: Name = "relay"
    """Names this relay in a PostgreSQL ledger that several share; each needs its own."""
    ledger_password_env: EnvironmentName | None = None
    ledger_retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Packets settled and transactions ended longer ago are forgotten; without it nothing is."""
    http: ListenAddress | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    clear_interval_s: Annotated[int, Field(ge=1, le=86_400)] = 30
    """How often the chains are read again for packets that the queue has lost."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 8
    """After so many failures a job is shown as a dead letter; it is tried again all the same."""


class AnchorConfig(Model):
    """Where the root of the archive is written down on a hub, and by whom.

    `contract` is an ArchiveAnchor on the chain named `hub` (unneeded if there is one hub). The key signs nothing else:
    with a key of the relay both would take the same nonce.
    """

    contract: Address
    key: AnyKeyConfig
    hub: Name | None = None
    interval_s: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3_600


class ArchiveConfig(Model):
    """The archive of proof bundles that the relay feeds. A store is reached as the environment says (AWS_…)."""

    location: Annotated[Path | str, BeforeValidator(_place)] | None = None
    """A folder, or `s3://bucket/prefix`; without it `archive` in the relay's home."""
    interval_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Bundles appended longer ago are pruned; without it none is."""
    anchor: AnchorConfig | None = None


class Config(Model):
    """A whole configuration file; `source` is the file, to which relative paths refer."""

    relay: RelayConfig
    chains: Annotated[tuple[ChainConfig, ...], Field(min_length=1, max_length=MAX_CHAINS, strict=False)]
    paths: Annotated[tuple[PathConfig, ...], Field(max_length=MAX_PATHS, strict=False)] = ()
    """Empty while chains are being connected; `hutong relay run` wants at least one."""
    logs: Annotated[tuple[LogConfig, ...], Field(max_length=MAX_CHAINS, strict=False)] = ()
    """Signed logs that clients on the hub follow (`hutong client create | update`)."""
    observations: Annotated[tuple[ObservationConfig, ...], Field(max_length=MAX_OBSERVATIONS, strict=False)] = ()
    issuers: Annotated[tuple[IssuerConfig, ...], Field(max_length=MAX_ISSUERS, strict=False)] = ()
    """What a hub says of them is brought to caches on other chains."""
    turns: TurnsConfig = TurnsConfig()
    retries: RetriesConfig = RetriesConfig()
    api: ApiConfig | None = None
    archive: ArchiveConfig | None = None
    """Without the table, no bundles are kept."""

    @property
    def archive_location(self) -> str:
        """Where the archive is or would be: a folder, or `s3://bucket/prefix`."""
        configured = None if self.archive is None else self.archive.location
        return str(self.relay.home / "archive" if configured is None else configured)

    def retries_of(self, end: PathEnd) -> RetriesConfig:
        """The rules of the path that the client is an end of; the file's own where the path has none, or no path has
        the end.
        """
        for path in self.paths:
            if end in (path.a, path.b) and path.retries is not None:
                return path.retries
        return self.retries

    def observed_over(self, observation: ObservationConfig) -> tuple[PathEnd, ...]:
        """The clients on hubs that follow the observed chain and that paths name: one, or those that `over` picks from."""
        hubs = {chain.name for chain in self.chains if chain.kind == "hub"}
        ends = [
            here
            for path in self.paths
            for here, there in ((path.a, path.b), (path.b, path.a))
            if there.chain == observation.chain and here.chain in hubs
        ]
        return tuple(end for end in ends if observation.over in (None, end))

    def pushed_over(self, hub: str, chain: str) -> tuple[PathEnd, ...]:
        """The clients on `chain` that follow `hub` and that paths name: one, where something is pushed there."""
        ends = [
            here
            for path in self.paths
            for here, there in ((path.a, path.b), (path.b, path.a))
            if (here.chain, there.chain) == (chain, hub)
        ]
        return tuple(ends)

    def hub_of(self, issuer: IssuerConfig) -> str | None:
        """The name of the hub that the issuer's DID is of; None where no such hub is configured, or several are."""
        named = [one.name for one in self.chains if one.kind == "hub" and name_in_dids(one.chain_id) == issuer.hub_name]
        return named[0] if len(named) == 1 else None

    def chain(self, name: str) -> AnyChainConfig:
        """The chain of that configured name. Every name used in `paths` exists.

        Raises:
            KeyError: no chain has the name.
        """
        for chain in self.chains:
            if chain.name == name:
                return chain
        raise KeyError(name)

    def log(self, name: str) -> LogConfig | None:
        """The log of that configured name; None where there is none."""
        return next((log for log in self.logs if log.name == name), None)


def is_solidity_client(client_id: str) -> bool:
    """Whether it is named as Solidity routers name every client, `client-N`; the hub never does."""
    return _SOLIDITY_CLIENT.fullmatch(client_id) is not None
