"""Public networks and presets. Sources: consensus-specs `configs/` and `presets/`, eth-clients/sepolia and eth-clients/hoodi.

A chain that is not here is data as well: `network_from_beacon_api` reads its node's answers, and a client state carries it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hutong.light_clients.ethereum.forks import Fork, ForkActivation, Network, Preset

MAINNET_PRESET: Final = Preset(slots_per_epoch=32, epochs_per_sync_committee_period=256, sync_committee_size=512)
MINIMAL_PRESET: Final = Preset(slots_per_epoch=8, epochs_per_sync_committee_period=8, sync_committee_size=32)
PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({"mainnet": MAINNET_PRESET, "minimal": MINIMAL_PRESET})


def _forks(*activations: tuple[Fork, str, int]) -> tuple[ForkActivation, ...]:
    return tuple(ForkActivation(fork, bytes.fromhex(version), epoch) for fork, version, epoch in activations)


MAINNET: Final = Network(
    preset=MAINNET_PRESET,
    genesis_validators_root=bytes.fromhex("4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    genesis_time_s=1_606_824_023,
    seconds_per_slot=12,
    forks=_forks(
        (Fork.PHASE0, "00000000", 0),
        (Fork.ALTAIR, "01000000", 74_240),
        (Fork.BELLATRIX, "02000000", 144_896),
        (Fork.CAPELLA, "03000000", 194_048),
        (Fork.DENEB, "04000000", 269_568),
        (Fork.ELECTRA, "05000000", 364_032),
        (Fork.FULU, "06000000", 411_392),
    ),
)

SEPOLIA: Final = Network(
    preset=MAINNET_PRESET,
    genesis_validators_root=bytes.fromhex("d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"),
    genesis_time_s=1_655_733_600,
    seconds_per_slot=12,
    forks=_forks(
        (Fork.PHASE0, "90000069", 0),
        (Fork.ALTAIR, "90000070", 50),
        (Fork.BELLATRIX, "90000071", 100),
        (Fork.CAPELLA, "90000072", 56_832),
        (Fork.DENEB, "90000073", 132_608),
        (Fork.ELECTRA, "90000074", 222_464),
        (Fork.FULU, "90000075", 272_640),
        (Fork.GLOAS, "90000076", 353_024),
    ),
)

HOODI: Final = Network(
    preset=MAINNET_PRESET,
    genesis_validators_root=bytes.fromhex("212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"),
    genesis_time_s=1_742_213_400,
    seconds_per_slot=12,
    forks=_forks(
        (Fork.PHASE0, "10000910", 0),
        (Fork.ALTAIR, "20000910", 0),
        (Fork.BELLATRIX, "30000910", 0),
        (Fork.CAPELLA, "40000910", 0),
        (Fork.DENEB, "50000910", 0),
        (Fork.ELECTRA, "60000910", 2_048),
        (Fork.FULU, "70000910", 50_688),
    ),
)

NETWORKS: Final[Mapping[str, Network]] = MappingProxyType({"mainnet": MAINNET, "sepolia": SEPOLIA, "hoodi": HOODI})
