"""The light clients by type: the one list that the relay, the hub, its adapter and the audit read.

A new light client is its folder and one line here (docs/contributing.md, "A new light client").
"""

from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.bitcoin import BitcoinClient
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.fisco_bcos import FiscoBcosClient
from hutong.light_clients.interface import LightClient, UnsupportedOperation
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tlog import TlogClient

LIGHT_CLIENTS: dict[str, LightClient] = {
    AttestationClient.client_type: AttestationClient(),
    BftEvmClient.client_type: BftEvmClient(),
    BitcoinClient.client_type: BitcoinClient(),
    CliqueClient.client_type: CliqueClient(),
    EthereumClient.client_type: EthereumClient(),
    FiscoBcosClient.client_type: FiscoBcosClient(),
    TendermintClient.client_type: TendermintClient(),
    TlogClient.client_type: TlogClient(),
}
"""In the order in which the clients of a hub are listed. They hold no state, so everybody shares them."""


def light_client(client_type: str) -> LightClient:
    """The code that judges headers and proofs for clients of that type.

    Raises:
        UnsupportedOperation: there is no such light client, and nothing is relayed that cannot be verified.
    """
    try:
        return LIGHT_CLIENTS[client_type]
    except KeyError:
        raise UnsupportedOperation(f"light clients of type {client_type}") from None


def followed_chain_id(client_type: str, client_state: bytes) -> str:
    """The chain id that the client state names: `bitcoin-NETWORK` of Bitcoin, a log's origin, a decimal id of an EVM chain.

    Args:
        client_state: encoded, as its host chain gives it; not believed for anything but the comparison with a
            configuration.

    Raises:
        MalformedInput: the bytes are not a state of that client type.
        UnsupportedOperation: there is no such light client, or it does not offer this kind of client.
    """
    return light_client(client_type).followed_chain_id(client_state)


def clients_without_extras() -> dict[str, LightClient]:
    """Each client by type, as every installation can run it: what a hub offers, under its newest rules version.

    A validator without an optional extra would judge otherwise than one that has it.
    """
    return {client_type: client.without_extras() for client_type, client in LIGHT_CLIENTS.items()}


def clients_with_gm() -> dict[str, LightClient]:
    """The same with the suite of SM2 and SM3, for hubs whose genesis names its library: each validator has it."""
    return clients_without_extras() | {FiscoBcosClient.client_type: LIGHT_CLIENTS[FiscoBcosClient.client_type]}
