"""Why the hub answered a packet with an error that it had sent on: its own reason, which no event carries.

An endpoint's word: shown to people, never acted on.
"""

from dataclasses import replace

import trio

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.refusals import shown
from hutong.adapters.interface import AdapterError, PacketEvent, PacketEventKind
from hutong.adapters.rpc import CONCURRENT_READS, Fields, all_of

MAX_REASON_CHARS = 512
"""The hub's own bound."""
ASKED_S = 5.0
"""Packets do not wait longer for words about them."""


async def explained(execution: ExecutionRpc, events: tuple[PacketEvent, ...]) -> tuple[PacketEvent, ...]:
    """The events, with the hub's reason beside each error acknowledgement that came without one.

    Who does not say it leaves the event as it is.
    """
    known = list(events)
    asked = [index for index, event in enumerate(events) if _lacks_reason(event)]

    async def ask(index: int) -> None:
        packet = events[index].packet
        params = [packet.destination_client, hex(packet.sequence)]
        try:
            reason = await execution.client.call("hutong_forwardFailure", params, _reason)
        except AdapterError:
            return
        known[index] = replace(events[index], refusal=reason)

    with trio.move_on_after(ASKED_S):
        for start in range(0, len(asked), CONCURRENT_READS):
            await all_of([(ask, index) for index in asked[start : start + CONCURRENT_READS]])
    return tuple(known)


def _lacks_reason(event: PacketEvent) -> bool:
    answer = event.acknowledgement
    is_error = event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT and answer is not None and answer.is_error
    return is_error and event.refusal is None


def _reason(fields: Fields) -> str | None:
    if fields.value is None:
        return None
    return shown(fields.text(MAX_REASON_CHARS))
