"""The hub's client of a chain goes on with the next revision that the chain has committed."""

import time
from random import Random

from hutong.adapters.cosmos import CosmosChain
from hutong.adapters.hub.upgrade import upgrade_client
from hutong.light_clients.interface import UpgradableClient
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.light_clients.table import light_client
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.config import CosmosChainConfig, HubChainConfig
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer


async def upgrade(
    hub: HubChainConfig, client: str, given: bytes | CosmosChainConfig, signer: Signer, random: Random
) -> str:
    """Bring a client of the hub into its chain's next revision, judged here first by the client's own rules.

    Args:
        given: the upgrade message, or the chain that has committed it.

    Returns:
        The height at which the client is then.

    Raises:
        Declined: clients of its type are not upgraded.
        VerificationError: its rules refuse it.
        AdapterError: a chain does not answer, or refuses it.
    """
    async with open_hub(hub, random) as host:
        info = await host.client(client)
        rules = light_client(info.client_type)
        if not isinstance(rules, UpgradableClient):
            raise Declined(f"{client}: clients of type {info.client_type} are not upgraded")
        stored = await host.consensus_state(client, info.latest_height)
        states = MemoryConsensusStates({} if stored is None else {info.latest_height: stored})
        data = given if isinstance(given, bytes) else await _committed(given, info.client_state, random)
        rules.verify_upgrade(info.client_state, states, data, time.time_ns())
        await upgrade_client(await transactor_of(host, signer), client, data)
        return str((await host.client(client)).latest_height)


async def _committed(followed: CosmosChainConfig, client_state: bytes, random: Random) -> bytes:
    async with open_chain(followed, random) as source:
        if not isinstance(source, CosmosChain):
            raise TypeError("a Cosmos chain")
        return await source.committed_upgrade(client_state)
