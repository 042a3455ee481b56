"""Refusals in S3's own words: a code, a status, a sentence, as XML."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import escape

XML: Final = b"application/xml"
STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "AccessDenied": 403,
        "AuthorizationHeaderMalformed": 400,
        "AuthorizationQueryParametersError": 400,
        "BadDigest": 400,
        "BucketAlreadyOwnedByYou": 409,
        "BucketNotEmpty": 409,
        "EntityTooLarge": 400,
        "EntityTooSmall": 400,
        "IncompleteBody": 400,
        "InternalError": 500,
        "InvalidAccessKeyId": 403,
        "InvalidArgument": 400,
        "InvalidBucketName": 400,
        "InvalidChunkSizeError": 400,
        "InvalidDigest": 400,
        "InvalidPart": 400,
        "InvalidPartNumber": 416,
        "InvalidPartOrder": 400,
        "InvalidRange": 416,
        "InvalidRequest": 400,
        "KeyTooLongError": 400,
        "MalformedTrailerError": 400,
        "MalformedXML": 400,
        "MetadataTooLarge": 400,
        "MethodNotAllowed": 405,
        "MissingContentLength": 411,
        "NoSuchBucket": 404,
        "NoSuchKey": 404,
        "NoSuchObjectLockConfiguration": 404,
        "NoSuchUpload": 404,
        "NotImplemented": 501,
        "NotModified": 304,
        "PreconditionFailed": 412,
        "RequestTimeTooSkewed": 403,
        "ServiceUnavailable": 503,
        "SignatureDoesNotMatch": 403,
        "XAmzContentSHA256Mismatch": 400,
    }
)


SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "BucketAlreadyOwnedByYou": (
            "Your previous request to create the named bucket succeeded and you already own it."
        ),
        "BucketNotEmpty": "The bucket you tried to delete is not empty.",
        "EntityTooLarge": "Your proposed upload exceeds the maximum allowed object size.",
        "EntityTooSmall": "Your proposed upload is smaller than the minimum allowed size",
        "IncompleteBody": "The request body terminated unexpectedly",
        "InvalidAccessKeyId": "The AWS Access Key Id you provided does not exist in our records.",
        "InvalidBucketName": "The specified bucket is not valid.",
        "InvalidChunkSizeError": "Only the last chunk is allowed to have a size less than 8192 bytes",
        "InvalidDigest": "The Content-Md5 you specified is not valid.",
        "InvalidPart": (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified"
            " entity tag may not match the part's entity tag."
        ),
        "InvalidPartNumber": "The requested partnumber is not satisfiable.",
        "InvalidPartOrder": ("The list of parts was not in ascending order. Parts must be ordered by part number."),
        "InvalidRange": "The requested range is not satisfiable",
        "KeyTooLongError": "Your key is too long.",
        "MalformedTrailerError": (
            "The request contained trailing data that was not well-formed or did not conform to our published schema."
        ),
        "MalformedXML": ("The XML you provided was not well-formed or did not validate against our published schema."),
        "MetadataTooLarge": "Your metadata headers exceed the maximum allowed metadata size",
        "MissingContentLength": "You must provide the Content-Length HTTP header.",
        "NoSuchBucket": "The specified bucket does not exist.",
        "NoSuchKey": "The specified key does not exist.",
        "NoSuchUpload": (
            "The specified multipart upload does not exist. The upload ID may be invalid,"
            " or the upload may have been aborted or completed."
        ),
        "PreconditionFailed": "At least one of the pre-conditions you specified did not hold.",
        "RequestTimeTooSkewed": "The difference between the request time and the current time is too large.",
        "XAmzContentSHA256Mismatch": "The provided 'x-amz-content-sha256' header does not match what was computed.",
        "SignatureDoesNotMatch": (
            "The request signature we calculated does not match the signature you provided."
            " Check your key and signing method."
        ),
    }
)
"""S3's own words, which clients show and tests compare; every other code comes with a sentence of ours."""


class S3Refused(Exception):
    """A request that is not done; `sentence` goes to whoever asked, where S3 has none of its own, `headers` with the answer.

    `fields` are further elements of the document, as S3 has them.
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        fields: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.code = code
        self.sentence = sentence if code == "IncompleteBody" and sentence else SENTENCES.get(code, sentence)
        self.headers = headers
        self.fields = fields
        super().__init__(code, self.sentence)

    @property
    def status(self) -> int:
        """Of HTTP."""
        return STATUSES[self.code]


def argument_refused(sentence: str, name: str, value: str) -> S3Refused:
    """InvalidArgument, with the argument in the document."""
    return S3Refused("InvalidArgument", sentence, fields=(("ArgumentName", name), ("ArgumentValue", value)))


def shown_in_xml(text: str) -> str:
    """Characters that XML does not have come as `?`."""
    return "".join(sign if sign in "\t\n\r" or " " <= sign < "\ufffe" else "?" for sign in text)


def error_document(refused: S3Refused, resource: str, request_id: str) -> bytes:
    """The body of the answer."""
    fields = "".join(f"<{name}>{escape(shown_in_xml(value))}</{name}>" for name, value in refused.fields)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refused.code}</Code><Message>{escape(refused.sentence)}</Message>"
        f"{fields}<Resource>{escape(resource)}</Resource><RequestId>{request_id}</RequestId></Error>"
    ).encode()
