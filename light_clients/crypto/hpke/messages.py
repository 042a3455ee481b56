"""One message sealed to one key, and opened again (RFC 9180 §6.1, mode base).

| KEM | engine | why |
| --- | --- | --- |
| P-256, X25519 | pyhpke on `cryptography` | the only maintained one in Python with `aad` |
| ML-KEM-768 with X25519 | `cryptography` | the only one in Python that has it; it takes no `aad` |
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from hutong.light_clients.crypto.hpke.errors import NotOpened, SizeRefused, SuiteUnsupported
from hutong.light_clients.crypto.hpke.keys import PrivateKey, PublicKey, engine_private_key, engine_public_key
from hutong.light_clients.crypto.hpke.libraries import PRIMITIVES, library
from hutong.light_clients.crypto.hpke.suites import HKDF_SHA256, TAG_BYTES, Aead, Kem, Suite

MAX_PLAINTEXT_BYTES = 1024 * 1024
"""Ours; a report of DAP over 1 024 buckets has 20 kB, and larger content gets a key of its own, which is sealed."""
MAX_BOUND_BYTES = 64 * 1024
"""Of `info` and of `aad`, ours."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """`enc` is the encapsulated key (`Kem.enc_bytes`), `ciphertext` is 16 bytes longer than the plain text."""

    enc: bytes
    ciphertext: bytes


def seal(suite: Suite, reader: PublicKey, plaintext: bytes, *, info: bytes = b"", aad: bytes = b"") -> Sealed:
    """Encrypt for whoever has the reader's private key. Each call draws a new ephemeral key: no nonce comes again.

    Says nothing of who sealed it. Length is not hidden: padding is the caller's.

    Args:
        suite: of the reader's KEM.
        reader: the key to seal to.
        plaintext: at most `MAX_PLAINTEXT_BYTES`.
        info: what the message belongs to; opens with the same alone.
        aad: as `info`, for suites with `takes_aad`.

    Raises:
        SuiteUnsupported: the suite's KEM is not the key's, or `aad` is not empty where the suite has none.
        SizeRefused: something is too long.
        HpkeNotInstalled: the extra is not there.
    """
    _fits(suite, reader.kem, info, aad)
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise SizeRefused("a plain text", len(plaintext), f"more than {MAX_PLAINTEXT_BYTES}")
    key = engine_public_key(reader)
    if suite.kem is Kem.MLKEM768_X25519:
        whole: bytes = _cryptography_suite(suite).encrypt(bytes(plaintext), key, bytes(info))
        return Sealed(whole[: suite.kem.enc_bytes], whole[suite.kem.enc_bytes :])
    pyhpke = library("pyhpke")
    enc, context = _pyhpke_suite(suite).create_sender_context(
        pyhpke.KEMKey.from_pyca_cryptography_key(key), bytes(info)
    )
    return Sealed(enc, context.seal(bytes(plaintext), bytes(aad)))


def open_sealed(suite: Suite, key: PrivateKey, sealed: Sealed, *, info: bytes = b"", aad: bytes = b"") -> bytes:
    """The plain text; `info` and `aad` as it was sealed.

    Raises:
        NotOpened: another key, info, aad or suite, or changed bytes; an encapsulated key of small order or off the curve.
        SuiteUnsupported: as `seal`.
        SizeRefused: something is too long, or `enc` has another size than the suite's.
        HpkeNotInstalled: the extra is not there.
    """
    _fits(suite, key.kem, info, aad)
    if len(sealed.enc) != suite.kem.enc_bytes:
        raise SizeRefused("an encapsulated key", len(sealed.enc), f"not {suite.kem.enc_bytes}")
    size = len(sealed.ciphertext)
    if not TAG_BYTES <= size <= MAX_PLAINTEXT_BYTES + TAG_BYTES:
        raise SizeRefused("a ciphertext", size, f"not {TAG_BYTES} to {MAX_PLAINTEXT_BYTES + TAG_BYTES}")
    if suite.kem is Kem.MLKEM768_X25519:
        return _open_hybrid(suite, key, sealed, bytes(info))
    return _open_dh(suite, key, sealed, bytes(info), bytes(aad))


def _open_hybrid(suite: Suite, key: PrivateKey, sealed: Sealed, info: bytes) -> bytes:
    invalid_tag = library("cryptography.exceptions").InvalidTag
    whole = bytes(sealed.enc) + bytes(sealed.ciphertext)
    try:
        plaintext: bytes = _cryptography_suite(suite).decrypt(whole, engine_private_key(key), info)
    except (ValueError, invalid_tag):
        raise NotOpened from None
    return plaintext


def _open_dh(suite: Suite, key: PrivateKey, sealed: Sealed, info: bytes, aad: bytes) -> bytes:
    pyhpke = library("pyhpke")
    try:
        reader = pyhpke.KEMKey.from_pyca_cryptography_key(engine_private_key(key))
        context = _pyhpke_suite(suite).create_recipient_context(bytes(sealed.enc), reader, info)
        plaintext: bytes = context.open(bytes(sealed.ciphertext), aad)
    except (ValueError, pyhpke.exceptions.PyHPKEError):
        raise NotOpened from None
    return plaintext


def _fits(suite: Suite, kem: Kem, info: bytes, aad: bytes) -> None:
    if suite.kem is not kem:
        raise SuiteUnsupported(f"a suite of {suite.kem.label} with a key of {kem.label}")
    if aad and not suite.takes_aad:
        raise SuiteUnsupported(f"aad with {suite.kem.label}; put it into info")
    for name, value in (("info", info), ("aad", aad)):
        if len(value) > MAX_BOUND_BYTES:
            raise SizeRefused(name, len(value), f"more than {MAX_BOUND_BYTES}")


@cache
def _pyhpke_suite(suite: Suite) -> Any:
    pyhpke = library("pyhpke")
    return pyhpke.CipherSuite.new(
        pyhpke.KEMId(suite.kem.value), pyhpke.KDFId(HKDF_SHA256), pyhpke.AEADId(suite.aead.value)
    )


@cache
def _cryptography_suite(suite: Suite) -> Any:
    hpke = library(f"{PRIMITIVES}.hpke")
    aead = {
        Aead.AES_128_GCM: hpke.AEAD.AES_128_GCM,
        Aead.AES_256_GCM: hpke.AEAD.AES_256_GCM,
        Aead.CHACHA20_POLY1305: hpke.AEAD.CHACHA20_POLY1305,
    }[suite.aead]
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, aead)
