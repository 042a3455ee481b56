"""A substitute contract behind a frozen or expired client of a router, with the delay that its AccessManager demands."""

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.administration.deciding import Deciding
from hutong.adapters.evm.administration.delayed import Progress, call_after_delay
from hutong.adapters.ics26.abi import COUNTERPARTY_TUPLE, Function
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
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
    data = _call(client_id, substitute, counterparty)
    return await call_after_delay(transactor, router, data, _needs(router))


async def recovery_at_s(
    deciding: Deciding,
    router: bytes,
    client_id: str,
    substitute: bytes | None,
    counterparty: tuple[str, tuple[bytes, ...]],
) -> tuple[int, int]:
    """When `recover_client` can have effect at the earliest, and the chain's time now; Unix seconds. Sends nothing.

    Args:
        substitute: None for one that is not made yet, of which nothing can be scheduled.

    Raises:
        MalformedInput: `client_id` is not an identifier.
        RefusedByChain: whoever decides does not have the migrator role.
    """
    try:
        if substitute is not None:
            return await deciding.effect_at_s(router, _call(client_id, substitute, counterparty))
        delay_s = await deciding.delay_s(router, MIGRATE_CLIENT.selector)
    except RefusedByChain as refusal:
        if refusal.name != "AccessManagedUnauthorized":
            raise
        account = to_checksum_address(deciding.account)
        raise RefusedByChain(
            refusal.name, f"{refusal.name}: {account} may not do that: it needs {_needs(router)}"
        ) from None
    now_s = (await deciding.execution.latest_block()).time_s
    return now_s + delay_s, now_s


def _call(client_id: str, substitute: bytes, counterparty: tuple[str, tuple[bytes, ...]]) -> bytes:
    counterparty_id, prefix = counterparty
    return MIGRATE_CLIENT.encode(check_client_id(client_id), (counterparty_id, list(prefix)), substitute)


def _needs(router: bytes) -> str:
    return f"the migrator role to replace clients of {to_checksum_address(router)}"
