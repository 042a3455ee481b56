"""The `[status]` table of `identity.toml`: status lists of other issuers, of which this daemon serves copies.

Example:

    [status]

    [[status.mirrors]]
    name = "city"
    anchors = "authorities.pem"             # who certifies who signs these lists
    lists = ["https://id.example/city/status/0"]
"""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from hutong.relay.config import Problem
from hutong.relay.config.api import is_loopback
from hutong.relay.config.fields import MAX_URL_CHARS, FilePath, Model, Name

MAX_MIRRORS = 64
MAX_LISTS = 4_096


def _check_list(url: str) -> str:
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
    if (
        len(url) > MAX_URL_CHARS
        or not parts.hostname
        or not is_safe
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise ValueError("must be an https URL of a list, without query, fragment or user")
    return url


class MirrorConfig(Model):
    """Lists of one issuer: `/mirror/NAME/0` is a copy of the first one that `lists` names, and so on."""

    name: Name
    anchors: FilePath
    """PEM: authorities that certify who signs these lists. A copy that they do not stand for is never served."""
    lists: Annotated[
        tuple[Annotated[str, AfterValidator(_check_list)], ...], Field(min_length=1, max_length=MAX_LISTS, strict=False)
    ]


class StatusConfig(Model):
    """Whose lists are served here."""

    mirrors: Annotated[tuple[MirrorConfig, ...], Field(min_length=1, max_length=MAX_MIRRORS, strict=False)]
    interval_s: Annotated[int, Field(ge=1, le=3_600)] = 5
    """How often each list is fetched. A copy is served until it expires, and never a list that is older than the last one."""


def status_file_problems(status: StatusConfig, table: str) -> Iterator[Problem]:
    """Files that are missing, and mirrors of one name."""
    seen: set[str] = set()
    for index, one in enumerate(status.mirrors):
        if not one.anchors.is_file():
            yield Problem(f"{table}.mirrors.{index}.anchors", f"there is no file {one.anchors}", "correct the path")
        if one.name in seen:
            yield Problem(f"{table}.mirrors.{index}.name", "is the name of another mirror", "give each its own")
        seen.add(one.name)
