"""did:webvh over HTTPS: the real daemon fetches logs from a host on loopback, within bounds, and refuses what strangers make of that."""

import json
import ssl
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

import httpx
import pytest
import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.config import ConfigError
from hutong.relay.services.identity.resolver import webvh_logs
from hutong.relay.services.identity.resolver.hosts import address_is_public, addresses_of
from hutong.relay.services.identity.resolver.webvh_logs import WebvhLogs
from hutong.relay.services.identity.rules.dids.resolution import ErrorCode, NotResolved
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import serve
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem
from tests.relay.services.identity.rules.dids.webvh.log_maker import LogMaker, multikey, sign

HOST = "did.example.org"
FILE = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:9"
tls_authorities = "authority.pem"

[resolver]
fetch_webvh = true

[resolver.webvh_addresses]
"did.example.org" = ["127.0.0.1"]
"other.example.org" = ["127.0.0.1"]
"""
RESULT = {"accept": "application/did-resolution"}


class Host:
    """Files of a web server by path; `asked` are the paths and the host that were named."""

    def __init__(self, folder):
        key = key_of(0x71)
        (folder / "host.pem").write_bytes(private_pem(key))
        chain = certify("host", key.public_key(), by="authority", key=AUTHORITY_KEY, host=HOST)
        (folder / "chain.pem").write_bytes(pem(chain))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(folder / "chain.pem", folder / "host.pem")
        self.files, self.asked, self.port = {}, [], 0

    async def answer(self, stream):
        with trio.move_on_after(20):
            try:
                await self._answer(stream)
            except (trio.BrokenResourceError, ssl.SSLError):
                pass
            await trio.aclose_forcefully(stream)

    async def _answer(self, stream):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = await stream.receive_some(4_096)
            if not piece:
                return
            head += piece
        lines = head.decode().split("\r\n")
        named = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("host:"))
        path = lines[0].split(" ")[1]
        self.asked.append((path, named))
        status, body = self.files.get(path, (404, b""))
        if callable(body):
            await body(stream)
            return
        extra = b"location: https://did.example.org/.well-known/did.jsonl\r\n" if status == 302 else b""
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n".encode() + extra + b"connection: close\r\n\r\n"
        await stream.send_all(head + body)


@asynccontextmanager
async def hosting(folder):
    host = Host(folder)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_ssl_over_tcp_listeners(0, host.context, host="127.0.0.1")
        host.port = listeners[0].transport_listener.socket.getsockname()[1]
        nursery.start_soon(partial(trio.serve_listeners, host.answer, listeners))
        yield host
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def resolving(folder):
    """The daemon, the host, and what asks the daemon for a DID: (status, body)."""
    (folder / "authority.pem").write_bytes(pem(AUTHORITY))
    (folder / "identity.toml").write_text(FILE)
    config, addresses, ready = load_identity_config(folder / "identity.toml"), [], trio.Event()

    def on_ready(address):
        addresses.append(address)
        ready.set()

    with trio.fail_after(120):
        async with hosting(folder) as host, trio.open_nursery() as nursery:
            nursery.start_soon(serve, config, on_ready)
            await ready.wait()
            async with httpx.AsyncClient(base_url=addresses[0], trust_env=False, timeout=60) as http:

                async def ask(did, **query):
                    path = quote(str(did), safe=":/")
                    answer = await http.get(f"/1.0/identifiers/{path}", params=query or None, headers=RESULT)
                    return answer.status_code, answer.json()

                yield host, ask
            nursery.cancel_scope.cancel()


def made(host, path="", name=HOST, **parameters):
    """A log of a DID at the host, with a second version."""
    maker = LogMaker(f"{name}%3A{host.port}{path}", **parameters)
    maker.update()
    return maker


def error_of(answer):
    status, body = answer
    return status, body["didResolutionMetadata"]["error"]["type"].rpartition("#" if "#" in json.dumps(body) else ":")[2]


async def test_a_log_is_fetched_judged_and_kept_for_others(tmp_path):
    async with resolving(tmp_path) as (host, ask):
        maker = made(host)
        host.files["/.well-known/did.jsonl"] = (200, maker.bytes)
        status, body = await ask(maker.did.did)
        assert (status, body["didDocument"]["id"]) == (200, str(maker.did.did))
        assert body["didDocumentMetadata"]["versionId"].startswith("2-")
        status, body = await ask(maker.did.did, versionTime="2020-01-01T12:00:00Z")
        assert body["didDocumentMetadata"]["versionId"].startswith("1-")
        assert host.asked == [("/.well-known/did.jsonl", f"{HOST}:{host.port}")]

        deeper = made(host, ":people:ada")
        host.files["/people/ada/did.jsonl"] = (200, deeper.bytes)
        assert (await ask(deeper.did.did))[0] == 200
        witnessed = made(host, ":watched", witness={"threshold": 1, "witnesses": [{"id": f"did:key:{multikey(9)}"}]})
        host.files["/watched/did.jsonl"] = (200, witnessed.bytes)
        last = witnessed.entries[-1]["versionId"]
        proofs = [{"versionId": last, "proof": [sign({"versionId": last}, 9)]}]
        host.files["/watched/did-witness.json"] = (200, json.dumps(proofs).encode())
        assert (await ask(witnessed.did.did))[0] == 200
        assert host.asked[-1][0] == "/watched/did-witness.json"


async def test_what_hosts_do_not_or_wrongly_serve_is_an_error_of_resolution(tmp_path):
    async with resolving(tmp_path) as (host, ask):
        cases = {}
        for name, answer in {
            "absent": (404, b""),
            "gone": (410, b""),
            "failing": (503, b""),
            "moved": (302, b""),
            "bent": (200, None),
            "of-another": (200, made(host, ":somebody").bytes),
            "unwatched": (200, None),
        }.items():
            parameters = (
                {"witness": {"threshold": 1, "witnesses": [{"id": f"did:key:{multikey(9)}"}]}}
                if name == "unwatched"
                else {}
            )
            maker = made(host, f":{name}", **parameters)
            body = maker.bytes if answer[1] is None else answer[1]
            body = body.replace(b"2020-01-02", b"2020-01-03") if name == "bent" else body
            host.files[f"/{name}/did.jsonl"] = (answer[0], body)
            cases[name] = error_of(await ask(maker.did.did))
        assert cases == {
            "absent": (404, "NOT_FOUND"),
            "gone": (404, "NOT_FOUND"),
            "failing": (502, "HOST_UNREACHABLE"),
            "moved": (502, "HOST_UNREACHABLE"),
            "bent": (400, "INVALID_DID"),
            "of-another": (400, "INVALID_DID"),
            "unwatched": (400, "INVALID_DID"),
        }
        assert not [path for path, _ in host.asked if path.startswith("/.well-known")]
        other = made(host, name="other.example.org")
        host.files["/.well-known/did.jsonl"] = (200, other.bytes)
        assert error_of(await ask(other.did.did)) == (502, "HOST_UNREACHABLE")
        for place in ("localhost", "127.0.0.1", f"{HOST}:..", f"{HOST}:%2e%2e:x", "a.internal"):
            named = f"did:webvh:{other.scid}:{place}"
            assert error_of(await ask(named)) == (400, "INVALID_DID"), place
        assert error_of(await ask(f"{other.did.did}/path"))[1] == "FEATURE_NOT_SUPPORTED"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore's body, left before its end
async def test_attack_N214_endless_slow_or_large_answers_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(webvh_logs, "WHOLE_S", 1.0)
    monkeypatch.setattr(webvh_logs, "MAX_LOG_BYTES", 20_000)

    async def dripping(stream):
        await stream.send_all(b"HTTP/1.1 200 X\r\n\r\n")
        while True:
            await stream.send_all(b" ")
            await trio.sleep(0.05)

    async with resolving(tmp_path) as (host, ask):
        slow, large, small = made(host, ":slow"), made(host, ":large"), made(host, ":small")
        host.files["/slow/did.jsonl"] = (200, dripping)
        host.files["/large/did.jsonl"] = (200, b" " * 20_001)
        host.files["/small/did.jsonl"] = (200, small.bytes)
        assert error_of(await ask(slow.did.did)) == (502, "HOST_UNREACHABLE")
        status, body = await ask(large.did.did)
        assert status == 400 and "more than 20000 bytes" in body["didResolutionMetadata"]["error"]["detail"]
        assert (await ask(small.did.did))[0] == 200


async def test_attack_N214_a_name_that_leads_into_the_resolvers_network():
    private = ("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
               "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:7f00::1",
               "fec0::1", "ff02::1", "192.0.0.8", "198.18.0.1")  # fmt: skip
    for address in private:
        with pytest.raises(PredicateFailed, match="address_is_public"):
            address_is_public(address)
    for address in ("93.184.216.34", "2606:2800:220:1::1"):
        assert address_is_public(address) == address
    with pytest.raises(MalformedInput):
        address_is_public("did.example.org")

    lookups = []

    async def lookup(host, port):
        lookups.append(host)
        return {"mixed.example.org": ["93.184.216.34", "10.0.0.1"], "good.example.org": ["93.184.216.34"]}[host]

    assert list(await addresses_of("good.example.org", 443, {}, lookup)) == ["93.184.216.34"]
    with pytest.raises(PredicateFailed, match="address_is_public"):
        await addresses_of("mixed.example.org", 443, {}, lookup)
    assert list(await addresses_of("mixed.example.org", 443, {"mixed.example.org": ("10.0.0.1",)}, lookup)) == [
        "10.0.0.1"
    ]
    assert lookups == ["good.example.org", "mixed.example.org"]


async def test_attack_N214_a_name_is_looked_up_once_and_asked_where_it_was_judged():
    """A name that leads elsewhere the second time gains nothing: the request goes to the address, under the name."""
    seen, turns = [], iter((["93.184.216.34"], ["127.0.0.1"]))

    async def lookup(_host, _port):
        return next(turns)

    def answer(request):
        seen.append((str(request.url), request.headers["host"], request.extensions["sni_hostname"]))
        return httpx.Response(200, stream=httpx.ByteStream(maker.bytes))

    maker = LogMaker("rebinding.example.org", witness={"threshold": 1, "witnesses": [{"id": f"did:key:{multikey(9)}"}]})
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        clock = [0]
        logs = WebvhLogs(client, {}, lambda: clock[0], lookup)
        assert isinstance(await logs.material(maker.did), Material)
        assert seen == [
            (f"https://93.184.216.34/.well-known/{file}", "rebinding.example.org", "rebinding.example.org")
            for file in ("did.jsonl", "did-witness.json")
        ]
        assert isinstance(await logs.material(maker.did), Material)
        clock[0] = webvh_logs.KEPT_S
        found = await logs.material(maker.did)
        assert isinstance(found, NotResolved) and found.code is ErrorCode.INVALID_DID and len(seen) == 2


def test_the_table_is_refused_where_it_does_not_name_hosts_and_addresses(tmp_path):
    (tmp_path / "authority.pem").write_bytes(pem(AUTHORITY))
    for old, new in (
        ("fetch_webvh = true", ""),
        ('"did.example.org" =', '"localhost" ='),
        ('"did.example.org" =', '"Did.example.org" ='),
        ('["127.0.0.1"]', '["here"]'),
        ('["127.0.0.1"]', "[]"),
    ):
        (tmp_path / "identity.toml").write_text(FILE.replace(old, new, 1))
        with pytest.raises(ConfigError, match=r"webvh_addresses"):
            load_identity_config(tmp_path / "identity.toml")
    (tmp_path / "identity.toml").write_text(FILE)
    assert load_identity_config(tmp_path / "identity.toml").resolver.fetch_webvh
