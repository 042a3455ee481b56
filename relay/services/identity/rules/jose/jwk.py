"""Public keys as JSON (RFC 7517): one key verifies under one algorithm, and a private or symmetric key is never taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.jose.base64url import decode_base64url, encode_base64url
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, write_json

COORDINATE_BYTES: Final = 32
"""Of P-256, secp256k1 and Ed25519."""
SIGNATURE_BYTES: Final = 64
"""Of Ed25519."""
MAX_KEY_ID_CHARS: Final = 512
"""Of `kid`: a DID URL with a thumbprint has about 150."""

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PURPOSES = frozenset({"use", "key_ops", "alg"})
"""By which a key says what it is for."""
_CURVES: Final = {
    ("EC", "P-256"): Algorithm.ES256,
    ("EC", "secp256k1"): Algorithm.ES256K,
    ("EC", "P-384"): Algorithm.ES384,
    ("EC", "P-521"): Algorithm.ES512,
    ("OKP", "Ed25519"): Algorithm.EDDSA,
}
_NAMES = {algorithm: names for names, algorithm in _CURVES.items()}
_COORDINATE_BYTES = {algorithm: algorithm.coordinate_bytes for algorithm in Algorithm}
_EDDSA: Final = Algorithm.EDDSA
"""A name of this module: the enumeration looks its members up in Python, which costs more than decoding a coordinate."""
_LIBRARY_CURVES: dict[Algorithm, ec.EllipticCurve] = {
    Algorithm.ES256: ec.SECP256R1(),
    Algorithm.ES256K: ec.SECP256K1(),
    Algorithm.ES384: ec.SECP384R1(),
    Algorithm.ES512: ec.SECP521R1(),
}
_ECDSA = {
    Algorithm.ES256: ec.ECDSA(SHA256()),
    Algorithm.ES256K: ec.ECDSA(SHA256()),
    Algorithm.ES384: ec.ECDSA(SHA384()),
    Algorithm.ES512: ec.ECDSA(SHA512()),
}
_UNCOMPRESSED = b"\x04"
_COORDINATES = {"x": ".x", "y": ".y"}

Verify = Callable[[bytes, bytes], None]
"""From signature and message; raises InvalidSignature."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key on its curve. Equal keys are equal whatever they are called: `kid` is not compared."""

    algorithm: Algorithm
    coordinates: bytes
    """x ‖ y, or the 32 bytes of Ed25519."""
    kid: str | None = field(compare=False, default=None)
    _verify: Verify = field(compare=False, repr=False, kw_only=True)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` (r ‖ s or R ‖ S, as JWS has them) is this key's over `message`. False for any other bytes."""
        # of a curve, r and s are as long as x and y
        if len(signature) != (SIGNATURE_BYTES if len(self.coordinates) == COORDINATE_BYTES else len(self.coordinates)):
            return False
        try:
            self._verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def public_jwk(self) -> JsonObject:
        """The members that RFC 7638 §3.2 requires, in lexicographic order, and nothing else."""
        kind, curve = _NAMES[self.algorithm]
        size = self.algorithm.coordinate_bytes
        members: JsonObject = {"crv": curve, "kty": kind, "x": encode_base64url(self.coordinates[:size])}
        if kind == "EC":
            members["y"] = encode_base64url(self.coordinates[size:])
        return members

    def thumbprint(self) -> bytes:
        """SHA-256 of the canonical JSON of the key (RFC 7638 §3): 32 bytes, the same for every spelling of the key."""
        return sha256(write_json(self.public_jwk()))


def read_jwk(value: JsonValue, path: str) -> VerificationKey:
    """A public key that may verify signatures; `path` names it in errors. Members that the RFC does not know are ignored.

    Raises:
        MalformedInput: no object, coordinates of another length or base64url spelling than the curve's or no point of
            the curve, or private members: whoever sends those has given the key away.
        UnsupportedOperation: a key of another kind or curve.
        PredicateFailed: a key that says that it is for something else (`use`, `key_ops`, `alg`).
    """
    if not isinstance(value, dict):
        raise MalformedInput(path, "is not a JSON object", got=value)
    if not _PRIVATE_MEMBERS.isdisjoint(value):
        found = min(_PRIVATE_MEMBERS & value.keys())
        raise MalformedInput(path, f"holds a private or symmetric key: {found}")
    kind, curve = value.get("kty"), value.get("crv")
    if not isinstance(kind, str) or not (curve is None or isinstance(curve, str)):
        raise MalformedInput(path, "kty and crv are not texts")
    algorithm = None if curve is None else _CURVES.get((kind, curve))
    if algorithm is None:
        shown = kind if curve is None else f"{kind} {curve}"
        raise UnsupportedOperation(
            f"keys of kind {shown[:MAX_KEY_ID_CHARS]}", "P-256, P-384, P-521, secp256k1 and Ed25519 are"
        )
    if not _PURPOSES.isdisjoint(value):
        _demand_for_verifying(value, algorithm)
    size = _COORDINATE_BYTES[algorithm]
    coordinates = _coordinate(value, "x", path, size)
    if algorithm is not _EDDSA:
        coordinates += _coordinate(value, "y", path, size)
    return key_at(algorithm, coordinates, path, read_key_id(value, path))


def read_key_id(members: Mapping[str, JsonValue], path: str) -> str | None:
    """`kid` of a key or header: a name, if it is there.

    Raises:
        MalformedInput: no text, empty, or longer than `MAX_KEY_ID_CHARS`.
    """
    if "kid" not in members:
        return None
    kid = members["kid"]
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KEY_ID_CHARS:
        raise MalformedInput(f"{path}.kid", f"is not a text of 1 to {MAX_KEY_ID_CHARS} characters", got=kid)
    return kid


def key_at(algorithm: Algorithm, coordinates: bytes, path: str, kid: str | None = None) -> VerificationKey:
    """The key with these coordinates: x ‖ y, or 32 bytes for Ed25519.

    Raises:
        MalformedInput: they are no point of the curve.
    """
    try:
        if algorithm is _EDDSA:
            verify: Verify = ed25519.Ed25519PublicKey.from_public_bytes(coordinates).verify
        else:
            point = ec.EllipticCurvePublicKey.from_encoded_point(
                _LIBRARY_CURVES[algorithm], _UNCOMPRESSED + coordinates
            )
            verify = partial(_verify_ecdsa, point.verify, _ECDSA[algorithm])
    except ValueError as error:
        raise MalformedInput(path, f"is no key of {_NAMES[algorithm][1]}") from error
    return VerificationKey(algorithm, coordinates, kid, _verify=verify)


def _verify_ecdsa(
    verify: Callable[[bytes, bytes, ec.ECDSA], None], how: ec.ECDSA, signature: bytes, message: bytes
) -> None:
    verify(ecdsa_der(signature), message, how)


def ecdsa_der(signature: bytes) -> bytes:
    """SEQUENCE { INTEGER r, INTEGER s } of r ‖ s, in DER (RFC 3279 §2.2.3), as the library takes signatures."""
    half = len(signature) // 2
    if half != COORDINATE_BYTES:
        return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    # The library's own bytes in half of its time: of such halves each length is a byte. An INTEGER has no zero before it but
    # the one that says that it is not negative (X.690 §8.3).
    r, s = signature[:half].lstrip(b"\0"), signature[half:].lstrip(b"\0")
    if not r or r[0] > 127:
        r = b"\0" + r
    if not s or s[0] > 127:
        s = b"\0" + s
    return b"\x30%c\x02%c%b\x02%c%b" % (len(r) + len(s) + 4, len(r), r, len(s), s)


def ecdsa_numbers(der: bytes) -> bytes:
    """r ‖ s, 32 bytes each, of a signature on P-256 or secp256k1 that the library made: the inverse of `ecdsa_der`."""
    after_r = 4 + der[3]
    return der[4:after_r].lstrip(b"\0").rjust(COORDINATE_BYTES, b"\0") + der[after_r + 2 :].lstrip(b"\0").rjust(
        COORDINATE_BYTES, b"\0"
    )


def _coordinate(members: JsonObject, name: str, path: str, size: int) -> bytes:
    text = members.get(name)
    if not isinstance(text, str):
        raise MalformedInput(f"{path}.{name}", "is not a text", got=text)
    value = decode_base64url(text, path, size, _COORDINATES[name])
    if len(value) != size:
        raise MalformedInput(f"{path}.{name}", f"is not {size} bytes", got=len(value))
    return value


def _demand_for_verifying(members: JsonObject, algorithm: Algorithm) -> None:
    """RFC 7517 §4.2 to §4.4: a key says what it is for, and is used for nothing else."""
    if "use" in members and members["use"] != "sig":
        raise PredicateFailed("key_is_for_signatures", "use of the key", members["use"], "sig")
    if "key_ops" in members:
        operations: Any = members["key_ops"]
        if not isinstance(operations, list) or operations not in (["verify"], ["sign", "verify"], ["verify", "sign"]):
            raise PredicateFailed("key_is_for_signatures", "key_ops of the key", operations, ["verify"])
    if "alg" in members and members["alg"] != algorithm.value:
        raise PredicateFailed("key_is_for_signatures", "alg of the key", members["alg"], algorithm.value)
