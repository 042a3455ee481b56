"""ListMultipartUploads: by key and beginning, rolled up at a delimiter, page by page."""

from hutong.relay.services.storage.catalogue.listing import after_prefix
from hutong.relay.services.storage.catalogue.rows import Upload
from hutong.relay.services.storage.gateway.notes import CHECKSUM_ALGORITHM, CHECKSUM_TYPE, decode_note
from hutong.relay.services.storage.gateway.s3 import xml
from hutong.relay.services.storage.gateway.s3.bucket_calls import OWNER, KeyWriting
from hutong.relay.services.storage.gateway.s3.call import S3Call
from hutong.relay.services.storage.gateway.s3.errors import argument_refused
from hutong.relay.services.storage.gateway.store import ObjectStore

MOST = 1_000
_FIRST = ""
_LAST = "\x7f"
"""Above every id, which is hexadecimal."""


async def listed_uploads(store: ObjectStore, call: S3Call) -> bytes:
    """The document.

    Raises:
        S3Refused: see docs/spec/storage-s3.md. BucketMissing: see the store.
    """
    asked = _Asked(call)
    await store.bucket(call.bucket)
    page = _Page(asked)
    if asked.most:
        await page.fill(store, call, await _begin(store, call, asked))
    write = asked.write
    return xml.document(
        "ListMultipartUploadsResult",
        xml.text("Bucket", call.bucket),
        xml.text("KeyMarker", write(asked.key_marker)),
        xml.text("UploadIdMarker", asked.id_marker if asked.key_marker else ""),
        xml.text("NextKeyMarker", write(page.next_key)) if page.is_truncated else "",
        xml.text("NextUploadIdMarker", page.next_id) if page.is_truncated else "",
        xml.text("Prefix", write(asked.prefix)),
        xml.text("Delimiter", write(asked.delimiter)) if asked.delimiter else "",
        write.said,
        xml.text("MaxUploads", asked.most),
        xml.text("IsTruncated", "true" if page.is_truncated else "false"),
        *(_upload(one, write) for one in page.uploads),
        *(xml.element("CommonPrefixes", xml.text("Prefix", write(one))) for one in page.prefixes),
    )


class _Asked:
    def __init__(self, call: S3Call) -> None:
        self.prefix, self.delimiter, self.key_marker = (
            call.parameters.get(name, "").encode() for name in ("prefix", "delimiter", "key-marker")
        )
        self.id_marker = call.parameters.get("upload-id-marker", "")
        self.most = call.number("max-uploads", MOST, MOST)
        self.write = KeyWriting(call)

    def common(self, key: bytes) -> bytes | None:
        """What a key is rolled up to."""
        found = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return None if found < 0 else key[: found + len(self.delimiter)]


async def _begin(store: ObjectStore, call: S3Call, asked: _Asked) -> tuple[bytes, str]:
    """(key, id) after which the page begins. An id counts with a key alone, and then must be of an upload from that key on."""
    if not asked.key_marker:
        return asked.prefix, _FIRST
    if not asked.id_marker:
        return max((asked.key_marker, _LAST), (asked.prefix, _FIRST))
    following = await store.uploads(call.bucket, asked.key_marker, _FIRST, 1)
    first = following[0].key if following else asked.key_marker
    for one in await store.uploads(call.bucket, first, _FIRST, MOST):
        if one.id == asked.id_marker and (one.key == first or asked.common(one.key) == asked.key_marker):
            return max((one.key, one.id), (asked.prefix, _FIRST))
    raise argument_refused("Invalid uploadId marker", "upload-id-marker", asked.id_marker)


class _Page:
    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self.uploads: list[Upload] = []
        self.prefixes: list[bytes] = []
        self.is_truncated = False
        self.next_key = b""
        self.next_id = ""

    async def fill(self, store: ObjectStore, call: S3Call, at: tuple[bytes, str]) -> None:
        """Read on until the page is full or the uploads end."""
        while found := await store.uploads(call.bucket, *at, self._asked.most + 1):
            for one in found:
                if not one.key.startswith(self._asked.prefix):
                    return
                common = self._asked.common(one.key)
                if common is not None and common in self.prefixes[-1:]:
                    at = (one.key, one.id)
                    continue
                if len(self.uploads) + len(self.prefixes) == self._asked.most:
                    self.is_truncated = True
                    return
                self._add(one, common)
                at = (one.key, one.id)
            beyond = after_prefix(self.prefixes[-1]) if self.prefixes and at[0].startswith(self.prefixes[-1]) else None
            at = at if beyond is None else (beyond, _FIRST)

    def _add(self, one: Upload, common: bytes | None) -> None:
        if common is None:
            self.uploads.append(one)
        else:
            self.prefixes.append(common)
        self.next_key, self.next_id = common or one.key, one.id


def _upload(one: Upload, write: KeyWriting) -> str:
    note = decode_note(one.note)
    algorithm = note.get(CHECKSUM_ALGORITHM)
    return xml.element(
        "Upload",
        xml.text("Key", write(one.key)),
        xml.text("UploadId", one.id),
        OWNER.replace("Owner>", "Initiator>"),
        OWNER,
        xml.text("StorageClass", "STANDARD"),
        xml.text("Initiated", xml.iso_time(one.began_s * 1_000)),
        "" if algorithm is None else xml.text("ChecksumAlgorithm", algorithm.upper()),
        "" if algorithm is None else xml.text("ChecksumType", note[CHECKSUM_TYPE]),
    )
