"""Reed-Solomon codes of klauspost/reedsolomon: every shard, and what a loss leaves."""

from collections.abc import Iterator
from hashlib import sha256

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.light_clients.interface import UnsupportedOperation
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def object_of(case: dict) -> bytes:
    """As the area's list says: hashes of a label and a counter."""
    size = case["object_bytes"]
    label = f"hutong-rs-{case['k']}-{case['m']}-{size}".encode()
    octets = b"".join(sha256(label + number.to_bytes(8, "big")).digest() for number in range(-(-size // 32)))[:size]
    assert sha256(octets).hexdigest() == case["object_sha256"]
    return octets


def cut(octets: bytes, count: int, length: int) -> list[bytes]:
    padded = octets.ljust(count * length, b"\0")
    assert len(padded) == count * length
    return [padded[at : at + length] for at in range(0, len(padded), length)]


@runs("reed-solomon-json")
def reed_solomon(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():

        def run(case=case):
            if case["matrix"] != "cauchy":
                raise UnsupportedOperation(f"matrix {case['matrix']}")
            code = CauchyCode(case["k"], case["m"])
            data = cut(object_of(case), code.data, case["shard_bytes"])
            shards = [*data, *map(bytes, code.encode(data))]
            assert [sha256(shard).hexdigest() for shard in shards] == case["shard_sha256"]
            assert case.get("shards_hex") in (None, [shard.hex() for shard in shards])
            lost = sorted(set(case["lost"]))
            present = {number: shard for number, shard in enumerate(shards) if number not in lost}
            assert list(code.rebuild(present, lost)) == [shards[number] for number in lost]

        yield Verification(case["name"], run)
