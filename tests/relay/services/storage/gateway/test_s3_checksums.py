"""Checksums of S3: values that others publish, parts put together, and what a request may say of them."""

import os
import zlib
from base64 import b64encode

import pytest

from hutong.relay.services.storage.gateway.s3.checksums import (
    ALGORITHMS,
    ChecksumType,
    algorithm_named,
    announced,
    of_parts,
    said_of_whole,
    type_of_upload,
)
from hutong.relay.services.storage.gateway.s3.crc import CRC32, CRC32C, CRC64NVME, Crc, joined_crc
from hutong.relay.services.storage.gateway.s3.errors import S3Refused


@pytest.mark.parametrize(
    ("kind", "expected"), [(CRC32, "cbf43926"), (CRC32C, "e3069283"), (CRC64NVME, "ae8b14860a799888")]
)
def test_standard_text_has_its_published_value_in_one_piece_or_two(kind, expected):
    for cut in (0, 4, 9):
        crc = Crc(kind)
        crc.update(b"123456789"[:cut])
        crc.update(memoryview(b"123456789")[cut:])
        assert crc.digest().hex() == expected


@pytest.mark.parametrize("kind", [CRC32, CRC32C, CRC64NVME])
def test_checksum_of_two_runs_follows_from_theirs(kind):
    def of(octets: bytes) -> bytes:
        crc = Crc(kind)
        crc.update(octets)
        return crc.digest()

    octets = os.urandom(70_001)
    for cut in (0, 1, 65_536, 70_000, 70_001):
        first, second = octets[:cut], octets[cut:]
        assert joined_crc(kind, of(first), of(second), len(second)) == of(octets)
    assert of(b"") == bytes(kind.bits // 8)


def test_object_of_parts_has_a_checksum_over_bytes_or_over_parts():
    octets, crc = os.urandom(5_000), ALGORITHMS["crc32"]
    parts = [(zlib.crc32(one).to_bytes(4, "big"), len(one)) for one in (octets[:4_000], octets[4_000:])]
    whole = of_parts(crc, ChecksumType.FULL_OBJECT, parts)
    assert whole.value == b64encode(zlib.crc32(octets).to_bytes(4, "big")).decode()
    over_parts = zlib.crc32(parts[0][0] + parts[1][0]).to_bytes(4, "big")
    composite = of_parts(crc, ChecksumType.COMPOSITE, parts)
    assert composite.value == f"{b64encode(over_parts).decode()}-2"
    assert dict(composite.headers) == {"x-amz-checksum-crc32": composite.value, "x-amz-checksum-type": "COMPOSITE"}
    assert said_of_whole({"x-amz-checksum-crc32": composite.value}) == (crc, composite.value)


def test_default_is_that_of_s3():
    found = announced({}, has_trailer=False)
    assert (found.algorithm.name, found.value, found.is_asked) == ("crc64nvme", None, False)
    assert type_of_upload(ALGORITHMS["crc64nvme"], None) is ChecksumType.FULL_OBJECT
    assert type_of_upload(ALGORITHMS["sha256"], None) is ChecksumType.COMPOSITE
    assert announced({"x-amz-trailer": "x-amz-checksum-sha1"}, has_trailer=True).is_in_trailer


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-trailer": "x-amz-checksum-crc32"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAA"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAB=="}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "SHA1"}, "InvalidRequest"),
        ({"x-amz-checksum-xxhash3": "AAAAAAAAAAA="}, "NotImplemented"),
        ({"x-amz-trailer": "expires"}, "MalformedTrailerError"),
    ],
)
def test_what_is_no_checksum_is_refused(headers, code):
    with pytest.raises(S3Refused) as refused:
        announced(headers, has_trailer=True)
    assert refused.value.code == code


def test_types_that_an_algorithm_does_not_have_are_refused():
    for name, kind in (("sha256", "FULL_OBJECT"), ("crc64nvme", "COMPOSITE"), ("crc32", "other")):
        with pytest.raises(S3Refused):
            type_of_upload(ALGORITHMS[name], kind)
    with pytest.raises(S3Refused):
        of_parts(ALGORITHMS["sha1"], ChecksumType.FULL_OBJECT, [(bytes(20), 1)])
    for said in ("xxhash64", "none"):
        with pytest.raises(S3Refused):
            algorithm_named(said)
    with pytest.raises(S3Refused):
        said_of_whole({"x-amz-checksum-crc32": "A"})
    with pytest.raises(S3Refused):
        said_of_whole({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x"})
