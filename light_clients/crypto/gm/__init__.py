"""The Chinese suite behind one door: SM2 (GB/T 32918), SM3 (GB/T 32905), SM4 (GB/T 32907). No primitive is written here.

Engines are looked for when a function is called: everything else works without them, and what needs one fails with
`GmNotInstalled`. SM2 is GmSSL's (gmssl-pyx, the extra `gm`) and nobody else's. SM3 is GmSSL's, else OpenSSL's
(cryptography); SM4 is OpenSSL's, else GmSSL's. Which engine it is changes no verdict and no byte.

Verifying functions are total: bad input gives False.
"""

from hutong.light_clients.crypto.gm.ciphertext import MAX_PLAINTEXT_BYTES, ciphertext_from_der, ciphertext_to_der
from hutong.light_clients.crypto.gm.curve import FIELD_PRIME, ORDER, PUBLIC_KEY_BYTES, is_private_key, is_public_key
from hutong.light_clients.crypto.gm.libraries import NOT_INSTALLED, GmNotInstalled, is_installed
from hutong.light_clients.crypto.gm.pem import (
    key_pair_from_pem,
    key_pair_to_pem,
    public_key_from_pem,
    public_key_to_pem,
)
from hutong.light_clients.crypto.gm.refusals import GmMalformed, GmNotAuthentic
from hutong.light_clients.crypto.gm.signature import SIGNATURE_BYTES, signature_from_der, signature_to_der
from hutong.light_clients.crypto.gm.sm2 import (
    DEFAULT_IDENTIFIER,
    DIGEST_BYTES,
    KeyPair,
    new_key_pair,
    sign,
    verify,
    verify_digest,
)
from hutong.light_clients.crypto.gm.sm2_encryption import decrypt, encrypt
from hutong.light_clients.crypto.gm.sm3 import hmac_sm3, sm3
from hutong.light_clients.crypto.gm.sm4 import ctr_transform, gcm_open, gcm_seal

__all__ = [
    "DEFAULT_IDENTIFIER",
    "DIGEST_BYTES",
    "FIELD_PRIME",
    "MAX_PLAINTEXT_BYTES",
    "NOT_INSTALLED",
    "ORDER",
    "PUBLIC_KEY_BYTES",
    "SIGNATURE_BYTES",
    "GmMalformed",
    "GmNotAuthentic",
    "GmNotInstalled",
    "KeyPair",
    "ciphertext_from_der",
    "ciphertext_to_der",
    "ctr_transform",
    "decrypt",
    "encrypt",
    "gcm_open",
    "gcm_seal",
    "hmac_sm3",
    "is_installed",
    "is_private_key",
    "is_public_key",
    "key_pair_from_pem",
    "key_pair_to_pem",
    "new_key_pair",
    "public_key_from_pem",
    "public_key_to_pem",
    "sign",
    "signature_from_der",
    "signature_to_der",
    "sm3",
    "verify",
    "verify_digest",
]
