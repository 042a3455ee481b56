"""ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation, ListObjects and ListObjectsV2."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote_from_bytes

from hutong.relay.services.storage.catalogue.listing import Asked, Page
from hutong.relay.services.storage.catalogue.rows import MAX_LISTED, ObjectRow
from hutong.relay.services.storage.gateway.s3 import xml
from hutong.relay.services.storage.gateway.s3.answers import S3Answer, header
from hutong.relay.services.storage.gateway.s3.call import S3Call
from hutong.relay.services.storage.gateway.s3.errors import XML, S3Refused, argument_refused
from hutong.relay.services.storage.gateway.s3.object_calls import checksum_of
from hutong.relay.services.storage.gateway.store import ObjectStore, etag_of

OWNER_ID = "hutong"
OWNER = xml.element("Owner", xml.text("ID", OWNER_ID), xml.text("DisplayName", OWNER_ID))


class BucketCalls:
    """Calls of a bucket, and of none."""

    def __init__(self, store: ObjectStore, region: str) -> None:
        self._store = store
        self._region = region

    async def all(self, _call: S3Call) -> S3Answer:
        """ListBuckets."""
        listed = [
            xml.element(
                "Bucket", xml.text("Name", one.name), xml.text("CreationDate", xml.iso_time(one.created_s * 1_000))
            )
            for one in await self._store.buckets()
        ]
        return _document("ListAllMyBucketsResult", OWNER, xml.element("Buckets", *listed))

    async def create(self, call: S3Call) -> S3Answer:
        """CreateBucket.

        Raises:
            BucketTaken, Unavailable: see the store.
        """
        if not call.bucket:
            raise S3Refused("MethodNotAllowed", "name a bucket")
        if call.headers.get("x-amz-acl", "private") != "private":
            raise S3Refused("NotImplemented", "access lists are not supported")
        if call.headers.get("content-length", "0") != "0":
            await call.body(xml.MAX_XML_BYTES).whole()
        await self._store.make_bucket(call.bucket)
        return S3Answer(200, (header("location", f"/{call.bucket}"),))

    async def head(self, call: S3Call) -> S3Answer:
        """HeadBucket.

        Raises:
            BucketMissing: see the store.
        """
        await self._store.bucket(call.bucket)
        return S3Answer(200, (header("x-amz-bucket-region", self._region),))

    async def delete(self, call: S3Call) -> S3Answer:
        """DeleteBucket.

        Raises:
            BucketMissing, BucketNotEmpty, Unavailable: see the store.
        """
        await self._store.remove_bucket(call.bucket)
        return S3Answer(204)

    async def location(self, call: S3Call) -> S3Answer:
        """GetBucketLocation.

        Raises:
            BucketMissing: see the store.
        """
        await self._store.bucket(call.bucket)
        return _document("LocationConstraint", "" if self._region == "us-east-1" else self._region)

    async def versioning(self, call: S3Call) -> S3Answer:
        """GetBucketVersioning: never enabled.

        Raises:
            BucketMissing: see the store.
        """
        await self._store.bucket(call.bucket)
        return _document("VersioningConfiguration")

    async def list_v2(self, call: S3Call) -> S3Answer:
        """ListObjectsV2.

        Raises:
            S3Refused: see there. BucketMissing: see the store.
        """
        token = call.parameters.get("continuation-token")
        after = _from_token(token) if token else call.parameters.get("start-after", "").encode()
        page, asked = await self._page(call, after)
        encode = KeyWriting(call)
        start_after = call.parameters.get("start-after")
        return _document(
            "ListBucketResult",
            xml.text("Name", call.bucket),
            xml.text("Prefix", encode(asked.prefix)),
            "" if start_after is None else xml.text("StartAfter", encode(start_after.encode())),
            "" if not asked.delimiter else xml.text("Delimiter", encode(asked.delimiter)),
            encode.said,
            xml.text("MaxKeys", asked.most),
            xml.text("KeyCount", len(page.rows) + len(page.prefixes)),
            xml.text("IsTruncated", "false" if page.last is None else "true"),
            "" if token is None else xml.text("ContinuationToken", token),
            "" if page.last is None else xml.text("NextContinuationToken", _to_token(page.last)),
            *_listed(call, page, with_owner=call.parameters.get("fetch-owner") == "true"),
        )

    async def list_v1(self, call: S3Call) -> S3Answer:
        """ListObjects, by markers.

        Raises:
            S3Refused: see there. BucketMissing: see the store.
        """
        marker = call.parameters.get("marker", "")
        page, asked = await self._page(call, marker.encode())
        encode = KeyWriting(call)
        return _document(
            "ListBucketResult",
            xml.text("Name", call.bucket),
            xml.text("Prefix", encode(asked.prefix)),
            xml.text("Marker", encode(marker.encode())),
            "" if not asked.delimiter else xml.text("Delimiter", encode(asked.delimiter)),
            encode.said,
            xml.text("MaxKeys", asked.most),
            xml.text("IsTruncated", "false" if page.last is None else "true"),
            "" if page.last is None else xml.text("NextMarker", encode(page.last)),
            *_listed(call, page, with_owner=True),
        )

    async def _page(self, call: S3Call, after: bytes) -> tuple[Page, Asked]:
        prefix, delimiter = (call.parameters.get(name, "").encode() for name in ("prefix", "delimiter"))
        asked = Asked(prefix, delimiter, after, call.number("max-keys", MAX_LISTED, MAX_LISTED))
        if asked.most == 0:
            await self._store.bucket(call.bucket)
            return Page((), (), None), asked
        return await self._store.page(call.bucket, asked), asked


def _listed(call: S3Call, page: Page, *, with_owner: bool) -> list[str]:
    encode = KeyWriting(call)
    rows = [
        xml.element(
            "Contents",
            xml.text("Key", encode(row.key)),
            xml.text("LastModified", xml.iso_time(row.modified_ms)),
            xml.text("ETag", f'"{etag_of(row)}"'),
            _checksum(row),
            xml.text("Size", row.size),
            OWNER if with_owner else "",
            xml.text("StorageClass", "STANDARD"),
        )
        for row in page.rows
    ]
    return rows + [xml.element("CommonPrefixes", xml.text("Prefix", encode(one))) for one in page.prefixes]


def _checksum(row: ObjectRow) -> str:
    found = checksum_of(row)
    if found is None:
        return ""
    return xml.text("ChecksumAlgorithm", found.algorithm.name.upper()) + xml.text("ChecksumType", found.kind.value)


class KeyWriting:
    """Keys as a listing shows them: as they are, or by URL where that was asked for. `said` is the listing's word of it."""

    def __init__(self, call: S3Call) -> None:
        """Raises S3Refused for another encoding."""
        asked = call.parameters.get("encoding-type")
        if asked not in (None, "", "url"):
            raise argument_refused("Invalid Encoding Method specified in Request", "encoding-type", asked)
        self._by_url = asked == "url"
        self.said = xml.text("EncodingType", "url") if self._by_url else ""

    def __call__(self, key: bytes) -> str:
        return quote_from_bytes(key, safe="/") if self._by_url else key.decode(errors="replace")


def _document(name: str, *parts: str) -> S3Answer:
    return S3Answer(200, ((b"content-type", XML),), xml.document(name, *parts))


def _to_token(key: bytes) -> str:
    return "1" + urlsafe_b64encode(key).decode()


def _from_token(token: str) -> bytes:
    try:
        key = urlsafe_b64decode(token[1:].encode())
    except ValueError:
        key = b""
    if _to_token(key) != token or not key:
        raise S3Refused("InvalidArgument", "the continuation token is not one of this server")
    return key
