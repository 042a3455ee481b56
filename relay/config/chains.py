"""The chains of a configuration file: how each is reached, believed and paid for."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hutong.relay.config.endpoints import MAX_ACCESS, AccessConfig, EndpointsConfig
from hutong.relay.config.fields import (
    MAX_ENDPOINTS,
    Address,
    FilePath,
    HttpUrls,
    HubChainId,
    Model,
    Name,
    WebSocketUrls,
    resolve_path,
    url_of,
)
from hutong.relay.config.keys import AnyKeyConfig
from hutong.relay.config.networks import PUBLIC_NETWORKS

MAX_KEYS = 16

HUB_ROUTER = "0x0000000000000000000000000000000000001000"

_COMET_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_TRUSTED_HEADER = re.compile(r"[1-9][0-9]{0,17}:(?:0x)?[0-9a-fA-F]{64}")
_BECH32_PREFIX = re.compile(r"[a-z][a-z0-9]{0,30}")
_GAS_PRICE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)([a-zA-Z][a-zA-Z0-9/:._-]{2,127})")


def _network(value: Any) -> Any:
    return value if isinstance(value, str) and value in PUBLIC_NETWORKS else resolve_path(value)


def _check_comet_chain_id(chain_id: str) -> str:
    """Not all of them end in a revision: `testing` is one whose heights have revision 0."""
    if _COMET_CHAIN_ID.fullmatch(chain_id) is None:
        raise ValueError("must be the chain id of its genesis: 1 to 50 characters of a-z, A-Z, 0-9 and inner _ . -")
    return chain_id


def _check_bech32_prefix(prefix: str) -> str:
    if _BECH32_PREFIX.fullmatch(prefix) is None:
        raise ValueError("must be what stands before the 1 of the chain's addresses, such as cosmos")
    return prefix


def _check_gas_price(price: str) -> str:
    if _GAS_PRICE.fullmatch(price) is None:
        raise ValueError('must be an amount and the denomination of the fee, such as "0.025stake"')
    return price


def _check_trusted_header(text: str) -> str:
    if _TRUSTED_HEADER.fullmatch(text) is None:
        raise ValueError('must be a height and the hash of its header, such as "1200:9f86d0…"')
    return text


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
    key: AnyKeyConfig | None = None
    keys: Annotated[tuple[AnyKeyConfig, ...], Field(max_length=MAX_KEYS, strict=False)] = ()
    """In place of `key`: accounts that submit side by side, so that one nonce after the other does not set the pace."""
    start_height: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Events below are never read: the height at which the router was deployed."""
    poll_interval_ms: Annotated[int, Field(ge=50, le=60_000)] = 500
    requests_per_s: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Most RPC requests a second to each of the chain's endpoints."""
    access: Annotated[tuple[AccessConfig, ...], Field(max_length=MAX_ACCESS, strict=False)] = ()
    """What endpoints ask for, by host: tokens, headers, client certificates."""
    endpoints: EndpointsConfig = EndpointsConfig()
    in_flight: Annotated[int, Field(ge=1, le=16)] = 8
    """Transactions of each of this chain's keys that may wait for inclusion at once."""
    batch: BatchLimits = BatchLimits()

    @model_validator(mode="after")
    def _key_or_keys(self) -> Self:
        if (self.key is None) == (not self.keys):
            raise ValueError("needs exactly one of key and keys")
        return self

    @property
    def all_urls(self) -> tuple[str, ...]:
        """Of every endpoint, whatever it serves."""
        return (*self.rpc, *self.ws)

    @property
    def all_keys(self) -> tuple[AnyKeyConfig, ...]:
        """At least one."""
        return self.keys if self.key is None else (self.key,)

    @property
    def fee_denom(self) -> str:
        """In what fees are paid: the smallest unit of the chain's token."""
        return "wei"

    @property
    def address_prefix(self) -> str | None:
        """The prefix of bech32 addresses; None where an address is hex."""
        return None


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
        tuple[Annotated[str, url_of("http", "https")], ...], Field(max_length=MAX_ENDPOINTS, strict=False)
    ] = ()
    network: Annotated[Path | str, BeforeValidator(_network)] | None = None
    """`mainnet`, `sepolia`, `hoodi`, or a file of a devnet's answers `{spec, genesis}`."""
    attestors: Annotated[tuple[Annotated[str, url_of("http", "https")], ...], Field(max_length=64, strict=False)] = ()
    confirmations: Annotated[int, Field(ge=0, le=100_000)] | None = None
    quorum: Literal["two-thirds", "2f+1"] = "two-thirds"
    """Of the validators that seal a block: GoQuorum asks for 2F + 1 before its `ceil2Nby3Block`."""
    validator_contract: ValidatorContractConfig | None = None
    """Where QBFT validators are selected by a contract."""
    clique: CliqueConfig | None = None
    fees: FeeLimits = FeeLimits()

    @property
    def fee_limits(self) -> FeeLimits:
        """In wei, as the table `fees` says."""
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
    def all_urls(self) -> tuple[str, ...]:
        """Of every endpoint, whatever it serves: beacon nodes and attestors, too."""
        return (*self.rpc, *self.ws, *self.beacon, *self.attestors)

    @property
    def client_type(self) -> str:
        """The type of the light clients that follow this chain elsewhere."""
        return {"attested": "attestation", "clique": "clique", "ethereum": "ethereum"}.get(self.consensus, "bft-evm")


class HubChainConfig(_Chain):
    """The hub: Ethereum JSON-RPC in `rpc` and `ws`, CometBFT RPC in `consensus_rpc`.

    `genesis` is its genesis file and `trusted_header` a `height:hash` that other members confirm: what operators prove a
    proposal from before they vote on it. Without the latter the genesis itself is the beginning, for its trusting period.
    """

    kind: Literal["hub"]
    chain_id: HubChainId
    consensus_rpc: HttpUrls
    router: Address = HUB_ROUTER
    fees: FeeLimits = FeeLimits()
    genesis: FilePath | None = None
    trusted_header: Annotated[str, AfterValidator(_check_trusted_header)] | None = None

    @model_validator(mode="after")
    def _genesis_beside_header(self) -> Self:
        if self.trusted_header is not None and self.genesis is None:
            raise ValueError("trusted_header needs genesis, which says for how long it is trusted")
        return self

    @property
    def all_urls(self) -> tuple[str, ...]:
        """Of every endpoint, whatever it serves: CometBFT RPC, too."""
        return (*self.rpc, *self.ws, *self.consensus_rpc)

    @property
    def fee_limits(self) -> FeeLimits:
        """In the hub's wei, as the table `fees` says."""
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
        """The denomination in which fees are paid, from `gas_price`."""
        return self._price()[1]

    @property
    def address_prefix(self) -> str:
        """`bech32_prefix`."""
        return self.bech32_prefix

    @property
    def fee_per_gas(self) -> Fraction:
        """What one gas costs, in the smallest unit of `fee_denom`; exact, since it may be less than one."""
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
