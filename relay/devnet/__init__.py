"""EVM consortium chains for development: py-evm blocks sealed with QBFT keys in one process."""

from hutong.relay.devnet.chain import DevnetChain
from hutong.relay.devnet.node import Devnet, open_home, running_devnet, serve_devnet
from hutong.relay.devnet.settings import DevnetError, Genesis, Pace
from hutong.relay.devnet.validators import Validator, ValidatorSet

__all__ = [
    "Devnet",
    "DevnetChain",
    "DevnetError",
    "Genesis",
    "Pace",
    "Validator",
    "ValidatorSet",
    "open_home",
    "running_devnet",
    "serve_devnet",
]
