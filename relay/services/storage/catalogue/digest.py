"""What a catalogue says of objects, as 32 bytes: two that were made in different ways are compared by them."""

from hashlib import sha256

from hutong.relay.services.storage.catalogue import objects
from hutong.relay.services.storage.catalogue.database import Statements

_AT_ONCE = 1_000
_QUERY = (
    "SELECT key, size, modified_ms, retain_s, digest, note FROM storage_objects"
    " WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?"
)


def catalogue_digest(statements: Statements) -> tuple[bytes, int]:
    """SHA-256 over what the catalogue says of every object, in order, and how many there are. Where they lie is not in it."""
    hashing, count = sha256(), 0
    for bucket in sorted(objects.buckets(statements), key=lambda one: one.name.encode()):
        name, after = bucket.name.encode(), b""
        while rows := statements.rows(_QUERY, (bucket.number, after, _AT_ONCE)):
            for key, size, modified_ms, retain_s, digest, note in rows:
                numbers = (str(number).encode() for number in (size, modified_ms, retain_s))
                parts = (name, bytes(key), *numbers, bytes(digest), bytes(note or b""))
                hashing.update(b"".join(len(part).to_bytes(4, "big") + part for part in parts))
            after = bytes(rows[-1][0])
            count += len(rows)
    return hashing.digest(), count
