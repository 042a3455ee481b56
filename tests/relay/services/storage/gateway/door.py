"""The S3 door over a real catalogue, asked without a socket, and with no operator: what is refused is refused before one is needed."""

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hutong.relay.services.storage.catalogue.database import open_catalogue
from hutong.relay.services.storage.gateway.batches import Desk
from hutong.relay.services.storage.gateway.committing import Committer
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.s3.app import S3App, S3Settings
from hutong.relay.services.storage.gateway.store import Doors, ObjectStore
from hutong.relay.services.storage.rules.s3.request import S3Request

NOW = 1_768_004_130


@contextmanager
def open_store(home: Path, desk: Any = None, pipeline: Any = None):
    """A store and a reader; without a desk nothing can be stored."""
    root = bytes([5]) * 32
    with open_catalogue(home) as catalogue:
        committer = Committer(desk or Desk(None, {}, None), pipeline, catalogue, root)  # type: ignore[arg-type]
        store = ObjectStore(Doors(catalogue, committer, pipeline, root, lambda: NOW * 1_000))  # type: ignore[arg-type]
        yield store, Reader({}, catalogue, bytes([6]) * 32, root), catalogue


@contextmanager
def open_door(home: Path, secrets: Mapping[str, str], now_s: int = NOW, region: str = "us-east-1"):
    with open_store(home) as (store, reader, catalogue):
        yield S3App(S3Settings(region, secrets.get, lambda: now_s), store, reader), catalogue


async def ask(app: Any, request: S3Request, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.key_path.decode("utf-8", "replace"),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, b"".join(one.get("body", b"") for one in sent[1:])


def code_of(body: bytes) -> str:
    """The code of a refusal."""
    return body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
