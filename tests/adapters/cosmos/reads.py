"""What the recorder asks of simd through the adapter, so that tests may ask it again: each read with the facts it needs."""

from typing import Any

from hutong.adapters.cosmos import CosmosChain
from hutong.adapters.interface import AdapterError, ClientParameters
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.interface import Height

CLIENT_TYPE = "07-tendermint"
PARAMETERS = ClientParameters(trusting_period_s=7 * 86_400, max_clock_drift_s=30)


def path(facts: dict[str, Any], kind: PathKind, sequence: int) -> tuple[bytes, ...]:
    return (b"ibc", path_key(facts["client"], kind, sequence))


async def read_everything(chain: CosmosChain, facts: dict[str, Any]) -> None:
    """Everything that tests ask; also with the index off, when the recorder refuses it."""
    client, head = facts["client"], (await chain.head()).height
    await chain.check_identity()
    for name in ("sent", "received", "acknowledged", "timed_out"):
        height = facts[name]
        await chain.block_time_ns(height)
        await chain.packet_events(height - 1, height + 1)
        await chain.packet_events(height, height)
    await chain.packet_events(head, head)
    info = await chain.client(client)
    await chain.consensus_state(client, info.latest_height)
    for unknown in (f"{client}777",):
        try:
            await chain.client(unknown)
        except AdapterError:
            pass
    await chain.consensus_state(client, Height(1, 10**9))
    states = await chain.initial_states(CLIENT_TYPE, PARAMETERS)
    trusted = Height(1, facts["sent"])
    await chain.client_messages(CLIENT_TYPE, states.client_state, trusted, Height(1, head))
    await chain.bare_header(facts["sent"])
    for kind, sequence in (
        (PathKind.COMMITMENT, facts["standing"]),
        (PathKind.COMMITMENT, facts["settled"]),
        (PathKind.RECEIPT, 1),
        (PathKind.RECEIPT, 999),
        (PathKind.ACKNOWLEDGEMENT, 1),
    ):
        await chain.prove(path(facts, kind, sequence), Height(1, head))
    await chain.next_sequence_send(client)
    await chain.unsettled_sends(client)
    await chain.unsettled_sends(client, facts["standing"] + 1)
    for sequence in (facts["settled"], facts["standing"], 999):
        await chain.sent_packet(client, sequence)
        await chain.commitment(client, sequence)
    await chain.commitment(client, facts["settled"], facts["sent"])
    await chain.receipt(client, 1)
    await chain.receipt(client, 999)
    for sequence in (1, 999):
        await chain.written_acknowledgement(client, sequence)
        await chain.acknowledgement_commitment(client, sequence)
