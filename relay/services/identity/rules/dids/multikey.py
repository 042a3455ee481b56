"""Public keys as multikeys: multibase base58btc over a multicodec prefix and the key (CID 1.0 §2.2.2)."""

from typing import Final

from Crypto.PublicKey import ECC

from hutong.light_clients.crypto import ed25519, secp256k1
from hutong.light_clients.interface.errors import MalformedInput, UnsupportedOperation
from hutong.relay.services.identity.rules.dids.base58 import decode_multibase, encode_base58
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, key_at

_PREFIXES: Final = {
    Algorithm.EDDSA: b"\xed\x01",
    Algorithm.ES256: b"\x80\x24",
    Algorithm.ES256K: b"\xe7\x01",
    Algorithm.ES384: b"\x81\x24",
    Algorithm.ES512: b"\x82\x24",
}
"""Multicodec: ed25519-pub 0xed, p256-pub 0x1200, p384-pub 0x1201, p521-pub 0x1202, secp256k1-pub 0xe7, as unsigned varints."""
_CURVES: Final = {
    Algorithm.ES256: "P-256",
    Algorithm.ES256K: "secp256k1",
    Algorithm.ES384: "P-384",
    Algorithm.ES512: "P-521",
}
MAX_MULTIKEY_CHARS: Final = 128
"""Of P-521 some 95."""


def parse_multikey(text: str, field: str) -> VerificationKey:
    """The public key that a multikey spells; `field` names it in errors.

    Raises:
        MalformedInput: another base, too long, another length, or no point of the curve; for Ed25519 also a point in
            another encoding or outside of the prime-order group, on whose signatures libraries differ.
        UnsupportedOperation: a multicodec of another algorithm.
    """
    if len(text) > MAX_MULTIKEY_CHARS:
        raise MalformedInput(field, f"more than {MAX_MULTIKEY_CHARS} characters", got=len(text))
    data = decode_multibase(text, field)
    for algorithm, prefix in _PREFIXES.items():
        if data.startswith(prefix):
            return key_at(algorithm, _coordinates(algorithm, data[len(prefix) :], field), field)
    raise UnsupportedOperation(f"multikey {data[:2].hex()}", "Ed25519, P-256, P-384, P-521 and secp256k1 are supported")


def write_multikey(key: VerificationKey) -> str:
    """`z…`, the one spelling; points of curves are compressed (SEC 1 §2.3.3)."""
    raw = key.coordinates
    if key.algorithm is not Algorithm.EDDSA:
        raw = bytes([2 + (raw[-1] & 1)]) + raw[: key.algorithm.coordinate_bytes]
    return "z" + encode_base58(_PREFIXES[key.algorithm] + raw)


def _coordinates(algorithm: Algorithm, raw: bytes, field: str) -> bytes:
    if algorithm is Algorithm.EDDSA:
        if not ed25519.is_strict_key(raw):
            raise MalformedInput(field, "is no key of Ed25519", got=raw)
        return raw
    curve = _CURVES[algorithm]
    if len(raw) != 1 + algorithm.coordinate_bytes or raw[0] not in (2, 3):
        raise MalformedInput(field, f"is no compressed point of {curve}", got=raw)
    try:
        point = _decompressed(algorithm, raw)
    except ValueError as error:
        raise MalformedInput(field, f"is no point of {curve}", got=raw) from error
    return point


def _decompressed(algorithm: Algorithm, raw: bytes) -> bytes:
    if algorithm is Algorithm.ES256K:
        found = secp256k1.decompress(raw)
        if found is None:
            raise ValueError("no point")
        x, y = found
    else:
        x, y = (int(value) for value in ECC.import_key(raw, curve_name=_CURVES[algorithm]).pointQ.xy)
    size = algorithm.coordinate_bytes
    return x.to_bytes(size, "big") + y.to_bytes(size, "big")
