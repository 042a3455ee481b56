"""CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload, ListParts, ListMultipartUploads."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.catalogue.rows import ObjectRow, PartRow
from hutong.relay.services.storage.gateway.notes import (
    CHECKSUM_ALGORITHM,
    CHECKSUM_TYPE,
    NOT_HEADERS,
    PARTS,
    decode_note,
    encode_note,
)
from hutong.relay.services.storage.gateway.s3 import xml
from hutong.relay.services.storage.gateway.s3.answers import S3Answer, header
from hutong.relay.services.storage.gateway.s3.bucket_calls import OWNER
from hutong.relay.services.storage.gateway.s3.call import S3Call
from hutong.relay.services.storage.gateway.s3.checksums import (
    ALGORITHMS,
    DEFAULT,
    PREFIX,
    Algorithm,
    Checksum,
    ChecksumType,
    algorithm_named,
    invalid,
    octets_of,
    of_parts,
    said_of_whole,
    type_of_upload,
)
from hutong.relay.services.storage.gateway.s3.errors import XML, S3Refused, argument_refused
from hutong.relay.services.storage.gateway.s3.object_calls import (
    MAX_PUT_BYTES,
    asked_of,
    checksum_of,
    no_such_condition,
    part_number,
)
from hutong.relay.services.storage.gateway.s3.upload_listing import listed_uploads
from hutong.relay.services.storage.gateway.store import (
    MAX_PARTS,
    Condition,
    NoSuchUpload,
    ObjectStore,
    etag_of,
    part_etag,
)
from hutong.relay.services.storage.rules.objects.cid import parse_cid

_SIZE: Final = "x-amz-mp-object-size"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What an upload says of checksums; `is_asked` where its client named an algorithm."""

    algorithm: Algorithm
    kind: ChecksumType
    is_asked: bool

    @classmethod
    def of(cls, note: Mapping[str, str]) -> "_Rule":
        name = note.get(CHECKSUM_ALGORITHM)
        if name is None:
            return cls(ALGORITHMS[DEFAULT], ChecksumType.FULL_OBJECT, False)
        return cls(ALGORITHMS[name], ChecksumType(note[CHECKSUM_TYPE]), True)


@dataclass(frozen=True, slots=True)
class _NamedPart:
    number: int
    etag: str
    checksum: tuple[Algorithm, str] | None


class UploadCalls:
    """Calls of an upload in parts."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def begin(self, call: S3Call) -> S3Answer:
        """CreateMultipartUpload.

        Raises:
            S3Refused: see docs/spec/storage-s3.md. BucketMissing: see the store.
        """
        asked = asked_of(call, self._store.now_s())
        said, kind = call.headers.get(f"{PREFIX}algorithm"), call.headers.get(f"{PREFIX}type")
        told = []
        if said:
            algorithm = algorithm_named(said)
            chosen = type_of_upload(algorithm, kind)
            kept = {CHECKSUM_ALGORITHM: algorithm.name, CHECKSUM_TYPE: chosen.value}
            asked = asked.with_note(encode_note({**decode_note(asked.note), **kept}))
            told = [header(f"{PREFIX}algorithm", algorithm.name.upper()), header(f"{PREFIX}type", chosen.value)]
        elif kind:
            if kind.upper() not in set(ChecksumType):
                raise invalid(f"{PREFIX}type")
            raise S3Refused(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
        upload = await self._store.begin_upload(asked)
        return _document(
            "InitiateMultipartUploadResult",
            xml.text("Bucket", call.bucket),
            xml.text("Key", call.key.decode()),
            xml.text("UploadId", upload.id),
            headers=told,
        )

    async def part(self, call: S3Call) -> S3Answer:
        """UploadPart.

        Raises:
            S3Refused: see there; and what the store raises.
        """
        if "x-amz-copy-source" in call.headers:
            raise S3Refused("NotImplemented", "copies are not supported")
        number = part_number(call.parameters.get("partNumber", ""))
        place = (call.bucket, call.key, call.parameters["uploadId"])
        rule = _Rule.of(decode_note((await self._store.upload(*place)).note))
        body = call.body(MAX_PUT_BYTES, rule.algorithm)
        if rule.is_asked:
            _check_kind(rule, body.announced.algorithm if body.announced.is_asked else None)

        part = await self._store.put_part(place, number, body.read, lambda: body.kept.value)
        shown = [body.kept] if not body.announced.is_asked else [body.checksum]
        sums = [header(one.algorithm.header, one.value) for one in shown]
        return S3Answer(200, (header("etag", f'"{part_etag(part)}"'), *sums))

    async def complete(self, call: S3Call) -> S3Answer:
        """CompleteMultipartUpload. One that is asked again after it was done is answered as then.

        Raises:
            S3Refused: see there; and what the store raises.
        """
        if call.headers.get("if-none-match", "*") != "*":
            raise no_such_condition()
        body = call.body(xml.MAX_XML_BYTES, ignores_checksums=True)
        named = _named(await body.whole())
        said = said_of_whole(call.headers)
        place = (call.bucket, call.key, call.parameters["uploadId"])
        try:
            upload = await self._store.upload(*place)
        except NoSuchUpload:
            row = await self._completed(call, named)
            if row is None:
                raise
            return _completed_document(call, row)
        rule = _Rule.of(decode_note(upload.note))
        chosen = await self._store.named_parts(upload, [(one.number, one.etag) for one in named])
        _check_parts(rule, named, chosen)
        checksum = _whole(rule, chosen)
        _check_whole(call, rule, (said, checksum), sum(part.size for part in chosen))
        etag = call.headers.get("if-match")
        condition = Condition("if-none-match" in call.headers, None if etag is None else etag.strip('"'))
        note = {name: value for name, value in decode_note(upload.note).items() if name not in NOT_HEADERS}
        if checksum is not None:
            note |= {checksum.algorithm.header: checksum.value, CHECKSUM_TYPE: checksum.kind.value}
        return _completed_document(call, await self._store.complete(call.bucket, upload, chosen, condition, note))

    async def _completed(self, call: S3Call, named: Sequence[_NamedPart]) -> ObjectRow | None:
        """The object that these parts were made to; None where the key has another."""
        row = await self._store.find(call.bucket, call.key)
        if row is None or decode_note(row.note).get(PARTS) != str(len(named)):
            return None
        try:
            digests = [parse_cid(one.etag).digest for one in named]
        except MalformedInput:
            return None
        return row if sha256(b"".join(digests)).digest() == row.digest else None

    async def abort(self, call: S3Call) -> S3Answer:
        """AbortMultipartUpload.

        Raises:
            NoSuchUpload: see the store.
        """
        await self._store.end_upload(await self._store.upload(call.bucket, call.key, call.parameters["uploadId"]))
        return S3Answer(204)

    async def uploads(self, call: S3Call) -> S3Answer:
        """ListMultipartUploads.

        Raises:
            S3Refused: see there. BucketMissing: see the store.
        """
        return S3Answer(200, ((b"content-type", XML),), await listed_uploads(self._store, call))

    async def parts(self, call: S3Call) -> S3Answer:
        """ListParts.

        Raises:
            S3Refused: see there. NoSuchUpload: see the store.
        """
        upload = await self._store.upload(call.bucket, call.key, call.parameters["uploadId"])
        after, most = call.number("part-number-marker", 0, 2**31), call.number("max-parts", 1_000, 1_000)
        found = await self._store.parts(upload, min(after, MAX_PARTS), most + 1)
        shown = found[:most]
        rule = _Rule.of(decode_note(upload.note))
        listed = [_listed_part(part, rule) for part in shown]
        return _document(
            "ListPartsResult",
            xml.text("Bucket", call.bucket),
            xml.text("Key", call.key.decode()),
            xml.text("UploadId", upload.id),
            OWNER,
            OWNER.replace("Owner>", "Initiator>"),
            xml.text("StorageClass", "STANDARD"),
            xml.text("PartNumberMarker", after),
            xml.text("NextPartNumberMarker", shown[-1].number if shown else 0),
            xml.text("MaxParts", most),
            xml.text("IsTruncated", "true" if len(found) > most else "false"),
            xml.text("ChecksumAlgorithm", rule.algorithm.name.upper()) if rule.is_asked else "",
            xml.text("ChecksumType", rule.kind.value) if rule.is_asked else "",
            *listed,
        )


def _check_kind(rule: _Rule, announced_as: Algorithm | None) -> None:
    name = "null" if announced_as is None else announced_as.name.upper()
    is_other = announced_as not in (None, rule.algorithm)
    if is_other or (announced_as is None and rule.kind is ChecksumType.COMPOSITE):
        expected = rule.algorithm.name.upper()
        raise S3Refused(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {name}",
        )


def _check_parts(rule: _Rule, named: Sequence[_NamedPart], chosen: Sequence[PartRow]) -> None:
    """What the list says of parts' checksums, against what came."""
    for one, part in zip(named, chosen, strict=True):
        if one.checksum is None:
            if rule.is_asked and rule.kind is ChecksumType.COMPOSITE:
                raise S3Refused(
                    "InvalidRequest",
                    f"The upload was created using a {rule.algorithm.name} checksum. The complete request must include the"
                    f" checksum for each part. It was missing for part {one.number} in the request.",
                )
            continue
        algorithm, value = one.checksum
        if algorithm is rule.algorithm:
            if value != part.checksum:
                raise S3Refused("InvalidPart", "")
        elif rule.is_asked:
            raise S3Refused(
                "BadDigest",
                f"The {algorithm.name} you specified for part {one.number} did not match what we received.",
            )


def _whole(rule: _Rule, chosen: Sequence[PartRow]) -> Checksum | None:
    """The object's; None where parts came before hutong kept theirs."""
    values = [(octets_of(part.checksum, rule.algorithm.size), part.size) for part in chosen]
    known = [(value, size) for value, size in values if value is not None]
    return of_parts(rule.algorithm, rule.kind, known) if len(known) == len(values) else None


def _check_whole(
    call: S3Call, rule: _Rule, checksums: tuple[tuple[Algorithm, str] | None, Checksum | None], size: int
) -> None:
    """What the request says of the whole object."""
    said_size, said_type = call.headers.get(_SIZE), call.headers.get(f"{PREFIX}type")
    if said_size is not None:
        if not re.fullmatch(r"-?[0-9]{1,18}", said_size):
            raise S3Refused("InvalidRequest", f"Value for {_SIZE} header is invalid: '{said_size}'")
        if int(said_size) < 0:
            raise S3Refused("InvalidRequest", f"Value for {_SIZE} header is less than zero: '{said_size}'")
        if int(said_size) != size:
            raise S3Refused(
                "InvalidRequest",
                f"The provided '{_SIZE}' header value {said_size} does not match what was computed: {size}",
            )
    if said_type is not None:
        if said_type.upper() not in set(ChecksumType):
            raise invalid(f"{PREFIX}type")
        if said_type.upper() != rule.kind:
            raise S3Refused(
                "InvalidRequest",
                f"The upload was created using the {rule.kind.value} checksum mode. The complete request must use the same"
                " checksum mode.",
            )
    said, checksum = checksums
    if not rule.is_asked or said is None or said[0] is not rule.algorithm or checksum is None:
        return
    if said[1] not in (checksum.value, checksum.value.partition("-")[0]):
        raise S3Refused(
            "BadDigest", f"The {rule.algorithm.name.upper()} you specified did not match the calculated checksum."
        )


def _named(octets: bytes) -> list[_NamedPart]:
    try:
        listed = xml.children(xml.parse(octets, "CompleteMultipartUpload"), "Part", MAX_PARTS)
        named = [
            _NamedPart(_number(xml.text_of(one, "PartNumber")), xml.text_of(one, "ETag").strip('"'), _checksum_in(one))
            for one in listed
        ]
    except xml.MalformedXml as error:
        raise S3Refused("MalformedXML", str(error)) from None
    numbers = [one.number for one in named]
    if numbers != sorted(set(numbers)):
        raise S3Refused("InvalidPartOrder", "parts do not ascend")
    return named


def _checksum_in(part: ET.Element) -> tuple[Algorithm, str] | None:
    found = [(one, part.findtext(one.element) or "") for one in ALGORITHMS.values()]
    said = [(algorithm, value) for algorithm, value in found if value]
    if not said:
        return None
    shown = said[0][1] if len(said) == 1 else "".join(f"{one.name.upper()}:{value};" for one, value in said)
    if len(said) > 1 or octets_of(said[0][1], said[0][0].size) is None:
        raise argument_refused("Invalid Base64 or multiple checksums present in request", "Checksum", shown)
    return said[0]


def _number(said: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", said):
        raise xml.MalformedXml("PartNumber is not a number")
    if int(said) < 1:
        raise argument_refused("PartNumber must be >= 1", "PartNumber", said)
    return int(said)


def _listed_part(part: PartRow, rule: _Rule) -> str:
    return xml.element(
        "Part",
        xml.text("PartNumber", part.number),
        xml.text("LastModified", xml.iso_time(part.modified_ms)),
        xml.text("ETag", f'"{part_etag(part)}"'),
        xml.text("Size", part.size),
        xml.text(rule.algorithm.element, part.checksum) if part.checksum and rule.is_asked else "",
    )


def _completed_document(call: S3Call, row: ObjectRow) -> S3Answer:
    host = call.headers.get("host", "")
    scheme = call.scheme
    checksum = checksum_of(row)
    return _document(
        "CompleteMultipartUploadResult",
        xml.text("Location", f"{scheme}://{host}/{call.bucket}/{quote(call.key.decode(), safe='/')}"),
        xml.text("Bucket", call.bucket),
        xml.text("Key", call.key.decode()),
        xml.text("ETag", f'"{etag_of(row)}"'),
        "" if checksum is None else xml.text(checksum.algorithm.element, checksum.value),
        "" if checksum is None else xml.text("ChecksumType", checksum.kind.value),
    )


def _document(name: str, *parts: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> S3Answer:
    return S3Answer(200, ((b"content-type", XML), *headers), xml.document(name, *parts))
