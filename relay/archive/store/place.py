"""Where an archive is, in the words of a user: a folder, or `s3://bucket/prefix`."""

from pathlib import Path

from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.store.backend import Backend
from hutong.relay.archive.store.directory import Directory

S3_SCHEME = "s3://"


def open_backend(location: str) -> Backend:
    """The place of an archive, which need not exist yet.

    Raises:
        ArchiveUnavailable: the location cannot be one, or the library for it is not installed.
    """
    if location.startswith(S3_SCHEME):
        from hutong.relay.archive.store.s3 import open_bucket

        return open_bucket(location)
    if "://" in location:
        raise ArchiveUnavailable(f"{location[:80]} is not a place of an archive: give a folder or s3://bucket/prefix")
    return Directory(Path(location))
