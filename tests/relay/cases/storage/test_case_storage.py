"""What cases with storage bring themselves, by web3 and the standard library alone, is what the library and the gateway know."""

import hashlib
from urllib.parse import urlsplit

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.relay.audit.cases.storage import court_evidence as judged
from hutong.relay.cases.storage import recording, records
from hutong.relay.cases.storage.presigned import link
from hutong.relay.cases.storage.recording import PIECE_BYTES, Recording, tree_of
from hutong.relay.services.storage.rules.records import keys, rounds, values
from hutong.relay.services.storage.rules.s3.request import S3Request
from hutong.relay.services.storage.rules.s3.sigv4 import judge_request


@pytest.mark.parametrize("length", (1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7))
def test_the_tree_over_pieces_is_the_librarys(length):
    octets = hashlib.shake_128(b"seed").digest(length)
    pieces = [octets[at : at + PIECE_BYTES] for at in range(0, length, PIECE_BYTES)]
    for cut in (1_000, length):
        parts = [octets[at : at + cut] for at in range(0, length, cut)]
        tree, digest, size = tree_of(parts, b"record")
        assert (digest, size) == (hashlib.sha256(octets).digest(), length)
        assert (tree.root(), tree.count) == (merkle.root([*pieces, b"record"]), len(pieces) + 1)
    for place in range(tree.count):
        assert tuple(tree.path(place)) == merkle.prove([*pieces, b"record"], place).aunts


def test_a_recording_has_the_beacon_and_is_another_with_each():
    one, other = Recording(b"\1" * 32, 1), Recording(b"\2" * 32, 1)
    octets = b"".join(one)
    assert len(octets) == one.size == one.pieces * PIECE_BYTES
    assert b"\1" * 32 in one.piece(0)
    assert one.piece(5) != other.piece(5)
    assert recording.PIECE_BYTES == judged.PIECE_BYTES


def test_records_are_read_as_the_hub_writes_them():
    assert records.seed_key(9) == keys.seed_key(9)
    assert records.verdict_key("ab" * 32, 9) == keys.verdict_key(b"\xab" * 32, 9)
    clock = rounds.ClockRecord(9, rounds.Phase.CLOSED, 1, 2, 3, b"\4" * 32, 5, 6)
    assert records.members(records.CLOCK, rounds.encode_clock_record(clock)) == (9, 4, 1, 2, 3, b"\4" * 32, 5, 6)
    seed = values.SeedRecord(b"\1" * 32, b"\2" * 32, 7, 8, 64, 1, 1)
    assert values.encode_seed_record(seed)[1:33] == seed.seed, "where a case takes its beacon from"


def test_a_link_is_one_that_the_gateways_rules_take():
    url = urlsplit(link("http://127.0.0.1:9000", ("AKID", "secret"), "/exhibits/camera-1", 1_800_000_000, 60))

    def judged_at(now_s: int, path: str = url.path) -> None:
        request = S3Request("GET", path, url.query, (("host", url.netloc),))
        judge_request(VERIFY, request, "us-east-1", now_s, {"AKID": "secret"}.get)

    judged_at(1_800_000_030)
    for now_s, path in ((1_800_000_061, url.path), (1_800_000_030, "/exhibits/camera-2")):
        with pytest.raises(PredicateFailed):
            judged_at(now_s, path)
