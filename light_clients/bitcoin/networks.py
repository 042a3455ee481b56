"""The networks and what differs between them (Bitcoin Core `kernel/chainparams.cpp`)."""

from dataclasses import dataclass
from enum import IntEnum

from hutong.light_clients.interface import UnsupportedOperation

RETARGET_INTERVAL = 2016
"""Blocks of one difficulty period (`DifficultyAdjustmentInterval`)."""
TARGET_TIMESPAN_S = 14 * 86_400
MIN_DIFFICULTY_AFTER_S = 20 * 60
"""On test networks a block this much later than its parent may have the least difficulty (twice the spacing)."""
MAX_TIMEWARP_S = 600
"""How far the first block of a period may be before its parent where BIP94 holds."""
MAX_FUTURE_BLOCK_TIME_S = 2 * 3_600
MEDIAN_TIME_SPAN = 11


class Network(IntEnum):
    """`ClientState.network`, frozen numbers."""

    MAINNET = 1
    TESTNET4 = 2
    REGTEST = 3
    TESTNET3 = 4
    SIGNET = 5


@dataclass(frozen=True, slots=True)
class ChainParameters:
    """Consensus rules over headers.

    `version_heights` are the first heights at which versions below 2, 3, 4 are refused.
    """

    pow_limit: int
    allows_min_difficulty: bool
    retargets: bool
    enforces_bip94: bool
    version_heights: tuple[int, int, int]


_PARAMETERS = {
    Network.MAINNET: ChainParameters((1 << 224) - 1, False, True, False, (227_931, 363_725, 388_381)),
    Network.TESTNET4: ChainParameters((1 << 224) - 1, True, True, True, (1, 1, 1)),
    Network.REGTEST: ChainParameters((1 << 255) - 1, True, False, False, (1, 1, 1)),
    Network.TESTNET3: ChainParameters((1 << 224) - 1, True, True, False, (21_111, 330_776, 581_885)),
}


def parameters_of(network: Network) -> ChainParameters:
    """The consensus rules over headers of a network.

    Raises:
        UnsupportedOperation: signet, whose blocks count by a signature outside the header (BIP325).
    """
    parameters = _PARAMETERS.get(network)
    if parameters is None:
        raise UnsupportedOperation(f"bitcoin network {network.name.lower()}")
    return parameters
