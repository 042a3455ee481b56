"""Deployment of a HubReader, or of what stands on a HubClient as it does, for a dapp: anybody may, for nobody has rights there."""

from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.deploy import require_contract
from hutong.adapters.evm.hub_reader import CLIENT_ID, CONSENSUS_STATE, HUB_CLIENT, LATEST_HEIGHT, ROUTER
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height


@dataclass(frozen=True, slots=True)
class ReaderDeployment:
    """EIP-55 addresses: the reader, the router that it asks, and the HubClient that it is given now."""

    reader: str
    router: str
    client: str
    hub_client: str


@dataclass(frozen=True, slots=True)
class HubHeader:
    """What a HubClient keeps of a header: height, app hash, Unix seconds."""

    height: Height
    root: bytes
    time_s: int


async def read_reader(execution: ExecutionRpc, reader: bytes) -> ReaderDeployment:
    """What a reader says of itself.

    Args:
        reader: address of 20 bytes.

    Raises:
        BadAnswer: not a HubReader.
        RefusedByChain: the router has no such client any more.
    """
    (router,) = ROUTER.decode(await execution.call(reader, ROUTER.encode()))
    (client,) = CLIENT_ID.decode(await execution.call(reader, CLIENT_ID.encode()))
    (hub_client,) = HUB_CLIENT.decode(await execution.call(reader, HUB_CLIENT.encode()))
    return ReaderDeployment(
        to_checksum_address(reader), to_checksum_address(router), client, to_checksum_address(hub_client)
    )


async def newest_root(execution: ExecutionRpc, reader: bytes) -> tuple[Height, bytes]:
    """The newest header of the hub that a reader's HubClient has, and its app hash.

    Args:
        reader: address of 20 bytes.

    Raises:
        BadAnswer, RefusedByChain: as `read_reader`.
    """
    header = await newest_header(execution, reader)
    return header.height, header.root


async def newest_header(execution: ExecutionRpc, reader: bytes) -> HubHeader:
    """As `newest_root`, with the header's time."""
    client = bytes(to_canonical_address((await read_reader(execution, reader)).hub_client))
    (height,) = LATEST_HEIGHT.decode(await execution.call(client, LATEST_HEIGHT.encode()))
    (state,) = CONSENSUS_STATE.decode(await execution.call(client, CONSENSUS_STATE.encode(*height)))
    timestamp_ns, root, _ = state
    return HubHeader(Height(*height), root, timestamp_ns // NANOSECONDS_PER_SECOND)


async def deploy_hub_reader(
    transactor: Transactor, router: bytes, client_id: str, contract: str = "HubReader"
) -> ReaderDeployment:
    """A reader through `client_id` of a router, and what it says of itself.

    Args:
        router: address of 20 bytes.
        client_id: of the hub on that router.
        contract: `HubReader`, or another one that stands on the same two, such as `IdentityCache`.

    Raises:
        MalformedInput: not an identifier.
        RefusedByChain: no router is there, it has no such client, or the client is of another type.
        BadAnswer: the new contract says something else than it was told.
    """
    await require_contract(transactor, router)
    arguments = encode(["address", "string"], [router, check_client_id(client_id)])
    receipt = await transactor.send(None, load_artifact(contract).bytecode + arguments)
    if receipt.contract_address is None:
        raise BadAnswer("eth_getTransactionReceipt", "contractAddress", "is missing after a creation")
    deployed = await read_reader(transactor.execution, receipt.contract_address)
    if (to_canonical_address(deployed.router), deployed.client) != (router, client_id):
        raise BadAnswer("eth_call", "router", "of the new reader is not the one that it was created with")
    return deployed
