"""Keys of one credential each: P-256 for what verifiers of SD-JWT VCs check, secp256k1 for seals that contracts check."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hutong.light_clients.crypto import eth_address, secp256k1, sha256
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, VerificationKey, key_at

SECRET_BYTES: Final = 32
_CURVE: Final = ec.SECP256R1()
_SEAL_CURVE: Final = ec.SECP256K1()
_ES256: Final = ec.ECDSA(SHA256())


class HolderKey:
    """A P-256 key. The secret has no representation, and is given out to the vault alone."""

    __slots__ = ("_key", "public")

    def __init__(self, secret: bytes | None = None) -> None:
        """A new key, or the one of a secret that was kept.

        Raises:
            ValueError: a secret that is no scalar of the curve.
        """
        if secret is None:
            self._key = ec.generate_private_key(_CURVE)
        else:
            self._key = ec.derive_private_key(int.from_bytes(secret, "big"), _CURVE)
        numbers = self._key.public_key().public_numbers()
        coordinates = numbers.x.to_bytes(SECRET_BYTES, "big") + numbers.y.to_bytes(SECRET_BYTES, "big")
        self.public: VerificationKey = key_at(Algorithm.ES256, coordinates, "holder key")

    @property
    def secret(self) -> bytes:
        """32 bytes, for the vault."""
        return self._key.private_numbers().private_value.to_bytes(SECRET_BYTES, "big")

    @property
    def jwk(self) -> JsonObject:
        """The public key."""
        return self.public.public_jwk()

    def sign(self, message: bytes) -> bytes:
        """64 bytes r ‖ s of ES256."""
        r, s = decode_dss_signature(self._key.sign(message, _ES256))
        return r.to_bytes(SECRET_BYTES, "big") + s.to_bytes(SECRET_BYTES, "big")

    def __repr__(self) -> str:
        return "HolderKey()"


class SealKey:
    """A secp256k1 key whose address a seal names as its holder, for one seal alone: a chain links what shares an address."""

    __slots__ = ("_secret", "address", "public")

    def __init__(self, secret: bytes | None = None) -> None:
        """A new key, or the one of a secret that was kept.

        Raises:
            ValueError: a secret that is no scalar of the curve.
        """
        self._secret = _new_secret() if secret is None else secret
        compressed = secp256k1.public_key_of(self._secret)
        address, point = eth_address(compressed), secp256k1.decompress(compressed)
        if address is None or point is None:
            raise ValueError("a key of the curve has an address")
        coordinates = b"".join(each.to_bytes(SECRET_BYTES, "big") for each in point)
        self.address: bytes = address
        self.public: VerificationKey = key_at(Algorithm.ES256K, coordinates, "seal key")

    @property
    def secret(self) -> bytes:
        """32 bytes, for the vault."""
        return self._secret

    @property
    def jwk(self) -> JsonObject:
        """The public key."""
        return self.public.public_jwk()

    def sign(self, message: bytes) -> bytes:
        """64 bytes r ‖ s of ES256K."""
        return secp256k1.sign(self._secret, sha256(message))

    def __repr__(self) -> str:
        return f"SealKey(0x{self.address.hex()})"


def _new_secret() -> bytes:
    return ec.generate_private_key(_SEAL_CURVE).private_numbers().private_value.to_bytes(SECRET_BYTES, "big")
