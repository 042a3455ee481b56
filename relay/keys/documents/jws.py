"""What the identity service signs: the input of a compact JWS, whose header says by which algorithm and of what type."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.keys.documents.document import DocumentKind, Hashing
from hutong.relay.keys.errors import ForeignDocument

MAX_JWS_BYTES = 2**20
MAX_HEADER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class JwsInput:
    """`BASE64URL(header) . BASE64URL(payload)` as ASCII, parsed by `parse_jws_input`.

    `algorithm` and `media_type` are the header's `alg` and `typ`; the latter is empty where the header has no `typ`.
    """

    preimage: bytes
    algorithm: str
    media_type: str

    kind = DocumentKind.JWS
    hashing = Hashing.SHA256

    @property
    def digest(self) -> bytes:
        """SHA-256 of `preimage`, as ES256 and ES256K sign it. EdDSA signs `preimage` itself."""
        return sha256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        return f"{self.kind} {self.algorithm} {self.media_type[:80] or 'without a type'} of {len(self.preimage)} bytes"


def parse_jws_input(signing_input: bytes) -> JwsInput:
    """The document of a signing input (RFC 7515, section 5.1). The payload is not read.

    Raises:
        ForeignDocument: it is not one: not two parts of base64url, or the header is no JSON object with `alg`.
    """
    head, dot, payload = signing_input.partition(b".")
    if len(signing_input) > MAX_JWS_BYTES or len(head) > MAX_HEADER_BYTES or not dot:
        raise ForeignDocument("it is not the input of a JWS within bounds")
    if not _is_base64url(head) or not _is_base64url(payload):
        raise ForeignDocument("the parts of the JWS are not base64url")
    try:
        header = parse_json(_decoded(head), "header", MAX_HEADER_BYTES)
    except (MalformedInput, ValueError):
        raise ForeignDocument("the header of the JWS is not JSON") from None
    algorithm = header.get("alg") if isinstance(header, dict) else None
    media_type = header.get("typ", "") if isinstance(header, dict) else None
    if not isinstance(algorithm, str) or not isinstance(media_type, str) or algorithm.lower() == "none":
        raise ForeignDocument("the header of the JWS names no algorithm, or a type that is no text")
    if not all(name.isprintable() for name in (algorithm, media_type)):
        raise ForeignDocument("the header of the JWS has a name that is not printable")
    return JwsInput(bytes(signing_input), algorithm, media_type)


def _is_base64url(part: bytes) -> bool:
    return all(byte in _ALPHABET for byte in part)


_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _decoded(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
