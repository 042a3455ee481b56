"""`upgradeClient` of the hub's router, which anybody may call."""

from eth_utils.address import to_canonical_address

from hutong.adapters.hub.settings import ROUTER_ADDRESS
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE
from hutong.light_clients.ibc.identifiers import check_client_id

UPGRADE_CLIENT = Function("upgradeClient", ("string", "bytes"), (HEIGHT_TUPLE,))


async def upgrade_client(transactor: Transactor, client_id: str, upgrade: bytes) -> None:
    """Bring a client of the hub to the next revision of its chain; anyone may send it.

    Args:
        upgrade: encoded, as hutong.light_clients.tendermint.upgrade has it.

    Raises:
        RefusedByChain: the client does not take it, or its type has no upgrades.
        MalformedInput: `client_id` is not an identifier.
    """
    await transactor.send(
        bytes(to_canonical_address(ROUTER_ADDRESS)), UPGRADE_CLIENT.encode(check_client_id(client_id), upgrade)
    )
