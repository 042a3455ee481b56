"""Nothing that was answered *stored* is lost with its bucket: not by requests that cross, nor by events told twice after a kill."""

from functools import partial

import pytest
import trio

from hutong.relay.services.storage.catalogue import objects
from hutong.relay.services.storage.catalogue.rows import BucketMissing, BucketNotEmpty
from hutong.relay.services.storage.gateway.reindexing import reindex
from hutong.relay.services.storage.gateway.store import ObjectAsked
from tests.relay.services.storage.gateway.network import KEYS, Network, open_network

CODE = (2, 1)


async def outcome(outcomes: dict[str, object], name: str, call) -> None:
    try:
        outcomes[name] = await call()
    except (BucketMissing, BucketNotEmpty) as error:
        outcomes[name] = type(error)


async def test_attack_S60_bucket_is_not_removed_under_a_put(tmp_path):
    async with open_network(tmp_path, *CODE) as network:
        await network.store.make_bucket("ward-3")
        outcomes: dict[str, object] = {}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outcome, outcomes, "put", partial(network.put, b"k", b"octets"))
            await first_lock(network)
            nursery.start_soon(outcome, outcomes, "removed", partial(network.store.remove_bucket, "ward-3"))
        assert outcomes["removed"] is BucketNotEmpty
        assert outcomes["put"] == await network.store.find("ward-3", b"k")
        await network.store.remove("ward-3", b"k")
        await network.store.remove_bucket("ward-3")  # the twin
        with pytest.raises(BucketMissing):
            await network.store.find("ward-3", b"k")


async def first_lock(network: Network) -> None:
    """Until a put has come so far that its bytes are given to the committer."""
    while not network.committer.pending:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("is_made_again", [pytest.param(False, marks=pytest.mark.long), True])
async def test_attack_S60_put_whose_bucket_went_is_not_stored(tmp_path, is_made_again):
    async with open_network(tmp_path, *CODE) as network:
        await network.store.make_bucket("ward-3")
        left = [b"first ", b"last"]

        async def read() -> bytes:
            if len(left) == 1:
                await network.store.remove_bucket("ward-3")
                if is_made_again:
                    await network.store.make_bucket("ward-3")
            return left.pop(0) if left else b""

        with pytest.raises(BucketMissing):
            await network.store.put(ObjectAsked("ward-3", b"k"), read)


@pytest.mark.long
async def test_attack_S60_events_told_twice_lose_no_catalogue(tmp_path):
    """The hub has a batch, and the gateway is killed before its own transaction: the client asks again, and it is told again."""
    async with open_network(tmp_path, *CODE) as network:
        await network.store.make_bucket("ward-3")
        await network.catalogue.run(lambda one: objects.remove_bucket(one, "ward-3"))
        await network.store.make_bucket("ward-3")
        await network.store.remove_bucket("ward-3")
        await network.catalogue.run(lambda one: objects.add_bucket(one, "ward-3", 1))
        put = await network.put(b"k", b"octets")
        found = await reindex(
            network.desk.links, network.reader, network.catalogue, KEYS.catalogue_root, CODE, lambda _: None
        )
        assert (found.objects, found.unreadable) == (1, ())
        again = await network.store.find("ward-3", b"k")
        assert again is not None and again.digest == put.digest
        assert await network.get(b"k") == b"octets"
