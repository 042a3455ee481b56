"""The light clients that a hub offers."""

from light_clients.attestation import AttestationClient
from light_clients.bft_evm import BftEvmClient
from light_clients.bitcoin import BitcoinClient
from light_clients.clique import CliqueClient
from light_clients.ethereum import EthereumClient
from light_clients.fisco_bcos import CryptoSuite, FiscoBcosClient
from light_clients.interface import LightClient
from light_clients.tendermint.client import TendermintClient


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
