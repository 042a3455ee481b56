"""The light client whose rules judge headers and proofs of each kind of chain."""

from collections.abc import Mapping

from light_clients.attestation import AttestationClient
from light_clients.bft_evm import BftEvmClient
from light_clients.clique import CliqueClient
from light_clients.ethereum import EthereumClient
from light_clients.interface import LightClient
from light_clients.tendermint.client import TendermintClient
from relay.archive.bundle import ChainKind

LIGHT_CLIENTS: Mapping[ChainKind, LightClient] = {
    ChainKind.TENDERMINT: TendermintClient(),
    ChainKind.BFT_EVM: BftEvmClient(),
    ChainKind.ATTESTATION: AttestationClient(),
    ChainKind.ETHEREUM: EthereumClient(),
    ChainKind.CLIQUE: CliqueClient(),
    ChainKind.BFT_EVM_CONTRACT: BftEvmClient(),
}
