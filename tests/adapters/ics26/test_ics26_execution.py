"""`eth_*` answers checked against the question, and pool refusals told apart by the chain's state."""

import json
from contextlib import asynccontextmanager
from random import Random

import pytest
from eth_abi.abi import encode

from hutong.adapters.ics26.abi import selector
from hutong.adapters.ics26.answers import MAX_RECEIPT_LOGS, decode_block, decode_receipt
from hutong.adapters.ics26.batch import DEFAULT_LIMITS
from hutong.adapters.ics26.events import BATCH_CALL_FAILED_TOPIC, WRITE_ACKNOWLEDGEMENT_TOPIC, sequence_topic
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.ics26.router import RouterReads
from hutong.adapters.ics26.submission import broadcast, check_receipt_block, outcome_of, prepare_call
from hutong.adapters.interface import (
    AlreadyKnown,
    BadAnswer,
    BatchTooLarge,
    BroadcastRefused,
    EndpointUnavailable,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    PreparedTransaction,
    RefusedByChain,
    RpcRefused,
    SignedTransaction,
    Underpriced,
)
from hutong.adapters.rpc import Fields, RpcOptions, open_rpc_client
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import PACKET_TUPLE
from tests.adapters.rpc.hostile_server import error, hostile_server, result

QUICK = RpcOptions(attempt_timeout_s=2, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
ROUTER = b"\x10" * 20
SENDER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
HASH = b"\xaa" * 32


@asynccontextmanager
async def execution():
    async with hostile_server() as server, open_rpc_client("alpha", [server.url], Random(1), QUICK) as client:
        yield server, ExecutionRpc(client, RevertReader())


def answers(server, **values):
    server.answers.setdefault("eth_blockNumber", lambda request: result(request, hex(10**6)))
    for method, value in values.items():
        server.answers[method] = lambda request, value=value: result(request, value)


def log_json(**changes):
    return {
        "address": hex_data(ROUTER),
        "topics": [hex_data(HASH)],
        "data": "0x",
        "blockNumber": "0x5",
        "blockHash": hex_data(b"\x05" * 32),
        "transactionHash": hex_data(HASH),
        "logIndex": "0x0",
        "removed": False,
    } | changes


@asynccontextmanager
async def two_endpoints():
    async with hostile_server() as bad, hostile_server() as good:
        async with open_rpc_client("alpha", [bad.url, good.url], Random(1), QUICK) as client:
            yield bad, good, ExecutionRpc(client, RevertReader())


async def test_attack_G1_missing_logs_of_an_endpoint_that_is_behind():
    """It would answer with what it has; the endpoint that has the blocks is asked instead."""
    async with two_endpoints() as (bad, good, rpc):
        answers(bad, eth_blockNumber="0x5", eth_getLogs=[])
        answers(good, eth_blockNumber="0x6", eth_getLogs=[log_json()])
        assert len(await rpc.logs(ROUTER, 3, 6, [])) == 1
        assert "eth_getLogs" not in bad.methods()


async def test_attack_G10_pruned_endpoint_is_left_for_an_archive():
    async with two_endpoints() as (bad, good, rpc):
        bad.answers["eth_call"] = lambda request: error(request, -32000, "missing trie node")
        answers(good, eth_call="0x07")
        assert await rpc.call(ROUTER, b"", 5) == b"\x07"
        good.answers["eth_call"] = lambda request: error(request, 3, "execution reverted", "0x")
        with pytest.raises(RefusedByChain):
            await rpc.call(ROUTER, b"", 5)


async def test_logs_are_sorted_and_checked():
    async with execution() as (server, rpc):
        answers(server, eth_getLogs=[log_json(logIndex="0x2"), log_json(blockNumber="0x4"), log_json()])
        logs = await rpc.logs(ROUTER, 3, 6, [])
        assert [(log.height, log.log_index) for log in logs] == [(4, 0), (5, 0), (5, 2)]


@pytest.mark.parametrize(
    "forged",
    [
        [log_json(address=hex_data(b"\x11" * 20))],
        [log_json(blockNumber="0x7")],
        [log_json(blockNumber="0x2")],
        [log_json(removed=True)],
        [log_json(), log_json()],
        [log_json(topics=[hex_data(HASH)] * 5)],
        [log_json(data="0x1")],
        [log_json(blockNumber=None)],
        None,
        "0x",
        [None],
    ],
)
async def test_attack_G1_forged_logs(forged):
    async with execution() as (server, rpc):
        answers(server, eth_getLogs=forged)
        with pytest.raises(EndpointUnavailable, match="eth_getLogs answered badly"):
            await rpc.logs(ROUTER, 3, 6, [])


async def test_attack_G1_reordered_logs_come_in_the_order_of_the_chain():
    places = [(6, 0), (4, 3), (4, 1), (5, 0)]
    told = [log_json(blockNumber=hex(height), logIndex=hex(index)) for height, index in places]
    async with execution() as (server, rpc):
        answers(server, eth_getLogs=told)
        logs = await rpc.logs(ROUTER, 3, 6, [])
        assert [(log.height, log.log_index) for log in logs] == sorted(places)


async def test_attack_G1_refused_logs_of_the_newest_blocks_are_asked_of_another_endpoint():
    """A narrow range is refused by no honest node; a wide one may be, and its caller narrows it."""
    async with two_endpoints() as (bad, good, rpc):
        answers(bad)
        bad.answers["eth_getLogs"] = lambda request: error(request, -32000, "header not found")
        answers(good, eth_getLogs=[log_json(blockNumber="0x5")])
        assert len(await rpc.logs(ROUTER, 3, 6, [])) == 1


async def test_attack_G1_forged_not_found_of_a_final_block():
    async with execution() as (server, rpc):
        answers(server, eth_getBlockByNumber=None)
        with pytest.raises(EndpointUnavailable, match="is null for a block that exists"):
            await rpc.block(5)


async def test_attack_G2_log_of_a_block_that_is_not_final():
    """The log's block hash is not that of the final block of its height: a reorganised event."""

    async def facts(height):
        return b"\x99" * 32, 1

    async with execution() as (server, rpc):
        answers(server, eth_getLogs=[log_json()])
        reads = RouterReads("alpha", rpc, ROUTER, facts)
        with pytest.raises(EndpointUnavailable, match="is not the final block"):
            await reads.packet_events(3, 6, 10)


async def test_attack_G2_endpoint_with_logs_of_another_block_is_left_for_an_honest_one():
    async def facts(height):
        return b"\x05" * 32, 7

    async with two_endpoints() as (bad, good, rpc):
        answers(bad, eth_getLogs=[log_json(blockHash=hex_data(b"\x66" * 32))])
        answers(good, eth_getLogs=[])
        assert await RouterReads("alpha", rpc, ROUTER, facts).packet_events(3, 6, 10) == ()
        assert bad.methods().count("eth_getLogs") == good.methods().count("eth_getLogs") == 1


PACKET = (7, "client-0", "07-tendermint-0", 2**33, [("transfer", "transfer", "v1", "abi", b"x")])


def written(packet, raw: bool = False, **changes):
    """`WriteAcknowledgement` of a packet that was received, as a router writes it."""
    kind = PACKET_TUPLE.replace("string", "bytes") if raw else PACKET_TUPLE
    client = packet[2] if raw else packet[2].encode()
    topics = [hex_data(WRITE_ACKNOWLEDGEMENT_TOPIC), hex_data(keccak256(client)), hex_data(sequence_topic(packet[0]))]
    return log_json(topics=topics, data=hex_data(encode([kind, "bytes[]"], [packet, [b"ok"]]))) | changes


def with_payload(**changes):
    names = ("source_port", "destination_port", "version", "encoding", "value")
    payload = dict(zip(names, PACKET[4][0], strict=True)) | changes
    return (*PACKET[:4], [tuple(payload.values())])


def with_version_of_no_text():
    number, *ends, timeout_s, ((*ports, _, encoding, value),) = PACKET
    payload = (*(port.encode() for port in ports), b"\xff", encoding.encode(), value)
    return (number, *(end.encode() for end in ends), timeout_s, [payload])


REFUSED = {
    "long version": written(with_payload(version="v" * 257)),
    "empty encoding": written(with_payload(encoding="")),
    "source port": written(with_payload(source_port="a port")),
    "no text": written(with_version_of_no_text(), raw=True),
    "large": written(with_payload(value=bytes(640_000))),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
async def test_attack_G9_packet_that_this_side_refuses_stops_no_watcher(refused):
    """Anyone who sends it on a chain of their own and relays it would stop all later events."""

    async def facts(height):
        return b"\x05" * 32, 7

    async with execution() as (server, rpc):
        answers(server, eth_getLogs=[refused | {"logIndex": "0x1"}, written(PACKET)])
        (event,) = await RouterReads("alpha", rpc, ROUTER, facts).packet_events(3, 6, 10)
        assert event.packet.payloads[0].version == "v1"
        answers(server, eth_getLogs=[refused])
        reads = RouterReads("alpha", rpc, ROUTER, facts)
        assert await reads.written_acknowledgement("07-tendermint-0", 7, 3, 10) is None


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
async def test_attack_G1_event_that_is_made_unreadable_is_asked_of_another_endpoint(refused):
    async def facts(height):
        return b"\x05" * 32, 7

    async with two_endpoints() as (bad, good, rpc):
        answers(bad, eth_getLogs=[refused])
        answers(good, eth_getLogs=[written(PACKET)])
        (event,) = await RouterReads("alpha", rpc, ROUTER, facts).packet_events(3, 6, 10)
        assert event.packet.sequence == 7
        contradicting = refused | {"topics": [*refused["topics"][:2], hex_data(sequence_topic(8))]}
        for server in (bad, good):
            answers(server, eth_getLogs=[contradicting])
        with pytest.raises(EndpointUnavailable):
            await RouterReads("alpha", rpc, ROUTER, facts).packet_events(3, 6, 10)


async def test_ranges_refused_by_a_node_are_searched_back():
    async with execution() as (server, rpc):

        async def facts(height):
            return b"\x05" * 32, 1

        def logs(request):
            (query,) = request["params"]
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            if last - first >= 1000:
                return error(request, -32000, "range too large")
            return result(request, [])

        answers(server)
        server.answers["eth_getLogs"] = logs
        reads = RouterReads("alpha", rpc, ROUTER, facts)
        assert await reads.sent_packet("client-0", 1, 0, 2500) is None
        assert server.methods().count("eth_getLogs") == 4


async def test_attack_G1_node_of_narrow_ranges_is_searched_back_all_the_same():
    async with execution() as (server, rpc):

        async def facts(height):
            return b"\x05" * 32, 1

        asked = []

        def logs(request):
            (query,) = request["params"]
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            if last - first >= 50:
                return error(request, -32602, "at most 50 blocks")
            asked.append((first, last))
            return result(request, [])

        answers(server)
        server.answers["eth_getLogs"] = logs
        assert await RouterReads("alpha", rpc, ROUTER, facts).sent_packet("client-0", 1, 0, 300) is None
        assert asked[0][1] == 300 and asked[-1][0] == 0
        assert all(later[1] + 1 == newer[0] for newer, later in zip(asked, asked[1:], strict=False)), "no gap"


async def test_revert_data_is_read_where_nodes_put_it():
    data = hex_data(
        bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (2).to_bytes(32, "big") + b"no".ljust(32, b"\0")
    )
    async with execution() as (server, rpc):
        for form in (data, {"data": data}, {"result": data}):
            server.answers["eth_call"] = lambda request, form=form: error(request, 3, "execution reverted", form)
            with pytest.raises(RefusedByChain) as caught:
                await rpc.call(ROUTER, b"")
            assert caught.value.reason == "Error: no"
        server.answers["eth_call"] = lambda request: error(request, -32000, "execution reverted")
        with pytest.raises(RefusedByChain):
            await rpc.call(ROUTER, b"")
        server.answers["eth_call"] = lambda request: error(request, -32000, "missing trie node")
        with pytest.raises(RpcRefused):
            await rpc.call(ROUTER, b"")


PREPARED = PreparedTransaction(1, SENDER, "0x" + "10" * 20, b"", 0, 100, 10, 1, None)
SIGNED = SignedTransaction(HASH, b"\x02", 5, PREPARED)
KNOWN = {
    "hash": hex_data(HASH),
    "from": SENDER,
    "to": None,
    "input": "0x",
    "value": "0x0",
    "gas": "0x1",
    "blockNumber": None,
}


@pytest.mark.parametrize(
    ("words", "known", "latest", "balance", "expected"),
    [
        ("already known", KNOWN, 5, 10**9, AlreadyKnown),
        ("nonce too low", KNOWN, 6, 10**9, AlreadyKnown),
        ("nonce too low", None, 6, 10**9, NonceTooLow),
        ("some other words", None, 6, 10**9, NonceTooLow),
        ("insufficient funds", None, 5, 999, InsufficientFunds),
        ("replacement transaction underpriced", None, 5, 1000, Underpriced),
        ("max fee per gas less than block base fee", None, 5, 1000, Underpriced),
        ("nonce too high", None, 3, 1000, NonceTooHigh),
        ("txpool is full", None, 5, 1000, BroadcastRefused),
    ],
)
async def test_attack_G4_broadcast_refusals(words, known, latest, balance, expected):
    async with execution() as (server, rpc):
        server.answers["eth_sendRawTransaction"] = lambda request: error(request, -32000, words)
        answers(
            server,
            eth_getTransactionByHash=known,
            eth_getTransactionCount=hex(latest),
            eth_getBalance=hex(balance),
        )
        with pytest.raises(BroadcastRefused) as caught:
            await broadcast(rpc, SIGNED)
        assert type(caught.value) is expected
        assert caught.value.transaction_hash == HASH


async def test_attack_G4_what_one_endpoint_misses_is_not_signed_again():
    """The pool's first answer was lost and the transaction is mined: who says that its nonce is used by another has it paid twice."""
    async with two_endpoints() as (lagging, good, rpc):
        for server in (lagging, good):
            answers(server, eth_getTransactionCount="0x6", eth_getBalance="0x0")
            server.answers["eth_sendRawTransaction"] = lambda request: error(request, -32000, "nonce too low")
        answers(lagging, eth_getTransactionByHash=None)
        answers(good, eth_getTransactionByHash=KNOWN)
        with pytest.raises(AlreadyKnown):
            await broadcast(rpc, SIGNED)


async def test_attack_G4_a_transaction_mined_while_it_is_looked_for_is_not_signed_again():
    async with execution() as (server, rpc):
        server.answers["eth_sendRawTransaction"] = lambda request: error(request, -32000, "nonce too low")
        missed = iter([None, None])
        answers(server, eth_getTransactionCount="0x6", eth_getBalance="0x0")
        server.answers["eth_getTransactionByHash"] = lambda request: result(request, next(missed, KNOWN))
        with pytest.raises(AlreadyKnown):
            await broadcast(rpc, SIGNED)


async def test_attack_G1_another_transaction_is_not_the_refused_one():
    """An endpoint that answers with any transaction made a refused one "already known", which was then waited for."""
    other = KNOWN | {"hash": hex_data(b"\xbb" * 32)}
    async with two_endpoints() as (bad, good, rpc):
        answers(bad, eth_getTransactionByHash=other, eth_getTransactionCount="0x6", eth_getBalance="0x0")
        bad.answers["eth_sendRawTransaction"] = lambda request: error(request, -32000, "nonce too low")
        answers(good, eth_getTransactionByHash=None)
        with pytest.raises(NonceTooLow):
            await broadcast(rpc, SIGNED)
        assert "is not the asked transaction" in rpc.client.statistics()[0].last_failure
    async with execution() as (server, rpc):
        answers(server, eth_getTransactionByHash=other)
        with pytest.raises(EndpointUnavailable, match="is not the asked transaction"):
            await rpc.mined_call(HASH)


async def test_broadcast_hash_is_compared():
    async with execution() as (server, rpc):
        answers(server, eth_sendRawTransaction=hex_data(HASH))
        await broadcast(rpc, SIGNED)
        answers(server, eth_sendRawTransaction=hex_data(b"\xbb" * 32))
        with pytest.raises(EndpointUnavailable, match="is not the transaction's hash"):
            await broadcast(rpc, SIGNED)


async def test_attack_G4_endpoint_that_answers_a_broadcast_with_another_hash_is_left():
    async with two_endpoints() as (bad, good, rpc):
        answers(bad, eth_sendRawTransaction=hex_data(b"\xbb" * 32))
        answers(good, eth_sendRawTransaction=hex_data(HASH))
        await broadcast(rpc, SIGNED)
        assert good.methods() == ["eth_sendRawTransaction"]


def block_json(**changes):
    return {
        "number": "0x5",
        "hash": hex_data(b"\x05" * 32),
        "parentHash": hex_data(b"\x04" * 32),
        "timestamp": "0x64",
        "gasLimit": "0x1c9c380",
        "baseFeePerGas": "0x7",
    } | changes


def receipt_json(**changes):
    return {
        "transactionHash": hex_data(HASH),
        "blockNumber": "0x5",
        "blockHash": hex_data(b"\x05" * 32),
        "status": "0x1",
        "gasUsed": "0x64",
        "effectiveGasPrice": "0x3",
        "logs": [],
    } | changes


async def test_attack_G1_block_with_a_time_that_is_invalid_is_left_for_an_honest_one():
    async with two_endpoints() as (bad, good, rpc):
        for time_s, known in ((2**33, 2**33), (2**33 + 1, 0x64), (2**256 - 1, 0x64)):
            answers(bad, eth_getBlockByNumber=block_json(timestamp=hex(time_s)))
            answers(good, eth_getBlockByNumber=block_json())
            assert (await rpc.block(5)).time_s == known
    with pytest.raises(BadAnswer, match="timestamp: is not a time of a block"):
        decode_block(Fields("eth_getBlockByNumber", block_json(timestamp=hex(2**33 + 1))))


async def test_attack_G1_receipt_of_a_block_that_is_not_final():
    async with execution() as (server, rpc):
        answers(server, eth_getTransactionReceipt=receipt_json())
        receipt = await rpc.receipt(HASH)
        found = await outcome_of(rpc, ROUTER, receipt, b"\x05" * 32, 9)
        assert (found.height, found.fee_wei, found.reverted, found.block_time_ns) == (5, 300, None, 9)
        with pytest.raises(BadAnswer, match="is not the final block"):
            await outcome_of(rpc, ROUTER, receipt, b"\x06" * 32, 9)
        answers(server, eth_getTransactionReceipt=receipt_json(transactionHash=hex_data(b"\x06" * 32)))
        with pytest.raises(EndpointUnavailable):
            await rpc.receipt(HASH)
        answers(server, eth_getTransactionReceipt=None)
        assert await rpc.receipt(HASH) is None


def test_attack_G9_receipt_of_as_many_logs_as_a_batch_can_pay_for_is_read():
    """Receivers of four packets log what they can: more than ten thousand, and no bound of ours may refuse the receipt."""
    cheapest_log_gas = 375
    most = DEFAULT_LIMITS.max_gas // cheapest_log_gas
    receipt = receipt_json(logs=[log_json(topics=[], address=hex_data(HASH[:20]))] * most)
    assert len(decode_receipt(Fields("eth_getTransactionReceipt", receipt)).logs) == most
    receipt["logs"] = receipt["logs"][:1] * (MAX_RECEIPT_LOGS + 1)
    with pytest.raises(BadAnswer, match="has more than"):
        decode_receipt(Fields("eth_getTransactionReceipt", receipt))


@pytest.mark.parametrize(("transaction", "fee_wei"), [({"gasPrice": "0x4"}, 400), ({}, 0), (None, 0)])
async def test_fee_where_receipts_name_no_price_is_what_the_transaction_offered(transaction, fee_wei):
    """GoQuorum's receipts are those of geth before London."""
    async with execution() as (server, rpc):
        known = None if transaction is None else KNOWN | transaction
        receipt = receipt_json()
        del receipt["effectiveGasPrice"]
        answers(server, eth_getTransactionReceipt=receipt, eth_getTransactionByHash=known)
        found = await outcome_of(rpc, ROUTER, await rpc.receipt(HASH), b"\x05" * 32, 9)
        assert found.fee_wei == fee_wei


async def test_attack_G1_endpoint_with_a_receipt_of_another_block_is_left_for_an_honest_one():
    async def check(receipt):
        check_receipt_block(receipt, b"\x05" * 32)

    async with two_endpoints() as (bad, good, rpc):
        answers(bad, eth_getTransactionReceipt=receipt_json(blockHash=hex_data(b"\x66" * 32)))
        answers(good, eth_getTransactionReceipt=receipt_json())
        receipt = await rpc.receipt(HASH, check)
        assert receipt is not None and receipt.block_hash == b"\x05" * 32
        answers(good, eth_getTransactionReceipt=None)
        assert await rpc.receipt(HASH, check) is None


async def test_reverted_transaction_says_that_gas_ran_out():
    async with execution() as (server, rpc):
        mined = KNOWN | {"to": "0x" + "10" * 20, "gas": "0x64", "blockNumber": "0x5"}
        answers(server, eth_getTransactionReceipt=receipt_json(status="0x0"), eth_getTransactionByHash=mined)
        found = await outcome_of(rpc, ROUTER, await rpc.receipt(HASH), b"\x05" * 32, 9)
        assert found.reverted == "ran out of its 100 gas"
        assert found.succeeded(2) == [False, False]


async def test_reverted_transaction_is_replayed_for_its_reason():
    async with execution() as (server, rpc):
        mined = KNOWN | {"to": "0x" + "10" * 20, "gas": "0x6400", "blockNumber": "0x5"}
        answers(server, eth_getTransactionReceipt=receipt_json(status="0x0"), eth_getTransactionByHash=mined)
        data = hex_data(selector("IBCFailedCallback()"))
        server.answers["eth_call"] = lambda request: error(request, 3, "execution reverted", data)
        found = await outcome_of(rpc, ROUTER, await rpc.receipt(HASH), b"\x05" * 32, 9)
        assert found.reverted == "IBCFailedCallback"
        assert server.requests[-1]["params"][1] == "0x4"


async def test_attack_G10_reverted_transaction_of_pruned_blocks_ends_without_its_reason():
    """A relay that was away for long: the state before the block is gone, and the nonce must not wait for it for ever."""
    async with execution() as (server, rpc):
        mined = KNOWN | {"to": "0x" + "10" * 20, "gas": "0x6400", "blockNumber": "0x5"}
        answers(server, eth_getTransactionReceipt=receipt_json(status="0x0"), eth_getTransactionByHash=mined)
        server.answers["eth_call"] = lambda request: error(request, -32000, "missing trie node")
        found = await outcome_of(rpc, ROUTER, await rpc.receipt(HASH), b"\x05" * 32, 9)
        assert found.reverted is not None and "missing trie node" in found.reverted
        assert found.succeeded(1) == [False]


async def test_nonce_in_final_blocks_is_asked_at_their_height():
    async with two_endpoints() as (bad, good, rpc):
        bad.answers["eth_getTransactionCount"] = lambda request: error(request, -32000, "missing trie node")
        answers(good, eth_getTransactionCount="0x7")
        assert await rpc.nonce_at(SENDER, 5) == 7
        assert good.requests[-1]["params"] == [SENDER, "0x5"]


async def test_failed_calls_of_a_batch_are_told_apart():
    async with execution() as (server, rpc):
        reason = selector("IBCFailedCallback()")
        log = log_json(
            topics=[hex_data(BATCH_CALL_FAILED_TOPIC), hex_data((2).to_bytes(32, "big"))],
            data=hex_data(encode(["bytes"], [reason])),
        )
        foreign = log | {"address": hex_data(b"\x11" * 20), "logIndex": "0x1"}
        answers(server, eth_getTransactionReceipt=receipt_json(logs=[log, foreign]))
        found = await outcome_of(rpc, ROUTER, await rpc.receipt(HASH), b"\x05" * 32, 9)
        assert [(failure.index, failure.reason) for failure in found.failures] == [(2, "IBCFailedCallback")]
        assert found.succeeded(3) == [True, True, False]
        answers(server, eth_getTransactionReceipt=receipt_json(logs=[log | {"data": "0x01"}]))
        with pytest.raises(BadAnswer, match="malformed BatchCallFailed"):
            await outcome_of(rpc, ROUTER, await rpc.receipt(HASH), b"\x05" * 32, 9)


async def test_fees_are_legacy_where_there_is_no_base_fee():
    async with execution() as (server, rpc):
        answers(
            server,
            eth_estimateGas="0x3e8",
            eth_getBlockByNumber=block_json(),
            eth_maxPriorityFeePerGas="0x2",
            eth_gasPrice="0x9",
        )
        modern = await prepare_call(rpc, 1, SENDER, ROUTER, b"", 10_000)
        assert (modern.max_fee_per_gas_wei, modern.max_priority_fee_per_gas_wei) == (16, 2)
        assert modern.gas_price_wei is None
        assert modern.gas == 1150
        answers(server, eth_getBlockByNumber=block_json(baseFeePerGas=None))
        legacy = await prepare_call(rpc, 1, SENDER, ROUTER, b"", 10_000)
        assert legacy.gas_price_wei == 9
        assert legacy.fee_cap_wei == 1150 * 9
        raised = legacy.with_raised_fee(12)
        assert raised.gas_price_wei == 11
        with pytest.raises(BatchTooLarge) as caught:
            await prepare_call(rpc, 1, SENDER, ROUTER, b"", 999)
        assert (caught.value.what, caught.value.got, caught.value.limit) == ("gas", 1000, 999)


async def test_requests_are_what_nodes_take():
    async with execution() as (server, rpc):
        answers(server, eth_getStorageAt="0x01", eth_getLogs=[])
        word = await rpc.storage(ROUTER, b"\x01" * 32, 7)
        assert word == bytes(31) + b"\x01"
        await rpc.logs(ROUTER, 1, 2, [[hex_data(HASH)]])
        sent = json.dumps([request["params"] for request in server.requests])
        assert '"0x7"' in sent
        assert '"fromBlock": "0x1"' in sent
