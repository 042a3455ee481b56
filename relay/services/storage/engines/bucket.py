"""A bucket of any S3 engine: ranged reads, and creation that the engine refuses where the object is there.

Which engine and whose account are said by the standard environment variables alone, as for the archive's buckets
(`relay/base/s3_client.py`): nothing of it is in a configuration, a log or an error.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

from hutong.relay.base.s3_client import S3Unusable, kind_of, open_s3_client
from hutong.relay.services.storage.engines.engine import (
    MAX_OBJECT_BYTES,
    AlreadyThere,
    EngineFull,
    EngineUnavailable,
    NotThere,
    check_name,
)

ATTEMPTS: Final = 3
CONNECTIONS: Final = 64
MAX_TAG_CHARS: Final = 1_024
_LOCATION: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([a-z0-9]+(?:[/-][a-z0-9]+)*))?/?")
_MISSING: Final = ("404", "NoSuchKey", "NotFound")
_PAST_THE_END: Final = ("416", "InvalidRange")
_CONFLICT: Final = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
_FULL: Final = ("507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "ServiceQuotaExceededException")

Result = TypeVar("Result")


def open_bucket(location: str) -> "BucketEngine":
    """`s3://bucket/prefix`; nothing is asked of the engine yet.

    Raises:
        EngineUnavailable: it is no such location, the library is not installed, or the environment is unusable.
    """
    match = _LOCATION.fullmatch(location)
    if match is None:
        raise EngineUnavailable(f"{location[:80]} does not look like s3://bucket/prefix")
    try:
        client = open_s3_client(location, ATTEMPTS, CONNECTIONS)
    except S3Unusable as error:
        raise EngineUnavailable(str(error)) from None
    return BucketEngine(client, match[1], match[2] or "")


class BucketEngine:
    """See `Engine`. Tags are the engine's entity tags.

    Not durable by itself: engines of S3 answer before they sync (docs/storage/operator.md), and none says whether it did.
    """

    kind = "s3"
    is_durable = False

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def location(self) -> str:
        """`s3://bucket/prefix`, without the engine's address or account."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def create(self, name: str, octets: bytes) -> str:
        """See `Engine`: the engine compares in the same request.

        Raises:
            AlreadyThere, EngineFull, EngineUnavailable: see there.
        """
        return self._put(name, octets, {"IfNoneMatch": "*"})

    def replace(self, name: str, octets: bytes) -> str:
        """See `Engine`.

        Raises:
            EngineFull, EngineUnavailable: see there.
        """
        return self._put(name, octets, {})

    def read(self, name: str, start: int, size: int) -> bytes:
        """See `Engine`.

        Raises:
            NotThere, EngineUnavailable: see there.
        """
        return self._get(name, size, {"Range": f"bytes={start}-{start + size - 1}"})

    def read_back(self, name: str) -> bytes:
        """See `Engine`. Whether it comes from the engine's cache nobody can tell.

        Raises:
            NotThere, EngineUnavailable: see there.
        """
        return self._get(name, MAX_OBJECT_BYTES + 1, {})

    def delete(self, name: str) -> None:
        """See `Engine`.

        Raises:
            EngineUnavailable: see there.
        """
        try:
            self._ask(partial(self._client.delete_object, Bucket=self._bucket, Key=self._key(name)), name)
        except NotThere:
            return

    def names(self, prefix: str) -> Iterator[str]:
        """See `Engine`: one request for each page, made as the names are read.

        Raises:
            EngineUnavailable: see there.
        """
        token: dict[str, str] = {}
        while True:
            asked = {"Bucket": self._bucket, "Prefix": self._prefix + prefix, **token}
            page = self._ask(partial(self._client.list_objects_v2, **asked), prefix)
            for one in page.get("Contents", ()):
                yield one["Key"][len(self._prefix) :]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def free_bytes(self) -> int | None:
        """See `Engine`: S3 does not say."""
        return None

    def _key(self, name: str) -> str:
        return self._prefix + check_name(name)

    def _put(self, name: str, octets: bytes, condition: dict[str, str]) -> str:
        put = partial(self._client.put_object, Bucket=self._bucket, Key=self._key(name), Body=octets, **condition)
        return str(self._ask(put, name).get("ETag", ""))[:MAX_TAG_CHARS]

    def _get(self, name: str, size: int, condition: dict[str, str]) -> bytes:
        def get() -> bytes:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(name), **condition)
            with answer["Body"] as body:
                octets: bytes = body.read(size)
                return octets

        found = self._ask(get, name)
        if condition and not found:
            raise NotThere(name)
        return found

    def _ask(self, call: Callable[[], Result], name: str) -> Result:
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "no reason"))[:64]
            if code in _MISSING or code in _PAST_THE_END:
                raise NotThere(name) from None
            if code in _CONFLICT:
                raise AlreadyThere(name) from None
            kind = EngineFull if code in _FULL else EngineUnavailable
            raise kind(f"{self.location} refuses: {code}") from None
        except (BotoCoreError, HTTPError, OSError) as error:
            raise EngineUnavailable(f"{self.location} does not answer: {kind_of(error)}") from None
