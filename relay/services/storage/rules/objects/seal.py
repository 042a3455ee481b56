"""Sealed objects: records of 64 KiB under a key of one object (docs/spec/storage-manifest.md).

A record says its number and whether it is the last in its nonce (STREAM, of Hoang, Reyhanitabar, Rogaway and Vizár), so that records
are neither moved, left out nor cut off at the end. A key seals one object, once: two objects under it would share nonces.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.rules.objects.sizes import (
    RECORD_BYTES,
    SEALED_RECORD_BYTES,
    TAG_BYTES,
    records_of,
)

KEY_BYTES: Final = 32
SEAL_INFO: Final = b"hutong/storage/seal/1"
HASH_INFO: Final = b"hutong/storage/content hash/1"
MAX_RECORDS: Final = 2**32
_NONCE_HEAD: Final = bytes(7)


class ObjectKey:
    """What seals and opens records of one object, and the key under which its content is hashed."""

    def __init__(self, data_key: bytes) -> None:
        """`data_key`: 32 random bytes, drawn for this object alone.

        Raises:
            MalformedInput: of another length.
        """
        if len(data_key) != KEY_BYTES:
            raise MalformedInput("seal.data_key", f"has {KEY_BYTES} bytes", got=len(data_key))
        self._records = AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=SEAL_INFO).derive(data_key))
        self.hash_key = HKDF(SHA256(), KEY_BYTES, salt=None, info=HASH_INFO).derive(data_key)
        """Of the keyed BLAKE3 that a manifest of a sealed object holds: who does not read it learns nothing of its content."""

    def seal(self, number: int, octets: bytes | bytearray | memoryview, *, is_last: bool) -> bytes:
        """Record `number` under the seal, 16 bytes longer.

        Raises:
            MalformedInput: a number or length that no such record has.
        """
        _check(number, len(octets), is_last=is_last)
        return self._records.encrypt(_nonce(number, is_last=is_last), octets, None)

    def seal_in_place(self, number: int, buffer: bytearray | memoryview, *, is_last: bool) -> None:
        """As `seal`: `buffer` begins with the record's bytes and has 16 more, and holds the sealed record afterwards.

        Raises:
            MalformedInput: a number or length that no such record has.
        """
        _check(number, len(buffer) - TAG_BYTES, is_last=is_last)
        with memoryview(buffer) as view:
            self._records.encrypt_into(_nonce(number, is_last=is_last), view[:-TAG_BYTES], None, view)

    def open(self, number: int, record: bytes | bytearray | memoryview, *, is_last: bool) -> bytes:
        """The bytes of record `number`.

        Raises:
            MalformedInput: a number or length that no such record has.
            PredicateFailed: it is another record, or of another key, or was changed.
        """
        _check(number, len(record) - TAG_BYTES, is_last=is_last)
        try:
            return self._records.decrypt(_nonce(number, is_last=is_last), record, None)
        except InvalidTag as error:
            raise PredicateFailed("record_opens", "another record, key or bytes", got=number) from error


def seal_object(data_key: bytes, octets: bytes) -> bytes:
    """All records of an object, joined; for what fits in memory.

    Raises:
        MalformedInput: a key of another length.
    """
    key, count = ObjectKey(data_key), records_of(len(octets))
    cuts = (octets[number * RECORD_BYTES : (number + 1) * RECORD_BYTES] for number in range(count))
    return b"".join(key.seal(number, cut, is_last=number == count - 1) for number, cut in enumerate(cuts))


def open_object(data_key: bytes, sealed: bytes) -> bytes:
    """Inverse of `seal_object`.

    Raises:
        MalformedInput: a key of another length, or no record.
        PredicateFailed: records that are not those of this key, in order, to the last.
    """
    key = ObjectKey(data_key)
    cuts = [sealed[at : at + SEALED_RECORD_BYTES] for at in range(0, len(sealed), SEALED_RECORD_BYTES)]
    if not cuts:
        raise MalformedInput("seal", "has no record")
    return b"".join(key.open(number, cut, is_last=number == len(cuts) - 1) for number, cut in enumerate(cuts))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return _NONCE_HEAD + number.to_bytes(4, "big") + bytes([is_last])


def _check(number: int, size: int, *, is_last: bool) -> None:
    if not 0 <= number < MAX_RECORDS:
        raise MalformedInput("seal.record", f"0 to {MAX_RECORDS - 1}", got=number)
    # Only the last record is shorter than the others, and only that of an empty object has no bytes.
    least = RECORD_BYTES if not is_last else min(number, 1)
    if not least <= size <= RECORD_BYTES:
        raise MalformedInput("seal.record", f"{least} to {RECORD_BYTES} bytes", got=size)
