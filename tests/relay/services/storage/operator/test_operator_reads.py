"""Shards read, listed and let go; requests that are none of the API."""

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.storage.rules.lifecycle.signed import struct_is_signed_by
from hutong.relay.services.storage.rules.operator_api.documents import decode_deletion
from hutong.relay.services.storage.rules.operator_api.spans import judged_spans, span_range
from tests.relay.services.storage.operator.running import (
    NOW,
    HubOfRecords,
    drawn_shard,
    entry_of,
    path_of,
    running,
    token,
)
from tests.relay.services.storage.operator.test_operator_puts import code_of

pytestmark = pytest.mark.trio
LARGE = drawn_shard("four spans", height=8)


def spans_path(asked) -> str:
    outboard = "" if asked.with_outboard else "&outboard=0"
    return f"{path_of(LARGE)}/spans?first={asked.first}&count={asked.count}{outboard}"


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 262_144), (65_535, 65_537), (200_000, 262_144)])
async def test_a_range_is_judged_by_what_one_answer_brings(tmp_path, start, end):
    async with running(tmp_path) as operator:
        await operator.stored(LARGE)
        asked = span_range(8, start, end)
        answer = await operator.ask("GET", spans_path(asked))
        hashes, octets = judged_spans(VERIFY, asked, answer.content, entry_of(LARGE).root)
        assert octets == LARGE.octets[asked.start : asked.start + len(octets)] and len(octets) >= end - start
        later = span_range(8, start, end, with_outboard=False)
        without = await operator.ask("GET", spans_path(later))
        assert judged_spans(VERIFY, later, without.content, bytes(32), hashes)[1] == octets


@pytest.mark.parametrize("at", [0, 127, 128 + 65_536, 128 + 140_000])
async def test_a_flipped_bit_is_served_as_it_is_and_judged_by_the_reader(tmp_path, at):
    """The operator judges nothing while it reads; whoever decodes does, before."""
    async with running(tmp_path) as operator:
        await operator.stored(LARGE)
        (name,) = operator.engine.names("")
        rotten = bytearray(operator.engine.read_back(name))
        rotten[at] ^= 1
        operator.engine.replace(name, bytes(rotten))
        asked = span_range(8, 65_536, 131_072 + 1)
        answer = await operator.ask("GET", spans_path(asked))
        with pytest.raises(PredicateFailed):
            judged_spans(VERIFY, asked, answer.content, entry_of(LARGE).root)


async def test_bytes_that_are_gone_are_said_to_be_lost(tmp_path):
    async with running(tmp_path) as operator:
        await operator.stored(LARGE)
        (name,) = operator.engine.names("")
        operator.engine.replace(name, operator.engine.read_back(name)[:100_000])
        assert (await operator.ask("GET", f"{path_of(LARGE)}/spans?first=0&count=1")).status_code == 200
        assert code_of(await operator.ask("GET", f"{path_of(LARGE)}/spans?first=1&count=3")) == "lost"
        operator.engine.delete(name)
        assert code_of(await operator.ask("GET", f"{path_of(LARGE)}/spans?first=0&count=1")) == "lost"


@pytest.mark.parametrize(
    "query",
    [
        "first=0&count=0", "first=4&count=1", "first=3&count=2", "first=0", "count=1", "first=00&count=1", "first=-1&count=1",
        "first=0&count=1&count=1", "first=0&count=1&x=1", "first=0&count=1&outboard=2", "first=%C3%A9&count=1", "first",
    ],
)  # fmt: skip
async def test_queries_that_are_none_are_refused(tmp_path, query):
    async with running(tmp_path) as operator:
        await operator.stored(LARGE)
        assert code_of(await operator.ask("GET", f"{path_of(LARGE)}/spans?{query}")) == "bad_request"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/", "not_found"),
        ("GET", "/v1", "not_found"),
        ("GET", "/v1/nothing", "not_found"),
        ("GET", "/v1/shards/" + "A" * 64 + "/1", "bad_request"),
        ("GET", "/v1/shards/" + "a" * 64 + "/64", "bad_request"),
        ("GET", "/v1/shards/" + "a" * 64 + "/1/other", "not_found"),
        ("PATCH", "/v1/shards", "method_not_allowed"),
        ("GET", "/v1/parts", "method_not_allowed"),
        ("POST", "/v1/log", "method_not_allowed"),
        ("GET", "/v1/log?first=" + "9" * 1_100, "bad_request"),
    ],
)
async def test_requests_that_are_none_are_refused(tmp_path, method, path, code):
    async with running(tmp_path) as operator:
        answer = await operator.ask(method, path)
        assert code_of(answer) == code
        assert ("allow" in answer.headers) == (code == "method_not_allowed")


async def test_listings_keep_a_packs_shards_together(tmp_path):
    shards = [drawn_shard(f"pack {number}", shard=shard, height=0) for number in range(4) for shard in (1, 2)]
    shards.sort(key=lambda one: (one.pack, one.shard))
    async with running(tmp_path) as operator:
        await operator.stored(*shards)
        found, after = [], ""
        while after is not None:
            answer = (await operator.ask("GET", f"/v1/shards?count=3{after}")).json()
            assert len(answer["shards"]) == 2
            found += answer["shards"]
            after = None if answer["next"] is None else f"&after={answer['next']}"
        assert [(one["pack"], one["shard"]) for one in found] == [(one.pack.hex(), one.shard) for one in shards]


async def test_a_pending_shard_is_deleted_at_once_and_may_come_again(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        first, again = [await operator.ask("DELETE", path_of(shard)) for _ in range(2)]
        assert first.content == again.content
        signed = decode_deletion(first.content)
        struct_is_signed_by(signed.deletion, signed.signature, operator.account)
        assert (signed.deletion.root, signed.deletion.deleted_at_s) == (entry_of(shard).root, NOW)
        assert list(operator.engine.names("")) == []
        assert code_of(await operator.ask("GET", f"{path_of(shard)}/spans?first=0&count=1")) == "removed"
        state = (await operator.ask("GET", path_of(shard))).json()
        assert (state["state"], state["receipt"]["deleted_at"]) == ("removed", NOW)
        await operator.stored(shard)
        assert (await operator.ask("GET", path_of(shard))).json()["state"] == "pending"


async def test_attack_S42_a_signed_shard_is_retained_until_its_removal_is_on_the_hub(tmp_path):
    shard, hub = drawn_shard("one", retain_until_s=NOW - 10), HubOfRecords()
    async with running(tmp_path, hub=hub) as operator:
        await operator.stored(shard)
        assert (await operator.sign_part(0, shard)).status_code == 200
        assert code_of(await operator.ask("DELETE", path_of(shard))) == "retained"
        batch = await operator.batched(1, other := drawn_shard("two", retain_until_s=NOW - 10))
        assert code_of(await operator.ask("DELETE", path_of(other))) == "retained"
        hub.remove(batch, other.pack, 4)
        assert code_of(await operator.ask("DELETE", path_of(other))) == "retained"
        hub.remove(batch + 1, other.pack, other.shard)
        assert code_of(await operator.ask("DELETE", path_of(other))) == "retained"
        hub.remove(batch, other.pack, other.shard, NOW - 10)
        assert code_of(await operator.ask("DELETE", path_of(other))) == "retained"
        hub.remove(batch, other.pack, other.shard, NOW - 9)
        assert (await operator.ask("DELETE", path_of(other))).status_code == 200


async def test_a_deletion_that_was_killed_is_finished_when_it_is_asked_again(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        (name,) = operator.engine.names("")
        octets = operator.engine.read_back(name)
        await operator.ask("DELETE", path_of(shard))
        operator.engine.create(name, octets)  # as where the kill came between index and engine
        assert (await operator.ask("DELETE", path_of(shard))).status_code == 200
        assert list(operator.engine.names("")) == []


async def test_deletion_needs_the_right_to_write(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        operator.token = token(rights=1)
        assert code_of(await operator.ask("DELETE", path_of(shard))) == "forbidden"
        assert (await operator.ask("GET", path_of(shard))).status_code == 200


async def test_health_and_metrics_say_no_secret(tmp_path):
    async with running(tmp_path) as operator:
        await operator.stored(drawn_shard("one"))
        for path in ("/healthz", "/readyz", "/v1/operator"):
            assert (await operator.client.get(path)).status_code == 200
        metrics = (await operator.client.get("/metrics")).text
        assert 'asked="PUT shards",status="201"' in metrics and operator.token not in metrics
