"""`Range` and the conditions of a read (RFC 9110), as S3 has them: one range of bytes."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from hutong.relay.services.storage.gateway.s3.errors import S3Refused

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def range_of(said: str | None, size: int) -> tuple[int, int] | None:
    """First byte, and last byte and 1, of a range; None for the whole: nothing was said, or what is not one range of bytes.

    Raises:
        S3Refused: the object has no such bytes.
    """
    match = None if said is None else _RANGE.fullmatch(said.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if size == 0 and not match[1] and int(match[2]):
        return None  # the last bytes of none: the whole
    if match[1]:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    else:
        start, end = max(0, size - int(match[2])), size
    if start >= size or start >= end:
        raise S3Refused(
            "InvalidRange", f"the object has {size} bytes", ((b"content-range", f"bytes */{size}".encode()),)
        )
    return start, end


def check_conditions(headers: Mapping[str, str], etag: str, modified_ms: int) -> None:
    """If-Match, If-None-Match, If-Unmodified-Since, If-Modified-Since of a read, in the order of RFC 9110, 13.2.2.

    Raises:
        S3Refused: PreconditionFailed or NotModified.
    """
    if "if-match" in headers:
        if not names(headers["if-match"], etag):
            raise S3Refused("PreconditionFailed", "the object has another ETag")
    elif _later(modified_ms, headers.get("if-unmodified-since")):
        raise S3Refused("PreconditionFailed", "the object was changed since")
    told = ((b"etag", f'"{etag}"'.encode()),)
    if "if-none-match" in headers:
        if names(headers["if-none-match"], etag):
            raise S3Refused("NotModified", "the object has this ETag", told)
    elif "if-modified-since" in headers and _later(modified_ms, headers["if-modified-since"]) is False:
        raise S3Refused("NotModified", "the object was not changed since", told)


def names(listed: str, etag: str) -> bool:
    """Whether a list of ETags names this one."""
    return listed.strip() == "*" or etag in [one.strip().removeprefix("W/").strip('"') for one in listed.split(",")]


def _later(modified_ms: int, said: str | None) -> bool | None:
    """Whether the object was changed after the time that is said; None where that is no time."""
    if said is None:
        return None
    try:
        return modified_ms // 1_000 > int(parsedate_to_datetime(said).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
