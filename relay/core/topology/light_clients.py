"""The light clients by type, and which chain a client state follows."""

from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.attestation import decode_client_state as decode_attestation
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.bft_evm import decode_client_state as decode_bft_evm
from hutong.light_clients.bitcoin import BitcoinClient
from hutong.light_clients.bitcoin import decode_client_state as decode_bitcoin
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.clique import decode_client_state as decode_clique
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.ethereum import decode_client_state as decode_ethereum
from hutong.light_clients.fisco_bcos import FiscoBcosClient
from hutong.light_clients.fisco_bcos import decode_client_state as decode_fisco_bcos
from hutong.light_clients.interface import LightClient, UnsupportedOperation
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import decode_client_state as decode_tendermint

_LIGHT_CLIENTS: dict[str, LightClient] = {
    AttestationClient.client_type: AttestationClient(),
    BftEvmClient.client_type: BftEvmClient(),
    CliqueClient.client_type: CliqueClient(),
    BitcoinClient.client_type: BitcoinClient(),
    EthereumClient.client_type: EthereumClient(),
    FiscoBcosClient.client_type: FiscoBcosClient(),
    TendermintClient.client_type: TendermintClient(),
}


def light_client(client_type: str) -> LightClient:
    """The code that judges headers and proofs for clients of that type.

    Raises:
        UnsupportedOperation: the relay has no such light client, and relays nothing that it cannot verify itself.
    """
    try:
        return _LIGHT_CLIENTS[client_type]
    except KeyError:
        raise UnsupportedOperation(f"light clients of type {client_type}") from None


def followed_chain_id(client_type: str, client_state: bytes) -> str:
    """The chain id that the client state names: `bitcoin-NETWORK` of Bitcoin, a decimal id of an EVM chain.

    Args:
        client_state: encoded, as its host chain gives it; not believed for anything but the comparison with a
            configuration.

    Raises:
        MalformedInput: the bytes are not a state of that client type.
        UnsupportedOperation: the relay has no such light client.
    """
    if client_type == BftEvmClient.client_type:
        return str(decode_bft_evm(client_state).chain_id)
    if client_type == CliqueClient.client_type:
        return str(decode_clique(client_state).chain_id)
    if client_type == EthereumClient.client_type:
        return str(decode_ethereum(client_state).chain_id)
    if client_type == AttestationClient.client_type:
        return decode_attestation(client_state).scope.source_chain_id
    if client_type == FiscoBcosClient.client_type:
        return decode_fisco_bcos(client_state).chain_id
    if client_type == BitcoinClient.client_type:
        return f"bitcoin-{decode_bitcoin(client_state).network.name.lower()}"
    if client_type == TendermintClient.client_type:
        return decode_tendermint(client_state).chain_id
    raise UnsupportedOperation(f"light clients of type {client_type}")
