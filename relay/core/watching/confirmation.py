"""From an event to a job: an event is a hint, the state at a final height decides (attack list G2)."""

from collections.abc import Callable

from hutong.adapters.interface import PacketEvent, PacketEventKind, PacketRecords
from hutong.light_clients.ibc.commitment import acknowledgement_commitment, packet_commitment
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind
from hutong.relay.telemetry import get_logger

_log = get_logger("watcher")


async def confirmed_job(
    event: PacketEvent, adapter: PacketRecords, paths: Paths, final_height: int, now_ns: Callable[[], int]
) -> Job | None:
    """The job that an event of `adapter`'s chain leads to, if the state after block `final_height` holds what it says.

    None: the event asks nothing of us, is of no configured path, or its state is not there (settled, or never true).
    Raises AdapterError where the chain does not say what stands there.
    """
    packet = event.packet
    if event.kind is PacketEventKind.SEND:
        here, there, kind = packet.source_client, packet.destination_client, JobKind.RECEIVE
    elif event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT:
        here, there, kind = packet.destination_client, packet.source_client, JobKind.ACKNOWLEDGE
    else:
        return None
    opposite = paths.counterparty(adapter.name, here)
    if opposite is None:
        return None
    if opposite.client != there:
        _log.warning(
            "event names another counterparty",
            chain=adapter.name,
            client=here,
            sequence=packet.sequence,
            transaction=event.transaction_hash,
            got=there,
            expected=opposite.client,
        )
        return None
    if kind is JobKind.RECEIVE:
        acknowledgement = None
        expected = packet_commitment(packet)
        stored = await adapter.commitment(here, packet.sequence, final_height)
    else:
        acknowledgement = event.acknowledgement
        if acknowledgement is None:
            return None
        expected = acknowledgement_commitment(acknowledgement)
        stored = await adapter.acknowledgement_commitment(here, packet.sequence, final_height)
    if stored != expected:
        if stored is not None:
            sender = adapter.name if kind is JobKind.RECEIVE else opposite.chain
            _log.warning(
                "event contradicts the state",
                chain=adapter.name,
                packet=f"{sender}/{packet.source_client}/{packet.sequence}",
                transaction=event.transaction_hash,
            )
        return None
    return Job(
        kind=kind,
        source=adapter.name,
        destination=opposite.chain,
        packet=packet,
        acknowledgement=acknowledgement,
        event_height=event.height,
        event_time_ns=event.block_time_ns,
        seen_at_ns=now_ns(),
    )
