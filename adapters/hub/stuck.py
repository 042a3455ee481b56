"""What waits on the hub for a client that is not Active (design rule 3), as `hutong_stuck` tells it.

An endpoint's word: shown to people, never acted on.
"""

from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.rpc import Fields
from hutong.light_clients.ibc.denom import MAX_DENOM_CHARS
from hutong.light_clients.ibc.identifiers import MAX_CLIENT_ID_CHARS

MAX_ROWS = 1_000
"""The hub's own bound of one answer."""
MAX_TEXT = 64


@dataclass(frozen=True, slots=True)
class StuckPacket:
    """A packet sent over `client_id`; `origin` is the packet that it forwards, `None` for an account's own."""

    client_id: str
    client_status: str
    sequence: int
    kind: str
    origin: tuple[str, int] | None
    denom: str | None
    amount: int | None


async def stuck_packets(execution: ExecutionRpc, client_id: str | None = None) -> list[StuckPacket]:
    """What waits over `client_id`, page by page; without one, the first `MAX_ROWS` over any client.

    Raises:
        BadAnswer: a page is malformed or has more than MAX_ROWS rows.
        EndpointUnavailable, RpcRefused: no endpoint tells.
    """
    if client_id is None:
        return await _page(execution, None, 0)
    found: list[StuckPacket] = []
    while page := await _page(execution, client_id, found[-1].sequence if found else 0):
        found += page
        if len(page) < MAX_ROWS:
            break
    return found


async def _page(execution: ExecutionRpc, client_id: str | None, after: int) -> list[StuckPacket]:
    params = [] if client_id is None else [client_id, hex(after)]
    return await execution.client.call("hutong_stuck", params, _rows)


def _rows(fields: Fields) -> list[StuckPacket]:
    return [_row(row) for row in fields.items(MAX_ROWS)]


def _row(row: Fields) -> StuckPacket:
    origin, denom, amount = row.get("origin"), row.get("denom"), row.get("amount")
    return StuckPacket(
        row.at("client").text(MAX_CLIENT_ID_CHARS),
        row.at("clientStatus").text(MAX_TEXT),
        row.at("sequence").quantity(),
        row.at("kind").text(MAX_TEXT),
        None if origin is None else (origin.at("client").text(MAX_CLIENT_ID_CHARS), origin.at("sequence").quantity()),
        None if denom is None else denom.text(MAX_DENOM_CHARS),
        None if amount is None else amount.quantity(),
    )
