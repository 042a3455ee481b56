"""The configuration of `hutong storage operator`.

Example:

    [operator]
    home = "state"                         # index, journal, lock; relative to this file
    listen = "127.0.0.1:9500"
    chain_id = "hutong-1"                  # the hub that receipts are for
    operator_id = "5f…"                        # 64 digits, as `hutong storage operator init` drew them
    key = { keystore = "keys/receipts.json", password_file = "keys/password" }

    [engine]
    folder = "shards"

    [hub]                                  # without it nothing is audited, and accounts stand below
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]

    [[writers]]
    writer_id = "58…"
    # account = "0x…"                      # where no hub says it
    # most_bytes = 1_000_000_000_000
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config import (
    AnyKeyConfig,
    Problem,
    UnsafeFile,
    check_private_file,
    key_problems,
    load_model,
)
from hutong.relay.config.api import is_loopback
from hutong.relay.config.fields import Address, FilePath, HubChainId, ListenAddress, Model
from hutong.relay.services.storage.engines.opening import EngineConfig
from hutong.relay.services.storage.hub.table import FollowedHubTable
from hutong.relay.services.storage.operator.desk import Bounds
from hutong.relay.services.storage.operator.writers import ServedWriter

MAX_WRITERS = 272
"""As many writers and repairers as a hub names."""


def _check_id(text: str) -> str:
    if len(text) != 64 or text.strip("0123456789abcdef") or not text.strip("0"):
        raise ValueError("must be 64 lower-case hexadecimal digits, not all of them 0")
    return text


HexId = Annotated[str, AfterValidator(_check_id)]


class OperatorProcess(Model):
    """The process: who it is, where it listens, where its state lies, what it takes."""

    home: FilePath
    listen: ListenAddress
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    behind_proxy: bool = False
    """A proxy in front ends TLS; without it only loopback is served in the clear."""
    chain_id: HubChainId
    operator_id: HexId
    key: AnyKeyConfig
    """The operator's account on the hub: it signs receipts, parts and answers, and sends answers."""
    puts: Annotated[int, Field(ge=1, le=256)] = 8
    """At once; each holds up to 16 MiB of memory."""
    reads: Annotated[int, Field(ge=1, le=1_024)] = 32
    least_free_bytes: Annotated[int, Field(ge=0)] = 1 << 30
    """A put that would leave less on the engine's disk is refused."""
    pending_s: Annotated[int, Field(ge=3_600)] = 7 * 86_400
    """After it a shard that no signed part names is dropped."""
    scrub_bytes_per_s: Annotated[int, Field(ge=0)] = 20_000_000
    """What the scrub reads; 0 for no scrub by the process."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def host(self) -> str:
        """The host of `listen`, an IPv6 address without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of `listen`; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _tokens_are_not_sent_in_the_clear(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("needs both tls_certificate and tls_key, or neither")
        if self.tls_key is None and not self.behind_proxy and not is_loopback(self.host):
            raise ValueError(
                f"listens on {self.host} without TLS: give tls_certificate and tls_key, listen on 127.0.0.1,"
                " or set behind_proxy = true where a proxy ends TLS"
            )
        return self


class WriterTable(Model):
    """A writer, or a repairer, that is served."""

    writer_id: HexId
    account: Address | None = None
    most_bytes: Annotated[int, Field(ge=1)] | None = None
    is_repairer: bool = False
    """It may ask for other writers' shards, and store what it rebuilt of them."""


class OperatorConfig(Model):
    """A whole file."""

    operator: OperatorProcess
    engine: EngineConfig
    hub: FollowedHubTable | None = None
    writers: Annotated[tuple[WriterTable, ...], Field(max_length=MAX_WRITERS, strict=False)] = ()

    @model_validator(mode="after")
    def _accounts_are_known(self) -> Self:
        if self.hub is None and any(writer.account is None for writer in self.writers):
            raise ValueError("has a writer without an account, and no [hub] that says it")
        if len({writer.writer_id for writer in self.writers}) != len(self.writers):
            raise ValueError("names a writer twice")
        return self

    @property
    def bounds(self) -> Bounds:
        """What is taken at once."""
        return Bounds(
            puts=self.operator.puts, reads=self.operator.reads, least_free_bytes=self.operator.least_free_bytes
        )

    @property
    def served(self) -> Mapping[bytes, ServedWriter]:
        """Writers by id."""
        return {
            bytes.fromhex(one.writer_id): ServedWriter(
                bytes.fromhex(one.writer_id),
                None if one.account is None else bytes.fromhex(one.account[2:]),
                one.most_bytes,
                one.is_repairer,
            )
            for one in self.writers
        }


def load_operator_config(path: Path) -> OperatorConfig:
    """The configuration in a file, with every path absolute and every file that it names looked at.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, OperatorConfig, file_problems=_file_problems)


def _file_problems(config: OperatorConfig) -> Iterator[Problem]:
    yield from key_problems(config.operator.key, "operator.key")
    certificate, key = config.operator.tls_certificate, config.operator.tls_key
    if certificate is not None and not certificate.is_file():
        yield Problem("operator.tls_certificate", f"there is no file {certificate}", "correct the path")
    if key is not None:
        try:
            check_private_file(key)
        except UnsafeFile as error:
            yield Problem("operator.tls_key", str(error), "keep the key where its owner alone reads it")
