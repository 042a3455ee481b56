"""The attestor's configuration: what a TOML file for `hutong attest run` may say. Unknown keys are refused.

Example:

    [attestor]
    home = "attestor"                    # relative to this file; holds the record of what was signed
    http = "127.0.0.1:9700"
    key = { keystore = "keys/attestor.json", password_env = "HUTONG_ATTESTOR_PASSWORD" }

    [source]
    chain_id = 31337
    rpc = ["http://127.0.0.1:8545"]      # several: they must agree
    router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    confirmations = 12                   # left out: the node's `finalized` block

    [[destinations]]
    chain_id = "hutong-1"                # a number in quotes for an EVM chain
    router = "0x0000000000000000000000000000000000001000"
    client = "attestation-0"
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.config.endpoints import MAX_ACCESS, AccessConfig, access_problems
from hutong.relay.config.errors import Problem
from hutong.relay.config.fields import Address, ChainId, ClientId, FilePath, HttpUrls, ListenAddress, Model
from hutong.relay.config.keys import AnyKeyConfig

MAX_DESTINATIONS = 64


class AttestorProcess(Model):
    """The process itself."""

    home: FilePath
    http: ListenAddress
    key: AnyKeyConfig
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    requests_per_s: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Of all who ask together; more wait."""


class SourceConfig(Model):
    """The one chain whose states are signed."""

    chain_id: Annotated[int, Field(ge=1, lt=2**63)]
    rpc: HttpUrls
    router: Address
    confirmations: Annotated[int, Field(ge=0, le=100_000)] | None = None
    poll_interval_ms: Annotated[int, Field(ge=10, le=60_000)] = 500
    access: Annotated[tuple[AccessConfig, ...], Field(max_length=MAX_ACCESS, strict=False)] = ()
    """What the endpoints ask for, by host."""


class DestinationConfig(Model):
    """A client for which states are signed."""

    chain_id: ChainId
    router: Address
    client: ClientId


class AttestorConfig(Model):
    """A whole file."""

    attestor: AttestorProcess
    source: SourceConfig
    destinations: Annotated[
        tuple[DestinationConfig, ...], Field(min_length=1, max_length=MAX_DESTINATIONS, strict=False)
    ]


def attestor_problems(config: AttestorConfig) -> Iterator[Problem]:
    """Contradictions inside a well-formed file: destinations that are named twice or are the source, access to no
    endpoint.

    Names are compared, and no file is opened.
    """
    yield from access_problems("source", config.source.rpc, config.source.access)
    seen: dict[DestinationConfig, int] = {}
    for index, destination in enumerate(config.destinations):
        first = seen.setdefault(destination, index)
        if first != index:
            yield Problem(f"destinations.{index}", f"is also destinations.{first}", "name each client once")
        if destination.chain_id == str(config.source.chain_id):
            yield Problem(
                f"destinations.{index}.chain_id", "is the source's", "name the chain on which the client lives"
            )
