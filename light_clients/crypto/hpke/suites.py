"""Suites by their IANA numbers, and the sizes of their keys."""

from dataclasses import dataclass
from enum import IntEnum

from hutong.light_clients.crypto.hpke.errors import SuiteUnsupported

HKDF_SHA256 = 0x0001
"""The one KDF: every suite that users have names it (draft-ietf-ppm-dap-18, compliance requirements)."""


class Kem(IntEnum):
    """How a key is agreed (RFC 9180 §7.1; draft-ietf-hpke-pq for the hybrid, which is X-Wing)."""

    P256 = 0x0010
    X25519 = 0x0020
    MLKEM768_X25519 = 0x647A

    @property
    def label(self) -> str:
        """The word for people and files, such as `mlkem768-x25519`."""
        return _LABELS[self]

    @property
    def public_key_bytes(self) -> int:
        """Size of a public key, as sent."""
        return _PUBLIC_KEY_BYTES[self]

    @property
    def enc_bytes(self) -> int:
        """Size of the encapsulated key that goes before a ciphertext."""
        return _ENC_BYTES[self]


PRIVATE_KEY_BYTES = 32
"""Of each KEM: a scalar, or the seed of the hybrid's two keys."""

_LABELS = {Kem.P256: "p-256", Kem.X25519: "x25519", Kem.MLKEM768_X25519: "mlkem768-x25519"}
_PUBLIC_KEY_BYTES = {Kem.P256: 65, Kem.X25519: 32, Kem.MLKEM768_X25519: 1184 + 32}
_ENC_BYTES = {Kem.P256: 65, Kem.X25519: 32, Kem.MLKEM768_X25519: 1088 + 32}


class Aead(IntEnum):
    """How the message is encrypted (RFC 9180 §7.3); each adds a tag of 16 bytes."""

    AES_128_GCM = 0x0001
    AES_256_GCM = 0x0002
    CHACHA20_POLY1305 = 0x0003


TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Suite:
    """A KEM with HKDF-SHA256 and an AEAD. All nine pairs are served."""

    kem: Kem
    aead: Aead

    @classmethod
    def of_numbers(cls, kem: int, kdf: int, aead: int) -> "Suite":
        """The suite of three IANA numbers, as a message or a configuration names it.

        Raises:
            SuiteUnsupported: one of them is another number.
        """
        if kdf != HKDF_SHA256:
            raise SuiteUnsupported(f"HPKE with KDF {kdf:#06x}")
        try:
            return cls(Kem(kem), Aead(aead))
        except ValueError:
            raise SuiteUnsupported(f"HPKE with KEM {kem:#06x} and AEAD {aead:#06x}") from None

    @property
    def takes_aad(self) -> bool:
        """Whether a message may have additional data besides `info`.

        Not with the hybrid: its engine is `cryptography`, which has no `aad` (pyca/cryptography#14203); a single message is
        bound by `info` as well.
        """
        return self.kem is not Kem.MLKEM768_X25519


DAP = Suite(Kem.X25519, Aead.AES_128_GCM)
"""What draft-ietf-ppm-dap asks of everyone."""
HYBRID = Suite(Kem.MLKEM768_X25519, Aead.AES_256_GCM)
"""For what is public for ever: safe as long as one of ML-KEM-768 and X25519 is."""
