"""The configuration of `hutong storage auditor`.

Example:

    [auditor]
    home = "state"                         # secret, lock, newest believed header; relative to this file
    audits = "audits"                      # what is kept, for `hutong audit storage`
    chain_id = "hutong-1"
    auditor_id = "0a…"                     # 64 digits, as `hutong storage auditor init` drew them
    checkpoint = "hub.checkpoint.json"     # what is believed of the hub to begin with
    key = { keystore = "keys/auditor.json", password_file = "keys/password" }

    [hub]
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]
    interval_s = 5
"""

from pathlib import Path
from typing import Literal

from hutong.relay.config import AnyKeyConfig, key_problems, load_model
from hutong.relay.config.fields import FilePath, HubChainId, Model
from hutong.relay.services.storage.hub.table import FollowedHubTable
from hutong.relay.services.storage.operator.settings import HexId


class AuditorProcess(Model):
    """The process: who it is, and where its state lies."""

    home: FilePath
    audits: FilePath
    chain_id: HubChainId
    auditor_id: HexId
    checkpoint: FilePath
    key: AnyKeyConfig
    """The auditor's account on the hub."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class AuditorConfig(Model):
    """A whole file."""

    auditor: AuditorProcess
    hub: FollowedHubTable


def load_auditor_config(path: Path) -> AuditorConfig:
    """The configuration in a file, with every path absolute.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, AuditorConfig, file_problems=lambda config: key_problems(config.auditor.key, "auditor.key"))
