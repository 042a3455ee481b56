"""A bucket of any S3-compatible store as the place of an archive.

Which store and whose account are said by the standard environment variables alone (`AWS_ENDPOINT_URL_S3`, `AWS_REGION`,
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, or a profile): nothing of it is in a configuration, a log or an error.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.store.backend import Stored, WriteConflict
from hutong.relay.base.s3_client import S3Unusable, kind_of, open_s3_client

ATTEMPTS = 4
WRITERS = 8
DELETED_AT_ONCE = 1_000
"""As many as one request may name."""
_LOCATION = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.'()/-]{1,512}?))?/?")
_MISSING = ("404", "NoSuchKey", "NotFound")
_CONFLICT = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")

Result = TypeVar("Result")


def open_bucket(location: str) -> "Bucket":
    """`s3://bucket/prefix`; nothing is asked of the store yet.

    Raises:
        ArchiveUnavailable: it is no such location, the library is not installed, or the environment is unusable.
    """
    match = _LOCATION.fullmatch(location)
    if match is None:
        raise ArchiveUnavailable(f"{location[:80]} does not look like s3://bucket/prefix")
    try:
        client = open_s3_client(location, ATTEMPTS, 2 * WRITERS)
    except S3Unusable as error:
        raise ArchiveUnavailable(str(error)) from None
    return Bucket(client, match[1], match[2] or "")


class Bucket:
    """See `Backend`. A version is the store's entity tag; writes name the one that they replace, in the same request."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def location(self) -> str:
        """`s3://bucket/prefix`, without the store's address or account."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def read(self, name: str, most_bytes: int) -> Stored | None:
        """See `Backend`.

        Raises:
            ArchiveUnavailable: the store refuses or does not answer; never with its address.
        """

        def get() -> Stored:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            with answer["Body"] as body:
                return Stored(body.read(most_bytes + 1), answer["ETag"])

        return self._ask(get, absent=True)

    def write(self, name: str, data: bytes, expected: str | None) -> str:
        """See `Backend`: the store compares the version in the same request.

        Raises:
            WriteConflict: the store has another version, or none.
            ArchiveUnavailable: the store refuses or does not answer; then nobody knows whether it was written.
        """
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}

        def put() -> str:
            answer = self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data, **condition)
            version: str = answer["ETag"]
            return version

        written = self._ask(put, conflict=name)
        if written is None:  # the version that it was to replace is gone
            raise WriteConflict(f"{name} in {self.location} was changed by somebody else")
        return written

    def keep_all(self, files: Mapping[str, bytes]) -> None:
        """See `Backend`: WRITERS requests at once, each of which replaces what was there."""

        def keep(file: tuple[str, bytes]) -> None:
            name, data = file
            self._ask(lambda: self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data))

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(keep, files.items()))

    def delete_all(self, names: list[str]) -> None:
        """See `Backend`: DELETED_AT_ONCE names a request.

        Raises:
            ArchiveUnavailable: the store refuses one of them or does not answer.
        """
        for start in range(0, len(names), DELETED_AT_ONCE):
            keys = [{"Key": self._prefix + name} for name in names[start : start + DELETED_AT_ONCE]]
            delete = {"Objects": keys, "Quiet": True}
            answer = self._ask(partial(self._client.delete_objects, Bucket=self._bucket, Delete=delete))
            if answer and answer.get("Errors"):
                raise ArchiveUnavailable(
                    f"{self.location} does not delete: {answer['Errors'][0].get('Code', 'no reason')}"
                )

    def names(self, prefix: str) -> Iterator[str]:
        """See `Backend`: one request for each page, made as the names are read.

        Raises:
            ArchiveUnavailable: the store refuses or does not answer.
        """
        token: dict[str, str] = {}
        while True:
            arguments = {"Bucket": self._bucket, "Prefix": self._prefix + prefix, **token}
            page = self._ask(partial(self._client.list_objects_v2, **arguments)) or {}
            for one in page.get("Contents", ()):
                yield one["Key"][len(self._prefix) :]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def alone(self) -> AbstractContextManager[None]:
        """See `Backend`: a bucket holds nobody back, so a second writer meets `WriteConflict`."""
        return nullcontext()

    def _ask(self, call: Callable[[], Result], *, absent: bool = False, conflict: str | None = None) -> Result | None:
        """None where the key is not there and may be absent, or was to be replaced."""
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "no reason"))[:64]
            if code in _MISSING and (absent or conflict is not None):
                return None
            if code in _CONFLICT and conflict is not None:
                raise WriteConflict(f"{conflict} in {self.location} was changed by somebody else") from None
            raise ArchiveUnavailable(f"{self.location} refuses: {code}") from None
        except (BotoCoreError, HTTPError) as error:
            raise ArchiveUnavailable(f"{self.location} does not answer: {kind_of(error)}") from None
