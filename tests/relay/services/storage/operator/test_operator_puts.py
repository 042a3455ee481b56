"""Shards put: receipted once they are durable and read back, and never else."""

import pytest
import trio

from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.engines.durability import DeclaredDurable, Journaled, settled
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from hutong.relay.services.storage.operator.desk import Bounds
from hutong.relay.services.storage.operator.shelf import Shelf
from tests.relay.services.storage.engines.dropping import DroppingEngine
from tests.relay.services.storage.operator.running import (
    NOW,
    OTHER,
    REPAIRER,
    WRITER,
    drawn_shard,
    entry_of,
    path_of,
    running,
    token,
)

pytestmark = pytest.mark.trio


def code_of(answer) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.json()["code"]


async def test_a_shard_is_receipted_and_the_receipt_stays_the_same(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        first = await operator.put(shard)
        again = await operator.put(shard)
        assert (first.status_code, again.status_code) == (201, 200) and first.content == again.content
        (signed,) = await operator.stored(shard)
        assert signed.receipt.stored_at_s == NOW and signed.receipt.engine_tag != bytes(32)
    async with running(tmp_path, now_s=NOW + 99) as operator:
        assert await operator.stored(shard) == [signed]
        state = (await operator.ask("GET", path_of(shard))).json()
        assert state["state"] == "pending" and state["receipt"]["signature"] == signed.signature.hex()


@pytest.mark.parametrize("height", [0, 5, 6, 7, 13])
async def test_shards_of_every_height_are_read_back(tmp_path, height):
    shard = drawn_shard("of a height", height=height)
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        count = max(1, 1 << height - 6) if height >= 6 else 1
        spans = await operator.ask("GET", f"{path_of(shard)}/spans?first=0&count={count}")
        assert spans.content[32 * count :] == shard.octets


async def test_attack_S40_other_bytes_than_those_of_the_root_are_not_kept(tmp_path):
    shard = drawn_shard("one")
    wrong = bytes([shard.octets[0] ^ 1]) + shard.octets[1:]
    async with running(tmp_path) as operator:
        assert code_of(await operator.put(shard, wrong)) == "wrong_root"
        assert list(operator.engine.names("")) == []
        assert code_of(await operator.ask("GET", path_of(shard))) == "not_found"
        await operator.stored(shard)


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "bad_request"), (b"x" * 4_095, "bad_request"), (b"x" * 4_097, "too_large")]
)
async def test_another_length_than_the_heights_is_refused_before_it_is_read(tmp_path, content, code):
    async with running(tmp_path) as operator:
        assert code_of(await operator.put(drawn_shard("one"), content)) == code


async def test_a_put_without_a_length_is_refused(tmp_path):
    async def pieces():
        yield b"x"

    entry = entry_of(shard := drawn_shard("one"))
    async with running(tmp_path) as operator:
        asked = f"{path_of(shard)}?height={entry.height}&root={entry.root.hex()}&retain_until=0"
        headers = {"authorization": f"Bearer {operator.token}", "content-type": "application/octet-stream"}
        answer = await operator.client.put(asked, content=pieces(), headers=headers)
        assert code_of(answer) == "length_required"


async def test_another_root_or_retention_of_a_held_shard_is_a_conflict(tmp_path):
    async with running(tmp_path) as operator:
        await operator.stored(drawn_shard("one"))
        assert code_of(await operator.put(drawn_shard("one", retain_until_s=5))) == "conflict"
        assert code_of(await operator.put(drawn_shard("one", height=3))) == "conflict"
        operator.token = token(OTHER)
        await operator.stored(drawn_shard("one", retain_until_s=5))


async def test_attack_S40_an_engine_that_reads_back_other_bytes_gives_no_receipt(tmp_path):
    class Rotting(DirectoryEngine):
        def read_back(self, name):
            found = super().read_back(name)
            return found[:-1] + bytes([found[-1] ^ 1])

    async with running(tmp_path, Rotting(tmp_path / "shards")) as operator:
        assert code_of(await operator.put(drawn_shard("one"))) == "engine_unavailable"
        assert code_of(await operator.ask("GET", path_of(drawn_shard("one")))) == "not_found"


async def test_an_engine_that_is_away_is_told_and_asked_again(tmp_path):
    class Away(DirectoryEngine):
        is_away = True

        def create(self, name, octets):
            if self.is_away:
                raise EngineUnavailable("s3://shards does not answer: EndpointConnectionError")
            return super().create(name, octets)

    engine = Away(tmp_path / "shards")
    async with running(tmp_path, engine) as operator:
        answer = await operator.put(drawn_shard("one"))
        assert code_of(answer) == "engine_unavailable" and answer.status_code == 503
        engine.is_away = False
        await operator.stored(drawn_shard("one"))


async def receipts_kept(tmp_path, engine, dropping) -> bool:
    """Whether what was receipted is there after a loss of power of the engine alone."""
    shards = [drawn_shard(f"shard {number}", height=number % 3) for number in range(6)]
    async with running(tmp_path, engine) as operator:
        receipts = await operator.stored(*shards)
    dropping.lose_power()
    settled(engine, NOW)
    async with running(tmp_path, engine) as operator:
        assert await operator.stored(*shards) == receipts
        answers = [await operator.ask("GET", f"{path_of(shard)}/spans?first=0&count=1&outboard=0") for shard in shards]
        return all(answer.content == shard.octets for answer, shard in zip(answers, shards, strict=True))


async def test_attack_S40_no_receipt_rests_on_what_an_engine_had_not_synced(tmp_path):
    """The twin: with an engine that is believed when it answers, receipted shards are gone."""
    dropping = DroppingEngine()
    assert await receipts_kept(tmp_path / "a", Journaled(dropping, tmp_path / "journal"), dropping)
    dropping = DroppingEngine()
    assert not await receipts_kept(tmp_path / "b", DeclaredDurable(dropping), dropping)
    with pytest.raises(ValueError, match="needs a journal"):
        Shelf(DroppingEngine())


async def test_a_damaged_shard_is_replaced_by_the_same_put_again(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        receipts = await operator.stored(shard)
        (name,) = operator.engine.names("")
        operator.engine.replace(name, b"rotten")
        held = await operator.desk.held(next(iter(operator.index.every_shard(None, 1))).key)
        operator.index.mark_damaged(held.key, NOW)
        assert (await operator.ask("GET", path_of(shard))).json()["state"] == "damaged"
        assert await operator.stored(shard) == receipts
        assert (await operator.ask("GET", path_of(shard))).json()["state"] == "pending"
        assert operator.engine.read_back(name).endswith(shard.octets)


async def test_a_writers_share_and_the_disk_are_bounded(tmp_path):
    async with running(tmp_path, most_bytes=4_096 + 1_024) as operator:
        await operator.stored(drawn_shard("one", height=2))
        assert code_of(await operator.put(drawn_shard("two", height=1))) == "quota"
        await operator.stored(drawn_shard("three", height=0))
        assert (await operator.ask("DELETE", path_of(drawn_shard("one")))).status_code == 200
        await operator.stored(drawn_shard("two", height=1))
    async with running(tmp_path / "full", bounds=Bounds(least_free_bytes=1 << 62)) as operator:
        answer = await operator.put(drawn_shard("one"))
        assert code_of(answer) == "quota" and answer.status_code == 507


async def test_one_of_many_equal_puts_is_new(tmp_path):
    shard, answers = drawn_shard("one"), []

    async with running(tmp_path) as operator:

        async def put():
            answers.append(await operator.put(shard))

        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(put)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.content for answer in answers}) == 1


async def test_more_puts_than_it_takes_wait_and_are_then_busy(tmp_path):
    async with running(tmp_path, bounds=Bounds(puts=1, wait_s=0)) as operator:
        async with operator.desk.putting():
            answer = await operator.put(drawn_shard("one"))
        assert code_of(answer) == "busy" and answer.headers["retry-after"] == "1"
        await operator.stored(drawn_shard("one"))


async def test_a_draining_operator_takes_nothing_new_and_shows_what_it_has(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        operator.desk.is_draining = True
        assert code_of(await operator.put(drawn_shard("two"))) == "draining"
        assert (await operator.ask("GET", f"{path_of(shard)}/spans?first=0&count=1")).status_code == 200


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "unauthorized"),
        ("x" * 143, "unauthorized"),
        (token(not_after_s=NOW - 1), "unauthorized"),
        (token(rights=1), "forbidden"),
        (token(rights=7), "forbidden"),
    ],
)
async def test_attack_S41_a_put_needs_a_token_that_gives_it(tmp_path, given, code):
    async with running(tmp_path) as operator:
        operator.token = given
        assert code_of(await operator.put(drawn_shard("one"))) == code


async def test_attack_S41_writers_see_their_own_shards_alone(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        operator.token = token(OTHER)
        assert code_of(await operator.ask("GET", path_of(shard))) == "not_found"
        assert code_of(await operator.ask("GET", f"{path_of(shard)}?owner={WRITER.hex()}")) == "forbidden"
        assert (await operator.ask("GET", "/v1/shards")).json() == {"shards": [], "next": None}
        operator.token = token(REPAIRER)
        assert (await operator.ask("GET", f"{path_of(shard)}?owner={WRITER.hex()}")).json()["state"] == "pending"
