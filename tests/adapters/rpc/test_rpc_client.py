"""The RPC client against a real local server that lies, stalls and bombs."""

import gzip
import json
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.interface import BadAnswer, EndpointError, EndpointMismatch, EndpointUnavailable, RpcRefused
from hutong.adapters.rpc import (
    MAX_JSON_DEPTH,
    HeadSignal,
    RpcOptions,
    TokenBucket,
    backoff_s,
    open_rpc_client,
    parse_json,
)
from hutong.adapters.rpc.client import parse_answer
from hutong.adapters.rpc.endpoint import Endpoint
from hutong.adapters.rpc.fields import Fields
from hutong.adapters.rpc.http_answer import AttemptFailed
from hutong.adapters.rpc.transport import _Inflater, new_http_client, post
from tests.adapters.rpc.hostile_server import error, gzipped, hostile_server, http, result

QUICK = RpcOptions(attempt_timeout_s=0.5, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02, max_answer_bytes=100_000)


def quantity(fields: Fields) -> int:
    return fields.quantity()


@asynccontextmanager
async def two_servers():
    async with hostile_server() as bad, hostile_server() as good:
        good.answers["*"] = lambda request: result(request, "0x10")
        yield bad, good


async def ask(servers, options=QUICK, identify=None):
    async with open_rpc_client("chain-a", [s.url for s in servers], Random(1), options, identify) as client:
        value = await client.call("eth_blockNumber", [], quantity)
        return value, client.statistics()


async def survives(attack) -> None:
    """The attack alone ends in one typed error that names the endpoint; beside an honest endpoint it costs nothing."""
    async with two_servers() as (bad, good):
        bad.answers["*"] = attack
        with pytest.raises(EndpointUnavailable) as caught:
            await ask([bad])
        assert caught.value.reasons[0][0] == bad.url
        assert caught.value.reasons[0][1]
        value, (first, second) = await ask([bad, good])
        assert value == 16
        assert first.failures >= 1
        assert second.failures == 0


async def test_answer_of_one_endpoint():
    async with two_servers() as (_, good):
        value, (statistics,) = await ask([good])
        assert value == 16
        assert statistics.answers == 1


async def test_attack_G1_wrong_chain_id_endpoint_is_left():
    identify = of_chain_7
    async with two_servers() as (bad, good):
        bad.answers.update({"eth_chainId": lambda r: result(r, "0x8"), "eth_blockNumber": lambda r: result(r, "0xff")})
        good.answers["eth_chainId"] = lambda r: result(r, "0x7")
        value, _ = await ask([bad, good], identify=identify)
        assert value == 16
        assert "eth_blockNumber" not in bad.methods()
        with pytest.raises(EndpointUnavailable, match="chain id is 8, expected 7") as caught:
            await ask([bad], identify=identify)
        assert caught.value.foreign
        good.answers["eth_chainId"] = http(b"no JSON")
        with pytest.raises(EndpointUnavailable) as caught:
            await ask([bad, good], identify=identify)
        assert not caught.value.foreign, "one of them may be the right one"


async def of_chain_7(attempt):
    got = await attempt.call("eth_chainId", [], quantity)
    if got != 7:
        raise EndpointMismatch(attempt.endpoint_name, "chain id", got, 7)


BROKEN = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"


async def test_attack_G1_endpoint_that_became_another_chain_is_refused_until_the_right_one_is_back():
    """The node dies, another chain's takes its port: nothing that it says counts, and the log has both chain ids."""
    async with hostile_server() as node:
        node.answers.update({"eth_chainId": lambda r: result(r, "0x7"), "*": lambda r: result(r, "0x10")})
        async with open_rpc_client("chain-a", [node.url], Random(1), QUICK, of_chain_7) as client:
            for _ in range(3):
                assert await client.call("eth_blockNumber", [], quantity) == 16
            assert node.methods().count("eth_chainId") == 1
            node.close_after, node.answers = True, {"*": BROKEN}
            with pytest.raises(EndpointUnavailable):
                await client.call("eth_blockNumber", [], quantity)
            node.close_after, other = False, len(node.requests)
            node.answers = {"eth_chainId": lambda r: result(r, "0x9"), "*": lambda r: result(r, "0xff")}
            with pytest.raises(EndpointUnavailable, match="chain id is 9, expected 7") as caught:
                await client.call("eth_blockNumber", [], quantity)
            assert caught.value.foreign
            assert set(node.methods()[other:]) == {"eth_chainId"}, "it was asked nothing else"
            (one,) = client.statistics()
            assert one.foreign == f"{node.url}: chain id is 9, expected 7" and not one.identified
            back = len(node.requests)
            node.answers = {"eth_chainId": lambda r: result(r, "0x7"), "*": lambda r: result(r, "0x11")}
            for _ in range(3):
                assert await client.call("eth_blockNumber", [], quantity) == 17
            assert node.methods()[back:] == ["eth_chainId"] + ["eth_blockNumber"] * 3
            (one,) = client.statistics()
            assert one.foreign is None and one.identified and one.strikes == 0


async def test_attack_G1_endpoint_that_became_another_chain_leaves_the_work_to_the_next():
    async with two_servers() as (bad, good):
        for server in (bad, good):
            server.answers.update({"eth_chainId": lambda r: result(r, "0x7"), "*": lambda r: result(r, "0x10")})
        async with open_rpc_client("chain-a", [bad.url, good.url], Random(1), QUICK, of_chain_7) as client:
            assert await client.call("eth_blockNumber", [], quantity) == 16
            bad.close_after, bad.answers["eth_blockNumber"] = True, BROKEN
            assert await client.call("eth_blockNumber", [], quantity) == 16
            bad.close_after = False
            bad.answers = {"eth_chainId": lambda r: result(r, "0x9"), "*": lambda r: result(r, "0xff")}
            asked = len(bad.requests)
            for _ in range(3):
                assert await client.call("eth_blockNumber", [], quantity) == 16
            assert bad.methods()[asked:] == ["eth_chainId"]
            assert [one.foreign is None for one in client.statistics()] == [False, True]


async def test_answer_to_who_it_is_from_before_a_failure_does_not_outlive_it():
    endpoint = Endpoint("http://node", QUICK)
    asked = endpoint.doubts
    endpoint.failed(EndpointError.CONNECTION, "refused", 0.0)
    endpoint.is_of_its_chain(asked)
    assert not endpoint.identified
    endpoint.failed(EndpointError.SLOW, "much slower than the others", 0.0)
    endpoint.is_of_its_chain(endpoint.doubts)
    endpoint.failed(EndpointError.SLOW, "much slower than the others", 0.0)
    assert endpoint.identified, "who is slow is who it was"


async def test_attack_G1_ten_megabyte_body():
    await survives(http(b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"1" * 10_000_000 + b'"}'))


async def test_attack_G1_gzip_bomb_is_not_expanded():
    await survives(gzipped(b'{"jsonrpc":"2.0","id":1,"result":"' + b"0" * 50_000_000 + b'"}'))


@pytest.mark.parametrize("rest", [b"\0", b"\0" * 1_000_000, gzip.compress(b"1")], ids=["a byte", "much", "a member"])
async def test_attack_G1_what_follows_a_compressed_answer_is_not_kept(rest):
    """It counts for no bound of what is unpacked."""

    def answer(request):
        body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "0x11"}).encode()
        return http(gzip.compress(body) + rest, headers="content-encoding: gzip\r\n")

    await survives(answer)


async def test_attack_G1_compressed_answer_that_never_ends_is_left_at_once():
    inflater = _Inflater("gzip", "eth_call", 1_024)
    assert inflater.feed(gzip.compress(b"{}")) == b"{}"
    with pytest.raises(BadAnswer, match="goes on after its compression"):
        inflater.feed(b"\0" * 262_144)
    assert inflater.feed(b"") == b""
    inflater.finish()


async def test_gzip_answer_is_read():
    async with two_servers() as (_, good):
        good.answers["*"] = lambda r: gzipped(json.dumps({"jsonrpc": "2.0", "id": r["id"], "result": "0x10"}).encode())
        assert (await ask([good]))[0] == 16


async def test_attack_G1_unasked_compression():
    await survives(http(b"xx", headers="content-encoding: br\r\n"))


async def test_attack_G1_half_closed_socket():
    async with two_servers() as (bad, good):
        bad.answers["*"] = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"
        bad.close_after = True
        value, (first, _) = await ask([bad, good])
        assert value == 16
        assert first.failures == 1


async def test_trial_T6_statistics_say_how_long_an_answer_is_waited_for():
    async with (
        hostile_server() as server,
        open_rpc_client("chain-a", [server.url], Random(1), RpcOptions()) as client,
    ):
        assert client.statistics()[0].waiting_s == 0
        server.answers["*"] = lambda request: None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.call, "eth_blockNumber", [], quantity)
            with trio.fail_after(60):
                while not server.requests:  # noqa: ASYNC110  the server raises no event
                    await trio.sleep(0.01)
            first = client.statistics()[0].waiting_s
            await trio.sleep(0.05)
            assert first + 0.05 <= client.statistics()[0].waiting_s < 5
            with trio.move_on_after(0.02):  # a younger one hides no older one, also once it is cancelled
                await client.call("eth_chainId", [], quantity)
            assert client.statistics()[0].waiting_s >= first + 0.07
            nursery.cancel_scope.cancel()
        assert client.statistics()[0].waiting_s == 0
        server.answers["*"] = lambda request: result(request, "0x10")
        assert await client.call("eth_blockNumber", [], quantity) == 16
        assert client.statistics()[0].waiting_s == 0


async def test_attack_G1_silent_socket_is_left_after_the_attempt_timeout():
    await survives(lambda request: None)


async def test_attack_G1_error_inside_a_200():
    async with two_servers() as (bad, good):
        bad.answers["*"] = lambda r: error(r, -32000, "header not found")
        with pytest.raises(RpcRefused) as caught:
            await ask([bad])
        assert (caught.value.code, caught.value.message) == (-32000, "header not found")
        bad.answers["*"] = lambda r: error(r, -32005, "limit exceeded")
        assert (await ask([bad, good]))[0] == 16


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"jsonrpc":"2.0","id":999,"result":"0x10"}',
        b'{"jsonrpc":"2.0","id":true,"result":"0x10"}',
        b'{"jsonrpc":"1.0","id":1,"result":"0x10"}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x10","result":"0x11"}',
        b'{"jsonrpc":"2.0","id":1,"result":NaN}',
        b'{"jsonrpc":"2.0","id":1,"error":"no"}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"m"}}',
        b'{"jsonrpc":"2.0","id":1,"result":{"a":' * 2000,
        b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 90_000,
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","id":1,"result":' + b"9" * 5000 + b"}",
    ],
)
async def test_attack_G1_malformed_answers(body):
    await survives(http(body))


async def test_attack_G1_redirect_is_not_followed():
    async with two_servers() as (bad, good):
        bad.answers["*"] = http(b"", status="302 Found", headers=f"location: {good.url}\r\n")
        with pytest.raises(EndpointUnavailable):
            await ask([bad])
        assert good.requests == []


async def test_attack_G1_lagging_endpoint_ranks_last():
    async with two_servers() as (bad, good):
        bad.answers["*"] = lambda r: result(r, "0x2")
        async with open_rpc_client("chain-a", [bad.url, good.url], Random(1), QUICK) as client:
            heads = await client.ask_each("head", lambda attempt: attempt.call("eth_blockNumber", [], quantity))
            assert client.heads_seen(heads) == 16
            assert await client.call("eth_blockNumber", [], quantity) == 16
        assert len(bad.requests) == 1


async def test_attack_G1_distrusted_endpoint_is_left_while_another_exists():
    async with two_servers() as (bad, good):
        bad.answers["*"] = lambda r: result(r, "0x99")
        async with open_rpc_client("chain-a", [bad.url, good.url], Random(1), QUICK) as client:
            assert await client.call("eth_blockNumber", [], quantity) == 0x99
            client.distrust("header 153 failed verification")
            assert await client.call("eth_blockNumber", [], quantity) == 16
            client.distrust("the last endpoint stays")
            assert await client.call("eth_blockNumber", [], quantity) == 16


async def test_status_429_goes_to_the_next_endpoint():
    async with two_servers() as (bad, good):
        bad.answers["*"] = http(b"slow down", status="429 Too Many Requests")
        assert (await ask([bad, good]))[0] == 16


async def test_attack_G14_credentials_in_a_url_never_reach_an_error():
    async with open_rpc_client("chain-a", ["http://user:hunter2@127.0.0.1:1/v3/apikey"], Random(1), QUICK) as client:
        with pytest.raises(EndpointUnavailable) as caught:
            await client.call("eth_blockNumber", [], quantity)
    assert "hunter2" not in str(caught.value)
    assert "apikey" not in str(caught.value)
    assert "http://127.0.0.1:1" in str(caught.value)


async def test_attack_G14_what_stands_where_a_port_should_never_reaches_an_error():
    async with open_rpc_client("chain-a", ["http://user:hunter2/x@127.0.0.1:1/"], Random(1), QUICK) as client:
        with pytest.raises(EndpointUnavailable, match="not a URL") as caught:
            await client.call("eth_blockNumber", [], quantity)
    assert "hunter2" not in str(caught.value)


async def test_unknown_method_is_refused_once_every_endpoint_refuses():
    async with two_servers() as (bad, _):
        bad.answers["*"] = lambda r: error(r, -32601, "no such method")
        with pytest.raises(RpcRefused) as caught:
            await ask([bad])
        assert caught.value.code == -32601
        assert len(bad.requests) == 1


async def test_unknown_method_is_no_fault_of_the_endpoint():
    async with two_servers() as (bad, _):
        bad.answers["eth_optional"] = lambda r: error(r, -32601, "no such method")
        bad.answers["eth_blockNumber"] = lambda r: result(r, "0x10")
        async with open_rpc_client("chain-a", [bad.url], Random(1), QUICK) as client:
            for _ in range(3):
                with pytest.raises(RpcRefused):
                    await client.call("eth_optional", [], quantity)
            assert client.statistics()[0].usable
            assert await client.call("eth_blockNumber", [], quantity) == 16


async def test_cancelled_call_leaves_the_client_usable():
    async with two_servers() as (bad, good):
        bad.answers["slow"] = lambda r: None
        bad.answers["eth_blockNumber"] = lambda r: result(r, "0x5")
        async with open_rpc_client("chain-a", [bad.url], Random(1), QUICK) as client:
            with trio.move_on_after(0.05) as scope:
                await client.call("slow", [], quantity)
            assert scope.cancelled_caught
            assert await client.call("eth_blockNumber", [], quantity) == 5


async def test_rate_limit_spaces_requests(autojump_clock):
    bucket = TokenBucket(per_second=10, burst=2)
    start = trio.current_time()
    for _ in range(7):
        await bucket.acquire()
    assert trio.current_time() - start == pytest.approx(0.5)


async def test_rate_limit_refuses_who_would_wait_too_long_and_takes_nothing(autojump_clock):
    bucket = TokenBucket(per_second=10, burst=2)
    start = trio.current_time()
    assert [await bucket.acquire_within(0) for _ in range(5)] == [True, True, False, False, False]
    assert trio.current_time() == start
    assert await bucket.acquire_within(0.2)
    assert trio.current_time() - start == pytest.approx(0.1)


async def test_rate_limit_gives_the_place_of_who_leaves_to_the_next(autojump_clock):
    """Callers with deadlines would else take the tokens of those that wait for ever."""
    bucket = TokenBucket(per_second=10, burst=1)
    await bucket.acquire()
    start = trio.current_time()
    served = []

    async def wait(name):
        await bucket.acquire()
        served.append((name, round(trio.current_time() - start, 6)))

    async with trio.open_nursery() as nursery, trio.open_nursery() as leaving:
        for _ in range(50):
            leaving.start_soon(bucket.acquire)
        await trio.testing.wait_all_tasks_blocked()
        for name in "abc":
            nursery.start_soon(wait, name)
            await trio.testing.wait_all_tasks_blocked()
        leaving.cancel_scope.cancel()
    assert served == [("a", 0.1), ("b", 0.2), ("c", 0.3)]


def test_backoff_is_deterministic_and_capped():
    waits = [backoff_s(n, 0.2, 5.0, Random(7)) for n in range(40)]
    assert waits == [backoff_s(n, 0.2, 5.0, Random(7)) for n in range(40)]
    assert max(waits) < 7.5
    assert waits[0] < 0.3


async def test_head_signal_wakes_and_times_out(autojump_clock):
    signal = HeadSignal()
    start = trio.current_time()
    await signal.wait(3)
    assert trio.current_time() - start == pytest.approx(3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(signal.wait, 100)
        await trio.testing.wait_all_tasks_blocked()
        signal.notify()
    assert trio.current_time() - start < 4


def test_json_depth_bound_both_sides():
    fits = b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH
    parse_json(fits, "m", 1000)
    with pytest.raises(BadAnswer) as caught:
        parse_json(b"[" + fits + b"]", "m", 1000)
    assert caught.value.field == "body"
    assert parse_json(b'"' + b"[" * 200 + b'"', "m", 1000) == "[" * 200


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_attack_H_any_bytes_parse_or_are_refused(data):
    try:
        parse_answer(data, 1, "m", 200)
    except (BadAnswer, RpcRefused) as caught:
        assert str(caught)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x1") | st.just("0xzz"),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "error"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.long
@given(JSON)
@settings(max_examples=300, deadline=None)
def test_attack_H_field_reads_name_the_field_or_succeed(value):
    fields = Fields("m", value)
    reads = (
        fields.quantity,
        fields.decimal,
        fields.data,
        fields.text,
        fields.flag,
        lambda: fields.at("a").at("b"),
        lambda: fields.get("a"),
        lambda: list(fields.items(2)),
    )
    for read in reads:
        try:
            read()
        except BadAnswer as caught:
            assert caught.field.startswith("result")


@pytest.mark.parametrize("text", ["0x", "0x01", "1", "0xg", "-0x1", "0x" + "f" * 65, 16, None, True])
def test_quantity_refuses(text):
    with pytest.raises(BadAnswer):
        Fields("m", text).quantity()


@pytest.mark.parametrize("value", ["-1", "01", "1.0", 1.5, True, 2**64, str(2**64), "9" * 30, "١"])
def test_decimal_refuses(value):
    with pytest.raises(BadAnswer):
        Fields("m", value).decimal()


async def test_attack_G1_lone_endpoint_that_was_caught_lying_is_asked_again_after_identification():
    """One flipped byte must not stop a chain for the length of a quarantine; with another endpoint the liar is left."""
    identified = []

    async def identify(attempt):
        identified.append(attempt.endpoint_name)

    async with two_servers() as (liar, good):
        liar.answers["*"] = lambda request: result(request, "0x11")
        async with open_rpc_client("chain-a", [liar.url], Random(1), QUICK, identify) as client:
            ((endpoint, _),) = await client.ask_each(
                "eth_blockNumber", lambda a: a.call("eth_blockNumber", [], quantity)
            )
            client.leave(endpoint, "its head is not to be believed")
            assert await client.call("eth_blockNumber", [], quantity) == 17
            assert identified == [liar.url] * 2
        async with open_rpc_client("chain-a", [liar.url, good.url], Random(1), QUICK, identify) as client:
            heads = await client.ask_each("eth_blockNumber", lambda a: a.call("eth_blockNumber", [], quantity))
            client.leave(next(endpoint for endpoint, _ in heads if endpoint.name == liar.url), "lied")
            asked = len(liar.requests)
            assert await client.call("eth_blockNumber", [], quantity) == 16
            assert len(liar.requests) == asked


@pytest.mark.parametrize("code", [-32000, 3, -32602, -32603])
async def test_attack_G1_refusal_of_a_read_is_the_endpoint_s_and_another_is_asked(code):
    """`header not found` may be a lie; a revert of a call is the chain's own word and leaves at once."""
    async with two_servers() as (bad, good):
        bad.answers["*"] = lambda r: error(r, code, "execution reverted", "0x")
        assert (await ask([bad, good]))[0] == 16
        asked = len(good.requests)
        async with open_rpc_client("chain-a", [bad.url, good.url], Random(1), QUICK) as client:
            if code in (3, -32000, -32602):
                with pytest.raises(RpcRefused):
                    await client.call("eth_call", [], quantity)
                assert len(good.requests) == asked


async def test_connections_are_kept_and_a_stale_one_is_not_used_again():
    async with hostile_server() as server, new_http_client(4) as client:
        server.answers["*"] = lambda request: result(request, request["id"])
        endpoint = Endpoint(server.url, RpcOptions())
        connections = []
        server_serve = server.serve_stream

        async def counted(stream):
            connections.append(stream)
            await server_serve(stream)

        server.serve_stream = counted
        for number in range(5):
            body = json.dumps({"id": number, "method": "m"}).encode()
            assert json.loads(await post(client, endpoint, "m", body, 1000))["result"] == number
        assert len(connections) == 1
        await trio.testing.wait_all_tasks_blocked(0.01)
        server.close_after = True
        await post(client, endpoint, "m", b'{"id":1,"method":"m"}', 1000)
        await trio.testing.wait_all_tasks_blocked(0.01)
        server.close_after = False
        assert json.loads(await post(client, endpoint, "m", b'{"id":2,"method":"m"}', 1000))["result"] == 2
        assert len(connections) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000,
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
async def test_broken_http_is_a_failed_attempt(answer):
    async with hostile_server() as server, new_http_client(4) as client:
        server.answers["*"] = answer
        server.close_after = True
        with pytest.raises(AttemptFailed), trio.fail_after(60):
            await post(client, Endpoint(server.url, RpcOptions()), "m", b'{"method":"m"}', 1000)


async def test_a_chunked_answer():
    async with hostile_server() as server, new_http_client(4) as client:
        server.answers["*"] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        assert await post(client, Endpoint(server.url, RpcOptions()), "m", b'{"method":"m"}', 1000) == b"{}"


def test_reason_that_names_its_endpoint_names_it_once():
    mismatch = EndpointMismatch("http://a", "chain id", "x", "y")
    error = EndpointUnavailable("chain", "status", (("http://a", str(mismatch)), ("http://b", "TimeoutError")))
    assert str(error) == (
        "chain: status failed on every endpoint: http://a: chain id is x, expected y; http://b: TimeoutError"
    )
