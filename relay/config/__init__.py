"""The relay's configuration file: its model, its checks, and the permissions of the files that it names."""

from hutong.relay.config.api import ApiConfig
from hutong.relay.config.attestor import AttestorConfig
from hutong.relay.config.chains import (
    HUB_ROUTER,
    AnyChainConfig,
    BatchLimits,
    CosmosChainConfig,
    EvmChainConfig,
    FeeLimits,
    HubChainConfig,
)
from hutong.relay.config.endpoints import AccessConfig, EndpointsConfig
from hutong.relay.config.errors import ConfigError, Problem
from hutong.relay.config.fork_support import chains_beyond
from hutong.relay.config.key import KeyConfig
from hutong.relay.config.load import MAX_CONFIG_BYTES, file_problems, load_attestor_config, load_config, parse_config
from hutong.relay.config.model import AnchorConfig, ArchiveConfig, Config, PathConfig, PathEnd, RelayConfig
from hutong.relay.config.permissions import UnsafeFile, check_private_file, read_private_file
from hutong.relay.config.retries import RetriesConfig, RetryRule
from hutong.relay.config.turns import TurnsConfig

__all__ = [
    "HUB_ROUTER",
    "MAX_CONFIG_BYTES",
    "AccessConfig",
    "AnchorConfig",
    "AnyChainConfig",
    "ApiConfig",
    "ArchiveConfig",
    "AttestorConfig",
    "BatchLimits",
    "Config",
    "ConfigError",
    "CosmosChainConfig",
    "EndpointsConfig",
    "EvmChainConfig",
    "FeeLimits",
    "HubChainConfig",
    "KeyConfig",
    "PathConfig",
    "PathEnd",
    "Problem",
    "RelayConfig",
    "RetriesConfig",
    "RetryRule",
    "TurnsConfig",
    "UnsafeFile",
    "chains_beyond",
    "check_private_file",
    "file_problems",
    "load_attestor_config",
    "load_config",
    "parse_config",
    "read_private_file",
]
