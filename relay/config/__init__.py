"""The relay's configuration file: its model, its checks, and the permissions of the files that it names."""

from hutong.relay.config.api import ApiConfig, ServerConfig
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
from hutong.relay.config.keys import (
    KEY_KINDS,
    AnyKeyConfig,
    AwsKmsConfig,
    Eth1SignerConfig,
    KeystoreConfig,
    Pkcs11Config,
    PrivvalConfig,
    TokenKeyConfig,
    socket_path,
    token_key_problems,
)
from hutong.relay.config.load import (
    MAX_CONFIG_BYTES,
    file_problems,
    key_problems,
    load_attestor_config,
    load_config,
    load_key_file,
    load_model,
    load_signer_config,
    parse_config,
    server_problems,
    token_key_file_problems,
)
from hutong.relay.config.model import AnchorConfig, ArchiveConfig, Config, PathConfig, RelayConfig
from hutong.relay.config.path_end import PathEnd
from hutong.relay.config.permissions import UnsafeFile, check_private_file, read_private_file
from hutong.relay.config.records.issuers import CachePushConfig, IssuerConfig
from hutong.relay.config.records.observations import ObservationConfig, UnusableLayout
from hutong.relay.config.retries import RetriesConfig, RetryRule
from hutong.relay.config.turns import TurnsConfig

__all__ = [
    "HUB_ROUTER",
    "KEY_KINDS",
    "MAX_CONFIG_BYTES",
    "AccessConfig",
    "AnchorConfig",
    "AnyChainConfig",
    "AnyKeyConfig",
    "ApiConfig",
    "ArchiveConfig",
    "AttestorConfig",
    "AwsKmsConfig",
    "BatchLimits",
    "CachePushConfig",
    "Config",
    "ConfigError",
    "CosmosChainConfig",
    "EndpointsConfig",
    "Eth1SignerConfig",
    "EvmChainConfig",
    "FeeLimits",
    "HubChainConfig",
    "IssuerConfig",
    "KeystoreConfig",
    "ObservationConfig",
    "PathConfig",
    "PathEnd",
    "Pkcs11Config",
    "PrivvalConfig",
    "Problem",
    "RelayConfig",
    "RetriesConfig",
    "RetryRule",
    "ServerConfig",
    "TokenKeyConfig",
    "TurnsConfig",
    "UnsafeFile",
    "UnusableLayout",
    "chains_beyond",
    "check_private_file",
    "file_problems",
    "key_problems",
    "load_attestor_config",
    "load_config",
    "load_key_file",
    "load_model",
    "load_signer_config",
    "parse_config",
    "read_private_file",
    "server_problems",
    "socket_path",
    "token_key_file_problems",
    "token_key_problems",
]
