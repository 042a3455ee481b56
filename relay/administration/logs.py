"""Clients on the hub that follow a signed log: their first states, and updates from what the log serves."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import (
    Height,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
)
from hutong.light_clients.records import MAX_STORE_VALUE_BYTES, ObservationKey, StorePlace
from hutong.light_clients.tlog import TlogClient
from hutong.relay.config import AnyChainConfig
from hutong.relay.config.logs import LogConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.interface import Administered, ClientInfo, RecvPacket, UpdateClient


@dataclass(frozen=True, slots=True)
class LogPeriods:
    """What the creator of a client chooses, in seconds."""

    trusting_period_s: int
    max_clock_drift_s: int


async def log_states(log: LogConfig, periods: LogPeriods, random: Random) -> tuple[bytes, bytes]:
    """Client and consensus state of a client that begins at the log's largest tree, which log and quorum signed.

    Raises:
        AdapterError: no endpoint serves such a checkpoint.
        MalformedInput: a period is out of its bounds.
    """
    from hutong.adapters.interface import ClientParameters
    from hutong.relay.core.topology.logs import open_log

    async with open_log(log, random) as source:
        parameters = ClientParameters(periods.trusting_period_s, periods.max_clock_drift_s)
        states = await source.initial_states(TlogClient.client_type, parameters)
    return states.client_state, states.consensus_state


async def log_update(log: LogConfig, info: "ClientInfo", random: Random) -> bytes | None:
    """What brings a client to the log's largest tree, or renews the time of that; None where there is nothing newer.

    Raises:
        AdapterError: no endpoint serves what it takes, or the log has forked (`LogForked`).
    """
    from hutong.relay.core.topology.logs import open_log

    async with open_log(log, random) as source:
        return await source.newest_update(info)


async def log_packet(
    log: LogConfig, host: "Administered", client_id: str, packet: Packet, random: Random
) -> "tuple[*tuple[UpdateClient, ...], RecvPacket]":
    """What brings a packet of the log to its host: an update where the client's tree is not the largest, and the packet
    with its proof. Both are judged here as the host will.

    Raises:
        AdapterError: host or log does not answer, or the publisher has published no message of that key.
        VerificationError: the first rule that does not hold, such as another packet under the same sequence.
    """
    from hutong.adapters.interface import HeightUnavailable, RecvPacket, UpdateClient
    from hutong.relay.core.topology.logs import open_log

    judge = TlogClient()
    info = await host.client(client_id)
    stored = await host.consensus_state(client_id, info.latest_height)
    if stored is None:
        raise HeightUnavailable(log.name, info.latest_height.revision_height, "the host has no such state")
    async with open_log(log, random) as source:
        head = await source.head()
        target = Height(0, head.height)
        updates = await source.client_messages(info.client_type, info.client_state, info.latest_height, target)
        proof = await source.prove((commitment_key(packet),), target)
    client_state = info.client_state
    for header in updates:
        states = MemoryConsensusStates({info.latest_height: stored})
        verdict = judge.verify_header(client_state, states, header, head.time_ns)
        if not isinstance(verdict, Updated):
            raise PredicateFailed("log_only_grew", "the log's tree contradicts the one that the host believes")
        client_state, stored = verdict.client_state, verdict.consensus_state
    judge.verify_membership(client_state, stored, proof.proof, proof.path, packet_commitment(packet))
    return (*(UpdateClient(client_id, header) for header in updates), RecvPacket(packet, proof.proof, target))


async def deliver_packet(
    host_config: AnyChainConfig, client: str, log: LogConfig, packet: Packet, signer: Signer, random: Random
) -> int:
    """Bring a packet of the log to its host, with the update that it takes, in one transaction.

    Args:
        client: its identifier on the chain `host_config`.

    Returns:
        The size of the tree that the packet was proven in.

    Raises:
        RefusedByChain: the host refuses it.
        VerificationError, AdapterError: as `log_packet`.
    """
    from hutong.adapters.interface import Batch
    from hutong.relay.administration.submission import submit_batch
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(host_config, random) as host:
        messages = await log_packet(log, host, client, packet, random)
        await submit_batch(host, Batch(messages), signer, "recvPacket")
        return messages[-1].proof_height.revision_height


@dataclass(frozen=True, slots=True)
class Observed:
    """What stands as a record after an act. `written` False: it did before, of this tree or a larger one."""

    key: bytes
    size: int
    written: bool


async def observe_in_log(
    host_config: AnyChainConfig, client: str, log: LogConfig, place: StorePlace, signer: Signer, random: Random
) -> Observed:
    """Make a record on a hub of an entry or a message of a log, after the update that it takes.

    Args:
        client: its identifier on the hub `host_config`.
        place: of an entry, or the ICS-24 key of a publisher's message.

    Raises:
        RefusedByChain: the hub refuses it, such as one that has not named the signer as a writer.
        NotSupported: the log has nothing there, or the chain is no hub that observes.
        VerificationError, AdapterError: log or host do not show it.
    """
    from hutong.adapters.interface import Batch, NotSupported, ObserveCall, UpdateClient
    from hutong.relay.administration.submission import submit_batch, submit_prepared
    from hutong.relay.core.observing.looking import observing_hub
    from hutong.relay.core.topology.chains import open_chain
    from hutong.relay.core.topology.logs import open_log

    async with open_chain(host_config, random) as host, open_log(log, random) as source:
        hub, info = observing_hub(host), await host.client(client)
        target = Height(0, (await source.head()).height)
        headers = await source.client_messages(info.client_type, info.client_state, info.latest_height, target)
        if headers:
            await submit_batch(host, Batch(tuple(UpdateClient(client, one) for one in headers)), signer, "updateClient")
        info, stored = await host.client(client), await host.consensus_state(client, target)
        if stored is None:
            raise NotSupported(f"{client} without a state at {target}, to which it was brought")
        proof = await source.prove(place.path, target)
        if proof.value is None or len(proof.value) > MAX_STORE_VALUE_BYTES:
            raise NotSupported(f"records of more than {MAX_STORE_VALUE_BYTES} bytes")
        TlogClient().verify_membership(info.client_state, stored, proof.proof, place.path, proof.value)
        call = ObserveCall(client, target, b"", (proof.proof,), (place,), (proof.value,))
        prepared = await hub.prepare_observations(call, host.address_of(signer))
        if any(prepared.writes):
            await submit_prepared(host, prepared.transaction, signer, "observe")
        key = ObservationKey.of(client, place).to_bytes()
        return Observed(key, target.revision_height, any(prepared.writes))
