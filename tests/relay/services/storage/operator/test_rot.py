"""One bit flipped in each of many shards or their outboards: no wrong byte is handed on, each is named, each is mended.

HUTONG_STORAGE_ROT says how many; 1 000 by hand.
"""

import os
import random

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.storage.operator.index import ShardKey
from hutong.relay.services.storage.operator.shelf import object_name
from hutong.relay.services.storage.rules.operator_api.spans import judged_spans, span_range
from tests.relay.services.storage.operator.running import WRITER, drawn_shard, entry_of, path_of, running
from tests.relay.services.storage.operator.test_scrub import scrubbed

pytestmark = [pytest.mark.trio, pytest.mark.long]
COUNT = int(os.environ.get("HUTONG_STORAGE_ROT", "60"))
SEED = os.environ.get("HUTONG_STORAGE_SEED", "17")


async def test_attack_S43_a_flipped_bit_in_each_of_many_shards_is_named(tmp_path):
    drawn = random.Random(SEED)  # noqa: S311  of a test
    rotten = [drawn_shard(f"rotten {number}", height=drawn.choice((0, 2, 6, 7, 8))) for number in range(COUNT)]
    whole = [drawn_shard(f"whole {number}", height=drawn.choice((0, 7))) for number in range(COUNT // 10)]
    async with running(tmp_path) as operator:
        await operator.stored(*rotten, *whole)
        refused = 0
        for shard in rotten:
            name = object_name(ShardKey(WRITER, shard.pack, shard.shard))
            octets = bytearray(operator.engine.read_back(name))
            octets[drawn.randrange(len(octets))] ^= 1 << drawn.randrange(8)
            operator.engine.replace(name, bytes(octets))
            refused += await handed_on(operator, shard) is None
        assert refused == COUNT
        found = scrubbed(operator)
        assert set(found) == {(shard.pack, shard.shard) for shard in rotten}
        await operator.stored(*rotten)
        assert scrubbed(operator) == {}
        for shard in (*rotten, *whole):
            assert await handed_on(operator, shard) == shard.octets
    print(f"{COUNT} bits flipped: 0 wrong bytes handed on, {len(found)} named, {len(found)} mended")


async def handed_on(operator, shard) -> bytes | None:
    """What a reader takes of a whole shard; None where it refuses what it was given."""
    asked = span_range(entry_of(shard).height, 0, len(shard.octets))
    answer = await operator.ask("GET", f"{path_of(shard)}/spans?first=0&count={asked.count}")
    try:
        return bytes(judged_spans(VERIFY, asked, answer.content, entry_of(shard).root)[1])
    except PredicateFailed:
        return None
