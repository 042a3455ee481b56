"""Calls that an AccessManager restricts: sent at once, or scheduled and sent when their delay has passed, or written
down for the account that may make them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration.access_manager import (
    AUTHORITY,
    CAN_CALL,
    GET_SCHEDULE,
    HASH_OPERATION,
    SCHEDULE,
)
from hutong.adapters.evm.administration.moments import duration_text, moment_text
from hutong.adapters.evm.administration.wording import in_words, scheduled_call
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.transactor import Call, Transactor
from hutong.adapters.interface import AdapterError, BadAnswer, RefusedByChain, Signer


def _known(data: bytes) -> str:
    worded = in_words(data)
    return "a function that hutong does not know" if worded is None else str(worded)


@dataclass(eq=False)
class Pending(AdapterError):
    """A decision that has no effect yet: it waits until `ready_at_s`, or for `account` to send `data` to `to`."""

    ready_at_s: int | None = None
    wait_s: int = 0
    account: str = ""
    to: str = ""
    data: bytes = b""
    delay_s: int = 0
    """Where `data` is a schedule: how long after it the call itself can be made."""
    then: str = ""
    """What to do after `account` has sent it, where that is more than running the command again."""

    def __str__(self) -> str:
        if self.ready_at_s is None:
            said = f"for {self.account} to send: to {self.to} data {hex_data(self.data)}\n  {self._words()}"
            return f"{said}\n{self.then}" if self.then else said
        return (
            f"decided, and takes effect from {self.moment()} on: run the command again then"
            " (until then pausers can cancel what is not the admin's)"
        )

    def moment(self) -> str:
        """When it takes effect, where it waits for its time: as UTC, and how far it is."""
        ready_at_s = self.ready_at_s or 0
        return moment_text(ready_at_s, ready_at_s - self.wait_s)

    def _words(self) -> str:
        scheduled = scheduled_call(self.data)
        if scheduled is None:
            return f"which makes the call: {_known(self.data)}"
        target, inner = scheduled
        delay = f"the delay of {duration_text(self.delay_s)}"
        return f"which is the schedule, the call itself follows after {delay}: on {target} {_known(inner)}"

    def documents(self) -> list[dict[str, Any]]:
        """For JSON: the call that `account` has to send; nothing where all is sent and the delay runs."""
        if self.ready_at_s is not None:
            return []
        scheduled = scheduled_call(self.data)
        target, inner = (self.to, self.data) if scheduled is None else scheduled
        worded = in_words(inner)
        return [
            {
                "account": self.account,
                "step": "call" if scheduled is None else "schedule",
                "to": self.to,
                "data": hex_data(self.data),
                "target": target,
                "function": None if worded is None else worded.function,
                "arguments": None if worded is None else worded.arguments,
            }
        ]


@dataclass(eq=False)
class Undecided(AdapterError):
    """Several decisions that have no effect yet, and how to go on when they have."""

    waiting: tuple[Pending, ...]
    then: str

    def __str__(self) -> str:
        """Every call of another account, or when the last of one's own takes effect."""
        lines = [str(pending) for pending in self.waiting if pending.ready_at_s is None]
        ready = [pending for pending in self.waiting if pending.ready_at_s is not None]
        if ready:
            last = max(ready, key=lambda pending: pending.wait_s)
            lines.append(f"decided; it takes effect from {last.moment()} on")
        return "\n".join([*lines, f"then {self.then}"])

    def documents(self) -> list[dict[str, Any]]:
        """Of every one that waits."""
        return [document for pending in self.waiting for document in pending.documents()]


class Deciding(Transactor):
    """A Transactor whose calls go by the rights of `decides_as`, by default of the account that signs.

    Raises Pending where a call has no effect yet. Calling again with the same arguments goes on where the last call
    ended.
    """

    def __init__(self, execution: ExecutionRpc, chain_id: int, signer: Signer, decides_as: bytes | None = None) -> None:
        super().__init__(execution, chain_id, signer)
        self._own = bytes(to_canonical_address(signer.address))
        self._account = decides_as or self._own

    @property
    def account(self) -> bytes:
        """20 bytes: whose rights the calls go by."""
        return self._account

    async def delay_s(self, to: bytes, selector: bytes) -> int:
        """Seconds between the decision of `account` to make a call and the call; 0 where it is made at once. Sends nothing.

        Args:
            to: contract, 20 bytes; one that asks no AccessManager delays nothing.
            selector: the first four bytes of the calldata.

        Raises:
            RefusedByChain: AccessManagedUnauthorized, `account` may not make the call.
        """
        manager = await self._manager(to)
        if manager is None:
            return 0
        immediate, delay_s = await self._can_call(manager, to, selector)
        if not immediate and delay_s == 0:
            raise self._unauthorized(to)
        return delay_s

    async def effect_at_s(self, to: bytes, data: bytes) -> tuple[int, int]:
        """When a call can be made at the earliest, and the chain's time now; Unix seconds. Sends nothing.

        A call that is scheduled can be made when that is due, another one after the delay of `account`.

        Args:
            to: contract, 20 bytes.

        Raises:
            RefusedByChain: AccessManagedUnauthorized, `account` may not make the call.
        """
        delay_s = await self.delay_s(to, data[:4])
        now_s = (await self.execution.latest_block()).time_s
        manager = await self._manager(to) if delay_s else None
        ready_at_s = 0 if manager is None else await self._scheduled(manager, to, data)
        return max(ready_at_s or now_s + delay_s, now_s), now_s

    async def send_all(self, calls: Sequence[Call], first_nonce: int | None = None) -> tuple[Receipt, ...]:
        """As `Transactor.send_all`; one call without `first_nonce` goes by the rights of `account`.

        A call that its AccessManager delays is scheduled first, and made by a later `send_all` with the same arguments.
        Several calls are sent as they are, by the signer's own rights.

        Raises:
            Pending: it has no effect yet: it waits for its time, or for another account to send it.
            RefusedByChain: `account` may not make the call, or it reverts.
            BroadcastRefused: the pool does not take the transaction.
        """
        to, data = calls[0] if len(calls) == 1 and first_nonce is None else (None, b"")
        manager = None if to is None else await self._manager(to)
        if to is None or manager is None:
            return await super().send_all(calls, first_nonce)
        immediate, delay_s = await self._can_call(manager, to, data[:4])
        if immediate or delay_s == 0:
            if not immediate and self._account != self._own:
                raise self._unauthorized(to)
            return await self._act(to, data)
        ready_at_s = await self._scheduled(manager, to, data)
        if ready_at_s == 0:
            await self._act(manager, SCHEDULE.encode(to, data, 0), delay_s)
            ready_at_s = await self._scheduled(manager, to, data)
        now_s = (await self.execution.latest_block()).time_s
        if now_s < ready_at_s:
            raise Pending(ready_at_s, ready_at_s - now_s)
        return await self._act(to, data)

    async def _act(self, to: bytes, data: bytes, delay_s: int = 0) -> tuple[Receipt, ...]:
        if self._account == self._own:
            return await super().send_all([(to, data)])
        account, there = to_checksum_address(self._account), to_checksum_address(to)
        raise Pending(account=account, to=there, data=data, delay_s=delay_s)

    async def _can_call(self, manager: bytes, to: bytes, selector: bytes) -> tuple[bool, int]:
        """Whether `account` may make the call at once, and else its delay in seconds; 0 where it may not at all."""
        answer = await self.execution.call(manager, CAN_CALL.encode(self._account, to, selector))
        immediate, delay_s = CAN_CALL.decode(answer)
        return bool(immediate), int(delay_s)

    def _unauthorized(self, to: bytes) -> RefusedByChain:
        account, there = to_checksum_address(self._account), to_checksum_address(to)
        return RefusedByChain(
            "AccessManagedUnauthorized", f"AccessManagedUnauthorized: {account} may not decide that on {there}"
        )

    async def _scheduled(self, manager: bytes, to: bytes, data: bytes) -> int:
        """When the call can be made; 0 where it is not scheduled, or was for longer than a week ago."""
        call = HASH_OPERATION.encode(self._account, to, data)
        (operation,) = HASH_OPERATION.decode(await self.execution.call(manager, call))
        (ready_at_s,) = GET_SCHEDULE.decode(await self.execution.call(manager, GET_SCHEDULE.encode(operation)))
        return int(ready_at_s)

    async def _manager(self, to: bytes) -> bytes | None:
        """Of a contract that asks one; None for any other."""
        try:
            (authority,) = AUTHORITY.decode(await self.execution.call(to, AUTHORITY.encode()))
        except (RefusedByChain, BadAnswer):
            return None
        return bytes(to_canonical_address(authority))
