"""An upload that goes on where it was cut, by tus 1.0.0 (docs/spec/storage-gateway-api.md)."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hutong.relay.cli.common.refusal import REFUSED, Refused

if TYPE_CHECKING:
    import httpx

STEP = 1 << 20
TUS = {"tus-resumable": "1.0.0"}


def fingerprint(file: Path) -> str:
    """Of a file as it is now: of another path, size or moment of change an upload is not gone on with."""
    status = file.stat()
    said = json.dumps([str(file.resolve()), status.st_size, status.st_mtime_ns])
    return hashlib.sha256(said.encode()).hexdigest()


def send_resuming(
    client: "httpx.Client",
    file: Path,
    place: tuple[str, str],
    headers: Mapping[str, str],
    told: Callable[[int], None],
) -> dict[str, Any]:
    """Begin an upload of the file, or go on with the one that was begun; returns what was stored.

    Args:
        place: bucket and key.
        told: of bytes that are stored or sent.

    Raises:
        Refused: the gateway does not take it.
        httpx.HTTPError: it does not answer.
    """
    size, name = file.stat().st_size, fingerprint(file)
    address = "/v1/uploads/" + "/".join(quote(one) for one in place)
    listed = _checked(client.get("/v1/uploads", params={"bucket": place[0], "key": place[1]}), 200).json()["uploads"]
    begun = next((one for one in reversed(listed) if one["name"] == name and one["length"] == size), None)
    offset = 0 if begun is None else int(begun["offset"])
    if begun is None:
        metadata = f"fingerprint {b64encode(name.encode()).decode()}"
        asked = {**headers, **TUS, "upload-length": str(size), "upload-metadata": metadata}
        address = _checked(client.post(address, headers=asked), 201).headers["location"]
    else:
        address = f"{address}?id={begun['id']}"
    told(offset)
    if size:
        _send(client, file, address, offset, told)
    final = _checked(client.head(address, headers=TUS), 200)
    return {
        "state": "stored",
        "bucket": place[0],
        "key": place[1],
        "id": final.headers["etag"].strip('"'),
        "size": size,
        "resumed_at": offset,
    }


def _send(client: "httpx.Client", file: Path, address: str, offset: int, told: Callable[[int], None]) -> None:
    def pieces() -> Iterator[bytes]:
        with file.open("rb") as source:
            source.seek(offset)
            while piece := source.read(STEP):
                yield piece
                told(len(piece))

    headers = {**TUS, "content-type": "application/offset+octet-stream", "upload-offset": str(offset)}
    headers["content-length"] = str(file.stat().st_size - offset)
    _checked(client.patch(address, content=pieces(), headers=headers), 204)


def _checked(answer: "httpx.Response", expected: int) -> "httpx.Response":
    if answer.status_code == expected:
        return answer
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        said = f"status {answer.status_code}"
    raise Refused(str(said), REFUSED)
