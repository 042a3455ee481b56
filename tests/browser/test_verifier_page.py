"""The verifier's page in a real browser: nothing grave by axe-core, by keyboard, and the result comes without a touch."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import trio
from playwright.sync_api import expect

from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import serve
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.verifier.store import Channel, RequestStore, State
from tests.browser.test_explorer import NARROW
from tests.nodes.provision import axe
from tests.relay.services.identity.verifier.scene import CONFIG, write_files

pytestmark = pytest.mark.nodes

GRAVE = ("serious", "critical")
LOOKS = ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "light", "viewport": NARROW})
SHOWN = {
    "vct": "https://credentials.example/licence",
    "issuer": {"name": "https://issuer.example", "key": "k", "certificate": None},
    "claims": {"given_name": "<b>Erika</b>", "address": {"locality": "Köln"}},
}
LIMIT_MS = 60_000


@contextmanager
def running(config):
    """The daemon in a thread of its own, by its own port."""
    ready, tokens, scopes = threading.Event(), [], []

    async def run() -> None:
        with trio.CancelScope() as scope:
            tokens.append(trio.lowlevel.current_trio_token())
            scopes.append(scope)
            await serve(config, lambda _address: ready.set())

    thread = threading.Thread(target=trio.run, args=(run,))
    thread.start()
    try:
        assert ready.wait(60)
        yield config.server.public_url
    finally:
        tokens[0].run_sync_soon(scopes[0].cancel)
        thread.join()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verifier")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}")
    text = text.replace("https://verifier.example", f"http://127.0.0.1:{port}").replace(
        'keys_file = "api-keys.json"\n', ""
    )
    config = load_identity_config(write_files(folder, text))
    with running(config) as url:
        yield config, url


def violations(page):
    page.evaluate(axe().read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"][:5]]) for one in found if one["impact"] in GRAVE]


def answer(config) -> None:
    """As the desk settles an answer of a wallet on another device."""
    with open_database(config.server) as engine:
        store, now_s = RequestStore(engine), int(time.time())
        with engine.connect() as connection:
            owner = connection.exec_driver_sql("select distinct owner from verifier_requests").scalar_one()
        (code,) = (one for one in store.of_owner(owner, now_s) if one.channel is Channel.CROSS_DEVICE)
        assert store.claim(code.id, now_s)
        store.settle(code.id, State.ACCEPTED, {"credentials": {"licence": [SHOWN]}}, "digest", now_s + 600)


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "narrow"])
def test_the_page_asks_and_shows_without_a_grave_fault(daemon, open_page, complaints, look):
    config, url = daemon
    with open_database(config.server) as engine, engine.begin() as connection:
        connection.exec_driver_sql("delete from verifier_requests")
    page = open_page(f"{url}/verify/licence", **look)
    expect(page.get_by_role("heading", level=1)).to_have_text("Driving licence")
    expect(page.get_by_role("img", name="Code of the request, for your wallet")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open the wallet")).to_be_focused()
    answer(config)
    expect(page.get_by_role("status")).to_have_text("Accepted: what was shown holds.", timeout=LIMIT_MS)
    expect(page).to_have_title("Accepted · Driving licence")
    expect(page.get_by_text("<b>Erika</b>")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ask again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Waiting for a wallet", timeout=LIMIT_MS)
    assert complaints.said == []
