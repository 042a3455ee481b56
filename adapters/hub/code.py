"""Who may run code on a hub, as its node says (docs/spec/hub-code.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.rpc import Fields

MAX_NAMES = 100_000
ADDRESS_BYTES = 20
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class NamedCode:
    """`contracts` holds the deployer that created each, or None where it was named by a decision. Addresses ascend.
    `is_complete` is False if there are more names than were read."""

    is_open: bool
    deployers: tuple[bytes, ...]
    contracts: Mapping[bytes, bytes | None]
    is_complete: bool = True


async def named_code(execution: ExecutionRpc) -> NamedCode:
    """Who may run code, page by page until a page brings nothing new or MAX_NAMES names are known.

    Raises:
        BadAnswer: a malformed page. RpcRefused: the node does not offer it.
        EndpointUnavailable: no endpoint answers.
    """
    deployers: dict[bytes, None] = {}
    contracts: dict[bytes, bytes | None] = {}
    while True:
        known = len(deployers) + len(contracts)
        page = await execution.client.call("hutong_code", [_last(deployers), _last(contracts)], _decode)
        deployers |= dict.fromkeys(page.deployers)
        contracts |= page.contracts
        now = len(deployers) + len(contracts)
        # A node that repeats its page has no more to say.
        if not known < now < MAX_NAMES:
            is_complete = now == known or max(len(page.deployers), len(page.contracts)) < _PAGE
            return NamedCode(page.is_open, tuple(sorted(deployers)), dict(sorted(contracts.items())), is_complete)


def _last(known: Mapping[bytes, object]) -> str:
    return f"0x{max(known, default=bytes(ADDRESS_BYTES)).hex()}"


def _decode(fields: Fields) -> NamedCode:
    deployers = tuple(item.data(ADDRESS_BYTES) for item in fields.at("deployers").items(_PAGE))
    contracts = {}
    for item in fields.at("contracts").items(_PAGE):
        deployer = item.get("deployer")
        contracts[item.at("address").data(ADDRESS_BYTES)] = None if deployer is None else deployer.data(ADDRESS_BYTES)
    return NamedCode(fields.at("open").flag(), deployers, contracts)
