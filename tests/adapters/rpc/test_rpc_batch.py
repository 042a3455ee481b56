"""Several requests in one exchange: a server may answer in any order, and must answer each once."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.interface import BadAnswer, EndpointUnavailable, RpcRefused
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.adapters.rpc.client import parse_batch
from tests.adapters.rpc.hostile_server import error, hostile_server, http

QUICK = RpcOptions(attempt_timeout_s=0.5, rounds=1, max_answer_bytes=100_000)


def answers(request, values):
    return [{"jsonrpc": "2.0", "id": one["id"], "result": value} for one, value in zip(request, values, strict=True)]


async def ask(servers, count=3):
    async with open_rpc_client("hub", [server.url for server in servers], Random(1), QUICK) as client:
        return await client.run(
            "get",
            lambda attempt: attempt.call_each(
                "get", [{"key": key} for key in range(count)], lambda index, fields: (index, fields.quantity())
            ),
        )


async def test_answers_come_in_the_order_of_the_requests():
    async with hostile_server() as server:
        server.answers["get"] = lambda request: http(
            json.dumps(answers(request, [hex(one["params"]["key"]) for one in request])[::-1]).encode()
        )
        assert await ask([server]) == [(0, 0), (1, 1), (2, 2)]
        assert len(server.requests) == 1


async def test_one_request_goes_alone():
    async with hostile_server() as server:
        server.answers["get"] = lambda request: http(json.dumps(answers([request], ["0x7"])[0]).encode())
        assert await ask([server], count=1) == [(0, 7)]
        assert isinstance(server.requests[0], dict)


async def test_an_endpoint_that_takes_no_batch_is_left_for_one_that_does():
    async with hostile_server() as bad, hostile_server() as good:
        bad.answers["get"] = lambda request: error({"id": None}, -32600, "batches are not taken")
        good.answers["get"] = lambda request: http(json.dumps(answers(request, ["0x1", "0x2", "0x3"])).encode())
        assert await ask([bad, good]) == [(0, 1), (1, 2), (2, 3)]
        with pytest.raises(RpcRefused) as caught:
            await ask([bad])
        assert caught.value.code == -32600


@pytest.mark.parametrize(
    ("twist", "reason"),
    [
        (lambda rows: rows[:-1], "are not 3"),
        (lambda rows: [rows[0], rows[0], rows[1]], "is not of one request of the batch"),
        (lambda rows: [*rows[:2], {**rows[2], "id": 99}], "is not of one request of the batch"),
        (lambda rows: [*rows[:2], {**rows[2], "id": True}], "is not of one request of the batch"),
        (lambda rows: rows[0], "is one answer to a batch"),
        (lambda rows: "no batch", "answers"),
    ],
)
async def test_attack_H_batch_that_answers_other_than_each_once(twist, reason):
    async with hostile_server() as server:
        server.answers["get"] = lambda request: http(json.dumps(twist(answers(request, ["0x1"] * 3))).encode())
        with pytest.raises(EndpointUnavailable, match=reason):
            await ask([server])


async def test_an_error_of_one_request_is_the_batch_s():
    def refuse_second(request):
        rows = answers(request, ["0x1"] * 3)
        rows[1] = {"jsonrpc": "2.0", "id": request[1]["id"], "error": {"code": -32603, "message": "no such height"}}
        return http(json.dumps(rows).encode())

    async with hostile_server() as server:
        server.answers["get"] = refuse_second
        with pytest.raises(RpcRefused) as caught:
            await ask([server])
        assert (caught.value.code, caught.value.message) == (-32603, "no such height")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "jsonrpc", "result", "error", "code", "message"]), inner, max_size=5),
    ),
    max_leaves=20,
)


@pytest.mark.long
@given(JSON)
@settings(max_examples=300, deadline=None)
def test_attack_H_whatever_is_answered_is_the_values_or_a_typed_error(document):
    try:
        found = parse_batch(json.dumps(document).encode(), 1, 2, "get", 10_000)
    except (BadAnswer, RpcRefused):
        return
    assert [found[0].value, found[1].value] == [
        next(row["result"] for row in document if row["id"] == number) for number in (1, 2)
    ]
