"""PutObject, GetObject, HeadObject, DeleteObject, DeleteObjects, retention."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.catalogue.rows import MAX_RETAIN_UNTIL_S, ObjectRow
from hutong.relay.services.storage.gateway.notes import (
    CHECKSUM_TYPE,
    DEFAULT_TYPE,
    NOT_HEADERS,
    PARTS,
    NoteTooLarge,
    decode_note,
    encode_note,
    note_of,
)
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.s3 import xml
from hutong.relay.services.storage.gateway.s3.answers import S3Answer, header
from hutong.relay.services.storage.gateway.s3.call import S3Call
from hutong.relay.services.storage.gateway.s3.checksums import ALGORITHMS, PREFIX, Checksum, ChecksumType
from hutong.relay.services.storage.gateway.s3.errors import XML, S3Refused, argument_refused
from hutong.relay.services.storage.gateway.s3.ranges import check_conditions, range_of
from hutong.relay.services.storage.gateway.store import (
    MAX_PARTS,
    Condition,
    ObjectAsked,
    ObjectStore,
    Retained,
    etag_of,
)

MAX_PUT_BYTES: Final = 5 * 2**30
"""Of one request, as S3 has it."""
LOCK_MODE: Final = "x-amz-object-lock-mode"
LOCK_UNTIL: Final = "x-amz-object-lock-retain-until-date"
_UNSUPPORTED: Final = (
    "x-amz-copy-source",
    "x-amz-tagging",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-website-redirect-location",
    "x-amz-object-lock-legal-hold",
    "x-amz-grant-read",
    "x-amz-grant-write",
    "x-amz-grant-full-control",
    "x-amz-write-offset-bytes",
)
_OVERRIDES: Final = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)


def no_such_condition() -> S3Refused:
    """If-None-Match of a put is * or nothing."""
    return S3Refused(
        "NotImplemented",
        "A header you provided implies functionality that is not implemented.",
        fields=(("Header", "If-None-Match"),),
    )


class ObjectCalls:
    """Calls of one object."""

    def __init__(self, store: ObjectStore, reader: Reader) -> None:
        self._store = store
        self._reader = reader

    async def put(self, call: S3Call) -> S3Answer:
        """PutObject.

        Raises:
            S3Refused: see docs/spec/storage-s3.md; and what the store raises.
        """
        asked = asked_of(call, self._store.now_s())
        body = call.body(MAX_PUT_BYTES)

        def note() -> bytes:
            checksum = body.checksum
            kept = {**decode_note(asked.note), checksum.algorithm.header: checksum.value}
            return encode_note({**kept, CHECKSUM_TYPE: checksum.kind.value})

        row = await self._store.put(asked, body.read, note)
        return S3Answer(200, (header("etag", f'"{etag_of(row)}"'), *_checksums(row)))

    async def get(self, call: S3Call) -> S3Answer:
        """GetObject and HeadObject.

        Raises:
            S3Refused: see there.
            Unreadable: too few operators have the object's first bytes.
        """
        if "partNumber" in call.parameters:
            part_number(call.parameters["partNumber"])
        row = await self._row(call)
        check_conditions(call.headers, etag_of(row), row.modified_ms)
        headers = list(object_headers(row, call.parameters))
        cut: tuple[int, int] | None
        if "partNumber" in call.parameters:
            cut, parts = await self._part(call, row)
            headers += [header("x-amz-mp-parts-count", str(parts))] if parts else []
        else:
            cut = range_of(call.headers.get("range"), row.size)
        start, end = cut or (0, row.size)
        is_whole = (start, end) == (0, row.size)
        if is_whole and call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers += _checksums(row)
        headers.append(header("content-length", str(end - start)))
        if cut is not None and row.size:
            headers.append(header("content-range", f"bytes {start}-{end - 1}/{row.size}"))
        status = 200 if cut is None else 206
        if call.request.method == "HEAD":
            return S3Answer(status, tuple(headers), stream=_nothing)
        if start == end:
            return S3Answer(status, tuple(headers), stream=_nothing)
        # Read before the status is sent: an object that cannot be read is an error, and not a body of no bytes.
        found = await self._reader.open(row)

        async def stream(write: Callable[[bytes], Awaitable[None]]) -> None:
            await self._reader.read(found, start, end, write)

        return S3Answer(status, tuple(headers), stream=stream)

    async def _part(self, call: S3Call, row: ObjectRow) -> tuple[tuple[int, int], int]:
        """The range of the part that is asked for, and how many the object has; 0 for one that did not come in parts."""
        number = part_number(call.parameters["partNumber"])
        if "range" in call.headers:
            raise S3Refused("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        parts = int(decode_note(row.note).get(PARTS, "0"))
        if number > max(parts, 1):
            fields = (("ActualPartCount", str(max(parts, 1))), ("PartNumberRequested", str(number)))
            raise S3Refused("InvalidPartNumber", "", fields=fields)
        if not parts:
            return (0, row.size), 0
        sizes = [one.manifest.size for one in (await self._reader.open(row)).segments]
        start = sum(sizes[: number - 1])
        return (start, start + sizes[number - 1]), parts

    async def delete(self, call: S3Call) -> S3Answer:
        """DeleteObject: 204 whether it was there or not, as S3 has it.

        Raises:
            S3Refused: see there; and what the store raises.
        """
        if "versionId" in call.parameters:
            raise S3Refused("NotImplemented", "versions are not supported")
        await self._store.remove(call.bucket, call.key, Condition(etag=_etag(call.headers.get("if-match"))))
        return S3Answer(204)

    async def delete_many(self, call: S3Call) -> S3Answer:
        """DeleteObjects, up to 1 000 keys.

        Raises:
            S3Refused: see there; and what the store raises of the bucket.
        """
        octets = await call.body(xml.MAX_XML_BYTES).whole()
        await self._store.bucket(call.bucket)
        try:
            root = xml.parse(octets, "Delete")
            keys = [xml.text_of(one, "Key") for one in xml.children(root, "Object", xml.MAX_NAMED)]
        except xml.MalformedXml as error:
            raise S3Refused("MalformedXML", str(error)) from None
        is_quiet = (root.findtext("Quiet") or "").lower() == "true"
        parts = []
        for key in keys:
            try:
                await self._store.remove(call.bucket, key.encode())
            except Retained as error:
                parts.append(
                    xml.element(
                        "Error", xml.text("Key", key), xml.text("Code", "AccessDenied"), xml.text("Message", error)
                    )
                )
                continue
            if not is_quiet:
                parts.append(xml.element("Deleted", xml.text("Key", key)))
        return S3Answer(200, ((b"content-type", XML),), xml.document("DeleteResult", *parts))

    async def retention(self, call: S3Call) -> S3Answer:
        """GetObjectRetention.

        Raises:
            S3Refused: see there.
        """
        row = await self._row(call)
        if row.retain_until_s == 0:
            raise S3Refused("NoSuchObjectLockConfiguration", "the object has no retention")
        until = xml.text("RetainUntilDate", xml.iso_time(row.retain_until_s * 1_000))
        body = xml.document("Retention", xml.text("Mode", "COMPLIANCE"), until)
        return S3Answer(200, ((b"content-type", XML),), body)

    async def _row(self, call: S3Call) -> ObjectRow:
        if "versionId" in call.parameters:
            raise S3Refused("NotImplemented", "versions are not supported")
        row = await self._store.find(call.bucket, call.key)
        if row is None:
            raise S3Refused("NoSuchKey", "there is no object of this key", fields=(("Key", call.key.decode()),))
        return row


def part_number(said: str) -> int:
    """1 to `MAX_PARTS`.

    Raises:
        S3Refused: no such number.
    """
    if not re.fullmatch(r"[0-9]{1,5}", said) or not 1 <= int(said) <= MAX_PARTS:
        raise argument_refused(
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive.", "partNumber", said
        )
    return int(said)


async def _nothing(write: Callable[[bytes], Awaitable[None]]) -> None:
    """The body of an answer to HEAD."""


def asked_of(call: S3Call, now_s: int) -> ObjectAsked:
    """What a put's headers ask for.

    Raises:
        S3Refused: something that is not supported, or not well-formed.
    """
    headers = call.headers
    for name in _UNSUPPORTED:
        if name in headers:
            raise S3Refused("NotImplemented", f"{name} is not supported")
    if headers.get("x-amz-acl", "private") not in ("private", "bucket-owner-full-control"):
        raise S3Refused("NotImplemented", "access lists are not supported: objects are their keys' alone")
    if headers.get("x-amz-storage-class", "STANDARD") != "STANDARD":
        raise S3Refused("NotImplemented", "storage classes are not supported")
    if headers.get("if-none-match", "*") != "*":
        raise no_such_condition()
    try:
        note = note_of(headers)
    except NoteTooLarge as error:
        raise S3Refused("MetadataTooLarge", str(error), fields=error.fields) from None
    except MalformedInput as error:
        raise S3Refused("InvalidArgument", str(error)) from None
    condition = Condition("if-none-match" in headers, _etag(headers.get("if-match")))
    return ObjectAsked(call.bucket, call.key, note, _retained(headers, now_s), condition)


def _etag(said: str | None) -> str | None:
    if said is None:
        return None
    return said.strip().strip('"')


def _retained(headers: Mapping[str, str], now_s: int) -> int:
    mode, until = headers.get(LOCK_MODE), headers.get(LOCK_UNTIL)
    if mode is None and until is None:
        return 0
    if mode is None or until is None:
        missing = LOCK_MODE if mode is None else LOCK_UNTIL
        raise argument_refused(f"{LOCK_UNTIL} and {LOCK_MODE} must both be supplied.", missing, "")
    if mode not in ("COMPLIANCE", "GOVERNANCE"):
        raise argument_refused("Unknown wormMode directive.", LOCK_MODE, mode)
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argument_refused("The retain until date must be provided in ISO 8601 format", LOCK_UNTIL, until)
    if moment.timestamp() <= now_s:
        raise argument_refused("The retain until date must be in the future!", LOCK_UNTIL, until)
    if moment.timestamp() > MAX_RETAIN_UNTIL_S:
        raise argument_refused("The retain until date must be before the year 10000", LOCK_UNTIL, until)
    if mode != "COMPLIANCE":
        raise S3Refused("NotImplemented", "retention has the mode COMPLIANCE: nobody ends it early")
    return int(moment.timestamp())


def object_headers(row: ObjectRow, parameters: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """What HEAD and GET answer of an object; `response-…` parameters of a signed request take the place of its own."""
    note = decode_note(row.note)
    # A checksum is told where it is asked for.
    kept = {name: value for name, value in note.items() if name not in NOT_HEADERS and not name.startswith(PREFIX)}
    shown = {"content-type": DEFAULT_TYPE, **kept}
    for name in _OVERRIDES:
        if f"response-{name}" in parameters:
            shown[name] = parameters[f"response-{name}"]
    if row.retain_until_s:
        shown[LOCK_UNTIL] = xml.iso_time(row.retain_until_s * 1_000)
    return (
        header("etag", f'"{etag_of(row)}"'),
        header("last-modified", xml.http_time(row.modified_ms)),
        header("accept-ranges", "bytes"),
        *(header(name, value) for name, value in shown.items()),
    )


def checksum_of(row: ObjectRow) -> Checksum | None:
    """The checksum that is kept of an object; None where there is none."""
    note = decode_note(row.note)
    for algorithm in ALGORITHMS.values():
        value = note.get(algorithm.header)
        if value is not None:
            kind = ChecksumType(note.get(CHECKSUM_TYPE, ChecksumType.FULL_OBJECT.value))
            return Checksum(algorithm, value, kind)
    return None


def _checksums(row: ObjectRow) -> tuple[tuple[bytes, bytes], ...]:
    checksum = checksum_of(row)
    return () if checksum is None else tuple(header(name, value) for name, value in checksum.headers)
