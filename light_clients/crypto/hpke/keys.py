"""Readers' keys: parsed once, and refused where nothing may be sealed to them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hutong.light_clients.crypto.hpke.errors import KeyRefused, SizeRefused, SuiteUnsupported
from hutong.light_clients.crypto.hpke.libraries import PRIMITIVES, library
from hutong.light_clients.crypto.hpke.suites import PRIVATE_KEY_BYTES, Kem

MLKEM768_PUBLIC_BYTES = 1184
_MLKEM768_SEED_BYTES = 64
_FIELD_PRIME = 2**255 - 19
_ANY_SCALAR = bytes([1]) * 32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to seal to, in its one encoding (`Kem.public_key_bytes`).

    P-256: a point of the curve, uncompressed. X25519: a canonical number of no small order. Hybrid: an ML-KEM-768 key whose
    coefficients are reduced (FIPS 203 §7.2), then such an X25519 key.
    """

    kem: Kem
    encoded: bytes
    _engine_key: Any = field(repr=False, compare=False)

    @classmethod
    def parse(cls, kem: Kem, encoded: bytes) -> "PublicKey":
        """The key that bytes from outside encode.

        Raises:
            SizeRefused: another number of bytes.
            KeyRefused: off the curve, of small order, not canonical, or not reduced.
            HpkeNotInstalled: the extra is not there.
        """
        if len(encoded) != kem.public_key_bytes:
            raise SizeRefused(f"a public key of {kem.label}", len(encoded), f"not {kem.public_key_bytes}")
        encoded = bytes(encoded)
        return cls(kem, encoded, _PARSERS[kem](encoded))


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key to open with. Its secret is in no text that Python makes of it."""

    public_key: PublicKey
    secret: bytes = field(repr=False)
    _engine_key: Any = field(repr=False, compare=False)

    @classmethod
    def parse(cls, kem: Kem, secret: bytes) -> "PrivateKey":
        """The key of 32 secret bytes: P-256 a scalar, big-endian; X25519 any; hybrid the seed of both keys.

        Raises:
            SizeRefused: not 32 bytes.
            KeyRefused: P-256, and not a number from 1 to the order of the curve, this excluded.
            HpkeNotInstalled: the extra is not there.
        """
        if len(secret) != PRIVATE_KEY_BYTES:
            raise SizeRefused(f"a private key of {kem.label}", len(secret), f"not {PRIVATE_KEY_BYTES}")
        secret = bytes(secret)
        key, public = _OPENERS[kem](secret)
        return cls(PublicKey.parse(kem, public), secret, key)

    @property
    def kem(self) -> Kem:
        """What it opens."""
        return self.public_key.kem


def engine_public_key(key: PublicKey) -> Any:
    """The library's object, for who seals."""
    return key._engine_key


def engine_private_key(key: PrivateKey) -> Any:
    """The library's object, for who opens."""
    return key._engine_key


def _parse_p256(encoded: bytes) -> Any:
    ec = library(f"{PRIMITIVES}.asymmetric.ec")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoded)
    except ValueError:
        raise KeyRefused(Kem.P256.label, "not an uncompressed point of the curve") from None


def _parse_x25519(encoded: bytes, kem: Kem = Kem.X25519) -> Any:
    x25519 = library(f"{PRIMITIVES}.asymmetric.x25519")
    if int.from_bytes(encoded, "little") >= _FIELD_PRIME:
        raise KeyRefused(kem.label, "X25519: not canonical, so that the same key has another name")
    key = x25519.X25519PublicKey.from_public_bytes(encoded)
    try:
        # Scalars are multiples of 8: with a point of small order, and with no other, everybody agrees on zero, which the
        # library refuses (RFC 7748 §6.1).
        x25519.X25519PrivateKey.from_private_bytes(_ANY_SCALAR).exchange(key)
    except ValueError:
        raise KeyRefused(kem.label, "X25519: a point of small order") from None
    return key


def _parse_hybrid(encoded: bytes) -> Any:
    hpke, mlkem = library(f"{PRIMITIVES}.hpke"), library(f"{PRIMITIVES}.asymmetric.mlkem")
    lattice, curve = encoded[:MLKEM768_PUBLIC_BYTES], encoded[MLKEM768_PUBLIC_BYTES:]
    x25519_key = _parse_x25519(curve, Kem.MLKEM768_X25519)
    try:
        mlkem_key = _lattice_key(mlkem.MLKEM768PublicKey.from_public_bytes, lattice)
    except ValueError:
        raise KeyRefused(Kem.MLKEM768_X25519.label, "ML-KEM-768: coefficients are not reduced") from None
    return hpke.MLKEM768X25519PublicKey(mlkem_key, x25519_key)


def _lattice_key(make: Callable[[bytes], Any], encoded: bytes) -> Any:
    unsupported: type[Exception] = library("cryptography.exceptions").UnsupportedAlgorithm
    try:
        return make(encoded)
    except unsupported:
        raise SuiteUnsupported(
            "ML-KEM-768 by the `cryptography` that is installed, which was built without it"
        ) from None


def _open_p256(secret: bytes) -> tuple[Any, bytes]:
    ec, serialization = library(f"{PRIMITIVES}.asymmetric.ec"), library(f"{PRIMITIVES}.serialization")
    try:
        key = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
    except ValueError:
        raise KeyRefused(Kem.P256.label, "the secret is not a scalar of the curve") from None
    uncompressed = serialization.PublicFormat.UncompressedPoint
    return key, key.public_key().public_bytes(serialization.Encoding.X962, uncompressed)


def _open_x25519(secret: bytes) -> tuple[Any, bytes]:
    key = library(f"{PRIMITIVES}.asymmetric.x25519").X25519PrivateKey.from_private_bytes(secret)
    return key, key.public_key().public_bytes_raw()


def _open_hybrid(secret: bytes) -> tuple[Any, bytes]:
    hpke, mlkem = library(f"{PRIMITIVES}.hpke"), library(f"{PRIMITIVES}.asymmetric.mlkem")
    # draft-connolly-cfrg-xwing-kem §5.2: the seed expands to that of ML-KEM, then the X25519 key.
    hashes = library(f"{PRIMITIVES}.hashes")
    expansion = hashes.Hash(hashes.SHAKE256(_MLKEM768_SEED_BYTES + PRIVATE_KEY_BYTES))
    expansion.update(secret)
    expanded = expansion.finalize()
    mlkem_key = _lattice_key(mlkem.MLKEM768PrivateKey.from_seed_bytes, expanded[:_MLKEM768_SEED_BYTES])
    x25519_key, x25519_public = _open_x25519(expanded[_MLKEM768_SEED_BYTES:])
    public = mlkem_key.public_key().public_bytes_raw() + x25519_public
    return hpke.MLKEM768X25519PrivateKey(mlkem_key, x25519_key), public


_PARSERS = {Kem.P256: _parse_p256, Kem.X25519: _parse_x25519, Kem.MLKEM768_X25519: _parse_hybrid}
_OPENERS = {Kem.P256: _open_p256, Kem.X25519: _open_x25519, Kem.MLKEM768_X25519: _open_hybrid}
