"""`hutong storage put | get | ls | rm | status`: objects of a gateway, over plain HTTP."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    import httpx

STEP = 1 << 20
ANSWER_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Which gateway, and by which key."""

    url: Annotated[str, typer.Option(envvar="HUTONG_STORAGE_URL", help="Of the gateway.")] = "http://127.0.0.1:9000"
    key_file: Annotated[Path | None, typer.Option(help="File with a key of the gateway, hk_….")] = None
    key_env: Annotated[str, typer.Option(help="Or the environment variable that holds it.")] = "HUTONG_STORAGE_KEY"


Place = Annotated[str, typer.Argument(help="BUCKET/KEY.", metavar="BUCKET/KEY")]


def put(
    file: Annotated[Path, typer.Argument(help="What to store.", exists=True, dir_okay=False)],
    place: Place,
    gateway: GatewayOptions,
    retain_until: Annotated[int | None, typer.Option(help="Unix seconds up to which nobody removes it.")] = None,
    if_absent: Annotated[bool, typer.Option(help="Refuse where the key has an object.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier run of this command with this file was cut.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Store a file; returns once enough operators have receipted it and its batch is recorded.

    Exit codes: 0 stored, 1 refused or not stored, 2 unusable input.
    """
    headers = {"content-length": str(file.stat().st_size), "content-type": "application/octet-stream"}
    if retain_until is not None:
        headers["retain-until"] = str(retain_until)
    if if_absent:
        headers["if-none-match"] = "*"
    if resume:
        if if_absent:
            raise Refused("--resume and --if-absent do not go together", UNUSABLE)
        _put_resuming(file, place, gateway, headers, as_json=as_json)
        return
    with (
        _client(gateway) as client,
        file.open("rb") as source,
        _progress(file.stat().st_size, "sealing > sending") as told,
    ):

        def pieces() -> Iterator[bytes]:
            while piece := source.read(STEP):
                yield piece
                told(len(piece))

        answer = client.put(_target(place), content=pieces(), headers=headers)
    print_values(_document(answer), as_json=as_json)


def _put_resuming(file: Path, place: str, gateway: GatewayOptions, headers: dict[str, str], *, as_json: bool) -> None:
    from hutong.relay.cli.storage.resuming import send_resuming

    del headers["content-length"]
    bucket, key = _named(place)
    size = file.stat().st_size
    with _client(gateway) as client, _progress(size, "sealing > sending") as told:
        stored = send_resuming(client, file, (bucket, key), headers, told)
    print_values(stored, as_json=as_json)


def get(
    place: Place,
    gateway: GatewayOptions,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Where to write it; a file that is there is replaced at the end.")
    ],
) -> None:
    """Read an object into a file. What was not read whole and right leaves no file.

    Exit codes: 0 read, 1 there is none, or too few operators have it, 2 unusable input.
    """
    import httpx

    partial = out.with_name(f".{out.name}.part")
    try:
        with _client(gateway) as client, client.stream("GET", _target(place)) as answer:
            if answer.status_code != 200:
                answer.read()
                _refuse(answer)
            size = int(answer.headers.get("content-length", "0"))
            with partial.open("wb") as sink, _progress(size, "reading") as told:
                for piece in answer.iter_raw(STEP):
                    sink.write(piece)
                    told(len(piece))
            if partial.stat().st_size != size:
                raise Refused(f"the gateway ended after {partial.stat().st_size} of {size} bytes", REFUSED)
        partial.replace(out)
    except httpx.HTTPError as error:
        raise Refused(f"the object could not be read to its end: {error or type(error).__name__}", REFUSED) from None
    finally:
        partial.unlink(missing_ok=True)


def ls(
    bucket: Annotated[str | None, typer.Argument(help="Its keys; without it all buckets.")] = None,
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "",
    *,
    gateway: GatewayOptions,
    as_json: AsJson = False,
) -> None:
    """List buckets, or the keys of one, a line each.

    Exit codes: 0 listed, 1 there is no such bucket, 2 unusable input.
    """
    with _client(gateway) as client:
        if bucket is None:
            for one in _document(client.get("/v1/buckets"))["buckets"]:
                typer.echo(json.dumps(one) if as_json else one["name"])
            return
        after = ""
        while True:
            page = _document(client.get("/v1/keys", params={"bucket": bucket, "prefix": prefix, "after": after}))
            for one in page["objects"]:
                typer.echo(json.dumps(one) if as_json else f"{one['size']:>14}  {one['key']}")
            after = page["next"]
            if after is None:
                return


def rm(place: Place, gateway: GatewayOptions) -> None:
    """Remove an object. Its bytes go when its packs are compacted, by the rules of retention.

    Exit codes: 0 removed, 1 there is none, or it is retained, 2 unusable input.
    """
    with _client(gateway) as client:
        answer = client.delete(_target(place))
        if answer.status_code != 204:
            _refuse(answer)


def mb(
    bucket: Annotated[str, typer.Argument(help="Its name: 3 to 63 of a-z, 0-9, dots and hyphens.")],
    gateway: GatewayOptions,
) -> None:
    """Make a bucket.

    Exit codes: 0 made, 1 it is there, 2 unusable input.
    """
    with _client(gateway) as client:
        answer = client.put(f"/v1/buckets/{quote(bucket)}")
        if answer.status_code != 201:
            _refuse(answer)


def status(gateway: GatewayOptions, as_json: AsJson = False) -> None:
    """How many objects there are, what is pending, which batches lack an operator.

    Exit codes: 0 told, 1 refused, 2 the gateway does not answer.
    """
    with _client(gateway) as client:
        print_values(_document(client.get("/v1/status")), as_json=as_json)


@contextmanager
def _client(gateway: GatewayOptions) -> "Iterator[httpx.Client]":
    import httpx

    if gateway.key_file is not None:
        from hutong.relay.config import UnsafeFile, read_private_file

        try:
            key = read_private_file(gateway.key_file).decode("ascii", "replace").strip()
        except (UnsafeFile, OSError) as error:
            raise Refused(str(error), UNUSABLE) from None
    else:
        key = os.environ.get(gateway.key_env, "")
    if not key:
        raise Refused(f"give --key-file, or set {gateway.key_env}", UNUSABLE)
    headers = {"authorization": f"Bearer {key}", "accept-encoding": "identity"}
    timeout = httpx.Timeout(ANSWER_LIMIT_S, connect=10.0)
    try:
        with httpx.Client(base_url=gateway.url, headers=headers, timeout=timeout, trust_env=False) as client:
            yield client
    except httpx.HTTPError as error:
        raise Refused(f"{gateway.url} does not answer: {error or type(error).__name__}", UNUSABLE) from None


@contextmanager
def _progress(size: int, what: str) -> Iterator[Any]:
    """A bar with MB/s at a terminal; nothing for programs."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=size)
        yield lambda octets: progress.advance(task, octets)


def _named(place: str) -> tuple[str, str]:
    bucket, _, key = place.partition("/")
    if not bucket or not key:
        raise Refused("name an object as BUCKET/KEY", UNUSABLE)
    return bucket, key


def _target(place: str) -> str:
    bucket, key = _named(place)
    return f"/v1/objects/{quote(bucket)}/{quote(key)}"


def _document(answer: "httpx.Response") -> Any:
    if answer.status_code not in (200, 201):
        _refuse(answer)
    return answer.json()


def _refuse(answer: "httpx.Response") -> None:
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        said = f"status {answer.status_code}"
    raise Refused(str(said), REFUSED)
