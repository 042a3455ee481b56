"""The light client whose rules judge headers and proofs of each kind of chain."""

from collections.abc import Mapping

from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.interface import LightClient
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.relay.archive.bundle import ChainKind

LIGHT_CLIENTS: Mapping[ChainKind, LightClient] = {
    ChainKind.TENDERMINT: TendermintClient(),
    ChainKind.BFT_EVM: BftEvmClient(),
    ChainKind.ATTESTATION: AttestationClient(),
    ChainKind.ETHEREUM: EthereumClient(),
    ChainKind.CLIQUE: CliqueClient(),
    ChainKind.BFT_EVM_CONTRACT: BftEvmClient(),
}
