"""H: whatever bytes arrive, a JSON-RPC answer leaves, and nothing of the inside with it."""

import json
import time

import pytest
import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hutong.relay.evm.rpc.json_rpc import MAX_BATCH, MAX_BODY_BYTES, MAX_CONTAINERS, MAX_NESTING, JsonRpcService
from hutong.relay.evm.rpc.subscriptions import Subscriptions
from tests.relay.evm.evm_simulator import INIT_CODE, InstantChain, funded
from tests.relay.evm.evm_transactions import FUNDED, raw_transaction

CODES = {-32700, -32600, -32601, -32602, -32000, -32001, -32005, 3}


@pytest.fixture(scope="module")
def service():
    chain = InstantChain(funded(FUNDED))

    async def fill():
        await chain.submit_transaction(raw_transaction(data=INIT_CODE, gas=1_000_000))

    trio.run(fill)
    return JsonRpcService(chain)


def answer(service, body):
    return trio.run(service.answer, body)


def checked(service, body):
    raw = answer(service, body)
    if raw is None:
        return None
    decoded = json.loads(raw)
    for response in decoded if isinstance(decoded, list) else [decoded]:
        assert response["jsonrpc"] == "2.0" and "id" in response
        if "error" in response:
            assert response["error"]["code"] in CODES, response
            assert "Traceback" not in response["error"]["message"]
        else:
            assert "result" in response
    return decoded


FUZZ = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
HEX = st.sampled_from(
    ["0x", "0x0", "0x1", "0x00", "0x" + "11" * 20, "0x" + "22" * 32, "0x" + "f" * 64, "0x" + "f" * 65, "0x-1", "0X1", "0xg",
     "latest", "pending", "earliest", "", "1", "0x" + FUNDED.hex()]
)  # fmt: skip
NAMES = st.sampled_from(
    ["from", "to", "data", "input", "value", "gas", "accessList", "fromBlock", "toBlock", "blockHash", "blockNumber",
     "address", "topics", "storageKeys"]
)  # fmt: skip
PARAM = st.recursive(
    HEX | st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children, max_size=4),
    max_leaves=10,
)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xff\xfe")
@example(b'{"id":1e999,"method":"eth_chainId"}')
@example(b'{"id":NaN,"method":"eth_chainId"}')
@example(b'{"id":{},"method":"eth_chainId"}')
@example(b'{"id":true,"method":"eth_chainId"}')
@example(b'{"id":"\\ud800","method":"\\ud800"}')
@example(b'{"id":' + b"9" * 5000 + b',"method":"eth_chainId"}')
@example(b'[1,"a",null,[],{}]')
@example(b"[]")
@FUZZ
def test_fuzz_bytes(service, body):
    checked(service, body)


@pytest.mark.long
@given(JSON)
@FUZZ
def test_fuzz_json_values(service, value):
    checked(service, json.dumps(value).encode())


@pytest.mark.long
@given(st.data())
@settings(FUZZ, max_examples=400)
def test_fuzz_every_method_with_odd_parameters(service, data):
    method = data.draw(st.sampled_from(service.method_names))
    params = data.draw(st.lists(PARAM, max_size=4))
    checked(service, json.dumps({"id": 1, "method": method, "params": params}).encode())


@pytest.mark.long
@given(
    st.dictionaries(NAMES, PARAM, max_size=5),
    st.sampled_from(["eth_call", "eth_estimateGas", "eth_getLogs", "eth_newFilter"]),
)
@FUZZ
def test_fuzz_objects(service, value, method):
    checked(service, json.dumps({"id": 1, "method": method, "params": [value]}).encode())


@pytest.mark.long
@given(
    st.sampled_from(["newHeads", "logs", "newPendingTransactions"]) | PARAM,
    st.lists(PARAM | st.dictionaries(NAMES, PARAM, max_size=4), max_size=2),
    st.sampled_from(["eth_subscribe", "eth_unsubscribe"]),
)
@settings(FUZZ, max_examples=150)
def test_fuzz_subscriptions(service, first, rest, method):
    async def run():
        async def send(message):
            raise AssertionError(f"no block and no transaction came, but {message!r} was sent")

        async with trio.open_nursery() as nursery:
            subscriptions = Subscriptions(service.chain, nursery, send)
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": [first, *rest]}).encode()
            answer = json.loads(await service.answer(body, subscriptions.session))
            # Python writes NaN and the infinities, which are no JSON.
            assert answer.get("error", {}).get("code", 0) in {0, -32700, -32602, -32000}, answer
            nursery.cancel_scope.cancel()

    trio.run(run)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_BODY_BYTES,
        b'{"a":' * 100_000,
        b"[]," * 300_000,
        b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1),
        b"[" * 40 + b'"' + b'\\"' * 400_000,
        b'{"id":1,"method":"' + b"[" * 500_000 + b'"}',
        b"[" + b'"[",' * 100_000 + b"1]",
        b"x" * (MAX_BODY_BYTES + 1),
    ],
)
def test_attack_H_nested_or_huge_bodies_are_answered_at_once(service, body):
    """Deep JSON recurses in C; at the recursion limit that py_ecc sets it ends the process by a signal."""
    started = time.process_time()
    assert checked(service, body)["error"]["code"] in (-32700, -32600, -32601)
    assert time.process_time() - started < 2.0


def test_honest_nesting_is_taken(service):
    entry = {"address": "0x" + "11" * 20, "storageKeys": ["0x" + "22" * 32]}
    call = {"to": "0x" + "11" * 20, "accessList": [entry] * 1000, "data": "0x"}
    body = json.dumps([{"id": n, "method": "eth_call", "params": [call]} for n in range(4)]).encode()
    assert body.count(b"[") + body.count(b"{") <= MAX_CONTAINERS
    assert [response["result"] for response in checked(service, body)] == ["0x"] * 4


def test_batches_are_bounded(service):
    request = {"id": 1, "method": "eth_chainId"}
    assert len(checked(service, json.dumps([request] * MAX_BATCH).encode())) == MAX_BATCH
    assert checked(service, json.dumps([request] * (MAX_BATCH + 1)).encode())["error"]["code"] == -32600
    assert checked(service, json.dumps([{"method": "eth_chainId"}]).encode()) is None


def test_a_defect_of_a_method_is_an_internal_error_without_its_text(service, caplog):
    async def broken(params):
        raise ZeroDivisionError("secret")

    broken_service = JsonRpcService(service.chain, {"hutong_broken": broken})
    response = json.loads(answer(broken_service, b'{"id":7,"method":"hutong_broken"}'))
    assert response == {"jsonrpc": "2.0", "id": 7, "error": {"code": -32603, "message": "internal error"}}
    assert "secret" in caplog.text
