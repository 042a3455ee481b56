"""A mirror of another issuer's lists: what it serves, and N123: copies that it never takes."""

from functools import cache, partial

import httpx
import trio
from prometheus_client import CollectorRegistry

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.daemon.token_key import TokenKeyInMemory
from hutong.relay.services.identity.rules.jose import TrustAnchors
from hutong.relay.services.identity.rules.status import pack_statuses
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.status_host.list_tokens import ListSigner
from hutong.relay.services.identity.status_host.mirror import Mirror
from hutong.relay.services.identity.status_host.role import fetch, fetch_all, mirror_router
from hutong.relay.web.api_keys import KeyRing
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.keys.at_once import at_once
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, der_text, key_of, pem
from tests.relay.services.identity.rules.actors import NOW_S, STRANGER, Signer

LIST = "https://id.example/city/status/0"
KEY = Signer(0xA11CE)


@cache
def chain(secret: int) -> str:
    """One certificate a key, for a signature of one is another each time."""
    by = AUTHORITY_KEY if secret == KEY.secret else key_of(secret)
    return der_text(certify("city", key_of(secret).public_key(), by="authority", key=by))


class Repeating(TokenKeyInMemory):
    """Signs by RFC 6979, so that equal tokens are equal texts."""

    def __init__(self, key: Signer) -> None:
        super().__init__(key.private_key)
        self.sign = key.sign


def signer(key: Signer = KEY, now_s: int = NOW_S, ttl_s: int = 15) -> ListSigner:
    return ListSigner({"x5c": [chain(key.secret)]}, Repeating(key), ttl_s, lambda: now_s)


def token(revoked=(), uri: str = LIST, size: int = 64, **said) -> str:
    return at_once(signer(**said).token(uri, pack_statuses(1, size, dict.fromkeys(revoked, 1)), 0)).text


def mirror(clock: list[int]) -> Mirror:
    return Mirror((LIST,), TrustAnchors((AUTHORITY,)), lambda: clock[0])


def test_attack_N123_copies_that_are_not_the_issuers_list_of_now():
    clock = [NOW_S]
    held = mirror(clock)
    held.take(LIST, token([3]))
    clock[0] += 5
    wrong = {
        "forged": token([3], key=STRANGER),
        "of another list": token([3], uri="https://id.example/city/status/1"),
        "over": token([3], now_s=NOW_S - 61),
        "signed in the future": token([3], now_s=NOW_S + 100),
        "older than the one that is kept": token([3], now_s=NOW_S - 1),
        "with a bit that fell": token([], now_s=NOW_S + 1),
        "shorter": token([3], size=32, now_s=NOW_S + 1),
        "changed": token([3])[:-4] + "AAAA",
        "no token": "x",
    }
    for name, text in wrong.items():
        try:
            held.take(LIST, text)
        except VerificationError:
            assert held.served(0).token == token([3]), name
        else:
            raise AssertionError(name)
    newer = token([3, 9], now_s=NOW_S + 5)
    held.take(LIST, newer)
    assert held.served(0).token == newer
    clock[0] += 61
    assert held.served(0) is None, "what has expired is not served"
    assert held.served(1) is None


async def test_a_mirror_fetches_serves_and_says_what_it_lacks(tmp_path):
    (tmp_path / "authority.pem").write_bytes(pem(AUTHORITY))
    file = tmp_path / "identity.toml"
    file.write_text(
        '[server]\nhome = "state"\nlisten = "127.0.0.1:0"\npublic_url = "https://mirror.example"\n'
        f'[[status.mirrors]]\nname = "city"\nanchors = "authority.pem"\nlists = ["{LIST}"]\n'
    )
    config = load_identity_config(file)
    clock, answers = [NOW_S], [(503, b""), (200, token([3]).encode())]

    async def issuer(_scope, _receive, send):
        status, body = answers.pop(0)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    common = Common(config.server, KeyRing(None), lambda: clock[0], lambda count: bytes(count), CollectorRegistry())
    mirrors = {"city": mirror(clock)}
    role = Role("status", mirror_router(mirrors, common))
    source = httpx.AsyncClient(transport=httpx.ASGITransport(app=issuer))
    transport = httpx.ASGITransport(app=create_app(common, [role], RateLimit(1_000, lambda: 0.0)))
    async with source, httpx.AsyncClient(transport=transport, base_url="https://mirror.example") as http:
        await fetch_all(mirrors, partial(fetch, source))
        assert "503" in mirrors["city"].refused[LIST]
        assert (await http.get("/mirror/city/0")).status_code == 404
        await fetch_all(mirrors, partial(fetch, source))
        assert not mirrors["city"].refused
        served = await http.get("/mirror/city/0")
        assert (served.text, served.headers["cache-control"]) == (token([3]), "max-age=15")
        assert (await http.get("/mirror/city/1")).status_code == 404
        assert (await http.get("/mirror/town/0")).status_code == 404


async def test_attack_N203_a_host_that_sends_a_byte_now_and_then_holds_up_no_other_list(autojump_clock):
    other = "https://town.example/status/0"
    mirrors = {"city": mirror([NOW_S]), "town": Mirror((other,), TrustAnchors((AUTHORITY,)), lambda: NOW_S)}

    class Sending(httpx.AsyncByteStream):
        def __init__(self, host: str) -> None:
            self.host = host

        async def __aiter__(self):
            if self.host == "id.example":
                yield token([3]).encode()
                return
            while True:
                await trio.sleep(4)
                yield b"e"

    class Hosts(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            return httpx.Response(200, stream=Sending(request.url.host))

    async with httpx.AsyncClient(transport=Hosts()) as client:
        with trio.fail_after(600):
            await fetch_all(mirrors, partial(fetch, client))
    assert mirrors["city"].served(0).token == token([3])
    assert "no whole list" in mirrors["town"].refused[other]
