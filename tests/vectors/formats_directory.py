"""The data directory: documents that mean two things, and catalogues whose entries were hidden, changed or only spelled otherwise."""

import json
from collections.abc import Iterator

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.entries.catalogues import catalogue_changes, read_catalogue
from hutong.relay.services.directory.rules.entries.document import read_document
from tests.vectors.vector_registry import Entry, Group, Verification, runs


@runs("directory-document-json")
def documents(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        body = case["body"].encode("utf-8", "surrogatepass")
        yield Verification(
            f"{case['id']} {case['kind']}",
            lambda body=body: read_document(body),
            valid=case["expected"] == "accept",
        )


@runs("catalogue-delta-json")
def deltas(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        sides = tuple(json.dumps(case[side]).encode() for side in ("published", "served"))
        yield Verification(case["kind"], lambda case=case, sides=sides: _compare(case, *sides))


@runs("catalogue-pair-json")
def pairs(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        sides = tuple((entry.path.parent / case[side]).read_bytes() for side in ("from", "to"))
        yield Verification(f"{case['from']} {case['to']}", lambda case=case, sides=sides: _compare(case, *sides))


def _compare(case: dict, first: bytes, second: bytes) -> None:
    published, served = read_catalogue(first), read_catalogue(second)
    found = catalogue_changes(published, served)
    named = [sorted(case[name]) for name in ("added", "removed", "changed")]
    assert [list(names) for names in (found.added, found.removed, found.changed)] == named
    if "entries" in case:
        assert [len(published), len(served)] == case["entries"]
    with_one_more = dict(served) | {"urn:hutong:invented": b""}
    if catalogue_changes(published, with_one_more).are_none:
        raise MalformedInput("catalogue", "an invented entry was not seen")
