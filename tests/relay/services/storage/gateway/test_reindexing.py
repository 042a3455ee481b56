"""The catalogue is made again from what operators hold, and says the same of every object."""

import pytest

from hutong.relay.services.storage.catalogue.digest import catalogue_digest
from hutong.relay.services.storage.gateway.operators import OperatorFailed
from hutong.relay.services.storage.gateway.reindexing import reindex
from tests.relay.services.storage.gateway.network import KEYS, Network, drawn, open_network
from tests.relay.services.storage.gateway.test_put_and_get import asked_again_at_once  # noqa: F401  a fixture

CODE = (2, 2)


async def again(network: Network):
    told: list[str] = []
    found = await reindex(network.desk.links, network.reader, network.catalogue, KEYS.catalogue_root, CODE, told.append)
    return found, told


async def filled(network: Network) -> dict[bytes, bytes]:
    contents = {b"k%d" % number: drawn(1_000 * number) for number in range(4)}
    for name in ("ward-3", "ward-4", "ward-5"):
        await network.store.make_bucket(name)
    for key, octets in contents.items():
        await network.put(key, octets, note=b"", retain_until_s=7)
    await network.put(b"k1", b"another", bucket="ward-3")
    await network.put(b"gone", b"gone")
    await network.store.remove("ward-3", b"gone")
    await network.store.remove_bucket("ward-5")
    return {**contents, b"k1": b"another"}


@pytest.mark.long
async def test_catalogue_that_is_lost_is_made_again_from_packs(tmp_path):
    async with open_network(tmp_path, *CODE) as network:
        contents = await filled(network)
        before, count = await network.catalogue.run(catalogue_digest)
        await network.catalogue.run(lambda one: one.run("DELETE FROM storage_objects"))
        found, _ = await again(network)
        assert (found.digest, found.objects, found.unreadable) == (before, count, ())
        for key, octets in contents.items():
            assert await network.get(key) == octets
        assert [one.name for one in await network.store.buckets()] == ["ward-3", "ward-4"]
        await network.put(b"new", b"after")
        assert await network.get(b"new") == b"after"


@pytest.mark.long
async def test_two_operators_may_be_gone_and_three_may_not(tmp_path):
    async with open_network(tmp_path, *CODE) as network:
        await filled(network)
        before, _ = await network.catalogue.run(catalogue_digest)
        network.gone(0, 1)
        found, told = await again(network)
        assert (found.digest, found.unreadable) == (before, ())
        assert len([one for one in told if "does not answer" in one]) == 2
        network.gone(0, 1, 2)
        found, _ = await again(network)
        assert (found.objects, len(found.unreadable)) == (0, found.packs)
        network.gone(0, 1, 2, 3)
        with pytest.raises(OperatorFailed):
            await again(network)


@pytest.mark.long
async def test_attack_S13_operator_that_answers_wrong_spans_is_passed_by(tmp_path):
    async with open_network(tmp_path, *CODE) as network:
        await filled(network)
        before, _ = await network.catalogue.run(catalogue_digest)
        network.switches[1].flips = True
        found, _ = await again(network)
        assert (found.digest, found.unreadable) == (before, ())
