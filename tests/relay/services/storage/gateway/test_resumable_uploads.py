"""Uploads that are cut and go on: what is acknowledged is stored and never asked for again."""

from base64 import b64encode

import httpx
import pytest

from hutong.relay.services.storage.gateway.plain.body import ArrivingBody
from hutong.relay.services.storage.gateway.plain.uploads import ResumableUploads
from hutong.relay.services.storage.gateway.store import ObjectAsked
from hutong.relay.web.problems import ApiProblem
from tests.relay.services.storage.gateway.network import drawn, open_network
from tests.relay.services.storage.gateway.test_plain_door import open_plain
from tests.relay.services.storage.rules.test_s3_signatures import AT

TUS = {"tus-resumable": "1.0.0"}
BYTES = {**TUS, "content-type": "application/offset+octet-stream"}
PATH = "/v1/uploads/ward-3/2026/scan"


@pytest.fixture(autouse=True)
def home_of_network(tmp_path):
    (tmp_path / "network").mkdir()


async def begun(client, length: int, **metadata: str) -> str:
    said = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in metadata.items())
    made = await client.post(PATH, headers={**TUS, "upload-length": str(length), "upload-metadata": said})
    assert made.status_code == 201, made.text
    return made.headers["location"]


async def test_upload_comes_in_requests_and_is_the_object_at_its_end(tmp_path):
    octets = drawn(3_000)
    async with open_plain(tmp_path) as (client, reader, network):
        place = await begun(client, 3_000, filetype="a/b", fingerprint="f")
        asked = {"bucket": "ward-3", "key": "2026/scan"}
        (listed,) = (await client.get("/v1/uploads", params=asked)).json()["uploads"]
        assert (listed["offset"], listed["length"], listed["name"], listed["id"] in place) == (0, 3_000, "f", True)
        first = await client.patch(place, content=octets[:1_000], headers={**BYTES, "upload-offset": "0"})
        assert (first.status_code, first.headers["upload-offset"]) == (204, "1000")
        known = await client.head(place, headers={**TUS, **reader})
        assert (known.headers["upload-offset"], known.headers["upload-length"]) == ("1000", "3000")
        assert await network.store.find("ward-3", b"2026/scan") is None
        last = await client.patch(place, content=octets[1_000:], headers={**BYTES, "upload-offset": "1000"})
        got = await client.get("/v1/objects/ward-3/2026/scan")
        assert (got.content, got.headers["content-type"], got.headers["etag"]) == (octets, "a/b", last.headers["etag"])
        # Who lost the last answer asks, and hears that all is there.
        assert (await client.head(place, headers=TUS)).headers["upload-offset"] == "3000"
        assert (await client.get("/v1/uploads", params=asked)).json() == {"uploads": []}


async def test_empty_upload_is_stored_when_it_begins(tmp_path):
    async with open_plain(tmp_path) as (client, _, network):
        await begun(client, 0)
        assert await network.get(b"2026/scan") == b""


async def test_what_came_of_a_body_that_is_cut_is_stored_part_by_part(tmp_path):
    octets, sent = drawn(10_000), []
    async with open_network(tmp_path / "network", 2, 1) as network:
        await network.store.make_bucket("ward-3")
        uploads = ResumableUploads(network.store, network.catalogue, lambda: AT, part_bytes=4_000)
        made = await uploads.begin(PATH, ObjectAsked("ward-3", b"k"), {"upload-length": "10000"})
        place = ("ward-3", b"k")
        name = dict(made.headers)[b"location"].decode().partition("?id=")[2]

        async def cut():
            sent.append(octets[len(b"".join(sent)) :][:3_000])
            return (
                {"type": "http.disconnect"}
                if len(sent) == 3
                else {"type": "http.request", "body": sent[-1], "more_body": True}
            )

        with pytest.raises(ApiProblem, match="6000 bytes are stored"):
            await uploads.append(place, name, {**BYTES, "upload-offset": "0"}, cut)
        known = dict((await uploads.offset(place, name)).headers)
        assert known[b"upload-offset"] == b"6000"

        async def too_much():
            return {"type": "http.request", "body": bytes(4_001), "more_body": False}

        with pytest.raises(ApiProblem, match="more bytes than Upload-Length says"):
            await uploads.append(place, name, {**BYTES, "upload-offset": "6000"}, too_much)

        async def rest():
            return {"type": "http.request", "body": octets[6_000:], "more_body": False}

        await uploads.append(place, name, {**BYTES, "upload-offset": "6000"}, rest)
        row = await network.store.find("ward-3", b"k")
        assert row is not None and row.size == 10_000
        assert await network.get(b"k") == octets
        assert ArrivingBody(rest).is_cut is False


async def test_requests_that_are_none_of_an_upload_are_refused(tmp_path):
    async with open_plain(tmp_path) as (client, reader, _):
        place = await begun(client, 10)
        cases = [
            (client.post(PATH, headers={"upload-length": "1"}), 412),
            (client.post(PATH, headers=TUS), 400),
            (client.post(PATH, headers={**TUS, "upload-length": str(2**43 + 1)}), 413),
            (client.post(PATH, headers={**TUS, "upload-length": "1", "upload-metadata": "a ?"}), 400),
            (client.post(PATH, headers={**TUS, "upload-length": "1", "if-none-match": "*"}), 422),
            (client.post(PATH, headers={**TUS, "upload-length": "1", **reader}), 403),
            (client.patch(place, content=b"a", headers={**BYTES, "upload-offset": "1"}), 409),
            (client.patch(place, content=b"a", headers={**TUS, "upload-offset": "0"}), 415),
            (
                client.patch(place, content=b"a", headers={**BYTES, "upload-offset": "0", "upload-checksum": "sha1 a"}),
                400,
            ),
            (client.patch(PATH, content=b"a", headers={**BYTES, "upload-offset": "0"}), 404),
            (client.head(PATH + "?id=none", headers=TUS), 404),
        ]
        for asked, status in cases:
            answer: httpx.Response = await asked
            assert answer.status_code == status, answer.text
        assert (await client.head(place, headers=TUS)).headers["upload-offset"] == "0"
        assert (await client.options(PATH)).headers["tus-extension"] == "creation,termination"
        assert (await client.delete(place, headers=TUS)).status_code == 204
        assert (await client.head(place, headers=TUS)).status_code == 404
