"""Hybrid public key encryption (RFC 9180), from the optional extra `hpke`: one message to one reader's key.

Mode base and single messages alone: who wrote a message is said by what carries it. `seal` draws the ephemeral key from the
library's own generator; everything else is a function of its arguments.
"""

from hutong.light_clients.crypto.hpke.errors import (
    HpkeError,
    HpkeNotInstalled,
    KeyRefused,
    NotOpened,
    SizeRefused,
    SuiteUnsupported,
)
from hutong.light_clients.crypto.hpke.keys import PrivateKey, PublicKey
from hutong.light_clients.crypto.hpke.libraries import is_installed
from hutong.light_clients.crypto.hpke.messages import MAX_BOUND_BYTES, MAX_PLAINTEXT_BYTES, Sealed, open_sealed, seal
from hutong.light_clients.crypto.hpke.suites import DAP, HKDF_SHA256, HYBRID, Aead, Kem, Suite

__all__ = [
    "DAP",
    "HKDF_SHA256",
    "HYBRID",
    "MAX_BOUND_BYTES",
    "MAX_PLAINTEXT_BYTES",
    "Aead",
    "HpkeError",
    "HpkeNotInstalled",
    "Kem",
    "KeyRefused",
    "NotOpened",
    "PrivateKey",
    "PublicKey",
    "Sealed",
    "SizeRefused",
    "Suite",
    "SuiteUnsupported",
    "is_installed",
    "open_sealed",
    "seal",
]
