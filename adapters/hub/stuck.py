"""What waits on the hub for a client that is not Active (design rule 3), as `hutong_stuck` tells it.

An endpoint's word: shown to people, never acted on.
"""

from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.ibc.denom import MAX_DENOM_CHARS
from hutong.light_clients.ibc.identifiers import MAX_CLIENT_ID_CHARS

MAX_ROWS = 1_000
"""The hub's own bound of one answer."""
MAX_PACKETS = 100_000
"""More are not read: the first ones say what is the matter."""
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


@dataclass(frozen=True, slots=True)
class StuckPackets:
    """The packets that were read, and whether they are known to be all."""

    packets: tuple[StuckPacket, ...]
    is_complete: bool


async def stuck_packets(execution: ExecutionRpc, client_id: str | None = None) -> StuckPackets:
    """What waits over `client_id`, page by page, at most MAX_PACKETS; without one, the first MAX_ROWS over any client.

    Raises:
        EndpointUnavailable: each endpoint's page is malformed, has more than MAX_ROWS rows, or does not go on after the
            one before.
        RpcRefused: no endpoint tells.
    """
    if client_id is None:
        page = await execution.client.call("hutong_stuck", [], _rows)
        return StuckPackets(tuple(page), len(page) < MAX_ROWS)
    found: list[StuckPacket] = []
    while len(found) < MAX_PACKETS:
        page = await _page_after(execution, client_id, found[-1].sequence if found else 0)
        found += page
        if len(page) < MAX_ROWS:
            return StuckPackets(tuple(found), True)
    return StuckPackets(tuple(found), False)


async def _page_after(execution: ExecutionRpc, client_id: str, after: int) -> list[StuckPacket]:
    def decode(fields: Fields) -> list[StuckPacket]:
        last, rows = after, _rows(fields)
        for row in rows:
            # what repeats or goes back would be asked for without end
            if row.client_id != client_id or row.sequence <= last:
                raise BadAnswer(
                    "hutong_stuck", fields.path, f"is not of {client_id} after sequence {last}", got=row.sequence
                )
            last = row.sequence
        return rows

    return await execution.client.call("hutong_stuck", [client_id, hex(after)], decode)


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
