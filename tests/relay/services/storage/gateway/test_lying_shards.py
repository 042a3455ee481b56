"""An operator changes a bit of its shard, through the mask, and lists the root of that: what is read of it is judged before it is believed."""

import pytest

from hutong.relay.services.storage.catalogue import packs
from hutong.relay.services.storage.catalogue.digest import catalogue_digest
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.rules.packs.body import MAGIC, ROW_BYTES, TRAILER_BYTES, SectionKind
from tests.relay.services.storage.gateway.network import Network, drawn, open_network
from tests.relay.services.storage.gateway.test_put_and_get import asked_again_at_once  # noqa: F401  a fixture
from tests.relay.services.storage.gateway.test_reindexing import CODE, again

ITS_ROOT = b"\xee" * 32


def lie(link: OperatorLink, pack: bytes, shard: int, changes: dict[int, int]) -> None:
    """From now on it holds that shard with bits changed at these places, and lists the root of that."""
    document, spans, true = link.document, link.spans, b""

    async def listed(path):
        nonlocal true
        said = await document(path)
        for row in said["shards"]:
            if (row["pack"], row["shard"]) == (pack.hex(), shard):
                true, row["root"] = bytes.fromhex(row["root"]), ITS_ROOT.hex()
        return said

    async def shown(name, number, asked, root, known):
        if (name, number) != (pack, shard):
            return await spans(name, number, asked, root, known)
        if root != ITS_ROOT:
            raise OperatorFailed("another root")
        hashes, octets = await spans(name, number, asked, true, None)
        changed = bytearray(octets)
        for at, bits in changes.items():
            if 0 <= at - asked.start < len(changed):
                changed[at - asked.start] ^= bits
        return hashes, memoryview(changed)

    link.document, link.spans = listed, shown  # type: ignore[method-assign]


async def head_of(network: Network, key: bytes):
    row = await network.store.find("ward-3", key)
    assert row is not None
    found = await network.catalogue.run(lambda one: packs.pack_of(one, row.place.pack))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("at", "bits"),
    [
        (0, SectionKind.CATALOGUE ^ SectionKind.OBJECT),
        pytest.param(0, SectionKind.CATALOGUE ^ SectionKind.MANIFEST, marks=pytest.mark.long),
        pytest.param(0, 0x80, marks=pytest.mark.long),
        (ROW_BYTES, MAGIC[0] ^ 1),
    ],
)
async def test_attack_S62_a_kind_that_flips_under_the_mask_hides_no_pack(tmp_path, at, bits):
    octets = drawn(70_000)
    async with open_network(tmp_path, *CODE) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"scan", octets)
        before, count = await network.catalogue.run(catalogue_digest)
        pack = await head_of(network, b"scan")
        shard, place = divmod(pack.shape.body_bytes - TRAILER_BYTES - ROW_BYTES + at, pack.shape.shard_bytes)
        lie(network.desk.links[pack.operators[shard]], pack.name, shard, {place: bits})
        found, _ = await again(network)
        assert (found.digest, found.objects, found.unreadable) == (before, count, ())
        assert (await head_of(network, b"scan")).roots == pack.roots
        assert await network.get(b"scan") == octets


async def test_attack_S62_a_parity_shard_that_is_another_has_not_its_listed_root(tmp_path):
    async with open_network(tmp_path, *CODE) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"scan", b"content")
        pack = await head_of(network, b"scan")
        lie(network.desk.links[pack.operators[2]], pack.name, 2, {0: 1, 500: 0xFF})
        found, _ = await again(network)
        assert found.unreadable == ()
        assert (await head_of(network, b"scan")).roots == pack.roots
        for switch, operator in zip(network.switches, network.desk.links, strict=True):
            switch.is_gone = operator == pack.operators[0]
        assert await network.get(b"scan") == b"content"
