"""A storage gateway as a case uses it: plain HTTP."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from hutong.relay.cases.operator import StorageNetwork

REQUEST_TIMEOUT_S = 600
"""A put is answered when enough operators hold it and the hub has its batch."""


class ObjectDoor:
    """The gateway's plain HTTP, with the key of its owner (docs/spec/storage-gateway-api.md)."""

    def __init__(self, network: StorageNetwork, bucket: str) -> None:
        self._client = httpx.Client(
            base_url=network.url,
            headers={"authorization": f"Bearer {network.api_key}"},
            timeout=REQUEST_TIMEOUT_S,
            trust_env=False,
        )
        self._bucket = bucket

    def make_bucket(self) -> None:
        """Make it, where it is not there yet."""
        made = self._client.put(f"/v1/buckets/{self._bucket}")
        if made.status_code != httpx.codes.CONFLICT:
            made.raise_for_status()

    def put(self, key: str, octets: Iterable[bytes], digest: bytes, retain_until_s: int) -> dict[str, Any]:
        """Store an object whose SHA-256 is `digest`; what the gateway answers.

        Raises:
            httpx.HTTPStatusError: it was not stored.
        """
        headers = {"content-digest": f"sha-256=:{b64encode(digest).decode()}:", "retain-until": str(retain_until_s)}
        answer = self._client.put(self._path(key), content=octets, headers=headers)
        stored: dict[str, Any] = answer.raise_for_status().json()
        return stored

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[bytes]]:
        """The octets of an object, piece by piece, for a `with`.

        Raises:
            httpx.HTTPError: it cannot be read, or not to its end.
        """
        with self._client.stream("GET", self._path(key)) as answer:
            answer.raise_for_status()
            yield answer.iter_bytes()

    def remove(self, key: str) -> int:
        """Ask for an object's end; the status of the answer."""
        return self._client.delete(self._path(key)).status_code

    def _path(self, key: str) -> str:
        return f"/v1/objects/{self._bucket}/{key}"
