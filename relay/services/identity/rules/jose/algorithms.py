"""Signature algorithms that credentials may use. Whoever verifies names those it takes; a token never chooses."""

from enum import Enum
from typing import Final


class Algorithm(Enum):
    """By the value of `alg`. Each takes one kind of key, so that no key verifies under two algorithms."""

    ES256 = "ES256"
    """ECDSA on P-256 with SHA-256 (RFC 7518 §3.4): what OpenID4VC HAIP demands of everybody."""
    ES256K = "ES256K"
    """ECDSA on secp256k1 with SHA-256 (RFC 8812 §3.2)."""
    ES384 = "ES384"
    """ECDSA on P-384 with SHA-384 (RFC 7518 §3.4)."""
    ES512 = "ES512"
    """ECDSA on P-521 with SHA-512 (RFC 7518 §3.4)."""
    EDDSA = "EdDSA"
    """Ed25519 (RFC 8037 §3.1); Ed448 is not supported."""

    __hash__ = object.__hash__
    """Of the one object that a member is: the enumeration's own hashes the name, in Python, at each look into a set."""

    @property
    def coordinate_bytes(self) -> int:
        """Of x and y of a public key, and of r and s of a signature; of Ed25519, of the whole key, and of R and S."""
        return _COORDINATE_BYTES[self]

    @property
    def signature_bytes(self) -> int:
        """Of r ‖ s, or R ‖ S."""
        return 2 * self.coordinate_bytes


_COORDINATE_BYTES: Final = dict.fromkeys(Algorithm, 32) | {Algorithm.ES384: 48, Algorithm.ES512: 66}


BY_NAME: Final = {algorithm.value: algorithm for algorithm in Algorithm}
HAIP_ALGORITHMS: Final = frozenset({Algorithm.ES256})
"""Of a verifier that says nothing else."""
MAX_SIGNATURE_BYTES: Final = 132
"""Of the longest, ES512."""
