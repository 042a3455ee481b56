"""Answers that are given twice, to another request or verifier, by somebody else's browser, or of what no longer holds."""

import pytest
import trio

from hutong.relay.services.identity.rules.openid4vp import write_response
from tests.relay.services.identity.rules.actors import LICENCE, NOW_S, STRANGER, issued
from tests.relay.services.identity.verifier.scene import (
    PUBLIC_URL,
    SHOP,
    issuer_chain,
    list_token,
    query_of,
    verifier_scene,
)


async def test_attack_N136_the_same_answer_posted_twice(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        asked = await scene.ask()
        request = await scene.wallet.open(asked["link"])
        text = scene.wallet.presentation(request)
        statuses: list[int] = []

        async def post() -> None:
            statuses.append((await scene.wallet.answer(request, text)).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(post)
        assert sorted(statuses) == [200, 409, 409, 409]
        assert (await scene.wallet.answer(request, text)).status_code == 409
        assert (await scene.http.get(f"{PUBLIC_URL}/verifier/requests/{asked['id']}")).status_code == 409
        assert (await scene.result(asked))["state"] == "accepted"
        other = await scene.wallet.open((await scene.ask())["link"])
        assert (await scene.wallet.answer(other, text)).status_code == 400
        late = await scene.wallet.open((await scene.ask())["link"])
        scene.now.seconds += 300
        assert (await scene.wallet.answer(late)).status_code == 410


async def test_attack_N137_what_cannot_be_read_burns_no_request(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        asked = await scene.ask()
        request = await scene.wallet.open(asked["link"])
        other = await scene.wallet.open((await scene.ask())["link"])
        for form in (
            {},
            {"response": "a.b.c.d.e"},
            {"vp_token": '{"licence":["a~"]}', "state": request.challenge.state},
            {"error": "access_denied", "state": "another"},
        ):
            assert (await scene.http.post(request.response_uri, data=form)).status_code == 400
        body = write_response({"licence": [scene.wallet.presentation(request)]}, request.challenge.state)
        crossed = await scene.wallet.post(other, body)
        assert crossed.status_code == 400 and "state of the response" in crossed.json()["error_description"]
        twice = await scene.http.post(
            request.response_uri,
            content="error=a&error=b",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert twice.status_code == 400
        assert (await scene.result(asked))["state"] == "waiting"
        assert (await scene.wallet.answer(request)).status_code == 200
        missing = await scene.http.post(f"{PUBLIC_URL}/verifier/answers/{'A' * 43}", data={"error": "x"})
        assert missing.status_code == 404


async def test_attack_N140_a_link_that_somebody_else_was_sent(tmp_path):
    """Session fixation: who began on this device learns nothing before its own browser came back from the wallet."""
    async with verifier_scene(tmp_path) as scene:
        asked = await scene.ask(redirect_uri=SHOP)
        request = await scene.wallet.open(asked["link"])
        answer = await scene.wallet.answer(request)
        returned = answer.json()["redirect_uri"]
        assert returned.startswith(f"{SHOP}?response_code=")
        kept = await scene.result(asked)
        assert (kept["state"], "result" in kept) == ("returning", False)
        wrong = await scene.shop.get(f"/v1/verifier/requests/{asked['id']}", params={"response_code": "A" * 43})
        assert wrong.status_code == 403 and (await scene.result(asked))["state"] == "returning"
        found = await scene.result(asked, **query_of(returned))
        assert found["state"] == "accepted" and found["result"]["credentials"]["licence"]
        for url in (
            "https://thief.example/",
            f"{SHOP}/more",
            "https://shop.example/under/../x",
            "https://shop.example/under/%2E%2e/x",
            f"{SHOP}?a=1",
        ):
            refused = await scene.shop.post("/v1/verifier/requests", json={"policy": "licence", "redirect_uri": url})
            assert refused.status_code == 422, url
        assert await scene.ask(redirect_uri="https://shop.example/under/x")


async def test_attack_N142_a_status_that_does_not_hold_or_cannot_be_shown(tmp_path):
    async with verifier_scene(tmp_path) as scene:

        async def rule() -> str:
            asked = await scene.ask()
            request = await scene.wallet.open(asked["link"])
            assert (await scene.wallet.answer(request)).status_code == 400
            return (await scene.result(asked))["result"]["rule"]

        for token, said in (
            (None, "status_list_is_reachable"),
            (list_token(iat=NOW_S - 61, exp=NOW_S + 900, ttl=900), "token_is_fresh"),
            (list_token(iat=NOW_S - 900, exp=NOW_S - 1), "token_is_in_time"),
            (list_token(sub="https://issuer.example/status/2"), "subject_is_lists_uri"),
            (list_token(signer=STRANGER), "signature_verifies"),
            ("no token", "well_formed: token"),
        ):
            scene.lists.token = token
            assert await rule() == said
        scene.lists.token = list_token(revoked=(6,))
        request = await scene.wallet.open((await scene.ask())["link"])
        assert (await scene.wallet.answer(request)).status_code == 200
        fetched = scene.lists.fetched
        request = await scene.wallet.open((await scene.ask())["link"])
        assert (await scene.wallet.answer(request)).status_code == 200
        assert scene.lists.fetched == fetched
        scene.now.seconds += 16  # longer than ttl: the copy is not used any more
        scene.lists.token = list_token(revoked=(7,), iat=NOW_S + 16)
        assert await rule() == "status_is_valid"
        none = issued(
            {name: value for name, value in LICENCE.items() if name != "status"}, header={"x5c": issuer_chain()}
        )
        asked = await scene.ask()
        request = await scene.wallet.open(asked["link"])
        assert (await scene.wallet.answer(request, scene.wallet.presentation(request, none))).status_code == 400
        assert (await scene.result(asked))["result"]["rule"] == "status_is_named"


async def test_a_wallet_that_declines_says_so_once(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        asked = await scene.ask()
        request = await scene.wallet.open(asked["link"])
        said = {"error": "access_denied", "error_description": "not today", "state": request.challenge.state}
        answer = await scene.http.post(request.response_uri, data=said)
        assert answer.status_code == 200 and answer.json()["redirect_uri"]
        found = await scene.result(asked)
        assert found["state"] == "declined"
        assert found["result"] == {"error": "access_denied", "description": "not today"}
        assert (await scene.wallet.answer(request)).status_code == 409


async def test_results_are_their_keys_own_and_leave(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        asked = await scene.ask()
        path = f"/v1/verifier/requests/{asked['id']}"
        assert (await scene.http.get(path)).status_code == 401
        await scene.wallet.answer(await scene.wallet.open(asked["link"]))
        events = await scene.shop.get(f"{path}/events")
        assert events.headers["content-type"].startswith("text/event-stream")
        assert '"state": "accepted"' in events.text and events.text.startswith("retry: ")
        assert await scene.desk.remove_ended() == 0
        scene.now.seconds += 601
        assert await scene.desk.remove_ended() == 1
        assert (await scene.shop.get(path)).status_code == 404
        again = await scene.ask()
        assert (await scene.shop.delete(f"/v1/verifier/requests/{again['id']}")).status_code == 204
        assert (await scene.shop.get(f"/v1/verifier/requests/{again['id']}")).status_code == 404
        assert (await scene.shop.post("/v1/verifier/requests", json={"policy": "none"})).status_code == 422
        listed = (await scene.shop.get("/v1/verifier/policies")).json()
        assert listed["client_id"] == scene.desk.client_id and len(listed["items"]) == 2


async def test_a_stream_tells_the_answer_as_it_comes(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        asked = await scene.ask()
        request = await scene.wallet.open(asked["link"])
        told: list[str] = []

        async def listen() -> None:
            while not told or '"is_final": true' not in told[-1]:  # a stream ends by itself, and clients ask again
                told.append((await scene.shop.get(f"/v1/verifier/requests/{asked['id']}/events")).text)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await scene.wallet.answer(request)
        assert '"state": "accepted"' in told[-1]


@pytest.mark.parametrize("name", ["page.css", "live.js"])
async def test_files_of_the_page_are_served_and_no_others(tmp_path, name):
    async with verifier_scene(tmp_path) as scene:
        assert (await scene.http.get(f"/verify/files/{name}")).status_code == 200
        assert (await scene.http.get("/verify/files/rendering.py")).status_code == 404
