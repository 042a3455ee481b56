"""A file sealed to an SM2 key: an SM4 key under SM2, the content under SM4-GCM (docs/spec/sm2-sealed-file.md)."""

import json
import secrets

from hutong.light_clients.crypto import gm
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.keys.sealed_file import MAX_PURPOSE_BYTES, PurposeTooLong

FORMAT = "hutong-sm2-sealed-file"
MAX_CONTENT_BYTES = 1024 * 1024
MAX_SEALED_FILE_BYTES = 2 * MAX_CONTENT_BYTES + 8 * 1024
KEY_BYTES = 16
NONCE_BYTES = 12
_SEALED_KEY_BYTES = 97 + KEY_BYTES
_TAG_BYTES = 16
_DOMAIN = b"hutong sm2 sealed file 1\0"
"""In front of the purpose in what SM4-GCM authenticates: no other message opens as a file, nor a file as one."""


class NotOpened(Exception):
    """Sealed to another key or for another purpose, or changed since. Which of them nobody can say."""

    def __init__(self) -> None:
        super().__init__("does not open: it was sealed to another key or for another purpose, or was changed since")


def seal_file(public_key: bytes, content: bytes, purpose: str) -> bytes:
    """The sealed file of `content`, which opens under the same purpose alone. Key and nonce are drawn for it.

    Raises:
        MalformedInput: more than `MAX_CONTENT_BYTES`.
        PurposeTooLong: see there.
        gm.GmMalformed: no public key.
        gm.GmNotInstalled: the extra `gm` is not there.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise MalformedInput("file", f"has more than {MAX_CONTENT_BYTES} bytes", len(content))
    key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
    document = {
        "format": FORMAT,
        "version": 1,
        "key": gm.encrypt(public_key, key).hex(),
        "nonce": nonce.hex(),
        "ciphertext": gm.gcm_seal(key, nonce, _authenticated(purpose), content).hex(),
    }
    return json.dumps(document).encode() + b"\n"


def open_file(private_key: bytes, data: bytes, purpose: str) -> bytes:
    """What was sealed.

    Raises:
        MalformedInput: not a sealed file.
        NotOpened: see there.
        PurposeTooLong: see `seal_file`.
        gm.GmNotInstalled: the extra `gm` is not there.
    """
    document = Document.parse(data, "sealed file", MAX_SEALED_FILE_BYTES)
    with document.of_format("a file sealed by SM2", FORMAT, 1) as fields:
        sealed_key = fields["key"].hex(_SEALED_KEY_BYTES)
        nonce = fields["nonce"].hex(NONCE_BYTES)
        ciphertext = fields["ciphertext"].hex_of_at_most(MAX_CONTENT_BYTES + _TAG_BYTES)
    if len(ciphertext) < _TAG_BYTES:
        raise MalformedInput("sealed file.ciphertext", "is shorter than a tag", len(ciphertext), _TAG_BYTES)
    authenticated = _authenticated(purpose)
    try:
        return gm.gcm_open(gm.decrypt(private_key, sealed_key), nonce, authenticated, ciphertext)
    except (gm.GmNotAuthentic, gm.GmMalformed):
        raise NotOpened from None


def _authenticated(purpose: str) -> bytes:
    encoded = purpose.encode()
    if len(encoded) > MAX_PURPOSE_BYTES:
        raise PurposeTooLong(f"a purpose has at most {MAX_PURPOSE_BYTES} bytes, this one {len(encoded)}")
    return _DOMAIN + encoded
