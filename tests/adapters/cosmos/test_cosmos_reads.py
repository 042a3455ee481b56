"""What the adapter reads of a recorded simd: packets of every fate, clients, proofs, with the node's index and without it."""

import base64
from dataclasses import replace

import pytest
from google.protobuf.any_pb2 import Any

from hutong.adapters.cosmos.clients import client_key
from hutong.adapters.interface import HeightUnavailable, NotSupported, PacketEventKind, UnknownClient
from hutong.light_clients.ibc.commitment import (
    PathKind,
    acknowledgement_commitment,
    packet_commitment,
)
from hutong.light_clients.interface import ClientStatus, Height, Updated
from hutong.light_clients.proofs.ics23.specs import IAVL_SPEC, TENDERMINT_SPEC
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    decode_header,
    encode_client_state,
    encode_consensus_state,
)
from hutong.light_clients.tendermint.types import ConsensusState
from tests.adapters.conformance.suite import StoredStates
from tests.adapters.cosmos.reads import CLIENT_TYPE, PARAMETERS, path
from tests.adapters.cosmos.replay import CLIENT, FACTS, HEAD, NO_INDEX, SENT, SETTLED, STANDING, simd

UNINDEXED = {"tx_search": lambda params, said: NO_INDEX}


async def test_heads_are_signed_and_of_the_configured_chain():
    async with simd() as chain:
        await chain.check_identity()
        head = await chain.head()
        assert (head.height, len(head.hash)) == (HEAD, 32)
        assert await chain.wait_for_height(HEAD) == head
        assert chain.proving_height(HEAD) == Height(1, HEAD + 1)
        header = decode_header(await chain.bare_header(SENT))
        assert (header.height, header.time_ns) == (SENT, await chain.block_time_ns(SENT))
        assert not await chain.paused()


async def test_a_block_that_the_application_has_not_executed_is_no_head():
    lie = {"abci_info": lambda params, said: {"result": {"response": {"last_block_height": str(FACTS["timed_out"])}}}}
    async with simd(lie) as chain:
        assert (await chain.head()).height == FACTS["timed_out"]


async def test_packet_events_of_every_kind():
    async with simd() as chain:
        (sent,) = await chain.packet_events(SENT, SENT)
        assert (sent.kind, sent.client_id, sent.packet.sequence) == (PacketEventKind.SEND, CLIENT, SETTLED)
        assert sent.packet.payloads[0].destination_port == "transfer"
        assert (sent.height, len(sent.transaction_hash), sent.acknowledgement) == (SENT, 32, None)
        (settled,) = await chain.packet_events(FACTS["acknowledged"], FACTS["acknowledged"])
        assert (settled.kind, settled.packet) == (PacketEventKind.ACKNOWLEDGE, sent.packet)
        assert settled.acknowledgement is not None and not settled.acknowledgement.is_error
        (written,) = await chain.packet_events(FACTS["received"], FACTS["received"])
        assert (written.kind, written.client_id) == (PacketEventKind.WRITE_ACKNOWLEDGEMENT, CLIENT)
        assert written.acknowledgement == settled.acknowledgement
        (late,) = await chain.packet_events(FACTS["timed_out"], FACTS["timed_out"])
        assert (late.kind, late.packet.sequence) == (PacketEventKind.TIMEOUT, FACTS["late"])
        around = await chain.packet_events(SENT - 1, SENT + 1)
        assert sent in around
        assert await chain.packet_events(HEAD, HEAD) == ()


async def test_ranges():
    async with simd() as chain:
        assert await chain.packet_events(0, 0) == ()
        with pytest.raises(HeightUnavailable, match=f"the final head is {HEAD}"):
            await chain.packet_events(HEAD, HEAD + 1)
        for first, last in ((0, 1_000), (3, 2), (-1, 2)):
            with pytest.raises(ValueError):
                await chain.packet_events(first, last)


@pytest.mark.parametrize("lies", [None, UNINDEXED], ids=["indexed", "unindexed"])
async def test_packets_of_any_age(lies):
    async with simd(lies) as chain:
        settled = await chain.sent_packet(CLIENT, SETTLED)
        assert (settled.height, settled.packet.sequence) == (SENT, SETTLED)
        assert await chain.commitment(CLIENT, SETTLED) is None
        assert await chain.commitment(CLIENT, SETTLED, SENT) == packet_commitment(settled.packet)
        standing = await chain.sent_packet(CLIENT, STANDING)
        assert await chain.commitment(CLIENT, STANDING) == packet_commitment(standing.packet)
        written = await chain.written_acknowledgement(CLIENT, 1)
        assert written.height == FACTS["received"]
        stored = await chain.acknowledgement_commitment(CLIENT, 1)
        assert stored == acknowledgement_commitment(written.acknowledgement)
        for unsent in (0, 999):
            assert await chain.sent_packet(CLIENT, unsent) is None
        assert await chain.written_acknowledgement(CLIENT, 999) is None


async def test_what_stands():
    async with simd() as chain:
        assert await chain.next_sequence_send(CLIENT) == STANDING + 1
        assert await chain.unsettled_sends(CLIENT) == (STANDING,)
        assert await chain.unsettled_sends(CLIENT, STANDING + 1) == ()
        assert await chain.receipt(CLIENT, 1) is not None
        assert await chain.receipt(CLIENT, 999) is None


async def test_clients():
    async with simd() as chain:
        info = await chain.client(CLIENT)
        assert (info.client_type, info.status) == (CLIENT_TYPE, ClientStatus.ACTIVE)
        assert info.counterparty_client_id == "07-tendermint-0"
        assert info.merkle_prefix == (b"",)
        assert decode_client_state(info.client_state).chain_id == "hutong-1"
        state = await chain.consensus_state(CLIENT, info.latest_height)
        assert TendermintClient().timestamp_ns(state) == info.latest_timestamp_ns
        assert await chain.consensus_state(CLIENT, Height(1, 10**9)) is None
        with pytest.raises(UnknownClient):
            await chain.client(f"{CLIENT}777")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"frozen_height": Height(0, 1)}, ClientStatus.FROZEN),
        ({"trusting_period_ns": 1}, ClientStatus.EXPIRED),
        ({"latest_height": Height(1, 10**9)}, ClientStatus.EXPIRED),
        ({}, ClientStatus.ACTIVE),
    ],
)
async def test_a_clients_status_is_derived_as_stock_code_does(change, status):
    def lie(params, said):
        response = said["result"]["response"]
        if bytes.fromhex(params["data"]) == client_key(CLIENT, "clientState"):
            packed = Any.FromString(base64.b64decode(response["value"]))
            packed.value = encode_client_state(replace(decode_client_state(packed.value), **change))
            response["value"] = base64.b64encode(packed.SerializeToString(deterministic=True)).decode()
        return said

    async with simd({"abci_query": lie}) as chain:
        info = await chain.client(CLIENT)
        assert info.status is status
        assert (info.latest_timestamp_ns == 0) == ("latest_height" in change)


async def test_clients_of_other_types_are_not_supported():
    def lie(params, said):
        response = said["result"]["response"]
        if bytes.fromhex(params["data"]) == client_key(CLIENT, "clientState"):
            packed = Any(type_url="/ibc.lightclients.solomachine.v3.ClientState", value=b"\x08\x01")
            response["value"] = base64.b64encode(packed.SerializeToString()).decode()
        return said

    async with simd({"abci_query": lie}) as chain:
        with pytest.raises(NotSupported, match="solomachine"):
            await chain.client(CLIENT)


async def test_states_of_a_new_client_follow_the_chain():
    async with simd() as chain:
        states = await chain.initial_states(CLIENT_TYPE, PARAMETERS)
        state = decode_client_state(states.client_state)
        assert state.proof_specs == (IAVL_SPEC, TENDERMINT_SPEC)
        assert state.upgrade_path == ("upgrade", "upgradedIBCState")
        assert state.unbonding_period_ns == 21 * 86_400 * 10**9
        created = TendermintClient().create(states.client_state, states.consensus_state, (await chain.head()).time_ns)
        assert created.latest_height == states.height == Height(1, HEAD)
        with pytest.raises(NotSupported):
            await chain.initial_states("bft-evm", PARAMETERS)


async def test_headers_and_proofs_verify_in_the_light_client():
    light_client = TendermintClient()
    async with simd() as chain:
        states = await chain.initial_states(CLIENT_TYPE, PARAMETERS)
        proofs = await chain.prove_all(
            [path(FACTS, PathKind.COMMITMENT, STANDING), path(FACTS, PathKind.RECEIPT, 999)], Height(1, HEAD)
        )
        standing, absent = proofs
        event = await chain.sent_packet(CLIENT, STANDING)
        light_client.verify_membership(
            states.client_state, states.consensus_state, standing.proof, standing.path, packet_commitment(event.packet)
        )
        assert absent.value is None
        light_client.verify_non_membership(states.client_state, states.consensus_state, absent.proof, absent.path)


async def test_a_client_is_brought_forward():
    """A client that was made at an older header takes the message for the head, and what it then holds is the chain's."""
    async with simd() as chain:
        states = await chain.initial_states(CLIENT_TYPE, PARAMETERS)
        trusted = Height(1, SENT)
        old = decode_header(await chain.bare_header(SENT))
        state = encode_consensus_state(ConsensusState(old.time_ns, old.app_hash, old.next_validators_hash))
        client_state = encode_client_state(replace(decode_client_state(states.client_state), latest_height=trusted))
        (message,) = await chain.client_messages(CLIENT_TYPE, client_state, trusted, states.height)
        verdict = TendermintClient().verify_header(
            client_state, StoredStates({trusted: state}), message, (await chain.head()).time_ns
        )
        assert isinstance(verdict, Updated)
        assert (verdict.height, verdict.consensus_state) == (states.height, states.consensus_state)
        with pytest.raises(NotSupported):
            await chain.client_messages("bft-evm", client_state, trusted, states.height)
