"""What every database must do for a gateway's catalogue."""

from dataclasses import replace
from functools import partial

import pytest

from hutong.relay.services.storage.catalogue import objects, packs, uses
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase
from hutong.relay.services.storage.catalogue.digest import catalogue_digest
from hutong.relay.services.storage.catalogue.listing import Asked
from hutong.relay.services.storage.catalogue.rows import (
    BatchRow,
    BucketMissing,
    BucketNotEmpty,
    BucketTaken,
    HeadPlace,
    ObjectRow,
    PackRow,
    PartRow,
    Upload,
)
from hutong.relay.services.storage.rules.packs.shape import PackShape


def row(key: bytes, size: int = 5, note: bytes = b"") -> ObjectRow:
    return ObjectRow(1, key, HeadPlace(3, 2**26, 546, 200), size, 1_800_000_000_123, 0, bytes([size]) * 32, note)


def pack(number: int) -> PackRow:
    shape = PackShape(2, 1, 3)
    return PackRow(bytes([number]) * 32, shape, (bytes([9]) * 32,) * 3, tuple(bytes([i]) * 32 for i in (1, 2, 3)))


def listed(database: CatalogueDatabase, prefix: bytes, delimiter: bytes = b"/", most: int = 2):
    """All pages, as (keys, prefixes) of each."""
    pages, after = [], b""
    while True:
        asked = Asked(prefix, delimiter, after, most)
        page = database.run_now(lambda one, asked=asked: objects.list_objects(one, 1, asked))
        pages.append(([row.key for row in page.rows], list(page.prefixes)))
        if page.last is None:
            return pages
        after = page.last


class CatalogueConformance:
    """`database` and `again`, a second one on the same rows, come from the test of one kind."""

    def test_bucket_is_made_once_and_removed_when_empty(self, database: CatalogueDatabase, again):
        made = database.run_now(lambda one: objects.add_bucket(one, "ward-3", 7))
        assert again().run_now(lambda one: objects.bucket_of(one, "ward-3")) == made
        with pytest.raises(BucketTaken):
            database.run_now(lambda one: objects.add_bucket(one, "ward-3", 8))
        database.run_now(lambda one: objects.put_objects(one, [row(b"a")]))
        with pytest.raises(BucketNotEmpty):
            database.run_now(lambda one: objects.remove_bucket(one, "ward-3"))
        database.run_now(lambda one: objects.remove_object(one, 1, b"a"))
        database.run_now(lambda one: objects.remove_bucket(one, "ward-3"))
        with pytest.raises(BucketMissing):
            database.run_now(lambda one: objects.bucket_of(one, "ward-3"))
        assert database.run_now(lambda one: objects.add_bucket(one, "ward-4", 8)).number == 2

    def test_object_is_found_replaced_and_forgotten(self, database: CatalogueDatabase, again):
        key = bytes(range(256))
        database.run_now(lambda one: objects.put_objects(one, [row(key), row(b"other")]))
        assert again().run_now(lambda one: objects.find_object(one, 1, key)) == row(key)
        assert database.run_now(lambda one: objects.find_object(one, 2, key)) is None
        database.run_now(lambda one: objects.put_objects(one, [row(key, 6, b"note")]))
        assert database.run_now(lambda one: objects.find_object(one, 1, key)) == row(key, 6, b"note")
        assert [database.run_now(lambda one: objects.remove_object(one, 1, key)) for _ in range(2)] == [True, False]

    def test_digest_is_over_what_is_said_of_objects_in_whatever_order(self, database: CatalogueDatabase):
        def filled(one, order: int):
            one.run("DELETE FROM storage_objects")
            rows = [replace(row(b"%04d" % number), bucket=bucket) for bucket in (1, 2) for number in range(1_003)]
            objects.put_objects(one, rows[::order])
            return catalogue_digest(one)

        database.run_now(lambda one: [objects.add_bucket(one, name, 7) for name in ("ward-3", "ward-10")])
        first, again = (database.run_now(partial(filled, order=order)) for order in (1, -1))
        assert first == again and first[1] == 2_006
        moved = replace(row(b"0007"), place=HeadPlace(9, 9, 9, 9))
        database.run_now(lambda one: objects.put_objects(one, [moved]))
        assert database.run_now(catalogue_digest) == first
        database.run_now(lambda one: objects.put_objects(one, [row(b"0007", 6)]))
        assert database.run_now(catalogue_digest) != first

    def test_dead_weight_is_counted_once_for_each_object(self, database: CatalogueDatabase):
        def change(one):
            objects.put_objects(one, [row(b"a", 200), row(b"b", 200)])
            uses.count_use(one, 3, 2_448)
            found = [list(uses.wasted(one, 50, 0, 10))]
            for key in (b"a", b"a", b"none", b"b"):
                uses.retire(one, 1, key, lambda _note: False)
                objects.remove_object(one, 1, key)
                found.append([list(uses.wasted(one, percent, 0, 10)) for percent in (50, 51)])
            return found

        half, whole = [[3], []], [[3], [3]]
        assert database.run_now(change) == [[], half, half, half, whole]

    def test_transaction_that_fails_leaves_nothing(self, database: CatalogueDatabase):
        def fails(one):
            objects.put_objects(one, [row(b"half")])
            raise KeyError

        with pytest.raises(KeyError):
            database.run_now(fails)
        assert database.run_now(lambda one: objects.find_object(one, 1, b"half")) is None

    def test_keys_are_listed_in_the_order_of_bytes(self, database: CatalogueDatabase):
        keys = [b"B", b"a", b"a/1", b"a/2", b"a/b/1", b"a0", b"\xc3\xa9", b"\xff\xff"]
        database.run_now(lambda one: objects.put_objects(one, [row(key) for key in reversed(keys)]))
        pages = listed(database, b"", b"", 3)
        assert [key for found, _ in pages for key in found] == keys
        assert listed(database, b"\xff", b"", 3) == [([b"\xff\xff"], [])]
        assert listed(database, b"none") == [([], [])]

    def test_keys_are_rolled_up_at_the_delimiter(self, database: CatalogueDatabase):
        keys = [b"a", b"a/1", b"a/2", b"a/b/1", b"b/1", b"c"]
        database.run_now(lambda one: objects.put_objects(one, [row(key) for key in keys]))
        assert listed(database, b"", b"/", 2) == [([b"a"], [b"a/"]), ([b"c"], [b"b/"])]
        assert listed(database, b"a/", b"/", 10) == [([b"a/1", b"a/2"], [b"a/b/"])]
        assert listed(database, b"", b"/", 1) == [([b"a"], []), ([], [b"a/"]), ([], [b"b/"]), ([b"c"], [])]

    def test_page_as_long_as_asked_ends_where_keys_end(self, database: CatalogueDatabase):
        database.run_now(lambda one: objects.put_objects(one, [row(b"a"), row(b"b")]))
        assert listed(database, b"", b"", 2) == [([b"a", b"b"], [])]

    def test_packs_are_known_once_with_their_operators(self, database: CatalogueDatabase, again):
        first = database.run_now(lambda one: packs.add_pack(one, pack(1)))
        second = database.run_now(lambda one: packs.add_pack(one, pack(2)))
        assert database.run_now(lambda one: packs.add_pack(one, pack(1))) == first != second
        assert again().run_now(lambda one: packs.pack_of(one, second)) == pack(2)
        assert database.run_now(lambda one: packs.pack_named(one, pack(1).name)) == pack(1)
        assert database.run_now(lambda one: packs.pack_of(one, 77)) is None

    def test_parts_of_an_upload_are_kept_in_order(self, database: CatalogueDatabase):
        upload = Upload("u", 1, b"key", b"note", 9, 10)
        database.run_now(lambda one: packs.add_upload(one, upload))
        parts = [PartRow("u", number, 5, bytes(32), b"sealed", 11) for number in (3, 1, 2)]
        for part in parts:
            database.run_now(lambda one, part=part: packs.put_part(one, part))
        again = PartRow("u", 2, 6, bytes(32), b"other", 12)
        database.run_now(lambda one: packs.put_part(one, again))
        found = database.run_now(lambda one: packs.parts_of(one, "u", 1, 10))
        assert found == (again, parts[0])
        assert database.run_now(lambda one: packs.upload_of(one, "u")) == upload
        database.run_now(lambda one: packs.end_upload(one, "u"))
        assert database.run_now(lambda one: packs.upload_of(one, "u")) is None
        assert database.run_now(lambda one: packs.parts_of(one, "u", 0, 10)) == ()

    def test_batches_and_totals(self, database: CatalogueDatabase):
        whole, degraded = BatchRow(0, 40, 2, ()), BatchRow(1, 41, 2, (bytes([7]) * 32,))
        database.run_now(lambda one: [packs.add_batch(one, batch) for batch in (whole, degraded)])
        assert database.run_now(lambda one: packs.degraded_batches(one, 10)) == (degraded,)
        database.run_now(lambda one: objects.put_objects(one, [row(b"a", 5), row(b"b", 6)]))
        found = database.run_now(packs.totals)
        assert (found.objects, found.bytes, found.batches, found.degraded_batches) == (2, 11, 2, 1)

    def test_answers_are_remembered_until_their_end(self, database: CatalogueDatabase):
        database.run_now(lambda one: packs.remember_answer(one, "k", b"201", 100, 0))
        assert database.run_now(lambda one: packs.remembered_answer(one, "k", 100)) == b"201"
        assert database.run_now(lambda one: packs.remembered_answer(one, "k", 101)) is None
        database.run_now(lambda one: packs.remember_answer(one, "other", b"x", 300, 200))
        assert database.run_now(lambda one: packs.remembered_answer(one, "k", 50)) is None

    def test_counters_never_go_back(self, database: CatalogueDatabase):
        count = lambda one: objects.next_number(one, "n")  # noqa: E731
        assert [database.run_now(count), database.run_now(count)] == [1, 2]
        database.run_now(lambda one: objects.raise_counter(one, "n", 10))
        database.run_now(lambda one: objects.raise_counter(one, "n", 4))
        assert database.run_now(count) == 11
