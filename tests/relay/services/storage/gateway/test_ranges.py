"""One range of bytes, and the conditions of a read."""

import pytest

from hutong.relay.services.storage.gateway.s3.errors import S3Refused
from hutong.relay.services.storage.gateway.s3.ranges import check_conditions, range_of


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=3-", (3, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-40", (0, 10)),
        ("bytes=8-40", (8, 10)),
        ("bytes=4-3", None),
        ("bytes=0-1,3-4", None),
        ("bytes=-", None),
        ("lines=0-1", None),
    ],
)
def test_range_is_cut_to_the_object(said, found):
    assert range_of(said, 10) == found


@pytest.mark.parametrize("said", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_range_outside_is_refused_with_the_size(said):
    with pytest.raises(S3Refused) as refused:
        range_of(said, 10)
    assert refused.value.headers == ((b"content-range", b"bytes */10"),)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, None),
        ({"if-match": '"x"'}, None),
        ({"if-match": '"y", "x"'}, None),
        ({"if-match": "*"}, None),
        ({"if-match": '"y"'}, "PreconditionFailed"),
        ({"if-none-match": '"x"'}, "NotModified"),
        ({"if-none-match": '"y"'}, None),
        ({"if-modified-since": "Thu, 01 Jan 1970 00:00:10 GMT"}, "NotModified"),
        ({"if-modified-since": "Thu, 01 Jan 1970 00:00:09 GMT"}, None),
        ({"if-unmodified-since": "Thu, 01 Jan 1970 00:00:09 GMT"}, "PreconditionFailed"),
        ({"if-unmodified-since": "not a time"}, None),
    ],
)
def test_conditions_hold_or_say_why(headers, code):
    if code is None:
        check_conditions(headers, "x", 10_500)
        return
    with pytest.raises(S3Refused) as refused:
        check_conditions(headers, "x", 10_500)
    assert refused.value.code == code
