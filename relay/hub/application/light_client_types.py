"""The light clients that a hub offers."""

from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.bitcoin import BitcoinClient
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.fisco_bcos import CryptoSuite, FiscoBcosClient
from hutong.light_clients.interface import LightClient
from hutong.light_clients.tendermint.client import TendermintClient


def standard_light_clients() -> dict[str, LightClient]:
    """A new instance of each client type of rules version 1, by type; later versions have the same."""
    # SM2 and SM3 come from an optional extra: a validator without it would judge otherwise, so the hub offers the suite that all have.
    fisco_bcos = FiscoBcosClient(frozenset({CryptoSuite.ECDSA}))
    clients: tuple[LightClient, ...] = (
        TendermintClient(),
        BftEvmClient(),
        AttestationClient(),
        EthereumClient(),
        fisco_bcos,
        BitcoinClient(),
        CliqueClient(),
    )
    return {client.client_type: client for client in clients}
