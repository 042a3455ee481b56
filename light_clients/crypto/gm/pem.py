"""SM2 keys as OpenSSL writes them: PKCS #8 and SubjectPublicKeyInfo in PEM, the one encoding of each."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from hutong.light_clients.crypto.gm.curve import PUBLIC_KEY_BYTES, SCALAR_BYTES, is_public_key
from hutong.light_clients.crypto.gm.refusals import GmMalformed
from hutong.light_clients.crypto.gm.sm2 import KeyPair

MAX_PEM_BYTES = 1024
_PRIVATE, _PUBLIC = "PRIVATE KEY", "PUBLIC KEY"
# id-ecPublicKey on 1.2.156.10197.1.301 (sm2p256v1) around ECPrivateKey with its public key (RFC 5958, 5915), and around a point.
_BEFORE_PRIVATE = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_BETWEEN = bytes.fromhex("a14403420004")
_BEFORE_PUBLIC = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_BLOCK = re.compile(rb"\s*-----BEGIN ([A-Z ]+)-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END \1-----\s*", re.ASCII)


def key_pair_to_pem(key: KeyPair) -> bytes:
    """PKCS #8, not encrypted: a secret."""
    return _block(_PRIVATE, _BEFORE_PRIVATE + key.private_key + _BETWEEN + key.public_key)


def key_pair_from_pem(data: bytes) -> KeyPair:
    """The key of an unencrypted PKCS #8 file that also holds the public key, as OpenSSL and GmSSL write it.

    Raises:
        GmMalformed: another file (encrypted, of another curve, without its public key), or no key.
    """
    found = _content(_PRIVATE, data)
    between = len(_BEFORE_PRIVATE) + SCALAR_BYTES
    size = between + len(_BETWEEN) + PUBLIC_KEY_BYTES
    if len(found) != size or not found.startswith(_BEFORE_PRIVATE) or not found.startswith(_BETWEEN, between):
        raise GmMalformed("sm2_key", "is no PKCS #8 of a key of sm2p256v1 with its public key")
    return KeyPair(found[len(_BEFORE_PRIVATE) : between], found[-PUBLIC_KEY_BYTES:])


def public_key_to_pem(public_key: bytes) -> bytes:
    """SubjectPublicKeyInfo of x ‖ y.

    Raises:
        GmMalformed: it is no public key.
    """
    if not is_public_key(public_key):
        raise GmMalformed("sm2_key.public_key", "is no point of sm2p256v1")
    return _block(_PUBLIC, _BEFORE_PUBLIC + public_key)


def public_key_from_pem(data: bytes) -> bytes:
    """x ‖ y of a SubjectPublicKeyInfo.

    Raises:
        GmMalformed: another file, another curve, or no point of it.
    """
    found = _content(_PUBLIC, data)
    if len(found) != len(_BEFORE_PUBLIC) + PUBLIC_KEY_BYTES or not found.startswith(_BEFORE_PUBLIC):
        raise GmMalformed("sm2_key", "is no SubjectPublicKeyInfo of a key of sm2p256v1")
    public_key = found[-PUBLIC_KEY_BYTES:]
    if not is_public_key(public_key):
        raise GmMalformed("sm2_key.public_key", "is no point of sm2p256v1")
    return public_key


def _block(label: str, content: bytes) -> bytes:
    text = b64encode(content).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()


def _content(label: str, data: bytes) -> bytes:
    if len(data) > MAX_PEM_BYTES:
        raise GmMalformed("sm2_key", f"has more than {MAX_PEM_BYTES} bytes")
    block = _BLOCK.fullmatch(data)
    if block is None or block[1].decode() != label:
        raise GmMalformed("sm2_key", f"is not one PEM block of a {label}")
    try:
        return b64decode(b"".join(block[2].split()), validate=True)
    except Base64Error:
        raise GmMalformed("sm2_key", "is no base64 between its lines") from None
