"""Calls that an AccessManager lets its members make after a delay: scheduled by the first call, made by a later one."""

from dataclasses import dataclass

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.access_manager import AUTHORITY, CAN_CALL
from hutong.adapters.evm.administration.deciding import Deciding, Pending
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain

SELECTOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """`ready_at_s` is None once the call was made; else when it can be, in `wait_s` seconds of the chain's time."""

    ready_at_s: int | None
    wait_s: int = 0


async def call_after_delay(transactor: Transactor, target: bytes, data: bytes, needs: str) -> Progress:
    """One step towards the call: at once without a delay, else schedule it; and make it when its time has come.

    Calling again with the same arguments goes on where the last call ended. A week after its time it is forgotten by
    the manager, and scheduled anew. `needs` says which role the caller lacks, if it does.

    Raises:
        RefusedByChain: the account may not call that, or the call itself is refused.
        Pending: `transactor` is a Deciding for another account, which has to send the next call itself.
    """
    execution = transactor.execution
    deciding = (
        transactor if isinstance(transactor, Deciding) else Deciding(execution, transactor.chain_id, transactor.signer)
    )
    (authority,) = AUTHORITY.decode(await execution.call(target, AUTHORITY.encode()))
    manager = bytes(to_canonical_address(authority))
    can_call = CAN_CALL.encode(deciding.account, target, data[:SELECTOR_BYTES])
    immediate, delay_s = CAN_CALL.decode(await execution.call(manager, can_call))
    if not immediate and delay_s == 0:
        raise RefusedByChain(
            "AccessManagedUnauthorized",
            f"AccessManagedUnauthorized: {to_checksum_address(deciding.account)} may not do that: it needs {needs}",
        )
    try:
        await deciding.send(target, data)
    except Pending as pending:
        if pending.ready_at_s is None:
            raise
        return Progress(pending.ready_at_s, pending.wait_s)
    return Progress(None)
