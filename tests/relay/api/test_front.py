"""What stands before every router: bounds, keys, rate limits, CORS, headers of security. Attacks G14 and G15."""

import io
import json
import select
import socket
import time
from dataclasses import replace

import httpx
import pytest
import trio

from hutong.relay.api.reading.answer_cache import AnswerCache
from hutong.relay.api.reading.ledger_desk import AWAY
from hutong.relay.api.serving import uvicorn_protocol
from hutong.relay.api.serving.front import api_front
from hutong.relay.telemetry import configure_logs
from hutong.relay.web import front, request_heads
from hutong.relay.web.api_keys import ApiKey, Scope, digest_of, new_key, write_keys
from hutong.relay.web.rate_limit import client_of
from hutong.relay.web.request_heads import RequestHead
from tests.relay.api.api_world import CLIENT, MESSAGE_ID, api_under_trio, api_under_uvicorn, config_of

RAW = {"chain": "alpha", "raw": "0x02"}
WRITES = [
    ("/v1/transactions", RAW),
    (f"/v1/dead-letters/receive/alpha/{CLIENT}/3/retry", None),
    ("/v1/dead-letters/retry", {"all": True}),
    (f"/v1/dead-letters/receive/alpha/{CLIENT}/3/ignore", {"reason": "x"}),
]


def keys_in(path, **scopes) -> dict[str, str]:
    made = {name: new_key() for name in scopes}
    kept = [
        ApiKey(name, frozenset(map(Scope, scopes[name])), digest_of(key), "2026-11-26T00:00:00Z")
        for name, key in made.items()
    ]
    write_keys(path, kept)
    return made


@pytest.fixture(scope="module")
def guarded(ledger_home, tmp_path_factory):
    """An API with keys, one allowed origin and a trusted proxy on loopback."""
    file = tmp_path_factory.mktemp("keys") / "api-keys.json"
    keys = keys_in(file, writer=["write"], admin=["admin"])
    config = config_of(ledger_home, keys_file=str(file), cors_origins=["https://dapp.example"])
    with api_under_uvicorn(config) as (url, _):
        with httpx.Client(base_url=url, trust_env=False, timeout=10) as http:
            yield http, keys, file


@pytest.mark.parametrize(("path", "body"), WRITES)
def test_attack_G15_writes_without_a_key_are_refused(guarded, path, body):
    http, _, _ = guarded
    response = http.post(path, json=body)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    for wrong in ("Bearer hk_" + "A" * 43, "Bearer " + "x" * 4_000, "Basic aGs6aGs=", "Bearer"):
        assert http.post(path, json=body, headers={"authorization": wrong}).status_code == 401


@pytest.mark.parametrize(("path", "body", "key"), [(*WRITES[0], "admin"), *((*one, "writer") for one in WRITES[1:])])
def test_attack_G15_a_key_of_another_scope_is_refused(guarded, path, body, key):
    http, keys, _ = guarded
    response = http.post(path, json=body, headers={"authorization": f"Bearer {keys[key]}"})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_a_key_with_the_scope_is_let_in(guarded):
    http, keys, _ = guarded
    retried = http.post(WRITES[1][0], headers={"authorization": f"Bearer {keys['admin']}"})
    assert retried.status_code == 202 and retried.json() == {"job": f"receive:alpha/{CLIENT}/3"}
    none = http.post(WRITES[1][0].replace("/3/", "/4/"), headers={"authorization": f"Bearer {keys['admin']}"})
    assert (none.status_code, none.json()["code"]) == (404, "not_found")
    named = {"authorization": f"Bearer {keys['writer']}", "idempotency-key": "order-1"}
    assert http.post("/v1/transactions", json=RAW, headers=named).json()["code"] == "not_supported"  # a simulated chain


def test_parity_row_77_dead_letters_in_bulk_and_left_alone_over_http(guarded):
    http, keys, _ = guarded
    admin = {"authorization": f"Bearer {keys['admin']}"}
    assert http.post("/v1/dead-letters/retry", json={"all": True}, headers=admin).json() == {"retried": 1}
    assert http.post("/v1/dead-letters/retry", json={"cause": "failed"}, headers=admin).json() == {"retried": 0}
    for nothing in ({}, {"all": False}, {"cause": "x" * 25}, {"every": True}):
        refused = http.post("/v1/dead-letters/retry", json=nothing, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    path = WRITES[3][0]
    assert http.post(path, json={"reason": ""}, headers=admin).status_code == 422
    assert http.post(path, json={"reason": "abandoned"}, headers=admin).json()["ignored"] is True
    undone = [http.delete(path, headers=admin) for _ in range(2)]
    assert [one.status_code for one in undone] == [200, 404] and undone[0].json()["ignored"] is False
    assert http.delete(path).status_code == 401


def test_a_wrong_key_is_refused_for_reads_too(guarded):
    http, keys, _ = guarded
    assert http.get("/v1/status", headers={"authorization": "Bearer hk_" + "A" * 43}).status_code == 401
    assert http.get("/v1/status", headers={"authorization": f"bearer {keys['writer']}"}).status_code == 200


def test_a_revoked_key_counts_no_more(guarded):
    http, keys, file = guarded
    more = keys_in(file, writer=["write"], admin=["admin"], late=["admin"])
    late = {"authorization": f"Bearer {more['late']}"}
    assert http.get("/v1/status", headers=late).status_code == 200
    keys |= keys_in(file, writer=["write"], admin=["admin"])
    assert http.get("/v1/status", headers=late).status_code == 401


def test_attack_G14_keys_are_in_no_answer_and_no_log(ledger_home, tmp_path, monkeypatch):
    log = io.StringIO()
    configure_logs("debug", log)
    file = tmp_path / "api-keys.json"
    key = keys_in(file, writer=["write"])["writer"]
    assert key not in file.read_text() and file.stat().st_mode & 0o777 == 0o600
    with api_under_uvicorn(config_of(ledger_home, keys_file=str(file))) as (url, service):
        with httpx.Client(base_url=url, trust_env=False) as http:
            headers = {"authorization": f"Bearer {key}", "idempotency-key": key}
            monkeypatch.setattr(service.idempotency, "claim", lambda *_: 1 / 0)
            said = [
                http.post("/v1/transactions", json=RAW, headers=headers),  # fails inside, and is logged
                http.get(f"/v1/search?q={key}", headers=headers),
                http.get(f"/v1/messages?{key}={key}", headers=headers),
                http.get(f"/v1/{key}", headers=headers),
                http.get("/v1/status", headers={"authorization": f"Bearer {key}x"}),
            ]
    assert [one.status_code for one in said] == [500, 200, 400, 404, 401]
    configure_logs("error", io.StringIO())
    assert "ZeroDivisionError" in log.getvalue(), "the failure is in the log"
    assert all(key not in text for text in (log.getvalue(), said[0].text, said[3].text, said[4].text))


def test_attack_G14_an_open_file_of_keys_lets_nobody_in(ledger_home, tmp_path):
    file = tmp_path / "api-keys.json"
    key = keys_in(file, admin=["admin"])["admin"]
    file.chmod(0o644)
    with api_under_uvicorn(config_of(ledger_home, keys_file=str(file))) as (url, _):
        with httpx.Client(base_url=url, trust_env=False) as http:
            response = http.post(WRITES[1][0], headers={"authorization": f"Bearer {key}"})
            assert response.status_code == 503 and str(file) not in response.text
            file.chmod(0o600)
            assert http.post(WRITES[1][0], headers={"authorization": f"Bearer {key}"}).status_code == 202


async def test_attack_G14_strangers_are_not_told_why_the_ledger_is_away(tmp_path):
    log = io.StringIO()
    configure_logs("error", log)
    async with api_under_trio(config_of(tmp_path)) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            refused = await http.get("/v1/totals")
            ready = await http.get("/readyz")
    configure_logs("error", io.StringIO())
    assert (refused.status_code, refused.json()["code"], refused.json()["detail"]) == (503, "ledger_unavailable", AWAY)
    assert ready.status_code == 503 and ready.json()["ledger"] == AWAY
    assert log.getvalue().count("there is no ledger yet") == 1, "the log says why, once"


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
        "/explorer/../api_keys.py", "/..%5c..%5cetc", "/index.html/../../front.py", "/%00", "/.%2e/service.py",
        f"/v1/messages/..%2f..%2f/{CLIENT}/1/bundle", "/v1/messages/alpha/../1/proofs",
    ],
)  # fmt: skip
def test_attack_G15_no_path_leads_to_a_file(uvicorn_api, path):
    url, _ = uvicorn_api
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as sock:  # httpx would tidy the path up
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert answer.split(b" ")[1] in (b"400", b"404", b"422"), answer[:200]
    assert b"root:" not in answer and b"import " not in answer


def test_the_page_and_its_files_are_served(client):
    page = client.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert client.get("/", headers={"if-none-match": page.headers["etag"]}).status_code == 304
    assert client.get("/v1/status").headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        {"source": "http://169.254.169.254/", "destination": "beta"},
        {"source": "alpha", "destination": "beta", "rpc": "http://169.254.169.254/"},
        {"source": "alpha", "destination": "beta", "via": "http://10.0.0.1/"},
    ],
)
def test_attack_G15_no_address_of_a_client_is_ever_asked(client, body):
    whole = {
        "sender": "0x" + "11" * 20,
        "receiver": "0x" + "11" * 20,
        "token": "http://169.254.169.254/x",
        "amount": "1",
    }
    started = time.monotonic()
    response = client.post("/v1/transfers/prepare", json=whole | body)
    assert response.status_code == 422 and response.json()["code"] == "invalid_request"
    assert time.monotonic() - started < 5


def test_attack_G15_oversize_requests_are_refused(client):
    big = b'{"a":"' + b"x" * (256 * 1024) + b'"}'
    json_type = {"content-type": "application/json"}
    assert client.post("/v1/transfers/prepare", content=big, headers=json_type).status_code == 413

    def chunks():
        for _ in range(300):
            yield b"x" * 1024

    chunked = client.post("/v1/transfers/prepare", content=chunks(), headers=json_type)
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")
    assert client.get("/v1/messages?cursor=" + "x" * 5_000).status_code == 414
    assert client.get("/v1/status", headers={"x-long": "x" * 17_000}).status_code == 431
    assert client.get("/v1/status", headers={f"x-{number}": "1" for number in range(120)}).status_code == 431
    assert client.post("/v1/transfers/prepare", content=b"{" * 100_000, headers=json_type).status_code == 422
    within = client.post("/v1/transfers/prepare", content=b'{"a":"' + b"x" * 200_000 + b'"}', headers=json_type)
    assert within.status_code == 422


def test_a_body_that_is_no_json_is_refused(client):
    response = client.post("/v1/transfers/prepare", content=b"a=b", headers={"content-type": "text/plain"})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/v1/status", "/v1/transfers/prepare"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_body_that_no_rule_reads_does_not_cost_the_answer(uvicorn_api, monkeypatch, method, path):
    monkeypatch.setattr(request_heads, "REFUSED_BODY_LIMIT_S", 10)
    host, port = uvicorn_api[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as sock, sock.makefile("rb") as answers:
        for _ in range(2):
            sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{{".encode())
            assert select.select([sock], [], [], 0.2)[0] == [], "no answer over unread bytes"
            sock.sendall(b"  }")
            status = answers.readline()
            assert status.startswith(b"HTTP/1.1 200" if (method, path) == ("GET", "/v1/status") else b"HTTP/1.1 405")
            size = 0
            while (line := answers.readline()) not in (b"\r\n", b""):
                size = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else size
            assert len(answers.read(size)) == size > 0, "whole, and the connection goes on"


def test_attack_G15_a_slow_head_loses_the_connection(ledger_home, monkeypatch):
    monkeypatch.setattr(uvicorn_protocol, "HEAD_LIMIT_S", 0.3)
    with api_under_uvicorn(config_of(ledger_home)) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        for start in (b"", b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            with socket.create_connection((host, int(port)), 10) as sock:
                sock.sendall(start)
                assert sock.recv(1) == b"", "the server ends it"
        with socket.create_connection((host, int(port)), 10) as sock:
            sock.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"


def test_attack_G15_no_websocket_inflates_what_it_is_sent(uvicorn_api):
    host, port = uvicorn_api[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(
            b"GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
        said = sock.recv(4_096)
    assert said.startswith(b"HTTP/1.1 101") and b"extensions" not in said.lower()


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
async def test_attack_G15_only_a_reader_of_events_has_no_deadline(ledger_home, monkeypatch, method):
    monkeypatch.setattr(front, "REQUEST_LIMIT_S", 0.3)
    async with api_under_trio(config_of(ledger_home)) as (url, service):
        host, port = url.removeprefix("http://").split(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            with trio.fail_after(60):
                await stream.send_all(
                    f"{method} /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode()
                )
                answer = b""
                while more := await stream.receive_some(4_096):
                    answer += more
                    if b"deadline_exceeded" in answer:
                        break
        assert answer.startswith(b"HTTP/1.1 504") or method == "HEAD"
        assert service.changes.open_streams == 0


@pytest.mark.parametrize("path", ["/v1/status", "/cached"])
async def test_attack_G15_who_takes_no_answer_is_given_up(uvicorn_api, autojump_clock, path):
    """A refusal and an answer from the cache, which the application's own deadline does not cover."""
    service = uvicorn_api[1]
    cache = AnswerCache(lambda: 0.0)
    cache.put(b"/cached", [], b"x", b'"x"', [], cache.changes, 1)
    guarding = api_front(None, replace(service, cache=cache))
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "client": ("127.0.0.1", 1), "headers": [] if path == "/cached" else [(b"authorization", b"Bearer wrong")],
    }  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message):
        await trio.sleep_forever()

    with trio.fail_after(60):
        await guarding(scope, receive, send)


async def test_attack_G15_a_slow_body_is_given_up(ledger_home, monkeypatch):
    monkeypatch.setattr(front, "REQUEST_LIMIT_S", 0.3)
    async with api_under_trio(config_of(ledger_home)) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        stream = await trio.open_tcp_stream(host, int(port))
        async with stream:
            head = b"POST /v1/transfers/prepare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            await stream.send_all(head)
            with trio.fail_after(60):
                answer = b""
                while b"deadline_exceeded" not in answer and (more := await stream.receive_some(4_096)):
                    answer += more
        assert answer.startswith(b"HTTP/1.1 504") and b"deadline_exceeded" in answer


def test_attack_G15_no_list_is_unbounded(client):
    for target in ("/v1/messages", "/v1/dead-letters"):
        for limit in ("0", "-1", "101", "1e9", "99999999999999999999"):
            assert client.get(target, params={"limit": limit}).status_code == 422
    assert client.get("/v1/search", params={"q": "x" * 257}).status_code == 422


def test_attack_G15_rate_limits_hold_for_each_address_and_key(ledger_home, tmp_path):
    file = tmp_path / "api-keys.json"
    key = keys_in(file, writer=["write"])["writer"]
    config = config_of(ledger_home, rate_limit_per_s=1, keys_file=str(file), trusted_proxies=["127.0.0.1"])
    with api_under_uvicorn(config) as (url, service):
        service.rate_limit.clock_s = lambda: 100.0  # no time passes
        with httpx.Client(base_url=url, trust_env=False) as http:

            def ask(**headers):
                return http.get("/v1/status", headers=headers)

            said = [ask(**{"x-forwarded-for": "203.0.113.7"}) for _ in range(8)]
            assert [one.status_code for one in said][:5] == [200] * 5 and said[-1].status_code == 429
            assert said[-1].json()["code"] == "rate_limited" and int(said[-1].headers["retry-after"]) >= 1
            # What a client writes before the proxy's word does not make it another client.
            assert ask(**{"x-forwarded-for": "198.51.100.1, 203.0.113.7"}).status_code == 429
            assert ask(**{"x-forwarded-for": "198.51.100.9"}).status_code == 200
            assert ask(authorization=f"Bearer {key}").status_code == 200
            for number in range(20):
                ask(**{"x-forwarded-for": f"not an address {number}"})
            assert len(service.rate_limit) < 10, "strange addresses share one bucket"


def test_attack_G15_wrong_keys_are_counted_for_their_address(ledger_home, tmp_path):
    file = tmp_path / "api-keys.json"
    key = keys_in(file, writer=["write"])["writer"]
    with api_under_uvicorn(config_of(ledger_home, rate_limit_per_s=1, keys_file=str(file))) as (url, service):
        service.rate_limit.clock_s = lambda: 100.0
        with httpx.Client(base_url=url, trust_env=False) as http:
            wrong = {"authorization": "Bearer hk_" + "A" * 43}
            said = [http.get("/v1/status", headers=wrong).status_code for _ in range(8)]
            assert said == [401] * 5 + [429] * 3
            assert http.get("/v1/status").status_code == 429, "it is the address's own bucket"
            assert http.get("/v1/status", headers={"authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize("peer", ["10.0.0.5", "::ffff:10.0.0.5"])
@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5678", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.1.2.3", "203.0.113.7"),
        ("203.0.113.7, 10.1.2.3:8080", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7:1", "203.0.113.7"),
        ("[2001:db8::1]:443", client_of("2001:db8::1")),
    ],
)
def test_a_trusted_proxy_is_believed_however_it_writes_addresses(ledger_home, uvicorn_api, peer, said, client):
    config = config_of(ledger_home, trusted_proxies=["10.0.0.0/8"])
    guarding = api_front(None, replace(uvicorn_api[1], config=config, settings=config.api))
    scope = {"client": (peer, 1234)}
    assert client_of(guarding._address(scope, RequestHead([(b"x-forwarded-for", said.encode())]))) == client


def test_a_forwarded_address_of_a_stranger_is_not_believed(ledger_home):
    with api_under_uvicorn(config_of(ledger_home, rate_limit_per_s=1)) as (url, service):
        service.rate_limit.clock_s = lambda: 100.0
        with httpx.Client(base_url=url, trust_env=False) as http:
            said = [http.get("/healthz", headers={"x-forwarded-for": f"203.0.113.{number}"}) for number in range(8)]
    assert said[-1].status_code == 429


def test_attack_G15_pages_of_other_origins_may_not_read(guarded):
    http, _, _ = guarded
    foreign = http.get("/v1/status", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert "access-control-allow-methods" not in http.options("/v1/transactions", headers=asked).headers
    for near in ("https://dapp.example.evil.example", "http://dapp.example", "null", "https://DAPP.example"):
        assert "access-control-allow-origin" not in http.get("/v1/status", headers={"origin": near}).headers


def test_pages_of_allowed_origins_may_read(guarded):
    http, _, _ = guarded
    allowed = http.get("/v1/status", headers={"origin": "https://dapp.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://dapp.example"
    assert "access-control-allow-credentials" not in allowed.headers and "Origin" in allowed.headers["vary"]
    asked = {"origin": "https://dapp.example", "access-control-request-method": "POST"}
    preflight = http.options("/v1/transactions", headers=asked)
    assert preflight.status_code == 204 and "POST" in preflight.headers["access-control-allow-methods"]


def test_attack_G15_labels_do_not_explode(client, uvicorn_api):
    """What clients write is in no name of a metric, and no table of the API grows with it."""
    _, service = uvicorn_api
    before = len(service.cache)
    for number in range(10):
        client.get(f"/v1/messages/alpha/client-{number}/1")
        client.get(f"/v1/messages/{MESSAGE_ID[:-4]}{number:04x}")
        client.get(f"/page-{number}")
    assert len(service.cache) == before, "only what exists is kept"
    assert len(service.figures._known) <= 4 and len(service.rate_limit) <= 2


def test_secrets_in_problem_bodies_are_cut(client):
    response = client.post("/v1/transfers/prepare", json={"source": "alpha", "hk_secret": "s" * 1_000})
    assert response.status_code == 422 and "s" * 50 not in response.text
    assert json.loads(response.content)["code"] == "invalid_request"
