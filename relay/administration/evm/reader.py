"""A contract that reads the hub's records on a chain: deployed, and looked at."""

from random import Random

from hutong.adapters.evm.administration.reader import ReaderDeployment, deploy_hub_reader, read_reader
from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.keys import Signer


async def deploy_reader(
    chain: Endpoint, router: bytes, client_id: str, signer: Signer, random: Random
) -> ReaderDeployment:
    """Deploy a reader of the hub's records.

    Args:
        router: of the chain, 20 bytes.
        client_id: the chain's client of the hub.

    Raises:
        AdapterError: the chain does not answer, is another one, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        return await deploy_hub_reader(Transactor(execution, chain.chain_id, signer), router, client_id)


async def look_at_reader(chain: Endpoint, reader: bytes, random: Random) -> ReaderDeployment:
    """Which router a reader (20 bytes) asks, for which client, and which HubClient it gets.

    Raises:
        AdapterError: the chain does not answer, is another one, or has no reader there.
    """
    async with open_endpoint(chain, random) as execution:
        return await read_reader(execution, reader)
