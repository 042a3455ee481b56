"""Submission against a CometBFT RPC that lies, lags or refuses: answers are bounded, checked and never more than hints."""

import base64
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos import CosmosSettings, open_cosmos_chain
from hutong.adapters.cosmos.reading.inclusion import decode_result
from hutong.adapters.cosmos.simulation import decode_simulation
from hutong.adapters.cosmos.submit import MAX_SIMULATED_BYTES
from hutong.adapters.cosmos.transactions.accounts import (
    BASE_ACCOUNT_URL,
    MAX_ANSWER_BYTES,
    NO_ACCOUNT,
    VESTING_URLS,
    Account,
    decode_account,
    decode_balance,
)
from hutong.adapters.cosmos.transactions.addresses import account_address
from hutong.adapters.cosmos.transactions.fees import FeeAboveCap
from hutong.adapters.cosmos.transactions.messages import SEND_URL, SdkMessage
from hutong.adapters.cosmos.transactions.transactions import decode_raw, transaction_hash
from hutong.adapters.interface import (
    AlreadyKnown,
    BadAnswer,
    Batch,
    BatchLimits,
    BatchTooLarge,
    BroadcastRefused,
    EndpointUnavailable,
    HeightUnavailable,
    NonceTooLow,
    NotSupported,
    RecvPacket,
    RefusedByChain,
    RpcRefused,
    UpdateClient,
)
from hutong.adapters.rpc import Fields, RpcOptions
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.interface import Height
from hutong.light_clients.protobuf import cosmos_tx_pb2 as pb
from hutong.light_clients.tendermint.hashing import data_hash
from hutong.light_clients.tendermint.rpc_json import signed_header_to_rpc, validator_set_to_rpc
from hutong.relay.keys import Signer
from tests.adapters.rpc.hostile_server import error, hostile_server, result
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

QUICK = RpcOptions(attempt_timeout_s=2, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
SIGNER = Signer.in_memory(bytes(31) + b"\x01")
ADDRESS = "cosmos1w508d6qejxtdg4y5r3zarvary0c5xw7k6ah60c"


def account_answer(type_url=BASE_ACCOUNT_URL, address=ADDRESS, number=7, sequence=3) -> bytes:
    base = pb.BaseAccount(address=address, account_number=number, sequence=sequence)
    account = base
    if type_url in VESTING_URLS:
        account = pb.VestingAccount(base_vesting_account=pb.BaseVestingAccount(base_account=base))
    response = pb.QueryAccountResponse()
    response.account.type_url, response.account.value = type_url, account.SerializeToString()
    return response.SerializeToString()


def balance_answer(amount="100", denom="stake") -> bytes:
    return pb.QueryBalanceResponse(balance=pb.Coin(denom=denom, amount=amount)).SerializeToString()


def simulation_answer(gas_used=50_000) -> bytes:
    return pb.SimulateResponse(gas_info=pb.GasInfo(gas_used=gas_used)).SerializeToString()


@pytest.mark.parametrize("type_url", [BASE_ACCOUNT_URL, *sorted(VESTING_URLS)])
def test_accounts_that_sign_with_a_key(type_url):
    assert decode_account(account_answer(type_url), ADDRESS) == Account(True, 7, 3)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (account_answer("/cosmos.auth.v1beta1.ModuleAccount"), NotSupported, "ModuleAccount"),
        (account_answer("/ethermint.types.v1.EthAccount"), NotSupported, "EthAccount"),
        (account_answer("/" + "x" * 500), NotSupported, "signing for"),
        (account_answer(address="cosmos1other"), BadAnswer, "not the asked one"),
        (account_answer(number=2**63), BadAnswer, "out of bounds"),
        (account_answer(sequence=2**64 - 1), BadAnswer, "out of bounds"),
        (b"\xff", BadAnswer, "is not a QueryAccountResponse"),
        (b"", NotSupported, "''"),
        (bytes(MAX_ANSWER_BYTES + 1), BadAnswer, "more than"),
    ],
)
def test_accounts_that_are_refused(answer, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        decode_account(answer, ADDRESS)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (balance_answer(denom="other"), "is not stake"),
        (balance_answer(amount="-1"), "decimal"),
        (balance_answer(amount=""), "decimal"),
        (balance_answer(amount="٣"), "decimal"),
        (balance_answer(amount="1" * 79), "decimal"),
        (b"\x0a\xff", "is not a QueryBalanceResponse"),
    ],
)
def test_balances_that_are_refused(answer, words):
    assert decode_balance(balance_answer(), "stake") == 100
    with pytest.raises(BadAnswer, match=words):
        decode_balance(answer, "stake")


@pytest.mark.parametrize("gas_used", [0, 2**53 + 1, 2**64 - 1])
def test_gas_out_of_bounds_is_a_bad_answer(gas_used):
    assert decode_simulation(simulation_answer(2**53)) == 2**53
    with pytest.raises(BadAnswer, match="gas_used"):
        decode_simulation(simulation_answer(gas_used))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_bad_one(data):
    for read in (
        lambda: decode_account(data, ADDRESS),
        lambda: decode_balance(data, "stake"),
        lambda: decode_simulation(data),
    ):
        try:
            read()
        except (BadAnswer, NotSupported):
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["tx", "acc_seq", "0", "1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["code", "codespace", "log", "gas_used", "data", "events", "type", "attributes", "key"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_result_of_a_transaction_is_read_or_a_bad_answer(value):
    try:
        found = decode_result(Fields("tx", value), 5, b"raw")
    except BadAnswer:
        return
    assert 0 <= found.code < 2**32 and 0 <= found.gas_used < 2**63 and found.height == 5


def event(kind="tx", key="acc_seq"):
    return {"type": kind, "attributes": [{"key": "fee", "value": "1stake"}, {"key": key, "value": f"{ADDRESS}/3"}]}


@pytest.mark.parametrize(
    ("given_result", "consumed"),
    [
        ({"code": 0}, True),
        ({"code": 5, "events": [event()]}, True),
        ({"code": 5, "events": [{"type": "message"}, event()]}, True),
        ({"code": 32, "events": []}, False),
        ({"code": 32, "events": None}, False),
        ({"code": 5, "events": [event(key="signature")]}, False),
        ({"code": 5, "events": [event(kind="wasm")]}, False),
    ],
)
def test_attack_G4_a_result_without_the_sequence_event_has_used_no_sequence(given_result, consumed):
    assert decode_result(Fields("tx", given_result), 5, b"raw").consumed is consumed


class Node:
    """An honest node of a simulated chain; a test puts other answers in `server.answers` or `services`."""

    def __init__(self, server) -> None:
        self.chain = SimulatedChain(chain_id="sim-1")
        self.chain.advance(3)
        self.services = {
            "/cosmos.auth.v1beta1.Query/Account": account_answer(),
            "/cosmos.bank.v1beta1.Query/Balance": balance_answer(),
            "/cosmos.tx.v1beta1.Service/Simulate": simulation_answer(),
        }
        self.transactions: dict[int, list[bytes]] = {}
        self.server = server
        server.answers |= {
            "status": lambda r: result(r, {"node_info": {"network": "sim-1"}}),
            "abci_info": lambda r: result(r, {"response": {"last_block_height": str(len(self.chain.blocks))}}),
            "commit": self._commit,
            "validators": self._validators,
            "abci_query": self._query,
            "block": self._block,
            "tx": lambda r: error(r, -32603, "Internal error", "transaction indexing is disabled"),
        }

    def _commit(self, request):
        height = request["params"].get("height")
        signed = (self.chain.latest if height is None else self.chain.block(int(height))).signed_header
        return result(request, {"signed_header": signed_header_to_rpc(signed), "canonical": True})

    def _validators(self, request):
        rows = validator_set_to_rpc(self.chain.latest.validators)["validators"]
        return result(
            request, {"block_height": request["params"]["height"], "validators": rows, "total": str(len(rows))}
        )

    def _query(self, request):
        answer = self.services[request["params"]["path"]]
        if callable(answer):
            answer = answer(bytes.fromhex(request["params"]["data"]))
        if isinstance(answer, dict):
            return result(request, {"response": answer})
        return result(request, {"response": {"code": 0, "value": base64.b64encode(answer).decode(), "height": "4"}})

    def _block(self, request):
        listed = self.transactions.get(int(request["params"]["height"]), [])
        return result(request, {"block": {"data": {"txs": [base64.b64encode(raw).decode() for raw in listed]}}})

    def include(self, raw: bytes) -> int:
        height = len(self.chain.blocks) + 1
        self.transactions[height] = [b"another", raw]
        self.chain.advance(data_hash=data_hash((b"another", raw)))
        return height


@asynccontextmanager
async def node_and_chain(**changes):
    async with hostile_server() as server:
        node = Node(server)
        settings = replace(
            CosmosSettings("cosmos", "sim-1", (server.url,), "cosmos", "0.025stake", 10**6, options=QUICK), **changes
        )
        async with open_cosmos_chain(settings, Random(1)) as chain:
            yield node, chain


async def signed(chain, sequence=3):
    message = SdkMessage.of(SEND_URL, pb.MsgSend(from_address=ADDRESS, to_address=ADDRESS))
    prepared = await chain.submission.prepare_messages([message], ADDRESS)
    return await chain.sign(prepared, sequence, SIGNER)


async def test_sign_asks_for_the_account_number_once_and_signs_over_it():
    async with node_and_chain() as (node, chain):
        first, second = await signed(chain), await signed(chain, 4)
        paths = [r["params"].get("path") for r in node.server.requests if r["method"] == "abci_query"]
        assert paths.count("/cosmos.auth.v1beta1.Query/Account") == 1
        assert decode_raw(first.raw).sequence == 3 and decode_raw(second.raw).sequence == 4
        assert first.prepared.gas == 65_000 and first.prepared.fee_wei == 1_625
        assert decode_raw(first.raw).fee[0].amount == 1_625


async def test_empty_wallet_and_wrong_prefix_are_told_in_a_sentence_before_anything_is_signed():
    async with node_and_chain() as (node, chain):
        node.services["/cosmos.bank.v1beta1.Query/Balance"] = balance_answer(amount="0")
        with pytest.raises(RefusedByChain, match="holds no stake to pay the fee with: send it some, or name"):
            await signed(chain)
        log = "invalid address: hrp does not match bech32 prefix: expected 'other' got 'cosmos': internal logic error"
        node.services["/cosmos.bank.v1beta1.Query/Balance"] = {"code": 18, "codespace": "sdk", "log": log}
        with pytest.raises(RpcRefused, match="begin with 'other', not 'cosmos': mend bech32_prefix"):
            await signed(chain)


async def test_attack_G8_no_fee_above_the_cap_is_signed():
    async with node_and_chain(max_fee=1_625) as (_, chain):
        await signed(chain)
    async with node_and_chain(max_fee=1_624) as (_, chain):
        with pytest.raises(FeeAboveCap, match="max_fee allows 1624stake") as caught:
            await signed(chain)
        assert (caught.value.got, caught.value.limit, caught.value.denom) == (1_625, 1_624, "stake")


async def test_transactions_of_another_chain_or_account_are_not_signed():
    async with node_and_chain() as (_, chain):
        prepared = (await signed(chain)).prepared
        other = account_address("cosmos", Signer.in_memory(bytes(31) + b"\x02").public_key)
        for twisted in (replace(prepared, chain_id="sim-2"), replace(prepared, sender=other)):
            with pytest.raises(ValueError, match="not ours"):
                await chain.sign(twisted, 3, SIGNER)


async def test_sequence_of_a_simulation_is_learnt_from_the_refusal_and_bounded():
    async with node_and_chain() as (node, chain):
        asked = []

        def simulate(data):
            raw = pb.SimulateRequest.FromString(data).tx_bytes
            asked.append(decode_raw(raw).sequence)
            if asked[-1] == 41:
                return simulation_answer()
            log = f"account sequence mismatch, expected 41, got {asked[-1]}: incorrect account sequence"
            return {"code": 6, "codespace": "sdk", "log": log, "height": "4"}

        node.services["/cosmos.tx.v1beta1.Service/Simulate"] = simulate
        await signed(chain)
        await signed(chain)
        assert asked == [0, 41, 41]

        def restless(data):
            raw = pb.SimulateRequest.FromString(data).tx_bytes
            got = decode_raw(raw).sequence
            return {"code": 6, "codespace": "sdk", "log": f"account sequence mismatch, expected {got + 1}, got {got}"}

        node.services["/cosmos.tx.v1beta1.Service/Simulate"] = restless
        with pytest.raises(RefusedByChain, match="faster than a simulation"):
            await signed(chain)


async def test_pending_sequence_is_what_the_pool_expects_and_only_if_it_answers_the_question():
    async with node_and_chain() as (node, chain):
        logs = [
            "account sequence mismatch, expected 9, got 4611686018427387904: incorrect account sequence",
            "account sequence mismatch, expected 9, got 5: incorrect account sequence",
            "account sequence mismatch, expected 4611686018427387904, got 4611686018427387904",
            "account sequence mismatch, expected 1, got 4611686018427387904: incorrect account sequence",
            "some other refusal",
        ]
        states = []
        for log in logs:
            answer = {"code": 6, "codespace": "sdk", "log": log}
            node.services["/cosmos.tx.v1beta1.Service/Simulate"] = answer
            states.append(await chain.account(ADDRESS))
        assert [state.pending_nonce for state in states] == [9, 3, 3, 3, 3]
        assert {(state.latest_nonce, state.balance_wei) for state in states} == {(3, 100)}
        assert await chain.final_nonce(ADDRESS) == 3
        with pytest.raises(ValueError, match="another chain"):
            await chain.account(account_address("osmo", SIGNER.public_key))


async def test_account_that_does_not_exist_has_nothing_and_used_nothing():
    async with node_and_chain() as (node, chain):
        missing = {"code": 22, "codespace": "sdk", "log": "rpc error: code = NotFound: key not found"}
        node.services["/cosmos.auth.v1beta1.Query/Account"] = missing
        node.services["/cosmos.bank.v1beta1.Query/Balance"] = balance_answer("0")
        state = await chain.account(ADDRESS)
        assert (state.latest_nonce, state.pending_nonce, state.balance_wei) == (0, 0, 0)
        assert await chain.submission._accounts.account(ADDRESS) == NO_ACCOUNT
        node.services["/cosmos.auth.v1beta1.Query/Account"] = {"code": 6, "codespace": "sdk", "log": "boom"}
        with pytest.raises(RpcRefused, match="boom"):
            await chain.account(ADDRESS)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"code": 0}, None, ""),
        ({"code": 32, "codespace": "sdk", "log": "account sequence mismatch, expected 9, got 3"}, NonceTooLow, "9"),
        ({"code": 7, "codespace": "client", "log": "x" * 16_000}, BroadcastRefused, "xxx"),
        ({"code": 7, "codespace": "client", "log": "x" * 300_000}, BroadcastRefused, "xxx"),
        ({"code": 7, "codespace": "c" * 129}, EndpointUnavailable, "more than"),
        ({"code": -1}, EndpointUnavailable, "decimal"),
        ({}, EndpointUnavailable, "code"),
        ({"code": 4, "codespace": "sdk", "log": "please verify account number (7)"}, BroadcastRefused, "chain id"),
        # docs/spec/cosmos-transactions.md: a node before its first block since the start
        ({"code": 4, "codespace": "sdk", "log": "please verify account number (0)"}, EndpointUnavailable, "no block"),
    ],
)
async def test_answers_to_a_broadcast(answer, kind, words):
    async with node_and_chain() as (node, chain):
        transaction = await signed(chain)
        node.server.answers["broadcast_tx_sync"] = lambda r: result(r, answer)
        if kind is None:
            await chain.broadcast(transaction)
            (sent,) = [r["params"]["tx"] for r in node.server.requests if r["method"] == "broadcast_tx_sync"]
            assert base64.b64decode(sent) == transaction.raw
            return
        with pytest.raises(kind, match=words) as caught:
            await chain.broadcast(transaction)
        assert getattr(caught.value, "transaction_hash", transaction.hash) == transaction.hash


async def test_refusals_of_the_pool_and_of_the_endpoint_are_told_apart():
    async with node_and_chain() as (node, chain):
        transaction = await signed(chain)
        node.server.answers["broadcast_tx_sync"] = lambda r: error(
            r, -32603, "Internal error", "tx already exists in cache"
        )
        with pytest.raises(AlreadyKnown):
            await chain.broadcast(transaction)
        node.server.answers["broadcast_tx_sync"] = lambda r: error(r, -32603, "Internal error", "disk is full")
        with pytest.raises(RpcRefused):
            await chain.broadcast(transaction)


def results_of(*results):
    return lambda request: result(request, {"height": request["params"]["height"], "txs_results": list(results)})


async def test_without_an_index_blocks_are_read_and_must_be_those_of_the_header():
    async with node_and_chain() as (node, chain):
        transaction = await signed(chain)
        assert await chain.outcome(transaction.hash) is None
        height = node.include(transaction.raw)
        log = "failed to execute message; message index: 0: no: insufficient funds"
        failed = {"code": 5, "codespace": "sdk", "log": log, "gas_used": "4000", "events": [event()]}
        node.server.answers["block_results"] = results_of({"code": 0}, failed)
        outcome = await chain.outcome(transaction.hash)
        assert (outcome.height, outcome.gas_used, outcome.fee_wei) == (height, 4_000, 1_625)
        assert outcome.reverted == "no: insufficient funds"
        assert [(failure.index, failure.reason) for failure in outcome.failures] == [(0, outcome.reverted)]
        assert outcome.block_hash == node.chain.block(height).signed_header.commit.block_id.hash
        # its checks failed in the block: nothing was used, and it may still be included
        node.server.answers["block_results"] = results_of({"code": 0}, failed | {"events": []})
        assert await chain.outcome(transaction.hash) is None
        node.server.answers["block_results"] = results_of({"code": 0})
        with pytest.raises(EndpointUnavailable, match="has no result 1"):
            await chain.outcome(transaction.hash)
        other = await signed(chain, 4)
        node.include(other.raw)
        node.transactions[height + 1] = [b"another"]  # the node hides it
        with pytest.raises(EndpointUnavailable, match="do not hash to the header's data"):
            await chain.outcome(other.hash)


async def test_indexed_transaction_must_have_the_asked_hash_and_a_committed_block():
    async with node_and_chain() as (node, chain):
        transaction = await signed(chain)
        found = {"hash": "00", "height": "4", "index": 0, "tx": base64.b64encode(transaction.raw).decode(),
                 "tx_result": {"code": 0, "gas_used": "5", "events": []}}  # fmt: skip
        node.server.answers["tx"] = lambda r: result(r, found)
        outcome = await chain.outcome(transaction.hash)
        assert (outcome.height, outcome.reverted, outcome.gas_used) == (4, None, 5)
        (asked, *_) = [r["params"]["hash"] for r in node.server.requests if r["method"] == "tx"]
        assert base64.b64decode(asked) == transaction.hash
        found["height"] = "5"  # above the head: not final yet
        assert await chain.outcome(transaction.hash) is None
        found["tx"] = base64.b64encode(transaction.raw + b"x").decode()
        with pytest.raises(EndpointUnavailable, match="does not have the asked hash"):
            await chain.outcome(transaction.hash)
        missing = f"tx ({transaction_hash(b'').hex()}) not found"
        node.server.answers["tx"] = lambda r: error(r, -32603, "Internal error", missing)
        assert await chain.outcome(transaction.hash) is None


async def test_attack_G14_no_key_in_any_error_of_a_submission():
    secret = (bytes(31) + b"\x01").hex()
    async with node_and_chain(max_fee=1) as (_, chain):
        with pytest.raises(Exception) as caught:
            await signed(chain)
        shown = json.dumps([str(caught.value), repr(caught.value), repr(SIGNER)])
        assert secret not in shown and "max_fee" in shown
        await trio.lowlevel.checkpoint()


async def test_pruned_blocks_are_passed_over_and_new_ones_are_insisted_on():
    async with node_and_chain() as (node, chain):
        transaction = await signed(chain)
        node.chain.advance(30)
        height = node.include(transaction.raw)
        honest = node.server.answers["block"]
        lowest = [10]

        def pruned(request):
            at = int(request["params"]["height"])
            if at < lowest[0]:
                said = f"height {at} is not available, lowest height is {lowest[0]}"
                return error(request, -32603, "Internal error", said)
            return honest(request)

        node.server.answers["block"] = pruned
        node.server.answers["block_results"] = results_of({"code": 0}, {"code": 0, "gas_used": "9"})
    async with node_and_chain() as (other, chain):  # after a restart nothing is known of the transaction but its hash
        other.chain, other.transactions = node.chain, node.transactions
        other.server.answers |= {"block": pruned, "block_results": node.server.answers["block_results"]}
        assert (await chain.outcome(transaction.hash)).height == height
    async with node_and_chain() as (other, chain):
        other.chain, other.transactions = node.chain, node.transactions
        lowest[0] = height + 1
        other.server.answers |= {"block": pruned}
        with pytest.raises(HeightUnavailable, match="lowest height"):
            await chain.outcome(transaction.hash)


async def test_attack_G4_what_is_sent_again_is_sent_to_every_endpoint():
    """The first takes transactions and passes none on: its pool has them, and no block ever will."""
    async with hostile_server() as silent, hostile_server() as sound:
        nodes = Node(silent), Node(sound)
        nodes[1].chain = nodes[0].chain
        offered = []
        for node in nodes:

            def take(request, node=node):
                offered.append(node)
                return result(request, {"code": 0})

            node.server.answers["broadcast_tx_sync"] = take
        settings = CosmosSettings(
            "cosmos", "sim-1", (silent.url, sound.url), "cosmos", "0.025stake", 10**6, options=QUICK
        )
        async with open_cosmos_chain(settings, Random(1)) as chain:
            transaction = await signed(chain)
            await chain.broadcast(transaction)
            assert offered == [nodes[0]]
            await chain.broadcast(transaction)
            assert offered[1:] in ([nodes[0], nodes[1]], [nodes[1], nodes[0]])
            for node, answers in zip(nodes, ({"code": 19}, {"code": 5}), strict=True):
                said = {"codespace": "sdk", "log": "said", **answers}
                node.server.answers["broadcast_tx_sync"] = lambda request, said=said: result(request, said)
            with pytest.raises(AlreadyKnown):
                await chain.broadcast(transaction)


async def test_attack_G8_where_gas_is_free_an_account_with_nothing_simulates_and_pays_nothing():
    async with node_and_chain(gas_price="0stake") as (node, chain):
        node.services["/cosmos.bank.v1beta1.Query/Balance"] = balance_answer("0")
        fees = []

        def simulate(data):
            fees.append(decode_raw(pb.SimulateRequest.FromString(data).tx_bytes).fee)
            return simulation_answer()

        node.services["/cosmos.tx.v1beta1.Service/Simulate"] = simulate
        prepared = await chain.prepare(named_batch("uab"), ADDRESS)
        assert (prepared.gas, prepared.fee_wei, prepared.expected) == (65_000, 0, (True,) * 3)
        assert fees == [()] and decode_raw((await chain.sign(prepared, 3, SIGNER)).raw).fee == ()
    async with node_and_chain() as (node, chain):
        node.services["/cosmos.bank.v1beta1.Query/Balance"] = balance_answer("0")
        assert (await chain.prepare(named_batch("uab"), ADDRESS)).expected == ()


async def test_attack_G9_a_block_that_is_more_than_an_answer_holds_is_passed_over_without_an_index():
    tight = replace(QUICK, max_answer_bytes=64 * 1024)
    async with node_and_chain(options=tight) as (node, chain):
        first, second = await signed(chain), await signed(chain, 4)
        height = node.include(first.raw)
        honest = node.server.answers["block"]

        def large(request):
            full = result(request, {"block": {"data": {"txs": ["A" * 100_000]}}})
            return full if request["params"]["height"] == str(height) else honest(request)

        node.server.answers |= {"block": large, "block_results": results_of({"code": 0}, {"code": 0, "gas_used": "9"})}
        node.include(second.raw)
        assert await chain.outcome(first.hash) is None
        assert (await chain.outcome(second.hash)).height == height + 1


async def test_large_batches_have_large_simulations_and_transactions_are_bounded_by_what_nodes_take():
    async with node_and_chain(limits=BatchLimits(10, 2**20, 10**7)) as (node, chain):
        events = pb.SimulateResponse(gas_info=pb.GasInfo(gas_used=7)).SerializeToString() + b"\x12\x80\x80\x80\x01"
        node.services["/cosmos.tx.v1beta1.Service/Simulate"] = events + bytes(2**21)
        prepared = await chain.submission.prepare_messages([SdkMessage("/a.b", b"")], ADDRESS)
        assert prepared.gas == 10
        assert chain.batch_limits.max_bytes == MAX_SIMULATED_BYTES
        with pytest.raises(BatchTooLarge) as caught:
            await chain.prepare(Batch((UpdateClient("07-tendermint-0", bytes(MAX_SIMULATED_BYTES)),)), ADDRESS)
        assert (caught.value.what, caught.value.limit) == ("bytes", MAX_SIMULATED_BYTES)


def simulate_by_rule(rule, tried):
    """`rule` gives the log with which the messages, named by their proofs' first byte, are refused; None where they succeed."""

    def simulate(data):
        content = decode_raw(pb.SimulateRequest.FromString(data).tx_bytes)
        names = "".join(
            "u"
            if one.type_url.endswith("MsgUpdateClient")
            else chr(pb.MsgRecvPacket.FromString(one.value).proof_commitment[0])
            for one in content.messages
        )
        tried.append(names)
        log = rule(names)
        return simulation_answer() if log is None else {"code": 6, "codespace": "sdk", "log": log}

    return simulate


def named_batch(names: str) -> Batch:
    payload = Payload("transfer", "transfer", "ics20-1", "application/json", b"{}")
    packet = Packet(1, "07-tendermint-0", "07-tendermint-1", 2_000_000_000, (payload,))
    update = UpdateClient("07-tendermint-1", b"header")
    return Batch(tuple(update if name == "u" else RecvPacket(packet, name.encode(), Height(1, 5)) for name in names))


def unproven_or(condition):
    """Packets need the update; beyond that `condition` decides."""

    def rule(names):
        if names[0] != "u":
            return "failed to execute message; message index: 0: consensus state not found"
        return condition(names)

    return rule


@pytest.mark.parametrize(
    ("names", "guilty", "most"),
    [("uabcdefPghijklmn", "P", 7), ("uP", "P", 4), ("uPaQbR", "PQR", 14), ("uabcdefghijklmnP", "P", 7)],
)
async def test_attack_G6_messages_refused_without_an_index_are_found_by_halving(names, guilty, most):
    tried = []
    panics = unproven_or(lambda some: "recovered: no route for nowhere" if set(some) & set(guilty) else None)
    async with node_and_chain() as (node, chain):
        node.services["/cosmos.tx.v1beta1.Service/Simulate"] = simulate_by_rule(panics, tried)
        prepared = await chain.prepare(named_batch(names), ADDRESS)
    assert prepared.expected == tuple(name not in guilty for name in names)
    assert len(tried) - tried.count(tried[0]) <= most


@pytest.mark.parametrize(
    "rule",
    [
        lambda names: "out of gas in location: ReadFlat" if len(names) > 3 else None,
        lambda names: "insufficient funds",
    ],
)
async def test_refusals_that_are_no_messages_fault_blame_none(rule):
    async with node_and_chain() as (node, chain):
        node.services["/cosmos.tx.v1beta1.Service/Simulate"] = simulate_by_rule(rule, [])
        with pytest.raises(RefusedByChain, match="out of gas|insufficient"):
            await chain.prepare(named_batch("uabcdef"), ADDRESS)
