"""What stands on a chain: roles from the AccessManager's events, each confirmed by its views, and functions one by one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eth_utils.address import to_canonical_address, to_checksum_address

from hutong.adapters.evm.administration import access_manager as manager_abi
from hutong.adapters.evm.administration.rights import ARTIFACTS, MANAGER, Member, Rights, Role, Target
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, RefusedByChain, RpcRefused
from hutong.contracts.roles import ADMIN_ROLE, ROLE_NAMES, signatures
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.gmp import GMP_PORT
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput

GET_IBC_APP = Function("getIBCApp", ("string",), ("address",))
LOG_RANGE_BLOCKS = 5_000
MAX_EVENTS = 10_000
"""Of one manager: whoever has made more has something else in mind than a bridge."""


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
    manager = contracts[MANAGER]
    for name, address in contracts.items():
        if not await execution.code(address):
            raise RefusedByChain("no contract", f"no contract is at {to_checksum_address(address)} ({name})")
    head = await execution.latest_block()
    events = _Events(await _logs(execution, manager, first_height, head.height))
    view = _View(execution, manager, head.time_s)
    targets = {name: await _target(view, events, name, address) for name, address in contracts.items()}
    roles = {role: await _role(view, events, role) for role in sorted(events.roles())}
    return Rights(chain_id, first_height, targets, {n: role for n, role in roles.items() if role != Role()})


async def contracts_of(execution: ExecutionRpc, router: bytes) -> dict[str, bytes]:
    """The router's manager and the applications on its ports, 20 bytes each by the names of `rights.ARTIFACTS`.

    Raises:
        RefusedByChain: no code is at the router's address, or a port has no application.
        BadAnswer: an answer is not an address.
    """

    async def read(function: Function, *arguments: Any) -> bytes:
        answer = await execution.call(router, function.encode(*arguments))
        return bytes(to_canonical_address(function.decode(answer)[0]))

    if not await execution.code(router):
        raise RefusedByChain("no contract", f"no contract is at {to_checksum_address(router)}")
    return {
        MANAGER: await read(manager_abi.AUTHORITY),
        "router": router,
        "mailbox": await read(GET_IBC_APP, GMP_PORT),
        "transfer": await read(GET_IBC_APP, TRANSFER_PORT),
    }


class _Events:
    """The manager's logs, decoded: every role, member and selector that was ever named."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self.members: dict[int, set[bytes]] = {}
        self.selectors: dict[bytes, set[bytes]] = {}
        self.target_delays: dict[bytes, tuple[int, int]] = {}
        self.grant_delays: dict[int, tuple[int, int]] = {}
        self._mentioned: set[int] = set()
        for log in logs:
            self._take(log)

    def _take(self, log: Log) -> None:
        topics = log.topics
        match topics[0] if topics else b"":
            case manager_abi.ROLE_GRANTED:
                self.members.setdefault(_number(topics[1]), set()).add(topics[2][12:])
            case manager_abi.TARGET_FUNCTION_ROLE_UPDATED:
                (selector,) = _values(["bytes4"], log)
                self.selectors.setdefault(topics[1][12:], set()).add(selector)
                self._mentioned.add(_number(topics[2]))
            case manager_abi.TARGET_ADMIN_DELAY_UPDATED:
                delay_s, since_s = _values(["uint32", "uint48"], log)
                self.target_delays[topics[1][12:]] = (delay_s, since_s)
            case manager_abi.ROLE_GRANT_DELAY_CHANGED:
                delay_s, since_s = _values(["uint32", "uint48"], log)
                self.grant_delays[_number(topics[1])] = (delay_s, since_s)
            case manager_abi.ROLE_ADMIN_CHANGED | manager_abi.ROLE_GUARDIAN_CHANGED:
                self._mentioned |= {_number(topics[1]), _number(topics[2])}

    def roles(self) -> set[int]:
        return {ADMIN_ROLE, *ROLE_NAMES, *self._mentioned, *self.members, *self.grant_delays}


class _View:
    """Reads of the manager at the newest block. `now_s` is that block's time."""

    def __init__(self, execution: ExecutionRpc, manager: bytes, now_s: int) -> None:
        self._execution = execution
        self._manager = manager
        self.now_s = now_s

    async def read(self, function: Function, *arguments: Any) -> Any:
        values = function.decode(await self._execution.call(self._manager, function.encode(*arguments)))
        return values[0] if len(values) == 1 else values

    async def authority(self, target: bytes) -> str:
        answer = await self._execution.call(target, manager_abi.AUTHORITY.encode())
        return to_checksum_address(manager_abi.AUTHORITY.decode(answer)[0])

    def announced(self, what: str, event: tuple[int, int] | None, present_s: int) -> int:
        """The delay that was set last, which may begin later: OpenZeppelin lets longer ones begin after five days."""
        if event is None:
            if present_s:
                raise BadAnswer("eth_getLogs", what, "has no event of what a view says", present_s)
            return 0
        delay_s, since_s = event
        if since_s <= self.now_s and present_s != delay_s:
            raise BadAnswer("eth_getLogs", what, f"is {delay_s} s, where a view says", present_s)
        return delay_s


async def _target(view: _View, events: _Events, name: str, address: bytes) -> Target:
    known = signatures(ARTIFACTS[name])
    functions = {}
    for selector in sorted({*known, *events.selectors.get(address, ())}):
        role = await view.read(manager_abi.GET_TARGET_FUNCTION_ROLE, address, selector)
        if role != ADMIN_ROLE:
            functions[known.get(selector, f"0x{selector.hex()}")] = role
    present_s = await view.read(manager_abi.GET_TARGET_ADMIN_DELAY, address)
    delay_s = view.announced(f"TargetAdminDelayUpdated of {name}", events.target_delays.get(address), present_s)
    closed = await view.read(manager_abi.IS_TARGET_CLOSED, address)
    authority = "" if name == MANAGER else await view.authority(address)
    return Target(to_checksum_address(address), dict(sorted(functions.items())), delay_s, closed, authority)


async def _role(view: _View, events: _Events, role: int) -> Role:
    members: dict[str, Member] = {}
    for account in sorted(events.members.get(role, ())):
        since_s, delay_s, coming_s, effect_s = await view.read(manager_abi.GET_ACCESS, role, account)
        if since_s:
            members[to_checksum_address(account)] = Member(
                delay_s, since_s if since_s > view.now_s else None, coming_s if effect_s else None
            )
    present_s = await view.read(manager_abi.GET_ROLE_GRANT_DELAY, role)
    return Role(
        members,
        await view.read(manager_abi.GET_ROLE_GUARDIAN, role),
        await view.read(manager_abi.GET_ROLE_ADMIN, role),
        view.announced(f"RoleGrantDelayChanged of role {role}", events.grant_delays.get(role), present_s),
    )


async def _logs(execution: ExecutionRpc, manager: bytes, first: int, last: int) -> list[Log]:
    """In ranges that endpoints serve: one that refuses a range is asked for half of it."""
    logs: list[Log] = []
    blocks = LOG_RANGE_BLOCKS
    while first <= last:
        end = min(last, first + blocks - 1)
        try:
            logs += await execution.logs(manager, first, end, [])
        except RpcRefused:
            if blocks == 1:
                raise
            blocks = max(1, blocks // 2)
            continue
        if len(logs) > MAX_EVENTS:
            raise BadAnswer("eth_getLogs", "logs", f"are more than {MAX_EVENTS} of one AccessManager", len(logs))
        first = end + 1
    return logs


def _number(topic: bytes) -> int:
    return int.from_bytes(topic, "big")


def _values(types: Iterable[str], log: Log) -> tuple[Any, ...]:
    try:
        return decode_canonical(list(types), log.data, "log.data", 1024)
    except MalformedInput as error:
        raise BadAnswer("eth_getLogs", "data", "is not of the event that its topic names") from error
