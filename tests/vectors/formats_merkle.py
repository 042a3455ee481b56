"""RFC 6962 proofs of transparency-dev/merkle, and logs as C2SP tlog-tiles serves them."""

import re
from base64 import b64decode
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.light_clients.proofs.merkle import (
    ConsistencyProof,
    MerkleProof,
    judge_consistency,
    leaf_hash,
    root_of,
    verify,
    verify_consistency,
)
from hutong.light_clients.proofs.merkle.proof import index_within_total, path_is_canonical, root_matches
from hutong.light_clients.tlog import Checkpoint, decode_checkpoint
from hutong.light_clients.tlog.tiles import (
    TILE_WIDTH,
    Tile,
    bundle_path,
    consistency_ranges,
    decode_bundle,
    decode_tile,
    inclusion_ranges,
    range_root,
    tile_at,
    tiles_for,
)
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def nodes_of(case: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(map(b64decode, case["proof"] or ()))


def hash_of(text: str) -> bytes:
    """Of 32 bytes, as states and proofs of the client hold them."""
    data = b64decode(text)
    if len(data) != HASH_BYTES:
        raise MalformedInput("hash", f"must be {HASH_BYTES} bytes", got=data)
    return data


def proof_of_hash(total: int, index: int, case: dict[str, Any]) -> None:
    """`verify` without the entry: the vectors have its leaf hash alone."""
    proof = MerkleProof(total, index, hash_of(case["leafHash"]), nodes_of(case))
    for judge_rule in (index_within_total, path_is_canonical):
        VERIFY(judge_rule, proof)
    VERIFY(root_matches, proof, hash_of(case["root"]))


@runs("merkle-inclusion-json")
def inclusion(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        yield Verification(
            case["name"],
            lambda case=case: proof_of_hash(case["treeSize"], case["leafIdx"], case),
            valid=not case["wantErr"],
        )


@runs("merkle-consistency-json")
def consistency(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            if not case["size1"]:  # the client holds no empty tree, of which nothing is to be shown
                raise MalformedInput("size1", "is zero")
            proof = ConsistencyProof(case["size1"], case["size2"], nodes_of(case))
            judge_consistency(VERIFY, proof, b64decode(case["root1"]), b64decode(case["root2"]))

        yield Verification(case["name"], run, valid=not case["wantErr"])


class ServedLog:
    """A folder as C2SP tlog-tiles lays it out: checkpoints beside `tile`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def checkpoints(self) -> dict[int, Checkpoint]:
        """By size; of one size the files must agree."""
        found: dict[int, Checkpoint] = {}
        for path in sorted(self.folder.iterdir()):
            if path.is_file():
                one = decode_checkpoint(path.read_bytes())
                if found.setdefault(one.size, one).root != one.root:
                    raise PredicateFailed("one_root_a_size", "two checkpoints of one size differ", got=one.size)
        return found

    def tile(self, tile: Tile) -> bytes:
        return decode_tile((self.folder / tile.path).read_bytes(), tile.width)

    def entries(self, index: int, width: int) -> tuple[bytes, ...]:
        return decode_bundle((self.folder / bundle_path(index, width)).read_bytes(), width)

    def roots(self, ranges: list[tuple[int, int]], size: int) -> tuple[bytes, ...]:
        tiles = {tile: self.tile(tile) for tile in tiles_for(ranges, size)}
        return tuple(range_root(*one, size, tiles) for one in ranges)


def log_of(entry: Entry) -> ServedLog:
    return ServedLog(entry.root / entry.params["log"])


@runs("tlog-checkpoint")
def checkpoint(entry: Entry, group: Group) -> Iterator[Verification]:
    log, shown = log_of(entry), decode_checkpoint(entry.bytes())

    def root() -> None:
        (found,) = log.roots([(0, shown.size)], shown.size)
        assert found == shown.root

    if shown.size:
        yield Verification("root of the tiles", root)
    for size, other in sorted(log.checkpoints.items()):
        if 0 < size <= shown.size:

            def continues(size=size, other=other) -> None:
                nodes = log.roots(consistency_ranges(size, shown.size), shown.size)
                verify_consistency(ConsistencyProof(size, shown.size, nodes), other.root, shown.root)
                assert other.origin == shown.origin

            yield Verification(f"continues {size}", continues)
    yield Verification("signature", lambda: None, unchecked="no file of the log holds its key")


PARTIAL = re.compile(r"(?P<index>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?", re.ASCII)


def place_of(name: str) -> tuple[int, int]:
    """Index and width of a tile, as its name says. Raises MalformedInput where it says none."""
    match = PARTIAL.fullmatch(name)
    if match is None:
        raise MalformedInput("tile", "has no name of a tile", got=name)
    return int(match["index"].replace("x", "").replace("/", "")), int(match["width"] or TILE_WIDTH)


def name_in(entry: Entry, below: str) -> str:
    return entry.path.relative_to(entry.root / entry.params["log"] / below).as_posix()


@runs("tlog-tile")
def tile(entry: Entry, group: Group) -> Iterator[Verification]:
    log = log_of(entry)
    level, _, name = name_in(entry, "tile").partition("/")
    index, width = place_of(name)
    hashes = decode_tile(entry.bytes(), width)
    if level != "0":
        yield Verification("hashes below", lambda: None, unchecked="tiles above the leaves are judged by roots")
        return

    def run() -> None:
        leaves = log.entries(index, width)
        assert b"".join(map(leaf_hash, leaves)) == hashes

    yield Verification("leaf hashes of the entries", run)


@runs("tlog-entries")
def bundle(entry: Entry, group: Group) -> Iterator[Verification]:
    log = log_of(entry)
    index, width = place_of(name_in(entry, "tile/entries"))
    entries = decode_bundle(entry.bytes(), width)
    first = index * TILE_WIDTH
    size = min((size for size in log.checkpoints if size >= first + width), default=None)
    if size is None:
        yield Verification("entries", lambda: None, unchecked="no checkpoint is as large")
        return
    root = log.checkpoints[size].root
    assert tile_at(0, index, size).width >= width
    for at, leaf in enumerate(entries, first):

        def run(at=at, leaf=leaf) -> None:
            proof = MerkleProof(size, at, leaf_hash(leaf), log.roots(inclusion_ranges(at, size), size))
            verify(proof, root, leaf)
            assert root_of(proof) == root

        yield Verification(f"entry {at}", run)
