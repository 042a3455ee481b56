"""Plain HTTP: keys, digests, idempotency, conditions, ranges, over real operators."""

import json
from base64 import b64encode
from contextlib import asynccontextmanager
from hashlib import sha256

import httpx
import pytest
import trio

from hutong.relay.services.storage.gateway.plain.app import PlainApp, PlainDoors
from hutong.relay.web.api_keys import KeyRing, Scope, add_key
from tests.relay.services.storage.gateway.network import drawn, open_network
from tests.relay.services.storage.rules.test_s3_signatures import AT


@asynccontextmanager
async def open_plain(home):
    keys = home / "api-keys.json"
    writes, reads = add_key(keys, "ward", [Scope.WRITE]), add_key(keys, "reader", [])
    async with open_network(home / "network", 2, 1) as network:
        app = PlainApp(PlainDoors(network.store, network.reader, network.catalogue, KeyRing(keys), lambda: AT))
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            client.headers["authorization"] = f"Bearer {writes}"
            assert (await client.put("/v1/buckets/ward-3")).status_code == 201
            yield client, {"authorization": f"Bearer {reads}"}, network


@pytest.fixture(autouse=True)
def home_of_network(tmp_path):
    (tmp_path / "network").mkdir()


async def test_object_is_put_read_listed_and_removed(tmp_path):
    octets = drawn(90_000)
    async with open_plain(tmp_path) as (client, reader, _):
        path = "/v1/objects/ward-3/2026/a%20b"
        digest = f"sha-256=:{b64encode(sha256(octets).digest()).decode()}:"
        made = await client.put(path, content=octets, headers={"content-digest": digest, "content-type": "a/b"})
        assert (made.status_code, made.json()["state"], made.json()["key"]) == (201, "stored", "2026/a b")
        whole = await client.get(path, headers=reader)
        assert (whole.content, whole.headers["content-type"]) == (octets, "a/b")
        assert whole.headers["etag"] == f'"{made.json()["id"]}"'
        part = await client.get(path, headers={"range": "bytes=65530-65545"})
        assert (part.status_code, part.content) == (206, octets[65_530:65_546])
        assert (await client.get(path, headers={"if-none-match": whole.headers["etag"]})).status_code == 304
        head = await client.head(path)
        assert (head.headers["content-length"], head.content) == ("90000", b"")
        listed = (await client.get("/v1/keys", params={"bucket": "ward-3", "prefix": "2026/"})).json()
        assert ([one["key"] for one in listed["objects"]], listed["next"]) == (["2026/a b"], None)
        assert [one["name"] for one in (await client.get("/v1/buckets")).json()["buckets"]] == ["ward-3"]
        assert [(await client.delete(path)).status_code for _ in range(2)] == [204, 404]


async def test_object_that_cannot_be_read_is_a_problem_with_its_reason(tmp_path, monkeypatch):
    async with open_plain(tmp_path) as (client, reader, network):
        await client.put("/v1/objects/ward-3/scan", content=drawn(90_000))
        opened = network.reader.open

        async def open_and_go(row):
            found = await opened(row)
            network.gone(0, 1)
            return found

        monkeypatch.setattr(network.reader, "open", open_and_go)
        answer = await client.get("/v1/objects/ward-3/scan", headers=reader)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert "1 of 3 shards can be read" in answer.json()["detail"]


async def test_object_of_the_longest_retention_is_read(tmp_path):
    async with open_plain(tmp_path) as (client, _, _network):
        put = await client.put("/v1/objects/ward-3/key", content=b"x", headers={"retain-until": "253402300799"})
        read = await client.get("/v1/objects/ward-3/key")
        assert (put.status_code, read.status_code, read.content) == (201, 200, b"x")


async def test_same_idempotency_key_is_answered_as_before(tmp_path):
    async with open_plain(tmp_path) as (client, _, network):
        path, word = "/v1/objects/ward-3/key", {"idempotency-key": "once"}
        first = await client.put(path, content=b"first", headers=word)
        again = await client.put(path, content=b"first", headers=word)
        assert ((first.status_code, again.status_code), again.json()) == ((201, 200), first.json())
        other = await client.put(path, content=b"other", headers={"idempotency-key": "twice"})
        assert other.json()["id"] != first.json()["id"]
        assert await network.get(b"key") == b"other"


async def test_attack_S63_removal_is_answered_as_before_under_its_idempotency_key(tmp_path):
    async with open_plain(tmp_path) as (client, _, network):
        path, word = "/v1/objects/ward-3/key", {"idempotency-key": "once"}
        await client.put(path, content=b"first", headers=word)
        assert [(await client.delete(path, headers=word)).status_code for _ in range(2)] == [204, 204]
        assert (await client.delete(path, headers={"idempotency-key": "twice"})).status_code == 404
        made = await client.put(path, content=b"second", headers={"idempotency-key": "later"})
        assert (made.status_code, (await client.delete(path, headers=word)).status_code) == (201, 204)
        assert await network.get(b"key") == b"second"
        assert (await client.delete(path, headers={"idempotency-key": "k" * 129})).status_code == 400


async def test_attack_S63_the_same_removal_asked_for_twice_at_once_is_answered_twice(tmp_path):
    async with open_plain(tmp_path) as (client, _, _network):
        path = "/v1/objects/ward-3/key"
        made = await client.put(path, content=b"first")
        same = {"idempotency-key": "once", "if-match": made.headers["etag"]}
        statuses = []

        async def remove(headers) -> None:
            statuses.append((await client.delete(path, headers=headers)).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(remove, same)
        assert statuses == [204, 204, 204]
        assert (await client.delete(path, headers={"if-match": made.headers["etag"]})).status_code == 412


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-digest": f"sha-256=:{b64encode(bytes(32)).decode()}:"}, 400, "invalid_request"),
        ({"content-digest": "md5=:AAAA:"}, 422, "not_supported"),
        ({"if-match": '"other"'}, 412, "conflict"),
        ({"retain-until": "tomorrow"}, 400, "invalid_request"),
        ({"retain-until": "253402300800"}, 400, "invalid_request"),
        ({"idempotency-key": "k" * 129}, 400, "invalid_request"),
        ({"authorization": ""}, 401, "unauthorized"),
        ({"authorization": "Bearer hk_" + "A" * 43}, 401, "unauthorized"),
    ],
)
async def test_puts_that_cannot_be_done_store_nothing(tmp_path, headers, status, code):
    async with open_plain(tmp_path) as (client, _, network):
        answer = await client.put("/v1/objects/ward-3/key", content=b"content", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await network.store.find("ward-3", b"key") is None


async def test_key_that_reads_changes_nothing(tmp_path):
    async with open_plain(tmp_path) as (client, reader, network):
        await client.put("/v1/objects/ward-3/key", content=b"content")
        for method, path in (
            ("PUT", "/v1/objects/ward-3/key"),
            ("DELETE", "/v1/objects/ward-3/key"),
            ("PUT", "/v1/buckets/other"),
        ):
            answer = await client.request(method, path, content=b"changed", headers=reader)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert await network.get(b"key") == b"content"


async def test_retained_object_is_neither_replaced_nor_removed(tmp_path):
    async with open_plain(tmp_path) as (client, _, network):
        path = "/v1/objects/ward-3/key"
        made = await client.put(path, content=b"kept", headers={"retain-until": str(AT + 60)})
        assert made.json()["retain_until"] == AT + 60
        assert (await client.put(path, content=b"other")).status_code == 403
        assert (await client.delete(path)).status_code == 403
        assert await network.get(b"key") == b"kept"


async def test_absent_things_are_not_found(tmp_path):
    async with open_plain(tmp_path) as (client, _, _network):
        for path in ("/v1/objects/ward-3/none", "/v1/objects/other/key", "/v1/objects/ward-3", "/v1/none"):
            assert (await client.get(path)).status_code == 404
        assert json.loads((await client.get("/v1/keys?bucket=other")).content)["code"] == "not_found"
