"""Where a packet stands by the chains alone, for operators whose ledger knows nothing of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.adapters.interface import ChainAdapter
from hutong.relay.config import PathEnd
from hutong.relay.core.watching.discovery import is_expired


@dataclass(frozen=True, slots=True)
class Standing:
    """What the endpoints say of one packet; nothing here is proven. Block times are final ones."""

    sent: bool
    unsettled: bool
    received: bool = False
    answered: bool = False
    """Its acknowledgement is written on the destination."""
    expired: bool = False
    timeout_timestamp_s: int | None = None

    def sentence(self, end: PathEnd, opposite: PathEnd) -> str:
        """For a person: where the packet is and what comes next. `end` is where it was sent, `opposite` where
        it goes.
        """
        if not self.sent:
            return f"{end.chain} never sent it: no such sequence over {end.client} yet"
        if not self.unsettled:
            return f"it is settled: {end.chain} keeps no commitment of it; nothing to do"
        if self.answered:
            return (
                f"{opposite.chain} received it and wrote its acknowledgement, which waits to be proven on {end.chain};"
                " the running relay's clearer finds it"
            )
        if self.received:
            return (
                f"{opposite.chain} received it and has not acknowledged it yet; nothing to do: an app that answers later"
                " does so when it can, a forwarded packet when its second leg is settled"
            )
        if self.expired:
            return (
                f"{opposite.chain} did not receive it before its timeout, which waits to be proven on {end.chain};"
                " the running relay's clearer finds it"
            )
        return f"{opposite.chain} has not received it; the running relay's clearer finds it"


async def standing(end: PathEnd, opposite: PathEnd, sequence: int, adapters: Mapping[str, ChainAdapter]) -> Standing:
    """Ask both chains.

    Raises:
        AdapterError: one does not answer.
    """
    source, destination = adapters[end.chain], adapters[opposite.chain]
    if await source.commitment(end.client, sequence) is None:
        return Standing(sent=sequence < await source.next_sequence_send(end.client), unsettled=False)
    head = await destination.head()
    received = await destination.receipt(opposite.client, sequence, head.height) is not None
    if received:
        stored = await destination.acknowledgement_commitment(opposite.client, sequence, head.height)
        return Standing(sent=True, unsettled=True, received=True, answered=stored is not None)
    event = await source.sent_packet(end.client, sequence)
    return Standing(
        sent=True,
        unsettled=True,
        expired=event is not None and is_expired(event.packet, head.time_ns),
        timeout_timestamp_s=None if event is None else event.packet.timeout_timestamp_s,
    )
