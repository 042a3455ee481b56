"""The explorer: files of this package, read once. A request names one of them or nothing; no path is ever made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match

from hutong.relay.api.reading.answer_cache import etag_of
from hutong.relay.web.problems import ApiProblem, Code

INDEX = "index.html"
MAX_FILES = 64
MAX_FILE_BYTES = 2 * 1024 * 1024
TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}

_NONE = b"""<!doctype html><meta charset="utf-8"><title>hutong</title>
<p>This installation has no explorer. The API is at <a href="/v1/status">/v1/status</a>.</p>
"""


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    content_type: str
    etag: bytes


def explorer_files() -> dict[str, StaticFile]:
    """The explorer's files by path below `/`; the page itself is `index.html`, and there is always one.

    Files of other types, larger than MAX_FILE_BYTES or beyond MAX_FILES are left out.
    """
    found: dict[str, StaticFile] = {}
    _collect(files("hutong.relay.api") / "explorer", "", found)
    found.setdefault(INDEX, StaticFile(_NONE, TYPES["html"], etag_of(_NONE)))
    return found


def _collect(folder: Traversable, prefix: str, found: dict[str, StaticFile]) -> None:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            _collect(entry, f"{name}/", found)
            continue
        content_type = TYPES.get(name.rpartition(".")[2])
        if content_type is None or len(found) == MAX_FILES:
            continue
        content = entry.read_bytes()
        if len(content) <= MAX_FILE_BYTES:
            found[name] = StaticFile(content, content_type, etag_of(content))


def _refuse_other_method(request: Request, routes: Sequence[BaseRoute]) -> None:
    """The page's route answers GET everywhere, so that an address which takes POST alone would seem to be none."""
    for route in routes:
        if isinstance(route, APIRoute) and route.matches(request.scope)[0] is Match.PARTIAL:
            allowed = ", ".join(sorted(route.methods or ()))
            raise ApiProblem(Code.METHOD_NOT_ALLOWED, f"this address takes {allowed}", headers={"Allow": allowed})


def explorer_router(others: Sequence[BaseRoute]) -> APIRouter:
    """A router that takes every path which is left by `others`: last in the application.

    A path that one of `others` takes by another method is answered with 405, any other unknown one with 404.
    """
    router = APIRouter(include_in_schema=False)
    known = explorer_files()

    @router.get("/{path:path}")
    async def explorer(path: str, request: Request) -> Response:
        found = known.get(path or INDEX)
        if found is None:
            _refuse_other_method(request, others)
            raise ApiProblem(
                Code.NOT_FOUND, "there is nothing at this address; the API is under /v1, see /openapi.json"
            )
        headers = {"etag": found.etag.decode(), "cache-control": "no-cache"}
        if request.headers.get("if-none-match", "").encode() == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, 200, headers, media_type=found.content_type)

    return router
