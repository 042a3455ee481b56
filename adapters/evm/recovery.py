"""A substitute contract behind a frozen or expired client of a router, with the delay that its AccessManager demands."""

from dataclasses import dataclass

from eth_utils.address import to_canonical_address, to_checksum_address

from adapters.ics26.abi import COUNTERPARTY_TUPLE, Function
from adapters.ics26.transactor import Transactor
from adapters.interface import RefusedByChain
from light_clients.ibc.identifiers import check_client_id

AUTHORITY = Function("authority", (), ("address",))
CAN_CALL = Function("canCall", ("address", "address", "bytes4"), ("bool", "uint32"))
HASH_OPERATION = Function("hashOperation", ("address", "address", "bytes"), ("bytes32",))
GET_SCHEDULE = Function("getSchedule", ("bytes32",), ("uint48",))
SCHEDULE = Function("schedule", ("address", "bytes", "uint48"))
MIGRATE_CLIENT = Function("migrateClient", ("string", COUNTERPARTY_TUPLE, "address"))


@dataclass(frozen=True, slots=True)
class Recovery:
    """`ready_at_s` is None once the substitute stands behind the client; else when the decision can take effect."""

    ready_at_s: int | None
    wait_s: int = 0


async def recover_client(
    transactor: Transactor,
    router: bytes,
    client_id: str,
    substitute: bytes,
    counterparty: tuple[str, tuple[bytes, ...]],
) -> Recovery:
    """One step towards it: at once without a delay, else schedule; and execute when the time of a schedule has come.

    The counterparty stays what it is. Calling again with the same arguments goes on where the last call ended.
    """
    execution = transactor.execution
    sender = to_canonical_address(transactor.signer.address)
    counterparty_id, prefix = counterparty
    data = MIGRATE_CLIENT.encode(check_client_id(client_id), (counterparty_id, list(prefix)), substitute)
    (authority,) = AUTHORITY.decode(await execution.call(router, AUTHORITY.encode()))
    manager = bytes(to_canonical_address(authority))
    can_call = CAN_CALL.encode(sender, router, MIGRATE_CLIENT.selector)
    immediate, delay_s = CAN_CALL.decode(await execution.call(manager, can_call))
    if not immediate and delay_s == 0:
        raise RefusedByChain(
            "AccessManagedUnauthorized",
            f"{to_checksum_address(sender)} may not replace clients of {to_checksum_address(router)}: it needs the migrator role",
        )
    if not immediate:
        operation_call = HASH_OPERATION.encode(sender, router, data)
        (operation,) = HASH_OPERATION.decode(await execution.call(manager, operation_call))
        (ready_at_s,) = GET_SCHEDULE.decode(await execution.call(manager, GET_SCHEDULE.encode(operation)))
        if ready_at_s == 0:
            await transactor.send(manager, SCHEDULE.encode(router, data, 0))
            (ready_at_s,) = GET_SCHEDULE.decode(await execution.call(manager, GET_SCHEDULE.encode(operation)))
        now_s = (await execution.latest_block()).time_s
        if now_s < ready_at_s:
            return Recovery(ready_at_s, ready_at_s - now_s)
    await transactor.send(router, data)
    return Recovery(None)
