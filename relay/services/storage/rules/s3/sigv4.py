"""Signature Version 4 of S3 requests and links, judged as S3 does (docs/spec/storage-s3.md)."""

import hmac
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules.dids.instants import NANOSECONDS, parse_instant_ns
from hutong.relay.services.storage.rules.s3.chunks import ChunkSeed
from hutong.relay.services.storage.rules.s3.request import S3Request, canonical_request

SPEC: Final = "docs/spec/storage-s3.md"
ALGORITHM: Final = "AWS4-HMAC-SHA256"
MAX_SKEW_S: Final = 15 * 60
MAX_EXPIRES_S: Final = 7 * 24 * 3_600
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
UNSIGNED_CHUNKS: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
CHUNKED: Final = frozenset((UNSIGNED_CHUNKS, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER))
_SIGNATURE: Final = "X-Amz-Signature"
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+), ?SignedHeaders=(?P<signed>[^,\s]+), ?Signature=(?P<signature>\S+)"
)
_CREDENTIAL: Final = re.compile(
    r"(?P<access>[A-Za-z0-9._-]{1,128})/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]{1,64})/(?P<service>[a-z0-9]{1,32})/aws4_request"
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOMENT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")


@dataclass(frozen=True, slots=True)
class Authorization:
    """Who says to have signed, when, and over which headers; `expires_s` is None where the request itself is signed, not a link."""

    access_key: str
    moment: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    payload: str
    """What the request claims of its body: the SHA-256 in lower-case hex, `UNSIGNED`, or one of `CHUNKED`."""
    expires_s: int | None

    @property
    def is_link(self) -> bool:
        """Whether it stands in the URL."""
        return self.expires_s is not None

    @property
    def scope(self) -> str:
        """Of the credential, without the access key."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def signed_at_s(self) -> int:
        """Unix seconds.

        Raises:
            MalformedInput: no such moment.
        """
        match = _MOMENT.fullmatch(self.moment)
        if match is None:
            raise MalformedInput("request.x-amz-date", "is not YYYYMMDDThhmmssZ", got=self.moment)
        text = "{}-{}-{}T{}:{}:{}Z".format(*match.groups())
        return parse_instant_ns(text, "request.x-amz-date") // NANOSECONDS


def read_authorization(request: S3Request) -> Authorization:
    """Who claims to have signed the request, in its header or in its URL. Nothing is believed yet.

    Raises:
        MalformedInput: none, both, or one that is not in the form of Signature Version 4.
        UnsupportedOperation: another algorithm, or a body in chunks that are signed by one.
    """
    header = request.header("authorization")
    algorithm = request.parameter("X-Amz-Algorithm")
    if (header is None) == (algorithm is None):
        raise MalformedInput("request.authorization", "stands neither in the header nor in the URL, or in both")
    return _of_link(request, algorithm) if header is None else _of_header(request, header)


def _of_header(request: S3Request, header: str) -> Authorization:
    if not header.startswith(f"{ALGORITHM} "):
        raise UnsupportedOperation("an S3 request that is not signed by AWS4-HMAC-SHA256")
    match = _AUTHORIZATION.fullmatch(header)
    if match is None:
        raise MalformedInput("request.authorization", "is not in the form of Signature Version 4")
    payload = _needed(request.header("x-amz-content-sha256"), "x-amz-content-sha256")
    moment = _needed(request.header("x-amz-date"), "x-amz-date")
    return _authorization(match["credential"], match["signed"], match["signature"], moment, payload, None)


def _of_link(request: S3Request, algorithm: str | None) -> Authorization:
    if algorithm != ALGORITHM:
        raise UnsupportedOperation("an S3 link that is not signed by AWS4-HMAC-SHA256")

    def needed(name: str) -> str:
        return _needed(request.parameter(name), name)

    expires = needed("X-Amz-Expires")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", expires) or int(expires) > MAX_EXPIRES_S:
        raise MalformedInput("request.query.X-Amz-Expires", f"1 to {MAX_EXPIRES_S} seconds", got=expires)
    payload = request.parameter("X-Amz-Content-Sha256") or request.header("x-amz-content-sha256") or UNSIGNED
    signed, signature, moment = needed("X-Amz-SignedHeaders"), needed(_SIGNATURE), needed("X-Amz-Date")
    return _authorization(needed("X-Amz-Credential"), signed, signature, moment, payload, int(expires))


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise MalformedInput(f"request.{name}", "is missing")
    return value


def _authorization(
    credential: str, signed: str, signature: str, moment: str, payload: str, expires_s: int | None
) -> Authorization:
    match = _CREDENTIAL.fullmatch(credential)
    if match is None:
        raise MalformedInput("request.credential", "is not key/date/region/service/aws4_request", got=credential)
    if not _SHA256.fullmatch(signature):
        raise MalformedInput("request.signature", "is not 64 hexadecimal digits in lower case")
    if payload.startswith("STREAMING-") and payload not in CHUNKED:
        raise UnsupportedOperation(f"a body in chunks of this kind ({payload[:80]})")
    if payload != UNSIGNED and payload not in CHUNKED and not _SHA256.fullmatch(payload):
        raise MalformedInput("request.x-amz-content-sha256", "is not a hash in lower-case hex", got=payload)
    names = tuple(signed.split(";"))
    if any(one >= other for one, other in itertools.pairwise(names)) or signed != signed.lower():
        raise MalformedInput("request.signed_headers", "do not ascend in lower case", got=signed)
    scope = (match["date"], match["region"], match["service"])
    return Authorization(match["access"], moment, *scope, names, signature, payload, expires_s)


@rule(SPEC)
def scope_is_the_gateways(authorization: Authorization, region: str) -> None:
    """Signed for S3 in the gateway's region, on the day that the request says.

    Raises:
        PredicateFailed: for something else.
    """
    said = (authorization.service, authorization.region, authorization.date)
    expected = ("s3", region, authorization.moment[:8])
    if said != expected:
        raise PredicateFailed("scope_is_the_gateways", "signed for something else", got=said, expected=expected)


@rule(SPEC)
def signed_when_it_says(authorization: Authorization, now_s: int) -> None:
    """A request is at most 15 minutes old or early; a link is not used before that, nor after it expires.

    Raises:
        PredicateFailed: it is older, or of the future.
        MalformedInput: no such moment.
    """
    at = authorization.signed_at_s
    last = at + (MAX_SKEW_S if authorization.expires_s is None else authorization.expires_s)
    if not at - MAX_SKEW_S <= now_s <= last:
        raise PredicateFailed("signed_when_it_says", "too old, or of the future", got=now_s, expected=(at, last))


@rule(SPEC)
def what_decides_is_signed(request: S3Request, authorization: Authorization) -> None:
    """The host is signed, and so is every `x-amz-` header of the request: an added one would change what it does.

    Raises:
        PredicateFailed: one is not, or a signed one is not there.
    """
    there = {name for name, _ in request.headers}
    signed = set(authorization.signed_headers)
    unsigned = {"host", *(name for name in there if name.startswith("x-amz-"))} - signed
    if unsigned or signed - there:
        raise PredicateFailed(
            "what_decides_is_signed", "headers not signed, or signed and missing", got=sorted(unsigned | signed - there)
        )


def signing_key(authorization: Authorization, secret_key: str) -> bytes:
    """The key that is derived for the scope, 32 bytes."""
    key = f"AWS4{secret_key}".encode()
    for part in authorization.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def chunk_seed(authorization: Authorization, secret_key: str) -> ChunkSeed | None:
    """What the chunks of the body are signed with; None where it is in none, or they are not signed."""
    if authorization.payload not in (SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER):
        return None
    key = signing_key(authorization, secret_key)
    return ChunkSeed(key, authorization.moment, authorization.scope, authorization.signature)


@rule(SPEC)
def signature_is_the_keys(request: S3Request, authorization: Authorization, secret_key: str) -> None:
    """The request was signed by who has the secret key.

    Raises:
        PredicateFailed: it was not, or was changed since.
    """
    without = _SIGNATURE if authorization.is_link else None
    canonical = canonical_request(request, authorization.signed_headers, authorization.payload, without)
    to_sign = "\n".join((ALGORITHM, authorization.moment, authorization.scope, sha256(canonical).hexdigest()))
    key = signing_key(authorization, secret_key)
    found = hmac.digest(key, to_sign.encode(), "sha256").hex()
    if not hmac.compare_digest(found, authorization.signature):
        raise PredicateFailed("signature_is_the_keys", "another key signed, or something was changed")


@rule(SPEC)
def body_is_the_signed_one(authorization: Authorization, body_sha256: bytes) -> None:
    """The body has the hash that was signed; nothing is asked where the body is not signed, or comes in chunks.

    Raises:
        PredicateFailed: it has another.
    """
    has_hash = authorization.payload != UNSIGNED and authorization.payload not in CHUNKED
    if has_hash and body_sha256.hex() != authorization.payload:
        raise PredicateFailed("body_is_the_signed_one", "another body", got=body_sha256, expected=authorization.payload)


def judge_request(
    judge: Judge, request: S3Request, region: str, now_s: int, secret_of: Callable[[str], str | None]
) -> Authorization:
    """Whose request it is. The body is judged when it has been read, by `body_is_the_signed_one`.

    Args:
        region: the gateway's.
        secret_of: the secret key of an access key, None for one that there is not.

    Raises:
        MalformedInput: not in the form of Signature Version 4.
        UnsupportedOperation: another algorithm, or a body in chunks that are signed by one.
        PredicateFailed: the first rule that does not hold.
    """
    authorization = read_authorization(request)
    judge(scope_is_the_gateways, authorization, region)
    judge(signed_when_it_says, authorization, now_s)
    judge(what_decides_is_signed, request, authorization)
    secret = judge(access_key_is_known, authorization, secret_of)
    judge(signature_is_the_keys, request, authorization, secret)
    return authorization


@rule(SPEC)
def access_key_is_known(authorization: Authorization, secret_of: Callable[[str], str | None]) -> str:
    """The access key is one of the gateway's. Returns its secret.

    Raises:
        PredicateFailed: it is not.
    """
    secret = secret_of(authorization.access_key)
    if secret is None:
        raise PredicateFailed("access_key_is_known", "no such access key", got=authorization.access_key)
    return secret
