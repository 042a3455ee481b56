"""Uploads that go on where they were cut: tus 1.0.0 with the extensions creation and termination (docs/spec/storage-gateway-api.md).

What is acknowledged, by `Upload-Offset`, is stored: parts of an upload, each held by its operators before the offset counts it. A body
that is cut leaves what had come of it. So whoever was killed asks for the offset and sends the rest.
"""

import json
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from hutong.relay.base.http import Receive
from hutong.relay.services.storage.catalogue import packs
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, Statements
from hutong.relay.services.storage.catalogue.rows import Upload
from hutong.relay.services.storage.gateway.notes import (
    NOT_HEADERS,
    UPLOAD_LENGTH,
    UPLOAD_NAME,
    decode_note,
    encode_note,
)
from hutong.relay.services.storage.gateway.plain.body import ArrivingBody
from hutong.relay.services.storage.gateway.s3.answers import S3Answer, header
from hutong.relay.services.storage.gateway.store import (
    MAX_PARTS,
    Condition,
    NoSuchUpload,
    ObjectAsked,
    ObjectStore,
    etag_of,
)
from hutong.relay.web.problems import ApiProblem, Code

VERSION: Final = "1.0.0"
PART_BYTES: Final = 256 * 2**20
"""Of a body are stored together: three packs, so that one is filled while others are made and sent."""
MAX_BYTES: Final = 2**43
REMEMBERED_S: Final = 86_400
MAX_LISTED: Final = 1_000
MAX_NAME_CHARS: Final = 128
_COMMON: Final = (header("tus-resumable", VERSION), header("cache-control", "no-store"))
Place = tuple[str, bytes]


class ResumableUploads:
    """The calls of tus, at one address for each object: `/v1/uploads/BUCKET/KEY`, and `?id=` of one upload."""

    def __init__(
        self, store: ObjectStore, catalogue: CatalogueDatabase, now_s: Callable[[], int], part_bytes: int = PART_BYTES
    ) -> None:
        """`part_bytes`: of a body that are stored together."""
        self._store = store
        self._catalogue = catalogue
        self._now_s = now_s
        self._part_bytes = part_bytes
        self._busy: set[str] = set()

    def options(self) -> S3Answer:
        """What is spoken here."""
        said = (("tus-version", VERSION), ("tus-extension", "creation,termination"), ("tus-max-size", str(MAX_BYTES)))
        return S3Answer(204, (*_COMMON, *(header(*one) for one in said)))

    async def begin(self, target: str, asked: ObjectAsked, headers: Mapping[str, str]) -> S3Answer:
        """Begin an upload of as many bytes as it says.

        Args:
            target: the address of the object's uploads, as it was asked for.
            asked: the object, with what is kept of it.

        Raises:
            ApiProblem: no length, or one that nothing here has. And what the store raises.
        """
        if asked.condition != Condition():
            raise ApiProblem(Code.NOT_SUPPORTED, "conditions of an upload that may be cut are not supported")
        length = _number(headers, "upload-length")
        if length > MAX_BYTES:
            raise ApiProblem(Code.TOO_LARGE, f"an upload has at most {MAX_BYTES} bytes")
        metadata = _metadata(headers.get("upload-metadata", ""))
        note = {**decode_note(asked.note), UPLOAD_LENGTH: str(length)}
        if metadata.get("filetype", "").isprintable() and metadata.get("filetype"):
            note["content-type"] = metadata["filetype"]
        name = metadata.get("fingerprint") or metadata.get("filename") or ""
        note[UPLOAD_NAME] = name[:MAX_NAME_CHARS]
        upload = await self._store.begin_upload(asked.with_note(encode_note(note)))
        if length == 0:
            place = (asked.bucket, asked.key)
            await self._store_rest(place, upload, ArrivingBody(_nothing), 0)
            await self._complete(place, upload)
        told = (header("location", f"{target}?id={upload.id}"), header("upload-offset", "0"))
        return S3Answer(201, (*_COMMON, *told))

    async def offset(self, place: Place, name: str) -> S3Answer:
        """How many bytes are stored; all of them once the object is there.

        Raises:
            NoSuchUpload, BucketMissing: see the store.
        """
        try:
            upload = await self._store.upload(*place, name)
        except NoSuchUpload:
            done = await self._done(name)
            if done is None:
                raise
            return S3Answer(200, (*_COMMON, *_offset_of(done["size"], done["size"]), header("etag", done["etag"])))
        _, stored = await self._stored(upload)
        return S3Answer(200, (*_COMMON, *_offset_of(stored, _length_of(upload))))

    async def append(self, place: Place, name: str, headers: Mapping[str, str], receive: Receive) -> S3Answer:
        """Store bytes from an offset on, which is that of all before; the last make the object.

        Raises:
            ApiProblem: another offset, another kind of body, more bytes than were announced, or a second request of one upload.
            And what the store raises.
        """
        if headers.get("content-type") != "application/offset+octet-stream":
            raise ApiProblem(Code.UNSUPPORTED_MEDIA_TYPE, "send the bytes as application/offset+octet-stream")
        if "upload-checksum" in headers:
            raise ApiProblem(Code.NOT_SUPPORTED, "Upload-Checksum is not supported", status=400)
        upload = await self._store.upload(*place, name)
        if name in self._busy:
            raise ApiProblem(Code.CONFLICT, "another request is sending bytes of this upload", status=423)
        self._busy.add(name)
        try:
            _, stored = await self._stored(upload)
            if _number(headers, "upload-offset") != stored:
                raise ApiProblem(Code.CONFLICT, f"the upload has {stored} bytes: go on from there", status=409)
            stored = await self._store_rest(place, upload, ArrivingBody(receive), stored)
            told = _offset_of(stored, None)
            if stored == _length_of(upload):
                told = (*told, header("etag", await self._complete(place, upload)))
            return S3Answer(204, (*_COMMON, *told))
        finally:
            self._busy.discard(name)

    async def end(self, place: Place, name: str) -> S3Answer:
        """Give an upload up.

        Raises:
            NoSuchUpload, BucketMissing: see the store.
        """
        await self._store.end_upload(await self._store.upload(*place, name))
        return S3Answer(204, _COMMON)

    async def listed(self, bucket: str, key: bytes) -> list[dict[str, Any]]:
        """Uploads of one key that have not ended, the oldest first; `name` is the fingerprint or filename that its client gave.

        Raises:
            BucketMissing: see the store.
        """
        found = []
        for upload in await self._store.uploads(bucket, key, "", MAX_LISTED):
            note = decode_note(upload.note)
            if upload.key == key and UPLOAD_LENGTH in note:
                _, stored = await self._stored(upload)
                said = {
                    "id": upload.id,
                    "offset": stored,
                    "length": int(note[UPLOAD_LENGTH]),
                    "name": note[UPLOAD_NAME],
                }
                found.append(said)
        return found

    async def _store_rest(self, place: Place, upload: Upload, body: ArrivingBody, stored: int) -> int:
        """Part after part, until the body ends or is cut; returns the offset."""
        length = _length_of(upload)
        last, _ = await self._stored(upload)
        rest = _Parts(body, length - stored)
        while await rest.has_more() or (length == 0 and not last):
            if last == MAX_PARTS:
                raise ApiProblem(Code.TOO_LARGE, f"an upload comes in at most {MAX_PARTS} parts: send more at once")
            last += 1
            part = await self._store.put_part((*place, upload.id), last, rest.part(self._part_bytes))
            stored += part.size
        if body.is_cut:
            raise ApiProblem(Code.INVALID_REQUEST, f"the body did not arrive; {stored} bytes are stored")
        return stored

    async def _complete(self, place: Place, upload: Upload) -> str:
        parts = await self._store.parts(upload, 0, MAX_PARTS)
        note = {one: value for one, value in decode_note(upload.note).items() if one not in NOT_HEADERS}
        row = await self._store.complete(place[0], upload, parts, Condition(), note)
        etag = f'"{etag_of(row)}"'
        answer, now_s = json.dumps({"size": row.size, "etag": etag}).encode(), self._now_s()
        name, until_s = _remembered_as(upload.id), now_s + REMEMBERED_S
        await self._catalogue.run(lambda one: packs.remember_answer(one, name, answer, until_s, now_s))
        return etag

    async def _done(self, name: str) -> Any:
        now_s = self._now_s()
        found = await self._catalogue.run(lambda one: packs.remembered_answer(one, _remembered_as(name), now_s))
        return None if found is None else json.loads(found)

    async def _stored(self, upload: Upload) -> tuple[int, int]:
        def ask(one: Statements) -> tuple[int, int]:
            return packs.stored_of(one, upload.id)

        return await self._catalogue.run(ask)


class _Parts:
    """A body cut in parts. One that ends early ends the last part: what came of it is stored."""

    def __init__(self, body: ArrivingBody, most: int) -> None:
        self._body = body
        self._most = most
        self._left = b""
        self._came = 0

    async def has_more(self) -> bool:
        """Whether there are bytes for another part.

        Raises:
            ApiProblem: more bytes than were announced.
        """
        while not self._left and not self._body.is_ended and not self._body.is_cut:
            self._left = await self._next()
        return bool(self._left)

    def part(self, most: int) -> Callable[[], Awaitable[bytes]]:
        """Reads up to so many bytes of it."""
        left = most

        async def read() -> bytes:
            nonlocal left
            if left == 0:
                return b""
            octets = self._left or await self._next()
            some, self._left = octets[:left], octets[left:]
            left -= len(some)
            return some

        return read

    async def _next(self) -> bytes:
        octets = await self._body.read()
        self._came += len(octets)
        if self._came > self._most:
            raise ApiProblem(Code.TOO_LARGE, "more bytes than Upload-Length says")
        return octets


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def _remembered_as(upload: str) -> str:
    return f"upload {upload}"


def _length_of(upload: Upload) -> int:
    said = decode_note(upload.note).get(UPLOAD_LENGTH)
    if said is None:
        raise NoSuchUpload("this upload is one of S3's")
    return int(said)


def _offset_of(stored: int, length: int | None) -> tuple[tuple[bytes, bytes], ...]:
    told = header("upload-offset", str(stored))
    return (told,) if length is None else (told, header("upload-length", str(length)))


def _number(headers: Mapping[str, str], name: str) -> int:
    said = headers.get(name, "")
    if not said.isascii() or not said.isdecimal() or len(said) > 18:
        raise ApiProblem(Code.INVALID_REQUEST, f"{name} is a number of bytes", status=400)
    return int(said)


def _metadata(said: str) -> dict[str, str]:
    """`Upload-Metadata`: names, each with its value in base64, separated by commas.

    Raises:
        ApiProblem: another form.
    """
    found: dict[str, str] = {}
    for pair in filter(None, (one.strip() for one in said.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = b64decode(value, validate=True).decode()
        except ValueError:
            raise ApiProblem(Code.INVALID_REQUEST, "Upload-Metadata is not in its form", status=400) from None
    return found
