"""A substitute contract behind a frozen or expired client of a router, with the delay that its AccessManager demands."""

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.administration.delayed import Progress, call_after_delay
from hutong.adapters.ics26.abi import COUNTERPARTY_TUPLE, Function
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.ibc.identifiers import check_client_id

MIGRATE_CLIENT = Function("migrateClient", ("string", COUNTERPARTY_TUPLE, "address"))


async def recover_client(
    transactor: Transactor,
    router: bytes,
    client_id: str,
    substitute: bytes,
    counterparty: tuple[str, tuple[bytes, ...]],
) -> Progress:
    """One step towards it: at once without a delay, else schedule; and execute when the time of a schedule has come.

    The counterparty stays what it is. Calling again with the same arguments goes on where the last call ended.

    Args:
        router, substitute: addresses of 20 bytes.
        counterparty: (client id, Merkle prefix) that is registered for the client.

    Raises:
        MalformedInput: `client_id` is not an identifier.
        RefusedByChain: the sender does not have the migrator role, or the router refuses the substitute.
        Pending: `transactor` is a Deciding for another account, which has to send the next call itself.
    """
    counterparty_id, prefix = counterparty
    data = MIGRATE_CLIENT.encode(check_client_id(client_id), (counterparty_id, list(prefix)), substitute)
    needs = f"the migrator role to replace clients of {to_checksum_address(router)}"
    return await call_after_delay(transactor, router, data, needs)
