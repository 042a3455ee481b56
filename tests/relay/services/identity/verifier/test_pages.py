"""The page of a policy: for one browser, with a code for another device and a link for this one."""

import re
from dataclasses import replace
from html import unescape

import httpx
import pytest
import trio
import trio.testing
from prometheus_client import CollectorRegistry

from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.front import OPENING_COST
from hutong.relay.services.identity.verifier.desk import Wish
from hutong.relay.services.identity.verifier.role import SWEEP_S, role_of
from hutong.relay.services.identity.verifier.store import GRACE_S, MAX_OPEN
from hutong.relay.web.rate_limit import BURST, RateLimit
from tests.relay.services.identity.rules.actors import LICENCE, Hidden, issued
from tests.relay.services.identity.verifier.scene import PUBLIC_URL, issuer_chain, query_of, verifier_scene

LINK = re.compile(r'href="(openid4vp://[^"]+)"')


async def _links(scene, page: str) -> tuple[str, str]:
    """The link of the code, which the picture holds, and the one for this device."""
    found = LINK.search(page)
    assert found is not None
    this = unescape(found.group(1))
    owned = scene.desk.store.of_owner(scene.desk.store.get(this.rpartition("%2F")[2].partition("&")[0], 0).owner, 0)
    (code,) = (one for one in owned if one.channel.value == "cross-device")
    return scene.desk.link(code), this


async def test_a_page_asks_and_shows_what_came_to_this_browser_alone(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        page = await scene.http.get("/verify/licence")
        assert page.status_code == 200 and "script-src 'self'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("__Host-") and "HttpOnly" in cookie and "Secure" in cookie and "SameSite=lax" in cookie
        assert '<svg role="img"' in page.text and "style=" not in page.text and "<script>" not in page.text
        assert (await scene.http.get("/verify/licence")).text == page.text
        code, _ = await _links(scene, page.text)
        answer = await scene.wallet.answer(await scene.wallet.open(code))
        assert answer.json()["redirect_uri"] == "https://verifier.example/verify/answered"
        told = await scene.http.get("/verify/licence/events")
        assert '"is_final": true' in told.text
        shown = await scene.http.get("/verify/licence")
        assert "Accepted" in shown.text and "Erika" in shown.text
        again = await scene.http.post("/verify/licence/again")
        assert again.status_code == 303
        assert "Waiting for a wallet" in (await scene.http.get("/verify/licence")).text
        scene.http.cookies.clear()
        assert "Erika" not in (await scene.http.get("/verify/licence")).text
        assert (await scene.http.get("/verify/plain")).status_code == 404


async def test_attack_N140_a_wallet_leads_another_browser_back(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        page = (await scene.http.get("/verify/licence")).text
        _, this = await _links(scene, page)
        answer = await scene.wallet.answer(await scene.wallet.open(this))
        back = answer.json()["redirect_uri"]
        assert back.startswith("https://verifier.example/verify/licence/back?response_code=")
        thief = dict(scene.http.cookies)
        scene.http.cookies.clear()
        victim = await scene.http.get(back)
        assert victim.status_code == 200 and "Erika" not in victim.text
        scene.http.cookies.update(thief)
        waiting = await scene.http.get("/verify/licence")
        assert "Erika" not in waiting.text and "Waiting for a wallet" in waiting.text
        wrong = await scene.http.get("/verify/licence/back", params={"response_code": "A" * 43})
        assert wrong.status_code == 200 and "Erika" not in (await scene.http.get("/verify/licence")).text
        own = await scene.http.get("/verify/licence/back", params=query_of(back))
        assert own.status_code == 303 and "Erika" in (await scene.http.get("/verify/licence")).text


async def test_what_was_shown_is_text_on_the_page(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        page = (await scene.http.get("/verify/licence")).text
        code, _ = await _links(scene, page)
        request = await scene.wallet.open(code)
        written = issued({**LICENCE, "given_name": Hidden("<script>alert(1)</script>")}, header={"x5c": issuer_chain()})
        assert (await scene.wallet.answer(request, scene.wallet.presentation(request, written))).status_code == 200
        shown = (await scene.http.get("/verify/licence")).text
        assert "&lt;script&gt;alert(1)" in shown and "<script>alert" not in shown


async def test_attack_N204_browsers_that_leave_while_they_wait_leave_nothing_behind(tmp_path):
    async with verifier_scene(tmp_path) as scene:
        asked = [await scene.desk.ask(Wish("licence", "key:a")) for _ in range(3)]
        async with trio.open_nursery() as nursery:
            for one in asked:
                nursery.start_soon(scene.desk.wait, one.id, 60)
            await trio.testing.wait_all_tasks_blocked()
            assert scene.desk.watched == 3
            nursery.cancel_scope.cancel()
        assert scene.desk.watched == 0


@pytest.mark.long
async def test_attack_N206_one_address_that_opens_pages_leaves_room_for_others(tmp_path):
    """Without cookies each page is a visit of its own, of two rows: at the usual rate one address holds not all of them."""
    async with verifier_scene(tmp_path) as scene:
        kept_s = scene.desk.settings.request_life_s + GRACE_S + SWEEP_S
        pages = scene.common.server.rate_limit_per_s * (kept_s + BURST) // OPENING_COST
        assert 2 * pages < MAX_OPEN
        common = replace(scene.common, registry=CollectorRegistry())
        app = create_app(common, [role_of(scene.desk, common)], RateLimit(2, lambda: 0.0))
        for address in ("10.0.0.1", "10.0.0.2"):
            transport = httpx.ASGITransport(app=app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
                answers = [(await http.get("/verify/licence")).status_code for _ in range(3)]
            assert answers == [200, 200, 429], address
