"""What operators list is put together so that one of them cannot take a pack from the others."""

import itertools

import pytest

from hutong.relay.services.storage.gateway.listed_packs import listed_packs
from hutong.relay.services.storage.gateway.operators import OperatorFailed
from tests.relay.services.storage.gateway.network import open_network
from tests.relay.services.storage.gateway.test_put_and_get import asked_again_at_once  # noqa: F401  a fixture
from tests.relay.services.storage.gateway.test_reindexing import CODE, again, catalogue_digest, filled

PACK, OTHER = b"\x0a" * 32, b"\x0b" * 32


def row(shard: int, root: bytes, pack: bytes = PACK, **changes) -> dict:
    return {"pack": pack.hex(), "shard": shard, "root": root.hex(), "height": 3, "state": "signed", **changes}


class Listing:
    """An operator's answers, page after page."""

    def __init__(self, number: int, *pages: dict) -> None:
        self.name = f"operator {number}"
        self.pages = itertools.cycle(pages)
        self.asked: list[str] = []

    async def document(self, path: str) -> dict:
        self.asked.append(path)
        assert len(self.asked) < 20, "it would be asked for ever"
        return next(self.pages)


def honest(number: int) -> Listing:
    return Listing(number, {"shards": [row(number, bytes([number + 1]) * 32)], "next": None})


async def listed(*links: Listing):
    told: list[str] = []
    return await listed_packs({bytes([n + 1]) * 32: link for n, link in enumerate(links)}, CODE, told.append), told


@pytest.mark.parametrize("place", [0, 4])
async def test_attack_S62_who_claims_every_shard_is_believed_of_no_others(place):
    everything = {"shards": [row(number, b"\xee" * 32) for number in range(4)], "next": None}
    links = [honest(number) for number in range(3)]  # the fourth is gone
    links.insert(place, Listing(9, everything))
    (source,), told = await listed(*links)
    assert told == []
    assert source.roots == (b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\xee" * 32)


async def test_attack_S62_one_height_of_a_liar_is_outvoted():
    links = [honest(number) for number in range(3)]
    links.append(Listing(3, {"shards": [row(3, b"\xee" * 32, height=4)], "next": None}))
    (source,), _ = await listed(*links)
    assert source.shape.height == 3 and source.roots[3] == b"\xee" * 32


@pytest.mark.parametrize(
    "page",
    [
        {"shards": [row(0, b"\x01" * 32, height=99)], "next": None},
        {"shards": [row(0, b"\x01" * 32, height=-1)], "next": None},
        {"shards": [row(4, b"\x01" * 32)], "next": None},
        {"shards": [row(-1, b"\x01" * 32)], "next": None},
        {"shards": [row(0, b"\x01" * 31)], "next": None},
        {"shards": [row(0, b"\x01" * 32, pack=b"\x0a")], "next": None},
        {"shards": [row(0, b"\x01" * 32) | {"root": "xy"}], "next": None},
        {"shards": [{}], "next": None},
        {"shards": None, "next": None},
        {"shards": [], "next": 7},
        {"shards": []},
    ],
)
async def test_attack_S62_nonsense_of_one_operator_leaves_the_others(page):
    sources, told = await listed(Listing(9, page), honest(0))
    assert told == ["operator operator 9 lists nonsense"]
    assert [source.roots[0] for source in sources] == [b"\x01" * 32]
    with pytest.raises(OperatorFailed, match="lists nonsense"):
        await listed(Listing(9, page))


async def test_attack_S62_a_list_that_goes_round_has_an_end():
    round_again = Listing(9, *({"shards": [], "next": name.hex()} for name in (PACK, OTHER)))
    sources, told = await listed(round_again, honest(0))
    assert (len(sources), told) == (1, ["operator operator 9 lists nonsense"])
    assert [path.rpartition("=")[2] for path in round_again.asked[1:]] == [PACK.hex(), OTHER.hex()]


@pytest.mark.long
async def test_attack_S62_catalogue_is_made_again_beside_an_operator_that_claims_everything(tmp_path):
    async with open_network(tmp_path, *CODE) as network:
        await filled(network)
        before, _ = await network.catalogue.run(catalogue_digest)
        (*_, last) = network.desk.links
        packs = [source.name for source in await listed_packs(network.desk.links, CODE, lambda _: None)]
        claims = [row(number, b"\xee" * 32, pack) for pack in packs for number in range(sum(CODE))]
        network.desk.links[last].document = Listing(9, {"shards": claims, "next": None}).document
        found, _ = await again(network)
        assert (found.digest, found.unreadable) == (before, ())
