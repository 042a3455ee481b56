"""The authenticated index in a file, so that proofs are made without reading the log again. It is checked by its own hash, and by the digest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from hutong.relay.base.durable_files import durable_file
from hutong.relay.services.directory.rules.terms.index import ProvableIndex
from hutong.relay.services.directory.search.engine import SearchUnavailable

MAGIC: Final = b"hutong/dir/termsfile/1\n"
_NUMBER: Final = 8
_LENGTH: Final = 2


def write_terms(path: Path, index: ProvableIndex) -> None:
    """Magic, size, number of leaves, then key and postings of each leaf after their lengths, then SHA-256 of all of it.

    Raises:
        OSError: what was at `path` is unchanged.
    """
    with durable_file(path) as file:
        hashed = hashlib.sha256()
        for part in _parts(index):
            hashed.update(part)
            file.write(part)
        file.write(hashed.digest())


def _parts(index: ProvableIndex) -> Iterator[bytes]:
    yield MAGIC + index.size.to_bytes(_NUMBER, "big") + len(index.keys).to_bytes(_NUMBER, "big")
    for key in index.keys:
        postings = index.postings[key]
        yield len(key).to_bytes(_LENGTH, "big") + key + len(postings).to_bytes(_LENGTH, "big") + postings


def read_terms(path: Path) -> ProvableIndex:
    """What `write_terms` wrote.

    Raises:
        SearchUnavailable: there is no such file, or it was changed.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path)
    except OSError as error:
        raise SearchUnavailable(f"{path} cannot be read: {error.strerror or error}; build the index again") from None


def _read(file: BinaryIO, path: Path) -> ProvableIndex:
    hashed = hashlib.sha256()

    def take(count: int) -> bytes:
        part = file.read(count)
        hashed.update(part)
        if len(part) != count:
            raise SearchUnavailable(f"{path} is cut off: build the index again")
        return part

    if take(len(MAGIC)) != MAGIC:
        raise SearchUnavailable(f"{path} is no index of terms: build the index again")
    size, leaves = (int.from_bytes(take(_NUMBER), "big") for _ in range(2))
    postings: dict[bytes, bytes] = {}
    for _ in range(leaves):
        key = take(int.from_bytes(take(_LENGTH), "big"))
        postings[key] = take(int.from_bytes(take(_LENGTH), "big"))
    expected = hashed.digest()
    if file.read() != expected:
        raise SearchUnavailable(f"{path} was changed: build the index again")
    return ProvableIndex(size, postings)
