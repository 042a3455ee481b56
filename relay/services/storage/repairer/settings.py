"""The configuration of `hutong storage repairer`.

Example:

    [repairer]
    home = "state"                          # what it read of the hub, its journal, lock; relative to this file
    chain_id = "hutong-1"
    repairer_id = "7a…"                     # 64 digits, as `hutong storage repairer init` drew them
    key = { keystore = "keys/repairer.json", password_file = "keys/password" }

    [hub]
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]

    [[owners]]
    writer_id = "58…"
    repair_root_file = "keys/58….root"      # `hutong storage gateway repair-root` writes it

    [[operators]]
    operator_id = "5f…"
    url = "http://127.0.0.1:9501"
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hutong.relay.config import (
    AnyKeyConfig,
    Problem,
    UnsafeFile,
    check_private_file,
    key_problems,
    load_model,
)
from hutong.relay.config.fields import FilePath, HubChainId, Model
from hutong.relay.services.storage.gateway.settings import MAX_OPERATORS, HexId, OperatorTable
from hutong.relay.services.storage.hub.table import FollowedHubTable

MAX_OWNERS = 256
"""As many writers as a hub names."""


class RepairerProcess(Model):
    """The process: who it is, where its state lies, when it acts."""

    home: FilePath
    chain_id: HubChainId
    repairer_id: HexId
    key: AnyKeyConfig
    """The repairer's account on the hub: it signs operators' tokens and sends repairs."""
    misses: Annotated[int, Field(ge=1, le=365)] = 3
    """After so many audits missed in a row what an operator holds counts as lost."""
    memory_bytes: Annotated[int, Field(ge=1 << 26, le=1 << 36)] = 512 * 2**20
    """For packs that are rebuilt at once; the largest take about 250 MB each."""
    operators_ca_file: FilePath | None = None
    """PEM of the authorities that certify operators; the system's are not asked, then."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class OwnerTable(Model):
    """A writer whose packs are looked after."""

    writer_id: HexId
    repair_root_file: FilePath


class RepairerConfig(Model):
    """A whole file."""

    repairer: RepairerProcess
    hub: FollowedHubTable
    owners: Annotated[tuple[OwnerTable, ...], Field(max_length=MAX_OWNERS, strict=False)] = ()
    operators: Annotated[tuple[OperatorTable, ...], Field(max_length=MAX_OPERATORS, strict=False)] = ()

    @model_validator(mode="after")
    def _names_stand_once(self) -> Self:
        if len({one.operator_id for one in self.operators}) != len(self.operators):
            raise ValueError("names an operator twice")
        if len({one.writer_id for one in self.owners}) != len(self.owners):
            raise ValueError("names an owner twice")
        return self


def load_repairer_config(path: Path) -> RepairerConfig:
    """The configuration in a file, with every path absolute and every file that it names looked at.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, RepairerConfig, file_problems=_file_problems)


def _file_problems(config: RepairerConfig) -> Iterator[Problem]:
    process = config.repairer
    yield from key_problems(process.key, "repairer.key")
    for number, owner in enumerate(config.owners):
        try:
            check_private_file(owner.repair_root_file)
        except UnsafeFile as error:
            yield Problem(f"owners[{number}].repair_root_file", str(error), "keep it where its owner alone reads it")
    if process.operators_ca_file is not None and not process.operators_ca_file.is_file():
        yield Problem("repairer.operators_ca_file", f"there is no file {process.operators_ca_file}", "correct the path")
