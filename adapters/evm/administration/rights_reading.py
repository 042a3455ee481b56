"""What stands on a chain, and what is decided: roles and scheduled calls from the AccessManager's events, each confirmed by
its views, and functions one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration import access_manager as manager_abi
from hutong.adapters.evm.administration.decisions import Decision, ScheduledCall, decision_of
from hutong.adapters.evm.administration.history import history_of
from hutong.adapters.evm.administration.rights import ARTIFACTS, MANAGER, Member, Rights, Role, Target, role_name
from hutong.adapters.evm.administration.wording import SELECTOR_BYTES
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.events import MAX_EVENT_DATA_BYTES, Log, indexed_arguments
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, RefusedByChain
from hutong.contracts.apps import App
from hutong.contracts.roles import ADMIN_ROLE, ROLE_NAMES, signatures
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput

GET_IBC_APP = Function("getIBCApp", ("string",), ("address",))
OPERATION_TYPES = ("address", "address", "bytes")
MAX_EVENT_BYTES = 1024
"""Of any event but that of a scheduled call."""


@dataclass(frozen=True, slots=True)
class StandingRights:
    """At the newest block, whose time is `now_s`: what is in force, and what is decided and is not, soonest first."""

    rights: Rights
    now_s: int
    decisions: tuple[Decision, ...]


async def read_rights(
    execution: ExecutionRpc, chain_id: int, contracts: Mapping[str, bytes], first_height: int
) -> Rights:
    """What stands at the newest block: roles from the manager's events, each confirmed by its views.

    Args:
        contracts: addresses of 20 bytes by the names of `rights.ARTIFACTS`, the manager among them.
        first_height: the first block from which the manager has events.

    Raises:
        RefusedByChain: no code is at an address.
        BadAnswer: events and views disagree, an event is malformed, or there are more than MAX_EVENTS.
        RpcRefused: the node refuses the logs of even one block.
    """
    return (await read_standing_rights(execution, chain_id, contracts, first_height)).rights


async def read_standing_rights(
    execution: ExecutionRpc, chain_id: int, contracts: Mapping[str, bytes], first_height: int
) -> StandingRights:
    """As `read_rights`, with every decision that the manager knows of and that has no effect yet.

    Args:
        contracts: addresses of 20 bytes by the names of `rights.ARTIFACTS`, the manager among them.
        first_height: the first block from which the manager has events.

    Raises:
        RefusedByChain: no code is at an address.
        BadAnswer: events and views disagree, an event is malformed, or there are more than MAX_EVENTS.
        RpcRefused: the node refuses the logs of even one block.
    """
    for name, address in contracts.items():
        if not await execution.code(address):
            raise RefusedByChain("no contract", f"no contract is at {to_checksum_address(address)} ({name})")
    events, view = await _read_manager(execution, contracts[MANAGER], first_height)
    targets = {name: await _target(view, events, name, address) for name, address in contracts.items()}
    roles = {role: await _role(view, events, role) for role in sorted(events.roles())}
    rights = Rights(chain_id, first_height, targets, {n: role for n, role in roles.items() if role != Role()})
    names = {target.address: name for name, target in targets.items()}
    calls = [decision_of(call, names) for call in await _scheduled(view, events)]
    decisions = sorted([*calls, *_beginning(rights, events, view.now_s)], key=lambda each: each.effective_at_s)
    return StandingRights(rights, view.now_s, tuple(decisions))


async def scheduled_calls(
    execution: ExecutionRpc, manager: bytes, first_height: int
) -> tuple[int, tuple[ScheduledCall, ...]]:
    """The newest block's time, and every call that a manager has scheduled and that can still be made.

    Args:
        manager: the AccessManager's address, 20 bytes.
        first_height: the first block from which it has events that count.

    Raises:
        BadAnswer: events and views disagree, an event is malformed, or there are more than MAX_EVENTS.
        RpcRefused: the node refuses the logs of even one block.
    """
    events, view = await _read_manager(execution, manager, first_height)
    return view.now_s, await _scheduled(view, events)


async def _read_manager(execution: ExecutionRpc, manager: bytes, first_height: int) -> "tuple[_Events, _View]":
    head = await execution.latest_block()
    logs = await history_of(execution, manager, "AccessManager", range(first_height, head.height + 1), [])
    return _Events(logs), _View(execution, manager, head.time_s)


async def contracts_of(execution: ExecutionRpc, router: bytes) -> dict[str, bytes]:
    """The router's manager and the applications on its ports, 20 bytes each by the names of `rights.ARTIFACTS`.

    Ports that not every chain has may be free.

    Raises:
        RefusedByChain: no code is at the router's address, or a port has no application.
        BadAnswer: an answer is not an address.
    """
    await _require_router(execution, router)
    apps = {app.value: await application_of(execution, router, app.value) for app in App if app.has_port}
    return {
        MANAGER: await _address(execution, router, manager_abi.AUTHORITY),
        "router": router,
        "mailbox": await _address(execution, router, GET_IBC_APP, GMP_PORT),
        "transfer": await _address(execution, router, GET_IBC_APP, TRANSFER_PORT),
        **{name: address for name, address in apps.items() if address is not None},
    }


async def application_of(execution: ExecutionRpc, router: bytes, port: str) -> bytes | None:
    """The application on one of the router's ports, 20 bytes; None where the port is free.

    Args:
        router: address of 20 bytes.

    Raises:
        RefusedByChain: no code is at the router's address.
        BadAnswer: the answer is not an address.
    """
    await _require_router(execution, router)
    try:
        return await _address(execution, router, GET_IBC_APP, port)
    except RefusedByChain as error:
        if error.name != "IBCAppNotFound":
            raise
        return None


async def _require_router(execution: ExecutionRpc, router: bytes) -> None:
    if not await execution.code(router):
        raise RefusedByChain("no contract", f"no contract is at {to_checksum_address(router)}")


async def _address(execution: ExecutionRpc, contract: bytes, function: Function, *arguments: Any) -> bytes:
    answer = await execution.call(contract, function.encode(*arguments))
    return bytes(to_canonical_address(function.decode(answer)[0]))


@dataclass(frozen=True, slots=True)
class _Announced:
    """A delay that is `delay_s` from `since_s` on, by the decision of `by` where a scheduled call made it."""

    delay_s: int
    since_s: int
    by: str | None


class _Events:
    """The manager's logs, decoded: every role, member and selector that was ever named, and the calls that are scheduled."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self.members: dict[int, set[bytes]] = {}
        self.selectors: dict[bytes, set[bytes]] = {}
        self.target_delays: dict[bytes, _Announced] = {}
        self.grant_delays: dict[int, _Announced] = {}
        self.member_delays: dict[tuple[int, bytes], _Announced] = {}
        self.granted_by: dict[tuple[int, bytes], str | None] = {}
        self.scheduled: dict[bytes, ScheduledCall] = {}
        self._made: dict[bytes, list[ScheduledCall]] = {}
        self._mentioned: set[int] = set()
        for log in logs:
            self._take(log)

    def _take(self, log: Log) -> None:
        match log.topics[0] if log.topics else b"":
            case manager_abi.ROLE_GRANTED:
                role, account = _indexed(log, 2)
                self._take_grant(log, _number(role), account[12:])
            case manager_abi.TARGET_FUNCTION_ROLE_UPDATED:
                target, role = _indexed(log, 2)
                (selector,) = _values(["bytes4"], log)
                self.selectors.setdefault(target[12:], set()).add(selector)
                self._mentioned.add(_number(role))
            case manager_abi.TARGET_ADMIN_DELAY_UPDATED:
                (target,) = _indexed(log, 1)
                delay_s, since_s = _values(["uint32", "uint48"], log)
                by = self._decider(log, manager_abi.SET_TARGET_ADMIN_DELAY.encode(target[12:], delay_s))
                self.target_delays[target[12:]] = _Announced(delay_s, since_s, by)
            case manager_abi.ROLE_GRANT_DELAY_CHANGED:
                (role,) = _indexed(log, 1)
                delay_s, since_s = _values(["uint32", "uint48"], log)
                by = self._decider(log, manager_abi.SET_GRANT_DELAY.encode(_number(role), delay_s))
                self.grant_delays[_number(role)] = _Announced(delay_s, since_s, by)
            case manager_abi.ROLE_ADMIN_CHANGED | manager_abi.ROLE_GUARDIAN_CHANGED:
                role, other = _indexed(log, 2)
                self._mentioned |= {_number(role), _number(other)}
            case manager_abi.OPERATION_SCHEDULED:
                operation, _ = _indexed(log, 2)
                self.scheduled[operation] = _scheduled_call(log)
            case manager_abi.OPERATION_EXECUTED | manager_abi.OPERATION_CANCELED:
                operation, _ = _indexed(log, 2)
                call = self.scheduled.pop(operation, None)
                if call is not None and log.topics[0] == manager_abi.OPERATION_EXECUTED:
                    self._made.setdefault(log.transaction_hash, []).append(call)

    def _take_grant(self, log: Log, role: int, account: bytes) -> None:
        """Of a new member, whose role may begin later, or of one whose delay changes."""
        delay_s, since_s, is_new = _values(["uint32", "uint48", "bool"], log)
        by = self._decider(log, manager_abi.GRANT_ROLE.encode(role, account, delay_s))
        self.members.setdefault(role, set()).add(account)
        if is_new:
            self.granted_by[role, account] = by
        else:
            self.member_delays[role, account] = _Announced(delay_s, since_s, by)

    def _decider(self, log: Log, data: bytes) -> str | None:
        """Who had scheduled the call that the log is of: the manager says first that it is made, then what it did."""
        made = self._made.get(log.transaction_hash, [])
        return next((call.caller for call in made if call.data == data), None)

    def roles(self) -> set[int]:
        return {ADMIN_ROLE, *ROLE_NAMES, *self._mentioned, *self.members, *self.grant_delays}


class _View:
    """Reads of the manager at the newest block. `now_s` is that block's time."""

    def __init__(self, execution: ExecutionRpc, manager: bytes, now_s: int) -> None:
        self._execution = execution
        self._manager = manager
        self.now_s = now_s

    async def read(self, function: Function, *arguments: Any) -> Any:
        return _only(function.decode(await self._execution.call(self._manager, function.encode(*arguments))))

    async def read_all(self, *reads: tuple[Any, ...]) -> list[Any]:
        """What `read` returns for each, asked in one call: the manager's `multicall` calls itself, and a deployment has more than
        a hundred functions.

        Args:
            reads: a function of the manager and its arguments, each.

        Raises:
            BadAnswer: another number of results, or one that is not of its function.
        """
        calls = [function.encode(*arguments) for function, *arguments in reads]
        answer = await self._execution.call(self._manager, manager_abi.MULTICALL.encode(calls))
        (returned,) = manager_abi.MULTICALL.decode(answer)
        if len(returned) != len(calls):
            raise BadAnswer("multicall", "returned", f"is not {len(calls)} results", len(returned))
        return [_only(function.decode(each)) for (function, *_), each in zip(reads, returned, strict=True)]

    async def authority(self, target: bytes) -> str:
        answer = await self._execution.call(target, manager_abi.AUTHORITY.encode())
        return to_checksum_address(manager_abi.AUTHORITY.decode(answer)[0])

    def announced(self, what: str, event: _Announced | None, present_s: int) -> int:
        """The delay that was set last, which may begin later: OpenZeppelin lets longer ones begin after five days."""
        if event is None:
            if present_s:
                raise BadAnswer("eth_getLogs", what, "has no event of what a view says", present_s)
            return 0
        if event.since_s <= self.now_s and present_s != event.delay_s:
            raise BadAnswer("eth_getLogs", what, f"is {event.delay_s} s, where a view says", present_s)
        return event.delay_s


async def _target(view: _View, events: _Events, name: str, address: bytes) -> Target:
    known = signatures(ARTIFACTS[name])
    selectors = sorted({*known, *events.selectors.get(address, ())})
    present_s, closed, *roles = await view.read_all(
        (manager_abi.GET_TARGET_ADMIN_DELAY, address),
        (manager_abi.IS_TARGET_CLOSED, address),
        *((manager_abi.GET_TARGET_FUNCTION_ROLE, address, selector) for selector in selectors),
    )
    functions = {
        known.get(selector, f"0x{selector.hex()}"): role
        for selector, role in zip(selectors, roles, strict=True)
        if role != ADMIN_ROLE
    }
    delay_s = view.announced(f"TargetAdminDelayUpdated of {name}", events.target_delays.get(address), present_s)
    authority = "" if name == MANAGER else await view.authority(address)
    return Target(to_checksum_address(address), dict(sorted(functions.items())), delay_s, closed, authority)


async def _role(view: _View, events: _Events, role: int) -> Role:
    accounts = sorted(events.members.get(role, ()))
    present_s, guardian, admin, *standing = await view.read_all(
        (manager_abi.GET_ROLE_GRANT_DELAY, role),
        (manager_abi.GET_ROLE_GUARDIAN, role),
        (manager_abi.GET_ROLE_ADMIN, role),
        *((manager_abi.GET_ACCESS, role, account) for account in accounts),
    )
    members: dict[str, Member] = {}
    for account, (since_s, delay_s, coming_s, effect_s) in zip(accounts, standing, strict=True):
        if since_s:
            members[to_checksum_address(account)] = Member(
                delay_s, since_s if since_s > view.now_s else None, coming_s if effect_s else None
            )
    return Role(
        members,
        guardian,
        admin,
        view.announced(f"RoleGrantDelayChanged of role {role}", events.grant_delays.get(role), present_s),
    )


async def _scheduled(view: _View, events: _Events) -> tuple[ScheduledCall, ...]:
    """Those that can still be made, each with its guardian."""
    calls = []
    for operation, call in events.scheduled.items():
        if call.expires_at_s <= view.now_s:
            continue
        ready_at_s = await view.read(manager_abi.GET_SCHEDULE, operation)
        if ready_at_s != call.ready_at_s:
            raise BadAnswer(
                "eth_getLogs",
                "OperationScheduled",
                f"is for {call.ready_at_s} without an end, where a view says {ready_at_s}: run the command again,"
                " and take another endpoint if it stays so",
            )
        target, selector = bytes(to_canonical_address(call.target)), call.data[:SELECTOR_BYTES]
        role = await view.read(manager_abi.GET_TARGET_FUNCTION_ROLE, target, selector)
        calls.append(replace(call, guardian=await view.read(manager_abi.GET_ROLE_GUARDIAN, role)))
    return tuple(calls)


def _beginning(rights: Rights, events: _Events, now_s: int) -> Iterator[Decision]:
    """What calls that were made have begun and what is not in force yet."""
    for number, role in rights.roles.items():
        for account, member in role.members.items():
            key = (number, bytes(to_canonical_address(account)))
            if member.since_s is not None:
                what = f"{account} will have the role {role_name(number)} with a delay of {member.delay_s} s"
                yield Decision("member", what, events.granted_by.get(key), member.since_s)
            coming = events.member_delays.get(key)
            if member.coming_delay_s is not None and coming is not None:
                what = f"the delay of {account} as {role_name(number)} will be {coming.delay_s} s"
                yield Decision("member_delay", what, coming.by, coming.since_s)
    for number, coming in events.grant_delays.items():
        if coming.since_s > now_s:
            what = f"a new grant of the role {role_name(number)} will begin {coming.delay_s} s after it is made"
            yield Decision("grant_delay", what, coming.by, coming.since_s)
    for name, target in rights.targets.items():
        coming = events.target_delays.get(bytes(to_canonical_address(target.address)))
        if coming is not None and coming.since_s > now_s:
            what = f"what the admin decides over {name} will wait {coming.delay_s} s"
            yield Decision("target_admin_delay", what, coming.by, coming.since_s)


def _scheduled_call(log: Log) -> ScheduledCall:
    ready_at_s, *operation = _values(["uint48", *OPERATION_TYPES], log, MAX_EVENT_DATA_BYTES)
    if keccak256(encode(OPERATION_TYPES, operation)) != log.topics[1]:
        raise BadAnswer("eth_getLogs", "operationId", "is not the hash of the call that is scheduled")
    caller, target, data = operation
    return ScheduledCall(log.topics[1], to_checksum_address(caller), to_checksum_address(target), data, ready_at_s)


def _only(values: tuple[Any, ...]) -> Any:
    """Of a function with one output, its value; of another, all of them."""
    return values[0] if len(values) == 1 else values


def _indexed(log: Log, count: int) -> tuple[bytes, ...]:
    return indexed_arguments(log, count, "eth_getLogs")


def _number(topic: bytes) -> int:
    return int.from_bytes(topic, "big")


def _values(types: Iterable[str], log: Log, max_bytes: int = MAX_EVENT_BYTES) -> tuple[Any, ...]:
    try:
        return decode_canonical(list(types), log.data, "log.data", max_bytes)
    except MalformedInput as error:
        raise BadAnswer("eth_getLogs", "data", "is not of the event that its topic names") from error
