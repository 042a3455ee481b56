"""A file sealed to a reader's key: suite, encapsulated key and ciphertext as one JSON document (docs/spec/sealed-file.md)."""

import json

from hutong.light_clients.crypto.hpke import (
    HKDF_SHA256,
    MAX_PLAINTEXT_BYTES,
    Aead,
    HpkeError,
    NotOpened,
    PrivateKey,
    PublicKey,
    Sealed,
    Suite,
    open_sealed,
    seal,
)
from hutong.light_clients.crypto.hpke.suites import TAG_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document

FORMAT = "hutong-sealed-file"
MAX_SEALED_FILE_BYTES = 2 * (MAX_PLAINTEXT_BYTES + TAG_BYTES) + 8 * 1024
MAX_PURPOSE_BYTES = 1024
_DOMAIN = b"hutong sealed file 1\0"
"""No message of another kind opens as a file, nor a file as one."""


class PurposeTooLong(ValueError):
    """What a file is said to be for has more than `MAX_PURPOSE_BYTES`."""


def seal_file(reader: PublicKey, content: bytes, purpose: str) -> bytes:
    """The sealed file of `content`, which opens under the same purpose alone. AES-256-GCM with every KEM.

    Raises:
        PurposeTooLong: see there.
        SizeRefused: more than `MAX_PLAINTEXT_BYTES`.
        HpkeNotInstalled: the extra `hpke` is not there.
    """
    suite = Suite(reader.kem, Aead.AES_256_GCM)
    sealed = seal(suite, reader, content, info=_info(purpose))
    numbers = {"kem": suite.kem.value, "kdf": HKDF_SHA256, "aead": suite.aead.value}
    document = {
        "format": FORMAT,
        "version": 1,
        **numbers,
        "enc": sealed.enc.hex(),
        "ciphertext": sealed.ciphertext.hex(),
    }
    return json.dumps(document).encode() + b"\n"


def open_file(key: PrivateKey, data: bytes, purpose: str) -> bytes:
    """What was sealed.

    Raises:
        MalformedInput: not a sealed file, or one of a suite that is not served.
        NotOpened: sealed to another key or for another purpose, or changed since.
        PurposeTooLong: see there.
        HpkeNotInstalled: the extra `hpke` is not there.
    """
    suite, sealed = _parsed(data)
    if suite.kem is not key.kem:
        raise NotOpened
    return open_sealed(suite, key, sealed, info=_info(purpose))


def _parsed(data: bytes) -> tuple[Suite, Sealed]:
    document = Document.parse(data, "sealed file", MAX_SEALED_FILE_BYTES)
    with document.of_format("a sealed file", FORMAT, 1) as fields:
        numbers = [fields[name].integer(0, 0xFFFF) for name in ("kem", "kdf", "aead")]
        try:
            suite = Suite.of_numbers(*numbers)
        except HpkeError as error:
            raise MalformedInput("sealed file", str(error)) from None
        enc = fields["enc"].hex(suite.kem.enc_bytes)
        ciphertext = fields["ciphertext"].hex_of_at_most(MAX_PLAINTEXT_BYTES + TAG_BYTES)
    if len(ciphertext) < TAG_BYTES:
        raise MalformedInput("sealed file.ciphertext", "is shorter than a tag", len(ciphertext), TAG_BYTES)
    return suite, Sealed(enc, ciphertext)


def _info(purpose: str) -> bytes:
    encoded = purpose.encode()
    if len(encoded) > MAX_PURPOSE_BYTES:
        raise PurposeTooLong(f"a purpose has at most {MAX_PURPOSE_BYTES} bytes, this one {len(encoded)}")
    return _DOMAIN + encoded
