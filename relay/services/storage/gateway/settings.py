"""The configuration of `hutong storage gateway`.

Example:

    [gateway]
    home = "gateway"                        # catalogue, lock; relative to this file
    listen = "127.0.0.1:9000"
    chain_id = "hutong-1"                   # the hub that batches are for
    writer_id = "58…"                       # 64 digits
    key = { keystore = "keys/writer.json", password_file = "keys/password" }
    secret_file = "tenant.secret"           # 64 digits, mode 0600: all mask and catalogue keys come from it
    s3_keys_file = "s3-keys.json"           # made by `hutong storage gateway key create`

    [hub]                                   # without it objects are stored by receipts alone, and nobody audits
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]

    [[operators]]
    operator_id = "5f…"
    url = "http://127.0.0.1:9501"
    # account = "0x…"                       # where no hub says it, and with it organisation, site and weight
    # organisation = "org-1"
    # site = "site-1"
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config import (
    AnyKeyConfig,
    Problem,
    UnsafeFile,
    check_private_file,
    key_problems,
    load_model,
    server_problems,
)
from hutong.relay.config.api import ServerConfig, is_loopback
from hutong.relay.config.fields import Address, EnvironmentName, FilePath, HubChainId, Model, url_of
from hutong.relay.services.storage.hub.table import HubTable
from hutong.relay.services.storage.rules.records.members import Candidate, MapRecord

MAX_OPERATORS = 128
_LABEL = re.compile(r"[a-z0-9.-]{1,32}")


def _check_id(text: str) -> str:
    if len(text) != 64 or text.strip("0123456789abcdef") or not text.strip("0"):
        raise ValueError("must be 64 lower-case hexadecimal digits, not all of them 0")
    return text


def _check_label(text: str) -> str:
    if _LABEL.fullmatch(text) is None:
        raise ValueError("must be 1 to 32 of a-z, 0-9, dots and hyphens")
    return text


def _check_database_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise ValueError("must look like postgresql://user@host:5432/database")
    if parts.password or "password" in parts.query.lower():
        raise ValueError("must not hold a password: name its variable in database_password_env")
    return url


HexId = Annotated[str, AfterValidator(_check_id)]
Label = Annotated[str, AfterValidator(_check_label)]


class GatewayProcess(ServerConfig):
    """The process: who it writes as, where it listens, where its state lies, what it holds in memory."""

    home: FilePath
    chain_id: HubChainId
    writer_id: HexId
    key: AnyKeyConfig
    """The writer's account on the hub: it signs batches and operators' tokens, and pays for transactions."""
    secret_file: FilePath
    s3_keys_file: FilePath | None = None
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "us-east-1"
    database_url: Annotated[str, AfterValidator(_check_database_url)] | None = None
    """Without it the catalogue is a SQLite file in `home`."""
    database_password_env: EnvironmentName | None = None
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Processes that make packs."""
    in_flight: Annotated[int, Field(ge=2, le=64)] = 4
    """Packs in memory at once, of up to 112 MiB with 10 + 4."""
    data: Annotated[int, Field(ge=1, le=63)] = 10
    """Of the code, where no hub says it."""
    parity: Annotated[int, Field(ge=1, le=63)] = 4
    hedge_ms: Annotated[int, Field(ge=10, le=60_000)] = 1_000
    """Before so long of a run the other operators are not asked as well; see `Pace`."""
    compact_every_s: Annotated[int, Field(ge=0, le=31_536_000)] = 86_400
    """How often packs are emptied of which much was deleted; 0: never."""
    compact_percent: Annotated[int, Field(ge=1, le=100)] = 50
    """Of a pack that must be dead."""
    operators_ca_file: FilePath | None = None
    """PEM of the authorities that certify operators; the system's are not asked, then."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class OperatorTable(Model):
    """Where an operator is reached."""

    operator_id: HexId
    url: Annotated[str, url_of("http", "https")]
    account: Address | None = None
    organisation: Label = "none"
    site: Label = "none"
    weight: Annotated[int, Field(ge=1, le=65_535)] = 1

    @model_validator(mode="after")
    def _tokens_are_not_sent_in_the_clear(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("must be https:// anywhere but on this machine: tokens go with every request")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must have no path, query or fragment")
        return self


class GatewayConfig(Model):
    """A whole file."""

    gateway: GatewayProcess
    hub: HubTable | None = None
    operators: Annotated[tuple[OperatorTable, ...], Field(min_length=1, max_length=MAX_OPERATORS, strict=False)]

    @model_validator(mode="after")
    def _operators_are_known(self) -> Self:
        if len({one.operator_id for one in self.operators}) != len(self.operators):
            raise ValueError("names an operator twice")
        if self.hub is None and any(one.account is None for one in self.operators):
            raise ValueError("has an operator without an account, and no [hub] that says it")
        return self

    def placing(self) -> MapRecord:
        """The map of the configuration, for a gateway without a hub.

        Raises:
            MalformedInput: no such code.
        """
        candidates = sorted(
            (
                Candidate(bytes.fromhex(one.operator_id), _padded(one.organisation), _padded(one.site), one.weight)
                for one in self.operators
            ),
            key=lambda one: one.operator,
        )
        return MapRecord(0, 0, self.gateway.data, self.gateway.parity, tuple(candidates))


def _padded(label: str) -> bytes:
    return label.encode().ljust(32, b"\0")


def load_gateway_config(path: Path) -> GatewayConfig:
    """The configuration in a file, with every path absolute and every file that it names looked at.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, GatewayConfig, file_problems=_file_problems)


def _file_problems(config: GatewayConfig) -> Iterator[Problem]:
    gateway = config.gateway
    yield from server_problems(gateway, "gateway")
    yield from key_problems(gateway.key, "gateway.key")
    private = [("secret_file", gateway.secret_file)]
    if gateway.s3_keys_file is not None and gateway.s3_keys_file.exists():
        private.append(("s3_keys_file", gateway.s3_keys_file))
    for name, path in private:
        try:
            check_private_file(path)
        except UnsafeFile as error:
            yield Problem(f"gateway.{name}", str(error), "keep it where its owner alone reads it")
    if gateway.operators_ca_file is not None and not gateway.operators_ca_file.is_file():
        yield Problem("gateway.operators_ca_file", f"there is no file {gateway.operators_ca_file}", "correct the path")
