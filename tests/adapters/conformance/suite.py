"""What every ChainAdapter must do, against a pair of chains that hold clients of each other.

A `Link` gives two adapters A and B, the client of B on A and of A on B, a funded signer on each, and two verbs: make
an app on A send a packet to B, and let time pass until both chains have new final blocks. The suite relays by hand and
verifies every header and proof with the light clients before it is submitted, as the relay does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
import trio

from hutong.adapters.interface import (
    MAX_EVENT_RANGE,
    AcknowledgePacket,
    AlreadyKnown,
    AttestedBy,
    Batch,
    BatchTooLarge,
    BroadcastRefused,
    ChainAdapter,
    ClientParameters,
    HeightUnavailable,
    InsufficientFunds,
    NonceTooLow,
    NotSupported,
    PacketEvent,
    PacketEventKind,
    RecvPacket,
    Signer,
    UnknownClient,
    UpdateClient,
)
from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    merkle_path,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.interface import ClientStatus, Height, PredicateFailed, Updated, VerificationError
from hutong.light_clients.tendermint.client import TendermintClient

LIGHT_CLIENTS = {
    client.client_type: client
    for client in (BftEvmClient(), CliqueClient(), TendermintClient(), AttestationClient(), EthereumClient())
}


@dataclass(frozen=True)
class End:
    adapter: ChainAdapter
    client: str
    signer: Signer

    @property
    def address(self) -> str:
        """The signer's account on this chain."""
        return self.adapter.address_of(self.signer)


@dataclass(frozen=True)
class Link:
    """`send(value, timeout_s)` makes A's app send to B with an absolute timeout; `advance` makes final blocks on both."""

    a: End
    b: End
    send: Callable[[bytes, int], Awaitable[None]]
    advance: Callable[[], Awaitable[None]]
    timeout_after_s: int = 600
    attested_by: AttestedBy | None = None


class StoredStates:
    def __init__(self, states: dict[Height, bytes]) -> None:
        self.states = states

    def get(self, height):
        return self.states.get(height)

    def before(self, height):
        return max(((h, s) for h, s in self.states.items() if h < height), default=None)

    def after(self, height):
        return min(((h, s) for h, s in self.states.items() if h > height), default=None)


async def reached(link: Link, adapter: ChainAdapter, height: int) -> None:
    for _ in range(60):
        if (await adapter.head()).height >= height:
            return
        await link.advance()
    raise AssertionError(f"{adapter.name} never reached {height}")


async def updates(link: Link, source: End, destination: End, height: Height) -> tuple[list[UpdateClient], dict]:
    """Verified updates of the destination's client to `height`, and the consensus states that they leave."""
    await reached(link, source.adapter, height.revision_height)
    info = await destination.adapter.client(destination.client)
    light_client = LIGHT_CLIENTS[info.client_type]
    states = {info.latest_height: await destination.adapter.consensus_state(destination.client, info.latest_height)}
    if height <= info.latest_height:
        stored = await destination.adapter.consensus_state(destination.client, height)
        assert stored is not None, "the suite only goes forward"
        return [], {**states, height: stored}
    headers = await source.adapter.client_messages(info.client_type, info.client_state, info.latest_height, height)
    client_state = info.client_state
    now_ns = (await destination.adapter.head()).time_ns
    for header in headers:
        verdict = light_client.verify_header(client_state, StoredStates(states), header, now_ns)
        assert isinstance(verdict, Updated)
        client_state = verdict.client_state
        states[verdict.height] = verdict.consensus_state
    assert height in states
    return [UpdateClient(destination.client, header) for header in headers], {**states, "client_state": client_state}


async def submit(link: Link, end: End, messages: list):
    """Prepared, signed and outcome of the transaction, of the last one where they do not fit into one."""
    adapter = end.adapter
    account = await adapter.account(end.address)
    try:
        prepared = await adapter.prepare(Batch(tuple(messages)), end.address)
    except BatchTooLarge:  # a chain that made many blocks meanwhile has more headers than fit beside a packet
        if len(messages) == 1:
            raise
        _, _, outcome = await submit(link, end, messages[:-1])
        assert outcome.reverted is None and outcome.failures == ()
        return await submit(link, end, messages[-1:])
    signed = await adapter.sign(prepared, account.latest_nonce, end.signer)
    await adapter.broadcast(signed)
    for _ in range(60):
        outcome = await adapter.outcome(signed.hash)
        if outcome is not None:
            return prepared, signed, outcome
        await link.advance()
        await adapter.head()
    raise AssertionError("the transaction was never mined")


async def submit_alone(adapter: ChainAdapter, signer: Signer, messages: list):
    """As `submit`, on a chain that makes blocks by itself."""
    address = adapter.address_of(signer)
    account = await adapter.account(address)
    prepared = await adapter.prepare(Batch(tuple(messages)), address)
    signed = await adapter.sign(prepared, account.latest_nonce, signer)
    await adapter.broadcast(signed)
    with trio.fail_after(600):
        while True:
            outcome = await adapter.outcome(signed.hash)
            if outcome is not None:
                return prepared, signed, outcome
            await adapter.wait_for_height((await adapter.head()).height + 1)


async def send_one(link: Link, value: bytes = b"hello") -> PacketEvent:
    a = link.a.adapter
    before = await a.head()
    sequence = await a.next_sequence_send(link.a.client)
    await link.send(value, before.time_ns // 10**9 + link.timeout_after_s)
    for _ in range(60):
        if await a.next_sequence_send(link.a.client) > sequence:
            break
        await link.advance()
    for _ in range(60):
        head = await a.head()
        events = await a.packet_events(max(before.height, head.height - MAX_EVENT_RANGE + 1), head.height)
        mine = [e for e in events if e.kind is PacketEventKind.SEND and e.packet.sequence == sequence]
        if mine:
            return mine[0]
        await link.advance()
    raise AssertionError("the SEND event never appeared")


async def receive(link: Link, event: PacketEvent):
    """Deliver on B, having verified header and proof as B's client would."""
    a, b = link.a, link.b
    height = a.adapter.proving_height(event.height)
    messages, states = await updates(link, a, b, height)
    info = await b.adapter.client(b.client)
    path = merkle_path(info.merkle_prefix, commitment_key(event.packet))
    proof = await a.adapter.prove(path, height, info.client_state)
    assert proof.value == packet_commitment(event.packet)
    assert proof.height == height
    light_client = LIGHT_CLIENTS[info.client_type]
    client_state = states.get("client_state", info.client_state)
    light_client.verify_membership(client_state, states[height], proof.proof, path, proof.value)
    return await submit(link, b, [*messages, RecvPacket(event.packet, proof.proof, proof.height)])


async def acknowledge(link: Link, event: PacketEvent):
    """Settle on A, from B's WRITE_ACKNOWLEDGEMENT event."""
    a, b = link.a, link.b
    height = b.adapter.proving_height(event.height)
    messages, states = await updates(link, b, a, height)
    info = await a.adapter.client(a.client)
    path = merkle_path(info.merkle_prefix, acknowledgement_key(event.packet))
    proof = await b.adapter.prove(path, height, info.client_state)
    assert proof.value == acknowledgement_commitment(event.acknowledgement)
    client_state = states.get("client_state", info.client_state)
    LIGHT_CLIENTS[info.client_type].verify_membership(client_state, states[height], proof.proof, path, proof.value)
    message = AcknowledgePacket(event.packet, event.acknowledgement, proof.proof, proof.height)
    return await submit(link, a, [*messages, message])


async def check_identity_and_heads(link: Link) -> None:
    for end in (link.a, link.b):
        await end.adapter.check_identity()
        first = await end.adapter.head()
        assert len(first.hash) == 32
        await link.advance()
        with trio.fail_after(600):
            second = await end.adapter.wait_for_height(first.height)
        assert second.height >= first.height
        assert second.time_ns >= first.time_ns
        assert await end.adapter.block_time_ns(first.height) == first.time_ns


async def check_ranges(link: Link) -> None:
    adapter = link.a.adapter
    head = (await adapter.head()).height
    with pytest.raises(HeightUnavailable):
        await adapter.packet_events(head, head + 10_000 - 9_500)
    with pytest.raises(ValueError):
        await adapter.packet_events(0, MAX_EVENT_RANGE)
    with pytest.raises(ValueError):
        await adapter.packet_events(3, 2)


async def check_clients(link: Link) -> None:
    for end, other in ((link.a, link.b), (link.b, link.a)):
        info = await end.adapter.client(end.client)
        assert info.client_id == end.client
        assert info.status is ClientStatus.ACTIVE
        assert info.counterparty_client_id == other.client
        assert info.merkle_prefix == other.adapter.merkle_prefix
        light_client = LIGHT_CLIENTS[info.client_type]
        assert light_client.latest_height(info.client_state) == info.latest_height
        state = await end.adapter.consensus_state(end.client, info.latest_height)
        assert light_client.timestamp_ns(state) == info.latest_timestamp_ns
        assert info.trusting_period_ns > 0
        far = Height(info.latest_height.revision_number, info.latest_height.revision_height + 10**6)
        assert await end.adapter.consensus_state(end.client, far) is None
        with pytest.raises(UnknownClient) as caught:
            await end.adapter.client(f"{end.client}777")
        assert caught.value.client_id == f"{end.client}777"


async def check_new_client_states(link: Link) -> None:
    for end, other in ((link.a, link.b), (link.b, link.a)):
        client_type = (await other.adapter.client(other.client)).client_type
        states = await end.adapter.initial_states(
            client_type, ClientParameters(7 * 86_400, 10, attested_by=link.attested_by)
        )
        head = await end.adapter.head()
        created = LIGHT_CLIENTS[client_type].create(states.client_state, states.consensus_state, head.time_ns)
        assert created.latest_height == states.height
        with pytest.raises(NotSupported):
            await end.adapter.initial_states("06-solomachine", ClientParameters(7 * 86_400, 10))


async def check_packet_life(link: Link) -> None:
    """Send, receive, acknowledge: each step changes exactly the state that it should, and says so."""
    a, b = link.a, link.b
    sent = await send_one(link)
    packet = sent.packet
    assert sent.client_id == a.client
    assert sent.block_time_ns == await a.adapter.block_time_ns(sent.height)
    assert await a.adapter.commitment(a.client, packet.sequence) == packet_commitment(packet)
    assert await a.adapter.commitment(a.client, packet.sequence + 1) is None
    assert packet.sequence in await a.adapter.unsettled_sends(a.client)
    assert packet.sequence not in await a.adapter.unsettled_sends(a.client, packet.sequence + 1)
    assert await a.adapter.sent_packet(a.client, packet.sequence) == sent
    assert await a.adapter.sent_packet(a.client, packet.sequence + 999) is None
    assert await b.adapter.receipt(b.client, packet.sequence) is None

    prepared, signed, outcome = await receive(link, sent)
    assert outcome.reverted is None
    assert outcome.failures == ()
    assert all(prepared.expected)
    assert outcome.transaction_hash == signed.hash
    assert 0 < outcome.gas_used <= prepared.gas
    assert outcome.fee_wei <= prepared.fee_cap_wei
    assert await b.adapter.receipt(b.client, packet.sequence) is not None
    written = await b.adapter.written_acknowledgement(b.client, packet.sequence)
    assert written is not None
    assert (written.kind, written.packet) == (PacketEventKind.WRITE_ACKNOWLEDGEMENT, packet)
    assert written.transaction_hash == signed.hash
    commitment = await b.adapter.acknowledgement_commitment(b.client, packet.sequence)
    assert commitment == acknowledgement_commitment(written.acknowledgement)
    assert written in await b.adapter.packet_events(written.height, written.height)

    _, signed, outcome = await acknowledge(link, written)
    assert outcome.reverted is None
    assert outcome.failures == ()
    assert await a.adapter.commitment(a.client, packet.sequence) is None
    assert await a.adapter.commitment(a.client, packet.sequence, sent.height) == packet_commitment(packet)
    assert packet.sequence not in await a.adapter.unsettled_sends(a.client)
    (settled,) = [
        event
        for event in await a.adapter.packet_events(outcome.height, outcome.height)
        if event.kind is PacketEventKind.ACKNOWLEDGE
    ]
    assert settled.packet == packet
    assert settled.acknowledgement == written.acknowledgement


async def check_absence_is_provable(link: Link) -> None:
    """The receipt of a packet that was not received is proven absent under a consensus state of A's client."""
    a, b = link.a, link.b
    sent = await send_one(link)
    height = b.adapter.proving_height((await b.adapter.head()).height)
    _, states = await updates(link, b, a, height)
    info = await a.adapter.client(a.client)
    path = merkle_path(info.merkle_prefix, receipt_key(sent.packet))
    proof = await b.adapter.prove(path, height, info.client_state)
    assert proof.value is None
    light_client = LIGHT_CLIENTS[info.client_type]
    client_state = states.get("client_state", info.client_state)
    light_client.verify_non_membership(client_state, states[height], proof.proof, path)
    with pytest.raises(VerificationError):
        light_client.verify_membership(client_state, states[height], proof.proof, path, bytes(31) + b"\x01")


async def check_one_failure_does_not_sink_the_batch(link: Link) -> None:
    """A packet that was never sent fails alone, is foreseen by the simulation, and says why. Where a transaction fails as a
    whole, what remains without it succeeds."""
    a, b = link.a, link.b
    sent = await send_one(link, b"good")
    height = a.adapter.proving_height(sent.height)
    messages, _ = await updates(link, a, b, height)
    info = await b.adapter.client(b.client)
    proof = await a.adapter.prove(
        merkle_path(info.merkle_prefix, commitment_key(sent.packet)), height, info.client_state
    )
    forged = type(sent.packet)(
        sent.packet.sequence + 5,
        sent.packet.source_client,
        sent.packet.destination_client,
        sent.packet.timeout_timestamp_s,
        sent.packet.payloads,
    )
    batch = [
        *messages,
        RecvPacket(forged, proof.proof, proof.height),
        RecvPacket(sent.packet, proof.proof, proof.height),
    ]
    bad = len(messages)
    try:
        await b.adapter.prepare(Batch(tuple(batch)), b.address)
    except BatchTooLarge:  # see `submit`
        _, _, outcome = await submit(link, b, messages)
        assert outcome.reverted is None and outcome.failures == ()
        batch, bad = batch[bad:], 0
    if b.adapter.atomic_batches:
        prepared = await b.adapter.prepare(Batch(tuple(batch)), b.address)
        assert prepared.expected == tuple(index != bad for index in range(len(batch)))
        assert await b.adapter.refusal(Batch(tuple(batch[: bad + 1])), b.address)
        prepared, _, outcome = await submit(link, b, batch[:bad] + batch[bad + 1 :])
        assert all(prepared.expected) and outcome.succeeded(bad + 1) == [True] * (bad + 1)
        assert await b.adapter.receipt(b.client, forged.sequence) is None
        assert await b.adapter.receipt(b.client, sent.packet.sequence) is not None
        return
    prepared, _, outcome = await submit(link, b, batch)
    assert prepared.expected == tuple(index != bad for index in range(len(batch)))
    assert outcome.reverted is None
    assert [failure.index for failure in outcome.failures] == [bad]
    assert outcome.failure_of(bad)
    assert outcome.failure_of(bad + 1) is None
    assert await b.adapter.receipt(b.client, forged.sequence) is None
    assert await b.adapter.receipt(b.client, sent.packet.sequence) is not None


async def check_second_delivery_changes_nothing(link: Link) -> None:
    """G7: another relayer was first. The second receive is no failure and writes nothing; a Cosmos pool may refuse it."""
    sent = await send_one(link, b"twice")
    await receive(link, sent)
    written = await link.b.adapter.written_acknowledgement(link.b.client, sent.packet.sequence)
    try:
        _, _, outcome = await receive(link, sent)
    except BroadcastRefused as refused:
        assert link.b.adapter.atomic_batches, "only pools that judge whole transactions refuse it"
        assert "relayed" in refused.reason or "redundant" in refused.reason
    else:
        assert outcome.reverted is None
        assert outcome.failures == ()
    assert await link.b.adapter.written_acknowledgement(link.b.client, sent.packet.sequence) == written


async def check_broadcast_errors(link: Link) -> None:
    b = link.b
    sent = await send_one(link, b"nonce")
    height = link.a.adapter.proving_height(sent.height)
    messages, _ = await updates(link, link.a, b, height)
    account = await b.adapter.account(b.address)
    _, signed, _ = await submit(link, b, messages)
    after = await b.adapter.account(b.address)
    assert after.latest_nonce == account.latest_nonce + 1
    assert await b.adapter.final_nonce(b.address) == after.latest_nonce  # `submit` waited for a final block
    assert after.balance_wei <= account.balance_wei
    prepared = await b.adapter.prepare(Batch(tuple(messages)), b.address)
    with pytest.raises(AlreadyKnown):
        await b.adapter.broadcast(signed)
    old = await b.adapter.sign(prepared.with_raised_fee(50), account.latest_nonce, b.signer)
    with pytest.raises(NonceTooLow) as caught:
        await b.adapter.broadcast(old)
    assert caught.value.transaction_hash == old.hash
    assert await b.adapter.outcome(old.hash) is None


async def check_poor_sender(link: Link, poor: Signer) -> None:
    sent = await send_one(link, b"poor")
    height = link.a.adapter.proving_height(sent.height)
    messages, _ = await updates(link, link.a, link.b, height)
    adapter = link.b.adapter
    prepared = await adapter.prepare(Batch(tuple(messages)), adapter.address_of(poor))
    signed = await adapter.sign(prepared, 0, poor)
    with pytest.raises(InsufficientFunds):
        await adapter.broadcast(signed)


async def check_batch_bounds(link: Link) -> None:
    limits = link.b.adapter.batch_limits
    sent = await send_one(link, b"bounds")
    height = link.a.adapter.proving_height(sent.height)
    messages, _ = await updates(link, link.a, link.b, height)
    with pytest.raises(BatchTooLarge) as caught:
        await link.b.adapter.prepare(Batch(tuple(messages[:1]) * (limits.max_messages + 1)), link.b.address)
    assert (caught.value.what, caught.value.limit) == ("messages", limits.max_messages)


async def check_corrupted_evidence_is_refused(link: Link) -> None:
    """The suite's own local verification would stop a wrong proof: a bit turned anywhere is refused."""
    a, b = link.a, link.b
    sent = await send_one(link, b"corrupt")
    height = a.adapter.proving_height(sent.height)
    _, states = await updates(link, a, b, height)
    info = await b.adapter.client(b.client)
    path = merkle_path(info.merkle_prefix, commitment_key(sent.packet))
    proof = await a.adapter.prove(path, height, info.client_state)
    light_client = LIGHT_CLIENTS[info.client_type]
    client_state = states.get("client_state", info.client_state)
    for position in range(0, len(proof.proof), max(1, len(proof.proof) // 23)):
        twisted = bytearray(proof.proof)
        twisted[position] ^= 1
        with pytest.raises(VerificationError):
            light_client.verify_membership(client_state, states[height], bytes(twisted), path, proof.value)
    with pytest.raises(PredicateFailed):
        light_client.verify_membership(client_state, states[height], proof.proof, path, bytes(31) + b"\x01")


CHECKS = (
    check_identity_and_heads,
    check_ranges,
    check_clients,
    check_new_client_states,
    check_packet_life,
    check_absence_is_provable,
    check_one_failure_does_not_sink_the_batch,
    check_second_delivery_changes_nothing,
    check_broadcast_errors,
    check_batch_bounds,
    check_corrupted_evidence_is_refused,
)
