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
    name = "sepolia"
    kind = "evm"
    chain_id = 11155111
    consensus = "ethereum"
    network = "sepolia"                  # mainnet, hoodi, or a file of a devnet's answers {spec, genesis}
    beacon = ["http://127.0.0.1:5052"]   # Beacon API with its light client half
    rpc = ["http://127.0.0.1:8551"]      # eth_getProof of a day ago
    router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    key = { keystore = "keys/sepolia.json", password_env = "HUTONG_SEPOLIA_PASSWORD" }

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
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from eth_utils.address import is_checksum_address, is_hex_address
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from light_clients.ibc.identifiers import check_client_id
from light_clients.interface import MalformedInput
from relay.config.api import ApiConfig
from relay.config.fields import FilePath, ListenAddress, Model, resolve_path
from relay.config.networks import PUBLIC_NETWORKS

MAX_CHAINS = 64
MAX_PATHS = 256
MAX_KEYS = 16
MAX_ENDPOINTS = 8
MAX_URL_CHARS = 2048

HUB_ROUTER = "0x0000000000000000000000000000000000001000"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_HUB_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*-[1-9][0-9]{0,18}")
_COMET_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_BECH32_PREFIX = re.compile(r"[a-z][a-z0-9]{0,30}")
_GAS_PRICE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)([a-zA-Z][a-zA-Z0-9/:._-]{2,127})")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_REMOTE_SIGNER_KEYS = {"kms", "remote", "remote_signer", "signer", "signer_url", "url", "vault"}
_SOLIDITY_CLIENT = re.compile(r"client-[0-9]{1,20}")


def _check_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError("must be 1 to 32 characters of a-z, 0-9 and inner hyphens")
    return name


def _check_hub_chain_id(chain_id: str) -> str:
    if len(chain_id) > 50 or _HUB_CHAIN_ID.fullmatch(chain_id) is None:
        raise ValueError("must look like name-1, at most 50 characters, ending in the revision")
    return chain_id


def _check_comet_chain_id(chain_id: str) -> str:
    """Not all of them end in a revision: `testing` is one whose heights have revision 0."""
    if _COMET_CHAIN_ID.fullmatch(chain_id) is None:
        raise ValueError("must be the chain id of its genesis: 1 to 50 characters of a-z, A-Z, 0-9 and inner _ . -")
    return chain_id


def _check_bech32_prefix(prefix: str) -> str:
    if _BECH32_PREFIX.fullmatch(prefix) is None:
        raise ValueError("must be what stands before the 1 of the chain's addresses, as cosmos")
    return prefix


def _check_gas_price(price: str) -> str:
    if _GAS_PRICE.fullmatch(price) is None:
        raise ValueError('must be an amount and the denomination of the fee, as "0.025stake"')
    return price


def _check_chain_id(chain_id: str) -> str:
    if chain_id.isdecimal() and chain_id.isascii() and chain_id[0] != "0" and int(chain_id) < 2**63:
        return chain_id
    try:
        return _check_hub_chain_id(chain_id)
    except ValueError:
        raise ValueError("must be an EIP-155 number in quotes, or a hub's name-1") from None


def _check_environment_name(name: str) -> str:
    if _ENVIRONMENT_NAME.fullmatch(name) is None:
        raise ValueError("must be the name of an environment variable, not its value")
    return name


def _check_address(address: str) -> str:
    if not is_hex_address(address) or not address.startswith("0x"):
        raise ValueError("must be 0x and 40 hex digits")
    digits = address[2:]
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(address):
        raise ValueError("has a wrong EIP-55 checksum")
    if int(digits, 16) == 0:
        raise ValueError("must not be the zero address")
    return address


def _url(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        if len(url) > MAX_URL_CHARS:
            raise ValueError(f"is longer than {MAX_URL_CHARS} characters")
        parts = urlsplit(url)
        if parts.scheme not in schemes or not (parts.hostname or parts.scheme == "unix"):
            raise ValueError(f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return AfterValidator(check)


def _check_client(client_id: str) -> str:
    try:
        return check_client_id(client_id)
    except MalformedInput as error:
        raise ValueError(error.reason) from None


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


def _network(value: Any) -> Any:
    return value if isinstance(value, str) and value in PUBLIC_NETWORKS else resolve_path(value)


Name = Annotated[str, AfterValidator(_check_name)]
Address = Annotated[str, AfterValidator(_check_address)]
HttpUrls = Annotated[
    tuple[Annotated[str, _url("http", "https")], ...], Field(min_length=1, max_length=MAX_ENDPOINTS, strict=False)
]
WebSocketUrls = Annotated[tuple[Annotated[str, _url("ws", "wss")], ...], Field(max_length=MAX_ENDPOINTS, strict=False)]
ClientId = Annotated[str, AfterValidator(_check_client)]
ChainId = Annotated[str, AfterValidator(_check_chain_id)]
"""Of any chain: a decimal EIP-155 number, or a hub's `name-N`."""


class KeyConfig(Model):
    """A V3 keystore and where its password is found: exactly one of the two sources."""

    keystore: FilePath
    password_file: FilePath | None = None
    password_env: Annotated[str, AfterValidator(_check_environment_name)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_remote_signer(cls, value: Any) -> Any:
        if isinstance(value, dict) and (offered := sorted(_REMOTE_SIGNER_KEYS & value.keys())):
            raise ValueError(f"remote signers are not supported ({offered[0]}); name a keystore")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.password_file is None) == (self.password_env is None):
            raise ValueError("needs exactly one of password_file and password_env")
        return self


class BatchLimits(Model):
    """Bounds of one relay transaction."""

    items: Annotated[int, Field(ge=1, le=500)] = 50
    bytes: Annotated[int, Field(ge=4096, le=1024 * 1024)] = 120 * 1024
    """Nodes' pools refuse transactions above 128 KiB."""
    gas: Annotated[int, Field(ge=500_000, le=1_000_000_000)] = 2**24


class FeeLimits(Model):
    """What the relay pays at most; a transaction that needs more waits."""

    max_fee_per_gas_wei: Annotated[int, Field(ge=1, le=10**15)] = 500 * 10**9
    max_fee_wei: Annotated[int, Field(ge=1, le=10**24)] = 10**18
    """Per transaction: gas limit times fee per gas."""


class _Chain(Model):
    name: Name
    rpc: HttpUrls
    ws: WebSocketUrls = ()
    key: KeyConfig | None = None
    keys: Annotated[tuple[KeyConfig, ...], Field(max_length=MAX_KEYS, strict=False)] = ()
    """In place of `key`: accounts that submit side by side, so that one nonce after the other does not set the pace."""
    start_height: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Events below are never read: the height at which the router was deployed."""
    poll_interval_ms: Annotated[int, Field(ge=50, le=60_000)] = 500
    requests_per_s: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Most RPC requests a second to each of the chain's endpoints."""
    in_flight: Annotated[int, Field(ge=1, le=16)] = 8
    """Transactions of each of this chain's keys that may wait for inclusion at once."""
    batch: BatchLimits = BatchLimits()

    @model_validator(mode="after")
    def _key_or_keys(self) -> Self:
        if (self.key is None) == (not self.keys):
            raise ValueError("needs exactly one of key and keys")
        return self

    @property
    def all_keys(self) -> tuple[KeyConfig, ...]:
        """At least one."""
        return self.keys if self.key is None else (self.key,)


MAX_CLIQUE_CONFIRMATIONS = 64
"""So that an update of 64 blocks and those on top of them fits a transaction."""


class CliqueConfig(Model):
    """What the chain's genesis file says."""

    period_s: Annotated[int, Field(ge=0, le=86_400)]
    epoch_length: Annotated[int, Field(ge=1, lt=2**32)] = 30_000


class ValidatorContractConfig(Model):
    """The contract that selects the validators, and the slot of its `address[]` of them."""

    address: Address
    slot: Annotated[int, Field(ge=0, lt=2**63)] = 0


class EvmChainConfig(_Chain):
    """A chain with the Solidity router.

    `consensus` is how its blocks are believed elsewhere: by the seals of QBFT, IBFT 2.0 or Istanbul (GoQuorum's first IBFT),
    by branches of Clique headers, as Ethereum's sync committees sign them (told by the `beacon` nodes, base URLs, of
    `network`), or as `attestors` (base URLs) attest them. A Clique or attested block is final under
    `confirmations` others; without that number, which Clique needs, as the node's `finalized` block says.
    """

    kind: Literal["evm"]
    chain_id: Annotated[int, Field(ge=1, lt=2**63)]
    consensus: Literal["qbft", "ibft2", "istanbul", "clique", "ethereum", "attested"]
    router: Address
    beacon: Annotated[
        tuple[Annotated[str, _url("http", "https")], ...], Field(max_length=MAX_ENDPOINTS, strict=False)
    ] = ()
    network: Annotated[Path | str, BeforeValidator(_network)] | None = None
    """`mainnet`, `sepolia`, `hoodi`, or a file of a devnet's answers `{spec, genesis}`."""
    attestors: Annotated[tuple[Annotated[str, _url("http", "https")], ...], Field(max_length=64, strict=False)] = ()
    confirmations: Annotated[int, Field(ge=0, le=100_000)] | None = None
    quorum: Literal["two-thirds", "2f+1"] = "two-thirds"
    """Of the validators that seal a block: GoQuorum asks for 2F + 1 before its `ceil2Nby3Block`."""
    validator_contract: ValidatorContractConfig | None = None
    """Where QBFT validators are selected by a contract."""
    clique: CliqueConfig | None = None
    fees: FeeLimits = FeeLimits()

    @property
    def fee_limits(self) -> FeeLimits:
        return self.fees

    @model_validator(mode="after")
    def _attestors_where_attested(self) -> Self:
        if self.consensus == "attested" and not self.attestors:
            raise ValueError('needs attestors, since its consensus is "attested"')
        if self.consensus != "attested" and self.attestors:
            raise ValueError('attestors are for consensus = "attested" only')
        if self.consensus not in ("attested", "clique") and self.confirmations is not None:
            raise ValueError('confirmations are for consensus = "attested" or "clique" only')
        if len(set(self.attestors)) != len(self.attestors):
            raise ValueError("attestors repeats a URL")
        return self

    @model_validator(mode="after")
    def _beacon_where_ethereum(self) -> Self:
        if self.consensus == "ethereum" and (not self.beacon or self.network is None):
            raise ValueError('needs beacon and network, since its consensus is "ethereum"')
        if self.consensus != "ethereum" and (self.beacon or self.network is not None):
            raise ValueError('beacon and network are for consensus = "ethereum" only')
        return self

    @model_validator(mode="after")
    def _rules_where_sealed(self) -> Self:
        if (self.consensus == "clique") != (self.clique is not None):
            raise ValueError('clique (period_s, epoch_length) goes with consensus = "clique", and with nothing else')
        if self.consensus == "clique" and not 0 < (self.confirmations or 0) <= MAX_CLIQUE_CONFIRMATIONS:
            raise ValueError(
                f'needs confirmations from 1 to {MAX_CLIQUE_CONFIRMATIONS}, since its consensus is "clique"'
            )
        if self.consensus != "qbft" and self.validator_contract is not None:
            raise ValueError('validator_contract is for consensus = "qbft" only')
        if self.consensus not in ("qbft", "ibft2", "istanbul") and self.quorum != "two-thirds":
            raise ValueError('quorum is for consensus = "qbft", "ibft2" or "istanbul" only')
        return self

    @property
    def client_type(self) -> str:
        """Of the clients that follow this chain elsewhere."""
        return {"attested": "attestation", "clique": "clique", "ethereum": "ethereum"}.get(self.consensus, "bft-evm")


class HubChainConfig(_Chain):
    """The hub: Ethereum JSON-RPC in `rpc` and `ws`, CometBFT RPC in `consensus_rpc`."""

    kind: Literal["hub"]
    chain_id: Annotated[str, AfterValidator(_check_hub_chain_id)]
    consensus_rpc: HttpUrls
    router: Address = HUB_ROUTER
    fees: FeeLimits = FeeLimits()

    @property
    def fee_limits(self) -> FeeLimits:
        return self.fees


class CosmosChainConfig(_Chain):
    """An unmodified chain of the Cosmos SDK with ibc-go: CometBFT RPC in `rpc` and, for new heads, in `ws`.

    Fees are `gas_price` times a transaction's gas, `max_fee` at most: both in the denomination that `gas_price` names,
    in its smallest unit. The keys are keystores as everywhere; the accounts are their bech32 addresses.
    """

    kind: Literal["cosmos"]
    chain_id: Annotated[str, AfterValidator(_check_comet_chain_id)]
    bech32_prefix: Annotated[str, AfterValidator(_check_bech32_prefix)]
    gas_price: Annotated[str, AfterValidator(_check_gas_price)]
    max_fee: Annotated[int, Field(ge=1, le=10**24)] = 10**7
    """Per transaction; one that needs more waits."""
    gas_adjustment_percent: Annotated[int, Field(ge=100, le=1000)] = 130
    """Of the gas that the simulation used: later blocks may need a little more."""

    @property
    def fee_denom(self) -> str:
        """In which fees are paid."""
        return self._price()[1]

    @property
    def fee_per_gas(self) -> Fraction:
        """In the smallest unit of `fee_denom`."""
        return Fraction(self._price()[0])

    @property
    def fee_limits(self) -> FeeLimits:
        """As the relay's core asks for them: there is no price of gas to raise, only the fee of a transaction."""
        return FeeLimits(max_fee_wei=self.max_fee)

    def _price(self) -> tuple[str, str]:
        match = _GAS_PRICE.fullmatch(self.gas_price)
        if match is None:
            raise ValueError(self.gas_price)
        return match[1], match[2]


ChainConfig = Annotated[EvmChainConfig | HubChainConfig | CosmosChainConfig, Field(discriminator="kind")]
AnyChainConfig = EvmChainConfig | HubChainConfig | CosmosChainConfig


class PathEnd(Model):
    """One end of a path: the client that lives on `chain` and tracks the other end's chain."""

    chain: Name
    client: Annotated[str, AfterValidator(_check_client)]


class PathConfig(Model):
    """Two clients that are each other's counterparty; packets are relayed both ways."""

    a: PathEnd
    b: PathEnd

    @property
    def name(self) -> str:
        return f"{self.a.chain}:{self.a.client}~{self.b.chain}:{self.b.client}"


class RelayConfig(Model):
    """The process itself."""

    home: FilePath
    redis_url: Annotated[str, _url("redis", "rediss", "unix")] | None = None
    """Without it the embedded Valkey runs in `home`."""
    redis_password_env: Annotated[str, AfterValidator(_check_environment_name)] | None = None
    ledger_url: Annotated[str, AfterValidator(_check_ledger_url)] | None = None
    """`postgresql://user@host:port/database`, of this relay alone; without it a SQLite file in `home`."""
    ledger_password_env: Annotated[str, AfterValidator(_check_environment_name)] | None = None
    ledger_retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Packets settled and transactions ended longer ago are forgotten; without it nothing is."""
    http: ListenAddress | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    clear_interval_s: Annotated[int, Field(ge=1, le=86_400)] = 30
    """How often the chains are read again for packets that the queue has lost."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 8
    """After so many failures a job becomes a dead letter."""


class AnchorConfig(Model):
    """Where the root of the archive is written down on a hub, and by whom.

    `contract` is an ArchiveAnchor on the chain named `hub` (unneeded if there is one hub). The key signs nothing else:
    with a key of the relay both would take the same nonce.
    """

    contract: Address
    key: KeyConfig
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
    api: ApiConfig | None = None
    archive: ArchiveConfig | None = None
    """Without the table, no bundles are kept."""

    @property
    def archive_location(self) -> str:
        """Where the archive is or would be."""
        configured = None if self.archive is None else self.archive.location
        return str(self.relay.home / "archive" if configured is None else configured)

    def chain(self, name: str) -> AnyChainConfig:
        """The chain of that name; every name used in `paths` exists."""
        for chain in self.chains:
            if chain.name == name:
                return chain
        raise KeyError(name)


def is_solidity_client(client_id: str) -> bool:
    """Solidity routers name every client `client-n`, the hub never does."""
    return _SOLIDITY_CLIENT.fullmatch(client_id) is not None
