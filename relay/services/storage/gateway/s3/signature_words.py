"""What S3 itself says of a signature that it does not take. The rules have judged already: here is only how it is told."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.services.storage.gateway.s3.errors import S3Refused, argument_refused
from hutong.relay.services.storage.rules.s3.request import S3Request
from hutong.relay.services.storage.rules.s3.sigv4 import ALGORITHM, MAX_EXPIRES_S

_IN_LINKS: Final = "AuthorizationQueryParametersError"
_IN_HEADERS: Final = "AuthorizationHeaderMalformed"
_NEEDED_IN_LINKS: Final = ("Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires")
_MOMENT: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_CODES: Mapping[str, str] = MappingProxyType(
    {
        "scope_is_the_gateways": _IN_HEADERS,
        "signed_when_it_says": "RequestTimeTooSkewed",
        "what_decides_is_signed": "AccessDenied",
        "access_key_is_known": "InvalidAccessKeyId",
        "signature_is_the_keys": "SignatureDoesNotMatch",
    }
)


def refusal_of(request: S3Request, region: str, error: Exception) -> S3Refused:
    """Of a request whose signature was refused with this error, which is one of the rules'."""
    is_link = any(name.startswith(b"X-Amz-") for name, _ in request.parameters())
    if not is_link and request.parameter("AWSAccessKeyId") is not None:
        return _not_supported()
    said = _of_link(request, region) if is_link else _of_header(request, region)
    if isinstance(error, PredicateFailed):
        code = _CODES.get(error.predicate, "AccessDenied")
        if error.predicate == "scope_is_the_gateways" and said is not None:
            return said
        return _refused_rule(request, code, error, is_link=is_link)
    if isinstance(error, UnsupportedOperation):
        return said or S3Refused("NotImplemented", str(error))
    if said is not None:
        return said
    if isinstance(error, MalformedInput) and error.field == "request.x-amz-content-sha256":
        return argument_refused(
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER,"
            " STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER,"
            " STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256"
            " value.",
            "x-amz-content-sha256",
            next((value for name, value in request.headers if name == "x-amz-content-sha256"), ""),
        )
    return S3Refused(_IN_LINKS if is_link else _IN_HEADERS, str(error))


def _refused_rule(request: S3Request, code: str, error: PredicateFailed, *, is_link: bool) -> S3Refused:
    sentence = f"{error.predicate}: {error.reason}"
    if code == "RequestTimeTooSkewed" and is_link:
        return S3Refused("AccessDenied", "Request has expired.", fields=_expiry(request))
    if code == "AccessDenied":
        return S3Refused(
            code,
            "There were headers present in the request which were not signed",
            fields=(("HeadersNotSigned", ", ".join(error.got) if isinstance(error.got, list) else ""),),
        )
    if code == "InvalidAccessKeyId":
        return S3Refused(code, sentence, fields=(("AWSAccessKeyId", str(error.got)),))
    if code == _IN_HEADERS and is_link:
        return S3Refused(_IN_LINKS, sentence)
    return S3Refused(code, sentence)


def _not_supported() -> S3Refused:
    sentence = f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}."
    return S3Refused("InvalidRequest", sentence)


def _expiry(request: S3Request) -> tuple[tuple[str, str], ...]:
    """When the link ended, and what time it is here, as S3 tells it."""
    for_s, moment = request.parameter("X-Amz-Expires") or "0", request.parameter("X-Amz-Date") or ""
    until = datetime.strptime(moment, "%Y%m%dT%H%M%S%z") + timedelta(seconds=int(for_s))
    now = datetime.now(UTC)
    return (
        ("X-Amz-Expires", for_s),
        ("Expires", until.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("ServerTime", now.strftime("%Y-%m-%dT%H:%M:%SZ")),
    )


def _of_link(request: S3Request, region: str) -> S3Refused | None:
    """The first that S3 objects to, in its order; None where it is another."""
    try:
        found = {name: request.parameter(f"X-Amz-{name}") for name in _NEEDED_IN_LINKS}
    except MalformedInput:
        return None
    if any(not value for value in found.values()):
        return S3Refused(
            _IN_LINKS,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date,"
            " X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )
    algorithm, moment, expires = found["Algorithm"], found["Date"] or "", found["Expires"] or ""
    if algorithm != ALGORITHM:
        known = ALGORITHM if algorithm == "AWS4-ECDSA-P256-SHA256" else f"{ALGORITHM} and AWS4-ECDSA-P256-SHA256"
        return S3Refused(_IN_LINKS, f'X-Amz-Algorithm only supports "{known}"')
    said = _of_credential(found["Credential"] or "", region)
    if said is not None:
        return S3Refused(_IN_LINKS, f"Error parsing the X-Amz-Credential parameter; {said}")
    if not _MOMENT.fullmatch(moment):
        return S3Refused(_IN_LINKS, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    date = (found["Credential"] or "").split("/")[1]
    if date != moment[:8]:
        return S3Refused(
            _IN_LINKS, f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: "{moment[:8]}".'
        )
    return _of_expiry(expires)


def _of_expiry(expires: str) -> S3Refused | None:
    if not re.fullmatch(r"-?[0-9]{1,18}", expires):
        return S3Refused(_IN_LINKS, "X-Amz-Expires should be a number")
    if int(expires) < 0:
        return S3Refused(_IN_LINKS, "X-Amz-Expires must be non-negative")
    if int(expires) > MAX_EXPIRES_S:
        return S3Refused(
            _IN_LINKS,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800"
            " seconds",
        )
    return None


def _of_credential(credential: str, region: str) -> str | None:
    parts = credential.split("/")
    if len(parts) != 5:
        return 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
    _, date, asked, service, terminal = parts
    if terminal != "aws4_request":
        return f'incorrect terminal "{terminal}". This endpoint uses "aws4_request".'
    if service != "s3":
        return f'incorrect service "{service}". This endpoint belongs to "s3".'
    if asked != region:
        return f'the region "{asked}" is wrong; expecting "{region}"'
    if not re.fullmatch(r"[0-9]{8}", date):
        return f'incorrect date format "{date}". This date in the credential must be in the format "yyyyMMdd".'
    return None


def _of_header(request: S3Request, region: str) -> S3Refused | None:
    values = [value.strip() for name, value in request.headers if name == "authorization"]
    if len(values) != 1:
        return None if values else S3Refused("AccessDenied", "Access Denied.")
    algorithm, _, rest = values[0].partition(" ")
    if algorithm in ("AWS", "AWS4-ECDSA-P256-SHA256"):
        return _not_supported()
    if not rest:
        sentence = "Authorization header is invalid -- one and only one ' ' (space) required."
        return argument_refused(sentence, "Authorization", values[0])
    if algorithm != ALGORITHM:
        return argument_refused("Unsupported Authorization Type", "Authorization", algorithm)
    said = _of_components([one.strip() for one in rest.split(",")], region)
    return said or _of_date(request)


def _of_date(request: S3Request) -> S3Refused | None:
    moments = [value for name, value in request.headers if name == "x-amz-date"]
    if not moments or not _MOMENT.fullmatch(moments[0]):
        return S3Refused("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header.")
    return None


def _of_components(components: list[str], region: str) -> S3Refused | None:
    found: dict[str, str] = {}
    for one in components:
        name, sign, value = one.partition("=")
        if not sign:
            return _malformed(f'the authorization component "{one}" is malformed.')
        found[name] = value
    if len(components) != 3:
        return _malformed(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature."
        )
    for name in ("Credential", "SignedHeaders", "Signature"):
        if name not in found:
            return _malformed(f"missing {name}.")
    said = _of_credential(found["Credential"], region)
    return None if said is None else _malformed(said)


def _malformed(said: str) -> S3Refused:
    return S3Refused(_IN_HEADERS, f"The authorization header is malformed; {said}")
