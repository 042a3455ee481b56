"""Transactions of the Cosmos adapter on an unmodified simd: bytes, sequences, fees, failures, clients, tokens, governance."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from random import Random

import pytest
import trio

from hutong.adapters.cosmos.administration import VoteOption, create_client, propose_recovery, vote
from hutong.adapters.cosmos.transactions.fees import Coin, FeeAboveCap
from hutong.adapters.cosmos.transactions.messages import SEND_URL, SdkMessage, encode_message
from hutong.adapters.cosmos.transactions.transactions import (
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_document,
)
from hutong.adapters.cosmos.transactor import CosmosTransactor
from hutong.adapters.cosmos.transfer import CosmosTransfer, send_transfers
from hutong.adapters.interface import (
    AcknowledgePacket,
    AlreadyKnown,
    Batch,
    BatchLimits,
    BatchTooLarge,
    BroadcastRefused,
    InitialStates,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    RecvPacket,
    RefusedByChain,
    SubmitMisbehaviour,
    TimeoutPacket,
    Underpriced,
    UpdateClient,
)
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import ClientStatus, Height
from hutong.light_clients.protobuf import cosmos_tx_pb2
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.relay.archive import Archive
from hutong.relay.config import BatchLimits as RelayBatchLimits
from hutong.relay.config import FeeLimits
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.pending import Included, Lost
from hutong.relay.core.account.recording import Recorder
from hutong.relay.core.errors import SubmissionRefused, TooDear
from hutong.relay.core.supervisor import supervise
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.heads import HeadFollower
from hutong.relay.keys import Signer
from hutong.relay.ledger import Cause, Ledger
from hutong.relay.telemetry import Metrics
from tests.nodes.cosmos.simd_chain import FEE_DENOM, TOKEN_DENOM, SimdChain, running_simd
from tests.nodes.cosmos.simd_counterparty import COUNTERPARTY_CLIENT, WAIT_S, Counterparty, opened, outcome_of
from tests.relay.keys.at_once import at_once

pytestmark = pytest.mark.nodes

RELAYER = Signer.in_memory(bytes(31) + b"\x07", "simd-1")
VECTOR_SECRET = bytes(31) + b"\x01"
POOR = Signer.in_memory(bytes(31) + b"\x63")
SECRETS = {"relayer": bytes(31) + b"\x07", "vector": VECTOR_SECRET}


@pytest.fixture(scope="module")
def simd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    with running_simd(tmp_path_factory.mktemp("simd"), SECRETS, block_time_s=0.3) as chain:
        yield chain


@pytest.fixture(scope="module")
def without_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    with running_simd(tmp_path_factory.mktemp("simd"), SECRETS, block_time_s=0.3, tx_index=False) as chain:
        yield chain


def send(sender: str, receiver: str, amount: int, denom: str = TOKEN_DENOM) -> SdkMessage:
    coin = cosmos_tx_pb2.Coin(denom=denom, amount=str(amount))
    return SdkMessage.of(SEND_URL, cosmos_tx_pb2.MsgSend(from_address=sender, to_address=receiver, amount=[coin]))


@asynccontextmanager
async def account_of(simd: SimdChain, adapter, folder, signer=RELAYER, fees: FeeLimits | None = None):
    """The relay's own owner of a key, with its ledger, running."""
    ledger = Ledger.open_file(folder / "ledger.sqlite")
    archive = Archive(folder / "archive", run=trio.to_thread.run_sync)
    metrics = Metrics(["simd"])
    address = adapter.address_of(signer)
    heads = HeadFollower(adapter, metrics)
    chain = ChainContext(adapter, heads, metrics, fees or FeeLimits(max_fee_wei=10**7), RelayBatchLimits(), in_flight=8)
    account = Account(chain, signer, Recorder(ledger, archive, "simd", address, time.time_ns))
    async with trio.open_nursery() as nursery:
        for name, run in (("heads", heads.run), ("account", account.run)):
            nursery.start_soon(supervise, name, run, metrics, Random(1))
        yield account, ledger
        nursery.cancel_scope.cancel()
    ledger.close()


def test_simd_signs_the_vector_of_the_specification_page(simd, tmp_path):
    signer = Signer.in_memory(VECTOR_SECRET)
    address = simd.accounts["vector"].address
    body = encode_body([send(address, address, 5, FEE_DENOM)])
    auth_info = encode_auth_info(signer.public_key, 3, 80_000, Coin(2_000, FEE_DENOM))
    document = encode_sign_document(body, auth_info, "simd-1", 7)
    raw = encode_raw(body, auth_info, at_once(signer.sign_document(document)))
    unsigned = json.loads(simd.node.command("tx", "decode", base64.b64encode(raw).decode()))
    assert unsigned["body"]["messages"][0]["@type"] == SEND_URL
    unsigned["signatures"], unsigned["auth_info"]["signer_infos"] = [], []
    file = tmp_path / "unsigned.json"
    file.write_text(json.dumps(unsigned))
    flags = ("--offline", "--account-number", "7", "--sequence", "3", "--chain-id", "simd-1")
    by_simd = tmp_path / "signed.json"
    keys = ("--from", "vector", "--keyring-backend", "test", "--output-document", str(by_simd))
    simd.node.command("tx", "sign", str(file), *keys, *flags)
    assert base64.b64decode(simd.node.command("tx", "encode", str(by_simd)).strip()) == raw


async def test_simd_decodes_every_message_of_a_relay(simd):
    async with opened(simd) as adapter:
        world = Counterparty(adapter, RELAYER)
        world.client = "07-tendermint-0"
        world.chain.advance(3)
        world.trusted = 4
        relayer = adapter.address_of(RELAYER)
        packet = world.packet(relayer)
        update = world.update()
        receive = world.receive(packet)
        one = world.chain.update(6, 4)
        two = world.chain.update(6, 4, world.chain.fork(6, app_hash=bytes(32)))
        evidence = SubmitMisbehaviour(world.client, encode_misbehaviour(world.chain.misbehaviour(one, two)))
        acknowledgement = AcknowledgePacket(packet, Acknowledgement((b"ok",)), receive.proof, Height(1, 6))
        timeout = TimeoutPacket(packet, receive.proof, Height(1, 6))
        messages = [encode_message(m, relayer) for m in (update, evidence, receive, acknowledgement, timeout)]
        auth_info = encode_auth_info(RELAYER.public_key, 0, 1, Coin(1, FEE_DENOM))
        raw = encode_raw(encode_body(messages), auth_info, bytes(64))
        decoded = json.loads(simd.node.command("tx", "decode", base64.b64encode(raw).decode()))["body"]["messages"]
    assert [m["@type"] for m in decoded] == [m.type_url for m in messages]
    assert decoded[0]["client_message"]["@type"] == "/ibc.lightclients.tendermint.v1.Header"
    assert decoded[0]["client_message"]["signed_header"]["header"]["height"] == "6"
    assert decoded[1]["client_message"]["header_2"]["trusted_height"]["revision_height"] == "4"
    for m in decoded[2:]:
        assert (m["packet"]["sequence"], m["packet"]["source_client"]) == ("1", COUNTERPARTY_CLIENT)
        assert (m["proof_height"]["revision_height"], m["signer"]) == ("6", relayer)
    assert base64.b64decode(decoded[2]["proof_commitment"]) == receive.proof
    assert decoded[3]["acknowledgement"]["app_acknowledgements"] == [base64.b64encode(b"ok").decode()]


@pytest.mark.parametrize("indexed", [True, False])
async def test_send_is_found_with_its_cost_whether_or_not_the_node_keeps_an_index(simd, without_index, indexed):
    chain = simd if indexed else without_index
    async with opened(chain) as adapter:
        relayer, other = adapter.address_of(RELAYER), chain.accounts["operator-1"].address
        before = await adapter.account(relayer)
        held = await trio.to_thread.run_sync(chain.balance, other, TOKEN_DENOM)
        executed = await CosmosTransactor(adapter, RELAYER).execute([send(relayer, other, 5)], "a memo")
        outcome = executed.outcome
        assert outcome.reverted is None and outcome.failures == ()
        assert await trio.to_thread.run_sync(chain.balance, other, TOKEN_DENOM) == held + 5
        after = await adapter.account(relayer)
        assert (after.latest_nonce, after.pending_nonce) == (before.latest_nonce + 1, before.latest_nonce + 1)
        assert await adapter.final_nonce(relayer) == after.latest_nonce
        assert before.balance_wei - after.balance_wei == outcome.fee_wei > 0
        assert outcome.block_time_ns == await adapter.block_time_ns(outcome.height)
        assert await adapter.outcome(b"\x00" * 32) is None
    async with opened(chain) as restarted:  # it knows nothing of the transaction but its hash
        assert await outcome_of(restarted, outcome.transaction_hash) == outcome


async def test_attack_G4_sequence_resyncs_after_another_program_with_the_key(simd, tmp_path):
    async with opened(simd) as adapter, account_of(simd, adapter, tmp_path) as (account, ledger):
        relayer, other = account.address, simd.accounts["operator-1"].address
        prepared = await adapter.submission.prepare_messages([send(relayer, other, 1)], relayer)
        first = await account.submit(prepared, (None,), ())
        assert isinstance(await first.wait(), Included)
        await trio.to_thread.run_sync(
            partial(simd.transact, "relayer", "bank", "send", relayer, other, f"1{TOKEN_DENOM}")
        )
        second = await account.submit(prepared, (None,), ())
        assert second.nonce == first.nonce + 2
        assert isinstance(await second.wait(), Included)
        account._next += 5  # a counter above the chain's, and one below
        third = await account.submit(prepared, (None,), ())
        account._next = 0
        different = await adapter.submission.prepare_messages([send(relayer, other, 2)], relayer)
        fourth = await account.submit(different, (None,), ())
        ends = [await pending.wait() for pending in (third, fourth)]
        assert [pending.nonce for pending in (third, fourth)] == [first.nonce + 3, first.nonce + 4]
        assert all(isinstance(end, Included) and end.outcome.reverted is None for end in ends)
        assert await ledger.open_transactions("simd", relayer) == []


async def test_transactions_one_after_the_other_without_waiting_for_blocks(simd, tmp_path):
    async with opened(simd) as adapter, account_of(simd, adapter, tmp_path) as (account, _):
        relayer, other = account.address, simd.accounts["operator-1"].address
        prepared = await adapter.submission.prepare_messages([send(relayer, other, 1)], relayer)
        pending = [await account.submit(prepared, (None,), ()) for _ in range(6)]
        ends = [await one.wait() for one in pending]
        assert all(isinstance(end, Included) and end.outcome.reverted is None for end in ends)
        assert len({end.outcome.height for end in ends}) < 6


async def test_attack_G4_pool_lost_with_its_node_is_sent_again(simd, tmp_path):
    async with opened(simd) as adapter, account_of(simd, adapter, tmp_path) as (account, ledger):
        relayer, other = account.address, simd.accounts["operator-1"].address
        prepared = await adapter.submission.prepare_messages([send(relayer, other, 1)], relayer)
        pending = [await account.submit(prepared, (None,), ()) for _ in range(3)]
        await trio.to_thread.run_sync(simd.kill)
        await trio.to_thread.run_sync(simd.restart)
        with trio.fail_after(WAIT_S):
            ends = [await one.wait() for one in pending]
        assert all(isinstance(end, Included) and end.outcome.reverted is None for end in ends)
        assert [one.nonce for one in pending] == list(range(pending[0].nonce, pending[0].nonce + 3))
        assert await ledger.open_transactions("simd", relayer) == []


async def test_attack_G4_refused_for_good_gives_its_sequence_to_another(simd, tmp_path):
    """What the pool took once and refuses now, for the relay's owner of the key; G7: others relayed its packets."""
    async with opened(simd) as adapter, account_of(simd, adapter, tmp_path) as (account, ledger):
        world = await Counterparty(adapter, RELAYER).join()
        packet = world.packet(account.address)
        batch = Batch((world.update(), world.receive(packet)))
        prepared = await adapter.prepare(batch, account.address)
        honest, adapter.broadcast = adapter.broadcast, lost_broadcast
        pending = await account.submit(prepared, (None, None), ())
        adapter.broadcast = honest
        other = Signer.in_memory(VECTOR_SECRET)
        theirs = await adapter.prepare(batch, adapter.address_of(other))
        state = await adapter.account(adapter.address_of(other))
        signed = await adapter.sign(theirs, state.pending_nonce, other)
        await adapter.broadcast(signed)
        assert (await outcome_of(adapter, signed.hash)).reverted is None
        with trio.fail_after(WAIT_S):
            end = await pending.wait()
        assert isinstance(end, Lost) and "relayed by another already" in end.reason
        plain = await adapter.submission.prepare_messages([send(account.address, account.address, 1)], account.address)
        after = await account.submit(plain, (None,), ())
        assert after.nonce == pending.nonce
        assert isinstance(await after.wait(), Included)
        assert await ledger.open_transactions("simd", account.address) == []


async def lost_broadcast(_signed):
    """The node says yes and forgets."""


async def test_failed_delivery_uses_its_sequence_and_fee_and_names_the_message(simd):
    async with opened(simd) as adapter:
        relayer, other = adapter.address_of(RELAYER), simd.accounts["operator-1"].address
        good, bad = send(relayer, other, 5), send(relayer, other, 10**15)
        with pytest.raises(RefusedByChain, match="insufficient funds"):
            await adapter.submission.prepare_messages([good, bad], relayer)
        prepared = await adapter.submission.prepare_messages([good, good], relayer)
        before = await adapter.account(relayer)
        held = await trio.to_thread.run_sync(simd.balance, other, TOKEN_DENOM)
        unwise = replace(prepared, data=encode_body([good, bad]))
        signed = await adapter.sign(unwise, before.latest_nonce, RELAYER)
        await adapter.broadcast(signed)
        outcome = await outcome_of(adapter, signed.hash)
        assert "insufficient funds" in outcome.reverted
        assert [failure.index for failure in outcome.failures] == [1]
        assert outcome.failure_of(0) and outcome.failure_of(1)
        after = await adapter.account(relayer)
        assert after.latest_nonce == before.latest_nonce + 1
        assert before.balance_wei - after.balance_wei == outcome.fee_wei == unwise.fee_wei
        assert await trio.to_thread.run_sync(simd.balance, other, TOKEN_DENOM) == held
        with pytest.raises(AlreadyKnown):
            await adapter.broadcast(signed)


async def test_attack_G8_gas_too_low_fails_with_its_reason_and_blames_nobody(simd):
    async with opened(simd) as adapter:
        relayer = adapter.address_of(RELAYER)
        prepared = await adapter.submission.prepare_messages([send(relayer, relayer, 5)] * 4, relayer)
        tight = replace(prepared, gas=prepared.gas * 6 // 10)
        signed = await adapter.sign(tight, (await adapter.account(relayer)).pending_nonce, RELAYER)
        await adapter.broadcast(signed)
        outcome = await outcome_of(adapter, signed.hash)
        assert "gas limit is too low" in outcome.reverted and outcome.failures == ()


async def test_broadcast_refusals_of_sequences_and_known_transactions(simd):
    async with opened(simd) as adapter:
        relayer = adapter.address_of(RELAYER)
        prepared = await adapter.submission.prepare_messages([send(relayer, relayer, 1)], relayer)
        nonce = (await adapter.account(relayer)).pending_nonce
        ahead = await adapter.sign(prepared, nonce + 3, RELAYER)
        with pytest.raises(NonceTooHigh, match=f"expected {nonce}, got {nonce + 3}") as high:
            await adapter.broadcast(ahead)
        assert high.value.transaction_hash == ahead.hash
        signed = await adapter.sign(prepared, nonce, RELAYER)
        await adapter.broadcast(signed)
        with pytest.raises(AlreadyKnown):
            await adapter.broadcast(signed)
        assert (await adapter.account(relayer)).pending_nonce == nonce + 1
        await outcome_of(adapter, signed.hash)
        with pytest.raises(AlreadyKnown):
            await adapter.broadcast(signed)
        old = await adapter.sign(prepared.with_raised_fee(50), nonce, RELAYER)
        with pytest.raises(NonceTooLow) as low:
            await adapter.broadcast(old)
        assert low.value.transaction_hash == old.hash
        assert await adapter.outcome(old.hash) is None


async def test_attack_G8_fee_below_the_nodes_floor_and_above_our_cap(simd, tmp_path):
    async with opened(simd, gas_price="0.000001stake") as adapter:
        async with account_of(simd, adapter, tmp_path) as (account, ledger):
            relayer = account.address
            prepared = await adapter.submission.prepare_messages([send(relayer, relayer, 1)], relayer)
            nonce = (await adapter.account(relayer)).pending_nonce
            with pytest.raises(Underpriced, match="required: "):
                await adapter.broadcast(await adapter.sign(prepared, nonce, RELAYER))
            with pytest.raises(SubmissionRefused) as refused:
                await account.submit(prepared, (None,), ())
            assert refused.value.cause is Cause.POOL_REFUSED
            account.fees = FeeLimits(max_fee_wei=10)
            with pytest.raises(TooDear) as dear:
                await account.submit(replace(prepared, fee_wei=11), (None,), ())
            assert (dear.value.got_wei, dear.value.limit_wei) == (11, 10)
            assert await ledger.open_transactions("simd", relayer) == []
    async with opened(simd, max_fee=1) as adapter:
        prepared = await adapter.submission.prepare_messages([send(relayer, relayer, 1)], relayer)
        with pytest.raises(FeeAboveCap) as above:
            await adapter.sign(prepared, nonce, RELAYER)
        assert (above.value.got, above.value.limit, above.value.denom) == (prepared.fee_wei, 1, FEE_DENOM)
        assert "max_fee" in str(above.value)


async def test_attack_G8_wallet_that_was_never_funded_says_so(simd, tmp_path):
    async with opened(simd) as adapter, account_of(simd, adapter, tmp_path, POOR) as (account, _):
        receive = RecvPacket(Counterparty(adapter, POOR, client="07-tendermint-9").packet("x"), b"p", Height(1, 1))
        state = await adapter.account(account.address)
        assert (state.latest_nonce, state.pending_nonce, state.balance_wei) == (0, 0, 0)
        prepared = await adapter.prepare(Batch((receive,)), account.address)
        assert prepared.expected == ()
        with pytest.raises(InsufficientFunds, match="never funded"):
            await adapter.broadcast(await adapter.sign(prepared, 0, POOR))
        with pytest.raises(SubmissionRefused, match="cannot pay") as refused:
            await account.submit(prepared, (None,), ())
        assert refused.value.cause is Cause.WALLET_EMPTY
        with pytest.raises(RefusedByChain, match=f"holds no {FEE_DENOM}"):
            await CosmosTransactor(adapter, POOR).execute([send(account.address, account.address, 1)])


async def test_packets_are_received_and_every_message_that_would_fail_is_found_in_one_pass(simd):
    async with opened(simd) as adapter:
        world = await Counterparty(adapter, RELAYER).join()
        relayer = adapter.address_of(RELAYER)
        packets = [world.packet(relayer) for _ in range(3)]
        update = world.update()
        good = [world.receive(packet) for packet in packets]
        forged = replace(good[1], packet=replace(packets[1], sequence=900))
        malformed = replace(good[1], proof=b"")  # refused before any message is executed, so without an index
        stranger = RecvPacket(replace(packets[2], destination_client="07-tendermint-999"), b"proof", Height(1, 6))
        prepared = await adapter.prepare(Batch((update, good[0], forged, malformed, stranger, good[2])), relayer)
        assert prepared.expected == (True, True, False, False, False, True)
        assert "client" in await adapter.refusal(Batch((update, stranger)), relayer)
        assert await adapter.refusal(Batch((update, good[0])), relayer) == "it would succeed"
        wrong = UpdateClient(world.client, b"\x0a\x02\x0a\x00")
        assert (await adapter.prepare(Batch((update, wrong, good[0])), relayer)).expected == (True, False, False)
        prepared = await adapter.prepare(Batch((update, *good)), relayer)
        assert prepared.expected == (True,) * 4
        assert prepared.fee_wei == -(-prepared.gas // 40)
        signed = await adapter.sign(prepared, (await adapter.account(relayer)).pending_nonce, RELAYER)
        await adapter.broadcast(signed)
        outcome = await outcome_of(adapter, signed.hash)
        assert outcome.reverted is None and outcome.gas_used <= prepared.gas
        for packet in packets:
            assert await adapter.receipt(world.client, packet.sequence) == b"\x02"
        again = await adapter.prepare(Batch((good[0],)), relayer)
        assert again.expected == (True,)  # it does nothing, which is no failure …
        twice = await adapter.sign(again, signed.nonce + 1, RELAYER)
        with pytest.raises(BroadcastRefused, match="relayed by another already"):  # … and no reason to pay
            await adapter.broadcast(twice)


async def test_attack_G6_a_packet_at_which_the_chain_panics_does_not_scatter_its_batch(simd):
    async with opened(simd) as adapter:
        world = await Counterparty(adapter, RELAYER).join()
        relayer = adapter.address_of(RELAYER)
        packets = [world.packet(relayer) for _ in range(6)]
        (payload,) = packets[3].payloads
        packets[3] = replace(packets[3], payloads=(replace(payload, destination_port="nowhere"),))
        world.chain.put(commitment_key(packets[3]), packet_commitment(packets[3]))
        update = world.update()
        received = [world.receive(packet) for packet in packets]
        prepared = await adapter.prepare(Batch((update, *received)), relayer)
        assert prepared.expected == (True, True, True, True, False, True, True)
        assert "no route for nowhere" in await adapter.refusal(Batch((update, received[3])), relayer)
        alone = await adapter.prepare(Batch((update, received[3])), relayer)
        assert alone.expected == (True, False)


async def test_batch_bounds(simd):
    async with opened(simd, limits=BatchLimits(2, 4_000, 10_000)) as adapter:
        world = Counterparty(adapter, RELAYER, client="07-tendermint-0")
        relayer = adapter.address_of(RELAYER)
        receive = RecvPacket(world.packet(relayer), b"p", Height(1, 1))
        for batch, what, limit in (
            ((receive,) * 3, "messages", 2),
            ((replace(receive, proof=bytes(5_000)),), "bytes", 4_000),
        ):
            with pytest.raises(BatchTooLarge) as caught:
                await adapter.prepare(Batch(batch), relayer)
            assert (caught.value.what, caught.value.limit) == (what, limit)
        with pytest.raises(BatchTooLarge) as caught:
            await adapter.submission.prepare_messages([send(relayer, relayer, 1)], relayer)
        assert (caught.value.what, caught.value.limit) == ("gas", 10_000)


async def test_tokens_are_sent_over_a_client_with_timeout_in_seconds_and_memo(simd):
    async with opened(simd) as adapter:
        world = await Counterparty(adapter, RELAYER).join()
        at_s = int(time.time()) + 600
        transfers = [
            CosmosTransfer(world.client, Coin(amount, TOKEN_DENOM), "0x" + "ab" * 20, at_s, f"memo {amount}")
            for amount in (7, 8)
        ]
        sent = await send_transfers(adapter, RELAYER, transfers)
        assert [one.sequence for one in sent] == [1, 2]
        events = await adapter.packet_events(sent[0].height, sent[0].height)
        for event, amount in zip(events, (7, 8), strict=True):
            (payload,) = event.packet.payloads
            assert (event.packet.timeout_timestamp_s, payload.encoding) == (at_s, "application/json")
            data = json.loads(payload.value)
            assert data == {
                "denom": TOKEN_DENOM, "amount": str(amount), "sender": adapter.address_of(RELAYER),
                "receiver": "0x" + "ab" * 20, "memo": f"memo {amount}",
            }  # fmt: skip
        with pytest.raises(RefusedByChain, match="timeout"):
            late = replace(transfers[0], timeout_timestamp_s=at_s + 2 * 86_400)
            await send_transfers(adapter, RELAYER, [late])


async def test_misbehaviour_freezes_and_governance_recovers(simd):
    async with opened(simd) as adapter:
        world = await Counterparty(adapter, RELAYER).join()
        world.chain.advance(4)
        one = world.chain.update(8, 4)
        two = world.chain.update(8, 4, world.chain.fork(8, app_hash=b"\x07" * 32))
        evidence = SubmitMisbehaviour(world.client, encode_misbehaviour(world.chain.misbehaviour(one, two)))
        relayer = adapter.address_of(RELAYER)
        prepared = await adapter.prepare(Batch((evidence,)), relayer)
        assert prepared.expected == (True,)
        signed = await adapter.sign(prepared, (await adapter.account(relayer)).pending_nonce, RELAYER)
        await adapter.broadcast(signed)
        assert (await outcome_of(adapter, signed.hash)).reverted is None
        assert (await adapter.client(world.client)).status is ClientStatus.FROZEN
        header = encode_tendermint_header(world.chain.update(7, 4))
        refused = await adapter.refusal(Batch((UpdateClient(world.client, header),)), relayer)
        assert "not active" in refused
        states = InitialStates(
            "07-tendermint", world.chain.height(8),
            encode_client_state(world.chain.client_state(8)), encode_consensus_state(world.chain.consensus_state(8)),
        )  # fmt: skip
        substitute = await create_client(adapter, RELAYER, states)
        proposal = await propose_recovery(
            adapter, RELAYER, world.client, substitute, Coin(10**7, FEE_DENOM), "recover", "it was frozen"
        )
        validator = Signer.in_memory(simd.accounts["operator-0"].secret)
        await vote(adapter, validator, proposal, VoteOption.YES)
        with trio.fail_after(WAIT_S):
            while (await adapter.client(world.client)).status is not ClientStatus.ACTIVE:
                await adapter.wait_for_height((await adapter.head()).height + 1)


async def test_attack_G14_signer_of_another_chain_signs_nothing_here(simd):
    foreign = Signer.in_memory(SECRETS["relayer"], "other-1")
    async with opened(simd) as adapter:
        relayer = adapter.address_of(foreign)
        prepared = await adapter.submission.prepare_messages([send(relayer, relayer, 1)], relayer)
        with pytest.raises(ValueError, match="for chain 'simd-1', not 'other-1'"):
            await adapter.sign(prepared, 0, foreign)
        for twisted in (replace(prepared, chain_id="simd-2"), replace(prepared, sender=adapter.address_of(POOR))):
            with pytest.raises(ValueError, match="not ours"):
                await adapter.sign(twisted, 0, RELAYER)
