"""The CometBFT door's bounds: how long a body may take, how much one batch may answer."""

import json
from types import SimpleNamespace

import trio

from hutong.relay.hub.rpc.cometbft_http import BODY_DEADLINE_S, MAX_ANSWER_BYTES, CometBftRpcApp


def app_with(answer: object) -> CometBftRpcApp:
    return CometBftRpcApp(SimpleNamespace(table={"ask": ((), lambda arguments: answer)}))


async def post(app: CometBftRpcApp, receive) -> tuple[int, bytes]:
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    await app({"type": "http", "method": "POST"}, receive, send)
    return sent[0]["status"], sent[1]["body"]


def receiving(document: object):
    async def receive():
        return {"type": "http.request", "body": json.dumps(document).encode(), "more_body": False}

    return receive


def ask(number: int) -> dict:
    return {"jsonrpc": "2.0", "id": number, "method": "ask"}


async def test_attack_H_hub_a_batch_answers_up_to_its_bound_and_no_further():
    app = app_with("x" * (MAX_ANSWER_BYTES // 4))
    status, body = await post(app, receiving([ask(number) for number in range(8)]))
    answers = json.loads(body)
    assert status == 200
    assert [("result" in answer) for answer in answers] == [True] * 4 + [False] * 4
    assert answers[-1]["error"]["data"] == "answer too large"
    status, body = await post(app, receiving(ask(1)))
    assert (status, json.loads(body)["id"]) == (200, 1)


async def test_attack_H_hub_a_body_that_never_ends_is_given_up(autojump_clock):
    async def receive():
        await trio.sleep(1)
        return {"type": "http.request", "body": b"[", "more_body": True}

    started = trio.current_time()
    status, _ = await post(app_with(1), receive)
    assert status == 408
    assert trio.current_time() - started == BODY_DEADLINE_S
