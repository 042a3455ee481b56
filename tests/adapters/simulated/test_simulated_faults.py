"""The simulated chain lies, loses and reorganises on demand, the same way for the same seed."""

from dataclasses import replace
from random import Random

import pytest
import trio

from hutong.adapters.interface import (
    Batch,
    EndpointMismatch,
    EndpointUnavailable,
    NotSupported,
    SubmitMisbehaviour,
    TimeoutPacket,
    Underpriced,
)
from hutong.adapters.simulated import AppRefused, ChainTraits, Faults, OutOfGas, SimulatedAdapter, SimulatedChain
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.ibc.commitment import commitment_key, merkle_path, packet_commitment, receipt_key
from hutong.light_clients.interface import ClientStatus, Height, VerificationError
from tests.adapters.conformance.suite import StoredStates, check_packet_life, receive, send_one, submit, updates
from tests.adapters.conformance.test_simulated_conformance import GENESIS_TIME_S, simulated_link


async def test_same_seed_same_chain():
    hashes = []
    for _ in range(2):
        link = simulated_link()
        await check_packet_life(link)
        hashes.append([block.hash for block in link.a.adapter.chain.blocks])
    assert hashes[0] == hashes[1]
    other = SimulatedChain("alpha", 1001, genesis_time_s=GENESIS_TIME_S, traits=ChainTraits(seed=1))
    assert other.newest.hash != hashes[0][0]


async def test_attack_G1_forged_event_does_not_hold_in_state():
    link = simulated_link()
    event = await send_one(link)
    forged = replace(event, packet=replace(event.packet, sequence=99))
    link.a.adapter.faults.forged_events = (forged,)
    assert forged in await link.a.adapter.packet_events(event.height, event.height)
    assert await link.a.adapter.commitment(forged.client_id, 99) is None
    assert await link.a.adapter.commitment(event.client_id, 1) == packet_commitment(event.packet)


async def test_attack_G1_hidden_event_is_found_from_state():
    link = simulated_link()
    event = await send_one(link)
    link.a.adapter.faults.hidden_events = 1.0
    assert await link.a.adapter.packet_events(event.height, event.height) == ()
    assert await link.a.adapter.unsettled_sends(event.client_id) == (1,)
    assert await link.a.adapter.sent_packet(event.client_id, 1) == event


async def test_attack_G1_corrupted_proof_and_header_fail_verification():
    link = simulated_link()
    event = await send_one(link)
    adapter = link.a.adapter
    adapter.faults.random = Random(3)
    adapter.faults.corrupt_headers = 1.0
    with pytest.raises((VerificationError, AssertionError)):
        await updates(link, link.a, link.b, Height(0, event.height))
    adapter.faults.corrupt_headers = 0.0
    _, states = await updates(link, link.a, link.b, Height(0, event.height))
    adapter.faults.corrupt_proofs = 1.0
    path = merkle_path((b"",), commitment_key(event.packet))
    proof = await adapter.prove(path, Height(0, event.height))
    with pytest.raises(VerificationError):
        BftEvmClient().verify_membership(
            states["client_state"], states[Height(0, event.height)], proof.proof, path, packet_commitment(event.packet)
        )


async def test_attack_G1_wrong_chain_id():
    adapter = simulated_link().a.adapter
    adapter.faults.claimed_chain_id = "1"
    with pytest.raises(EndpointMismatch) as caught:
        await adapter.check_identity()
    assert (caught.value.got, caught.value.expected) == ("1", "1001")


async def test_attack_G2_reorganised_event_is_never_final():
    link = simulated_link(ChainTraits(finality_depth=3))
    chain = link.a.adapter.chain
    await link.send(b"gone", chain.newest.header.timestamp_s + 600)
    chain.produce_block()
    height = chain.newest.header.number
    assert len(chain.newest.logs) == 1
    chain.reorganise(1)
    for _ in range(5):
        chain.produce_block()
    assert (await link.a.adapter.head()).height >= height
    assert await link.a.adapter.packet_events(height, height) == ()
    assert await link.a.adapter.commitment(link.a.client, 1) is None
    with pytest.raises(ValueError, match="final"):
        chain.reorganise(4)


async def test_reorganised_transaction_returns_to_the_pool_or_is_lost():
    for lose in (False, True):
        link = simulated_link(ChainTraits(finality_depth=2))
        event = await send_one(link)
        messages, _ = await updates(link, link.a, link.b, Height(0, event.height))
        b = link.b
        prepared = await b.adapter.prepare(Batch(tuple(messages)), b.signer.address)
        signed = await b.adapter.sign(prepared, 0, b.signer)
        await b.adapter.broadcast(signed)
        b.adapter.chain.produce_block()
        assert (await b.adapter.account(b.signer.address)).latest_nonce == 1
        b.adapter.chain.reorganise(1, lose_transactions=lose)
        account = await b.adapter.account(b.signer.address)
        assert (account.latest_nonce, account.pending_nonce) == (0, 0 if lose else 1)
        for _ in range(4):
            b.adapter.chain.produce_block()
        assert (await b.adapter.outcome(signed.hash) is None) is lose


async def test_lost_and_hidden_broadcasts():
    link = simulated_link()
    event = await send_one(link)
    messages, _ = await updates(link, link.a, link.b, Height(0, event.height))
    b = link.b
    prepared = await b.adapter.prepare(Batch(tuple(messages)), b.signer.address)
    signed = await b.adapter.sign(prepared, 0, b.signer)
    b.adapter.faults.lost_broadcast = 1.0
    await b.adapter.broadcast(signed)
    assert (await b.adapter.account(b.signer.address)).pending_nonce == 0
    b.adapter.faults.lost_broadcast = 0.0
    b.adapter.faults.hidden_broadcast = 1.0
    with pytest.raises(EndpointUnavailable):
        await b.adapter.broadcast(signed)
    assert (await b.adapter.account(b.signer.address)).pending_nonce == 1
    b.adapter.faults.hidden_broadcast = 0.0
    same_price = await b.adapter.sign(replace(prepared, gas=prepared.gas + 1), 0, b.signer)
    with pytest.raises(Underpriced):
        await b.adapter.broadcast(same_price)
    dearer = await b.adapter.sign(prepared.with_raised_fee(10), 0, b.signer)
    await b.adapter.broadcast(dearer)
    b.adapter.chain.produce_block()
    assert await b.adapter.outcome(signed.hash) is None
    assert (await b.adapter.outcome(dearer.hash)).reverted is None


async def test_unavailable_by_seed():
    adapter = SimulatedAdapter(
        SimulatedChain("a", 7, genesis_time_s=GENESIS_TIME_S), Faults(Random(5), unavailable=0.5)
    )

    async def run() -> list[bool]:
        answers = []
        for _ in range(20):
            try:
                await adapter.head()
                answers.append(True)
            except EndpointUnavailable:
                answers.append(False)
        return answers

    first = await run()
    assert True in first and False in first
    adapter.faults.random = Random(5)
    assert await run() == first


async def test_waiting_is_driven_by_blocks_and_time(autojump_clock):
    link = simulated_link()
    adapter = link.a.adapter
    adapter.faults.latency_s = 0.1
    target = (await adapter.head()).height + 2
    async with trio.open_nursery() as nursery:

        async def produce():
            for _ in range(2):
                await trio.sleep(1)
                adapter.chain.produce_block()

        nursery.start_soon(produce)
        start = trio.current_time()
        assert (await adapter.wait_for_height(target)).height == target
        assert 2 <= trio.current_time() - start < 3


async def test_head_lag_hides_blocks_but_never_goes_back():
    link = simulated_link()
    adapter = link.a.adapter
    before = await adapter.head()
    adapter.faults.head_lag = 3
    assert await adapter.head() == before


async def test_app_refusal_is_an_error_acknowledgement_and_out_of_gas_undoes():
    def refuse(packet):
        raise AppRefused("no")

    def exhaust(packet):
        raise OutOfGas("IBCFailedCallback")

    link = simulated_link()
    link.b.adapter.chain.apps["echo"] = exhaust
    event = await send_one(link)
    prepared, _, outcome = await receive(link, event)
    assert prepared.expected[-1] is False
    assert "IBCFailedCallback" in outcome.failure_of(1)
    assert await link.b.adapter.receipt(link.b.client, 1) is None
    link.b.adapter.chain.apps["echo"] = refuse
    await receive(link, event)
    written = await link.b.adapter.written_acknowledgement(link.b.client, 1)
    assert written.acknowledgement.is_error


async def test_timeout_is_taken_when_proven():
    link = simulated_link()
    event = await send_one(link)
    beta = link.b.adapter.chain
    early = Height(0, beta.newest.header.number)
    messages, _ = await updates(link, link.b, link.a, early)
    path = merkle_path((b"",), receipt_key(event.packet))
    proof = await link.b.adapter.prove(path, early)
    _, _, outcome = await submit(link, link.a, [*messages, TimeoutPacket(event.packet, proof.proof, early)])
    assert "IBCInvalidTimeoutTimestamp" in outcome.failure_of(len(messages))
    for chain in (link.a.adapter.chain, beta):
        chain.produce_block(event.packet.timeout_timestamp_s)
    late = Height(0, beta.newest.header.number)
    messages, _ = await updates(link, link.b, link.a, late)
    proof = await link.b.adapter.prove(path, late)
    _, _, outcome = await submit(link, link.a, [*messages, TimeoutPacket(event.packet, proof.proof, late)])
    assert outcome.failures == ()
    assert await link.a.adapter.unsettled_sends(link.a.client) == ()


async def test_misbehaviour_freezes_the_client():
    link = simulated_link()
    alpha = link.a.adapter.chain
    evidence = alpha.misbehaviour(Height(0, 1), alpha.newest.header.number)
    _, _, outcome = await submit(link, link.b, [SubmitMisbehaviour(link.b.client, evidence)])
    assert outcome.failures == ()
    assert (await link.b.adapter.client(link.b.client)).status is ClientStatus.FROZEN


async def test_a_twin_has_the_sealers_of_its_height():
    """Evidence of a height before the validators changed, as those validators would have made it."""
    link = simulated_link()
    alpha = link.a.adapter.chain
    height = alpha.newest.header.number
    alpha.set_validators((20, 21, 22, 23))
    alpha.produce_block()
    evidence = alpha.misbehaviour(Height(0, 1), height)
    _, _, outcome = await submit(link, link.b, [SubmitMisbehaviour(link.b.client, evidence)])
    assert outcome.failures == ()
    assert (await link.b.adapter.client(link.b.client)).status is ClientStatus.FROZEN


async def test_a_pool_that_cannot_be_asked_is_unknown():
    link = simulated_link()
    assert await link.a.adapter.pooled_packets() == ()
    link.a.adapter.faults.unavailable = 1.0
    assert await link.a.adapter.pooled_packets() is None


async def test_a_pooled_transaction_that_cannot_be_read_is_passed_over():
    link = simulated_link()
    event = await send_one(link)
    beta, end = link.b.adapter, link.b
    messages, _ = await updates(link, link.a, end, Height(0, event.height))
    prepared = await beta.prepare(Batch(tuple(messages)), end.address)
    nonce = (await beta.account(end.address)).latest_nonce
    unreadable = replace(prepared, data=prepared.data[:4] + b"\xff")
    await beta.broadcast(await beta.sign(unreadable, nonce, end.signer))
    assert len(beta.chain.pool) == 1
    assert await beta.pooled_packets() == ()


async def test_validator_changes_need_several_headers():
    link = simulated_link()
    alpha = link.a.adapter.chain
    for numbers in ((2, 3, 4, 5), (4, 5, 6, 7), (6, 7, 8, 9)):
        alpha.set_validators(numbers)
        alpha.produce_block()
    target = Height(0, alpha.newest.header.number)
    messages, states = await updates(link, link.a, link.b, target)
    assert len(messages) > 1
    assert target in states
    alpha.set_validators((20, 21, 22, 23))
    alpha.produce_block()
    info = await link.b.adapter.client(link.b.client)
    with pytest.raises(Exception, match="too few"):
        await link.a.adapter.client_messages(
            "bft-evm", info.client_state, target, Height(0, alpha.newest.header.number)
        )
    with pytest.raises(NotSupported):
        await link.a.adapter.client_messages("07-tendermint", b"", target, target)
    assert StoredStates({}).get(target) is None
