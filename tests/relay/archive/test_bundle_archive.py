"""An archive of bundles: nothing twice, nothing lost by a crash, and every damage named."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.archive.store import (
    ArchiveSource,
    BundleArchive,
    Directory,
    LogRewritten,
    Tombstone,
    open_source,
    verify,
)
from hutong.relay.archive.store.entries import (
    BundleEntry,
    PruneEntry,
    decode_line,
    encode_entry,
    encode_tombstone,
)
from hutong.relay.archive.store.layout import (
    HEAD_NAME,
    SEGMENT_ENTRIES,
    Head,
    decode_head,
    encode_head,
    leaves_name,
    log_name,
)
from hutong.relay.archive.store.manifest import decode_manifest, encode_manifest, put_together, take_apart
from tests.relay.archive.bundle_values import ACKNOWLEDGED, RECEIVED, SETTLED, bundle_of, object_holding, packet_id

SPECIFICATION = Path(__file__).parents[3] / "docs" / "spec" / "archive.md"
RECORDED = sorted((Path(__file__).parents[1] / "audit" / "recorded").glob("*.bundle.json"))


@pytest.fixture
def place(tmp_path):
    return tmp_path / "archive"


def archive_of(place: Path, *bundles: bytes, now_s: int = 1_000) -> BundleArchive:
    archive = BundleArchive.create(Directory(place))
    assert archive.append([(str(number), data) for number, data in enumerate(bundles)], now_s).refused == {}
    return archive


def damages(place: Path) -> list[str]:
    return [str(one) for one in verify(BundleArchive(Directory(place))).damages]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_real_bundles_come_back_to_the_byte(place, path):
    data = path.read_bytes()
    archive = archive_of(place, data)
    assert archive.bundle(0) == data
    assert verify(archive).is_whole


def test_headers_that_bundles_share_are_kept_once(place):
    recorded = [path.read_bytes() for path in RECORDED if "backward" not in path.name]
    archive = archive_of(place, *recorded)
    objects = [path for path in (place / "objects").rglob("*") if path.is_file()]
    parts = [part for data in recorded for part in take_apart(data)[2]]
    assert len(objects) == len(set(parts)) + len(recorded) < len(parts) + len(recorded)
    assert verify(archive).unneeded == 0


def test_the_same_again_is_nothing_new_and_more_of_a_packet_supersedes(place):
    archive = archive_of(place, bundle_of(1, RECEIVED), bundle_of(2))
    assert archive.append([("x", bundle_of(1, RECEIVED)), ("y", bundle_of(2, ACKNOWLEDGED))], 2_000).known == 2
    assert archive.append([("x", bundle_of(1, SETTLED))], 3_000).indices == [2]
    assert archive.append([("x", bundle_of(1, RECEIVED))], 4_000).known == 1
    entry = archive.entry(2)
    assert isinstance(entry, BundleEntry) and (entry.supersedes, entry.progress) == (0, 3)
    assert archive.newest[packet_id(1)].index == 2
    assert archive.bundle(0) == bundle_of(1, RECEIVED)
    assert verify(archive).superseded == 1
    assert archive.append([("z", bundle_of(2, ACKNOWLEDGED))], 5_000, again=True).indices == [3]


def test_what_is_no_bundle_is_named_and_does_not_stop_the_others(place):
    archive = BundleArchive.create(Directory(place))
    done = archive.append([("bad", b"{}"), ("good", bundle_of(1)), ("cut", bundle_of(2)[:-1])], 1)
    assert (done.indices, sorted(done.refused)) == ([0], ["bad", "cut"])


def test_a_bundle_of_two_legs_covers_both_packets(place):
    archive = archive_of(place, bundle_of(5, second_leg=True))
    assert archive.second_legs == {"hutong-1/bft-evm-1/5"}
    assert archive.bundle(0) == bundle_of(5, second_leg=True)


@pytest.mark.long
def test_the_log_spans_segments_and_proves_its_past(place):
    archive = BundleArchive.create(Directory(place))
    heads = []
    for start in range(1, 301, 100):
        archive.append([(str(n), bundle_of(n, RECEIVED)) for n in range(start, start + 100)], start)
        heads.append(archive.head)
    assert archive.head.size == 300 and {log_name(n) for n in range(2)} == set(Directory(place).names("log/"))
    for head in heads:
        merkle.verify_consistency(archive.prove_consistency(head.size), head.root, archive.head.root)
    again = BundleArchive(Directory(place))
    for index in (0, 255, 256, 299):
        merkle.verify(again.prove(index), again.head.root, encode_entry(again.entry(index)))
    with pytest.raises(PredicateFailed):
        merkle.verify(again.prove(0), again.head.root, encode_entry(again.entry(1)))
    with pytest.raises(IndexError):
        again.entry(300)


class Crash(BaseException):
    """The process ends here."""


class Crashing(Directory):
    """Ends the process before, or after, the n-th write."""

    def __init__(self, place: Path, writes: int, *, after: bool) -> None:
        super().__init__(place)
        self._left, self._after = writes, after

    def _put(self, name: str, data: bytes) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Crash
        if self._left >= 0:
            super()._put(name, data)
        if self._left <= 0:
            raise Crash


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_leaves_the_archive_of_the_head(tmp_path, after):
    """Of an append that goes over the edge of a segment: 7 objects, two files a segment, the head."""
    whole = [bundle_of(number, RECEIVED) for number in range(1, 4)]
    for writes in range(1, 40):
        place = tmp_path / f"{writes}"
        archive_of(place, *whole[:1])
        archive = BundleArchive(Crashing(place, writes, after=after))
        try:
            archive.append([("2", whole[1]), ("3", whole[2])], 2_000)
        except Crash:
            pass
        else:
            break
        restarted = BundleArchive(Directory(place))
        assert restarted.head.size in (1, 3)
        assert verify(restarted).is_whole
        restarted.append([(str(n), data) for n, data in enumerate(whole)], 3_000)
        assert verify(restarted).is_whole and [restarted.bundle(index) for index in range(3)] == whole
        assert verify(restarted).unneeded == 0
    assert writes > 8


def test_a_crash_while_pruning_is_ended_by_the_next(tmp_path):
    for writes in range(1, 20):
        place = tmp_path / f"{writes}"
        archive_of(place, bundle_of(1), bundle_of(2))
        archive_of(place, bundle_of(3), now_s=5_000)
        try:
            BundleArchive(Crashing(place, writes, after=True)).prune(2_000, 6_000)
        except Crash:
            pass
        else:
            break
        assert verify(BundleArchive(Directory(place))).is_whole
        archive = BundleArchive(Directory(place))
        archive.prune(2_000, 7_000)
        findings = verify(archive)
        assert (findings.is_whole, findings.pruned, findings.bundles, findings.unneeded) == (True, 2, 1, 0)
    assert writes > 4


def test_pruned_entries_are_named_and_still_proven(place):
    archive = archive_of(place, bundle_of(1), bundle_of(2))
    leaf = encode_entry(archive.entry(0))
    archive.append([("3", bundle_of(3))], 5_000)
    old = archive.head
    assert archive.prune(2_000, 6_000).entries == 2
    assert archive.entry(0) == Tombstone((packet_id(1),)) and isinstance(archive.entry(3), PruneEntry)
    assert archive.pruned == {packet_id(1), packet_id(2)}
    merkle.verify(archive.prove(0), archive.head.root, leaf)
    merkle.verify_consistency(archive.prove_consistency(old.size), old.root, archive.head.root)
    assert archive.prune(2_000, 7_000).entries == 0 and archive.head.size == 4
    assert verify(archive).is_whole
    assert open_source(str(place)).pruned == {packet_id(1), packet_id(2)}
    assert open_source(str(place)).names() == [packet_id(3)]


@pytest.mark.parametrize("before", [3, 2**63 - 1])
def test_attack_H_a_pruning_of_what_comes_after_it_licenses_no_tombstone(place, before):
    archive = archive_of(place, bundle_of(1), bundle_of(2))
    archive._extend([encode_entry(PruneEntry(1_500, before))])
    archive = archive_of(place, bundle_of(3))
    assert archive.log.pruned_before == 0
    (damage,) = damages(place)
    assert damage.startswith("entry 2: ") and f"up to {before}, which comes after it" in damage
    change_line(place, 1, lambda _: encode_tombstone(Tombstone((packet_id(2),))))
    assert [one.split(":")[0] for one in damages(place)] == ["entry 1", "entry 2"]
    assert archive_of(place).prune(500, 9_000).entries == 0


@pytest.mark.parametrize("name", ["notes.txt", "ab/README", f"cd/{'ab' * 32}", f"zz/{'zz' * 32}", f"ab/{'AB' * 32}"])
def test_a_foreign_file_among_the_objects_ends_no_pruning_and_stays(place, name):
    archive = archive_of(place, bundle_of(1))
    foreign = place / "objects" / name
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_bytes(b"somebody's")
    done = archive.prune(2_000, 3_000)
    assert (done.entries, done.kept_because) == (1, None) and done.objects > 0
    assert foreign.read_bytes() == b"somebody's"
    assert verify(archive).is_whole and verify(archive).unneeded == 0


# Tampering, byte by byte


def test_a_damaged_object_is_named_with_the_packets_that_need_it(place):
    archive_of(place, *(bundle_of(number, RECEIVED) for number in (1, 2, 3)))
    leg = [
        path for path in (place / "objects").rglob("*") if path.is_file() and b"source_chain_id" in path.read_bytes()
    ]
    leg[0].write_bytes(leg[0].read_bytes().replace(b"received", b"Received"))
    (damage,) = damages(place)
    assert leg[0].name in damage and "1001/client-0/" in damage and "damaged" in damage
    leg[1].unlink()
    assert sum("is missing" in one for one in damages(place)) == 1
    source = open_source(str(place))
    good = 0
    for name in source.names():
        try:
            good += source.read(name) == bundle_of(int(name.rpartition("/")[2]), RECEIVED)
        except MalformedInput as error:
            assert error.field == name
    assert good == 1


def test_a_damaged_shared_header_is_named_for_everyone(place):
    archive_of(place, bundle_of(1), bundle_of(2))
    archive_of(place, Path(RECORDED[0]).read_bytes())
    object_holding(place, b"hub header 7").write_bytes(b"{}")
    assert [one.split(",")[0] for one in damages(place)] == ["entry 0", "entry 1"]


def change_line(place: Path, number: int, change) -> None:
    path = place / log_name(0)
    lines = path.read_bytes().split(b"\n")
    lines[number] = change(lines[number])
    path.write_bytes(b"\n".join(lines))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.replace(b"1000", b"1001"), "is not what the log's leaf says"),
        (lambda line: b"", "is damaged"),
        (lambda line: b"\xff" * 20, "is damaged"),
        (lambda line: encode_tombstone(Tombstone((packet_id(2),))), "no entry of the log prunes it"),
    ],
)
def test_a_changed_entry_is_named_and_the_rest_goes_on(place, change, said):
    archive_of(place, *(bundle_of(number) for number in (1, 2, 3)))
    change_line(place, 1, change)
    (damage,) = damages(place)
    assert damage.startswith("entry 1: ") and said in damage
    source = open_source(str(place))
    assert source.names() == [packet_id(1), "entry 1", packet_id(3)]
    assert source.read(packet_id(3)) == bundle_of(3)
    with pytest.raises(MalformedInput) as caught:
        source.read("entry 1")
    assert caught.value.field == "entry 1"
    # The packet can be kept again, under the same root as before.
    archive = archive_of(place, bundle_of(2), now_s=9_000)
    assert archive.newest[packet_id(2)].index == 3 and len(damages(place)) == 1


def test_a_lost_segment_is_named_entry_by_entry(place):
    archive_of(place, bundle_of(1), bundle_of(2))
    (place / log_name(0)).unlink()
    assert [one.split(":")[0] for one in damages(place)] == ["entry 0", "entry 1"]
    archive = archive_of(place, bundle_of(1))
    assert archive.bundle(2) == bundle_of(1)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: b"\0" + data[1:], lambda data: b""])
def test_damaged_leaf_hashes_are_found_again_from_the_entries(place, change):
    archive_of(place, bundle_of(1), bundle_of(2))
    path = place / leaves_name(0)
    path.write_bytes(change(path.read_bytes()))
    assert damages(place) and all(leaves_name(0) in one for one in damages(place))
    archive_of(place, bundle_of(3))
    assert damages(place) == []


def test_attack_H_a_rewritten_log_is_not_the_heads(place):
    """Entry and leaf hash forged together: only the root tells, and nothing is appended to such a log."""
    archive_of(place, bundle_of(1), bundle_of(2))
    change_line(place, 0, lambda line: line.replace(b"1000", b"1001"))
    line = (place / log_name(0)).read_bytes().split(b"\n")[0]
    leaves = place / leaves_name(0)
    leaves.write_bytes(merkle.leaf_hash(line) + leaves.read_bytes()[32:])
    assert any(one.startswith(HEAD_NAME) for one in damages(place))
    with pytest.raises(ArchiveUnavailable, match="damaged"):
        archive_of(place, bundle_of(3))


def rewritten(place: Path, *bundles: bytes) -> None:
    """What a forger puts there: whole in itself."""
    for path in sorted(place.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    archive_of(place, *bundles, now_s=9_000)


@pytest.mark.parametrize(("count", "said"), [(1, "has 1 entries, and had 2"), (2, "the root"), (3, "the root")])
def test_attack_H_a_rollback_or_another_history_takes_no_entry_of_who_knew_it(place, count, said):
    archive = archive_of(place, bundle_of(1), bundle_of(2))
    known = archive.head
    rewritten(place, *(bundle_of(number) for number in range(1, count + 1)))
    forged = (place / HEAD_NAME).read_bytes()
    for _ in range(2):
        with pytest.raises(LogRewritten, match=f"the log was rewritten.* {said}"):
            archive.append([("9", bundle_of(9))], 9_000)
    with pytest.raises(LogRewritten):
        archive.prune(10_000, 10_000)
    with pytest.raises(LogRewritten):
        BundleArchive(Directory(place), known)
    assert archive.head == known and (place / HEAD_NAME).read_bytes() == forged


def test_what_another_writer_appended_continues_the_log(place):
    archive = archive_of(place, bundle_of(1))
    known = archive.head
    archive_of(place, bundle_of(2))
    assert archive.append([("3", bundle_of(3))], 2_000).indices == [2]
    assert BundleArchive(Directory(place), known).head == archive.head


def test_a_source_names_what_is_damaged_of_the_log_itself(place):
    archive = archive_of(place, bundle_of(1), bundle_of(2))
    (place / HEAD_NAME).write_bytes(encode_head(Head(2, bytes(32))))
    (place / leaves_name(0)).write_bytes(b"")
    source = open_source(str(place))
    assert source.names() == [leaves_name(0), HEAD_NAME, packet_id(1), packet_id(2)]
    for name, said in ((leaves_name(0), "has 0 of 2 leaf hashes"), (HEAD_NAME, "promises the root 0000")):
        with pytest.raises(MalformedInput, match=said) as caught:
            source.read(name)
        assert caught.value.field == name
    assert source.read(packet_id(2)) == archive.bundle(1)


def test_a_head_of_another_size_is_damage(place):
    archive = archive_of(place, bundle_of(1), bundle_of(2))
    (place / HEAD_NAME).write_bytes(encode_head(Head(1, archive.head.root)))
    assert any(one.startswith(HEAD_NAME) for one in damages(place))
    (place / HEAD_NAME).write_bytes(encode_head(Head(3, archive.head.root)))
    assert any(one.startswith(HEAD_NAME) for one in damages(place))
    (place / HEAD_NAME).write_bytes(b"{}")
    with pytest.raises(MalformedInput):
        BundleArchive(Directory(place))
    with pytest.raises(ArchiveUnavailable, match="head"):
        ArchiveSource(str(place)).names()


@pytest.mark.parametrize("kept", ["log", "leaves"])
def test_a_lost_head_is_not_replaced_by_an_empty_archive(place, kept):
    archive_of(place, bundle_of(1))
    head = (place / HEAD_NAME).read_bytes()
    (place / HEAD_NAME).unlink()
    (place / {"log": leaves_name, "leaves": log_name}[kept](0)).rename(place / "elsewhere")
    with pytest.raises(ArchiveUnavailable, match=f"has a log and no head: restore {HEAD_NAME}"):
        BundleArchive.create(Directory(place))
    (place / "elsewhere").rename(place / {"log": leaves_name, "leaves": log_name}[kept](0))
    (place / HEAD_NAME).write_bytes(head)
    assert BundleArchive.create(Directory(place)).bundle(0) == bundle_of(1)


def test_objects_stay_while_it_is_not_known_who_needs_them(place):
    archive_of(place, bundle_of(1))
    archive = archive_of(place, bundle_of(2), now_s=5_000)
    change_line(place, 1, lambda line: b"damaged")
    done = archive.prune(2_000, 6_000)
    assert (done.entries, done.objects) == (1, 0) and "entry 1" in done.kept_because


def test_a_source_goes_to_another_process(place):
    archive_of(place, bundle_of(1))
    source = pickle.loads(pickle.dumps(open_source(str(place))))  # noqa: S301
    assert source.read(packet_id(1)) == bundle_of(1)
    with pytest.raises(MalformedInput):
        source.read("1001/client-0/9")


# Forms


@given(st.binary(max_size=200) | st.integers(0, 2**300).map(lambda n: b'{"kind":"prune","before":%d}' % n))
@settings(max_examples=60, deadline=None)
def test_attack_H_any_line_head_or_manifest_is_a_value_or_a_typed_error(data):
    for decode, encode in (
        (decode_line, lambda one: encode_tombstone(one) if isinstance(one, Tombstone) else encode_entry(one)),
        (decode_head, encode_head),
        (decode_manifest, encode_manifest),
    ):
        try:
            value = decode(data)
        except MalformedInput:
            continue
        assert encode(value) == data


MANIFEST = encode_manifest(take_apart(bundle_of(1, second_leg=True))[1])
LINE = encode_entry(BundleEntry(1, (packet_id(1), "hutong-1/bft-evm-1/2"), bytes(32), 9, bytes(32), 3, None))


@given(st.sampled_from([MANIFEST, LINE, encode_head(Head(2, bytes(32)))]), st.data())
@settings(max_examples=80, deadline=None)
def test_attack_H_one_other_byte_is_another_value_or_a_typed_error(data, draw):
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = data[:at] + bytes([draw.draw(st.integers(0, 255))]) + data[at + 1 :]
    for decode in (decode_line, decode_head, decode_manifest):
        try:
            value = decode(changed)
        except MalformedInput:
            continue
        assert changed == data or value != decode(data)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (b'{"kind":"lost"}', "entry.kind"),
        (b"[]", "entry"),
        (LINE.replace(b'"progress":3', b'"progress":7'), "entry.progress"),
        (LINE.replace(b'"progress":3', b'"progress":true'), "entry.progress"),
        (LINE.replace(b"client-0/1", b"client-0/01"), "entry.packet_ids[0]"),
        (LINE.replace(b"client-0", b"../../../x"), "entry.packet_ids[0]"),
        (LINE.replace(b'"supersedes":null', b'"supersedes":-1'), "entry.supersedes"),
        (LINE.replace(b"00" * 32, b"AA" * 32), "entry.bundle"),
        (LINE.replace(b":", b": "), "entry"),
        (LINE + b" " * 2_000, "entry"),
    ],
)
def test_a_damaged_line_names_its_field(entry, field):
    with pytest.raises(MalformedInput) as caught:
        decode_line(entry)
    assert caught.value.field == field


def test_attack_H_a_manifest_that_names_one_object_a_million_times_is_bounded():
    """Twelve objects of 8 MiB make a bundle of 96: refused before they are joined."""
    _, manifest, _ = take_apart(bundle_of(1))
    chain = manifest.chains[1]
    swollen = type(manifest)(manifest.legs, (type(chain)(chain.chain_id, chain.kind, chain.headers * 6, ()),))
    with pytest.raises(MalformedInput, match="more than"):
        put_together(swollen, lambda _: bytes(8 * 1024 * 1024))


def test_a_full_segment_of_the_longest_lines_fits():
    longest = "A" * 50 + "/" + "a" * 43 + "-" + "9" * 20 + "/" + "9" * 20
    entry = BundleEntry(2**63 - 1, (longest, longest), b"\xff" * 32, 2**26, b"\xff" * 32, 6, 2**63 - 1)
    assert decode_line(encode_entry(entry)) == entry and len(encode_entry(entry)) * SEGMENT_ENTRIES < 2**18


def test_vector_of_the_specification():
    ids = ("1001/client-0/1", "hutong-1/bft-evm-1/1")
    entry = BundleEntry(1_700_000_000, ids, b"\1" * 32, 15_942, b"\2" * 32, 6, None)
    lines = [encode_entry(entry), encode_entry(PruneEntry(1_700_086_400, 1))]
    head = Head(2, merkle.root(lines))
    assert encode_head(head).decode() + "\n".join(line.decode() for line in lines) in SPECIFICATION.read_text()
