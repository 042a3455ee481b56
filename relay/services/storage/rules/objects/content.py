"""The hash of an object's content, which its manifest holds: BLAKE3 (docs/spec/storage-manifest.md)."""

from blake3 import blake3

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.storage.rules.objects.manifest import SPEC, Manifest

KEY_BYTES = 32


def content_hash(octets: bytes | bytearray | memoryview, key: bytes | None = None) -> bytes:
    """32 bytes; `key` is that of a sealed object (`ObjectKey.hash_key`).

    Raises:
        MalformedInput: a key of another length.
    """
    if key is not None and len(key) != KEY_BYTES:
        raise MalformedInput("content.key", f"has {KEY_BYTES} bytes", got=len(key))
    digest: bytes = (blake3(octets) if key is None else blake3(octets, key=key)).digest()
    return digest


@rule(SPEC)
def content_is_the_manifests(manifest: Manifest, octets: bytes, key: bytes | None = None) -> None:
    """What was read is what was stored: a writer that codes wrongly gives its readers an error, and never two values.

    Raises:
        PredicateFailed: another size or hash.
        MalformedInput: a key of another length.
    """
    if len(octets) != manifest.size:
        raise PredicateFailed("content_is_the_manifests", "another size", got=len(octets), expected=manifest.size)
    found = content_hash(octets, key)
    if found != manifest.content_hash:
        raise PredicateFailed("content_is_the_manifests", "another hash", got=found, expected=manifest.content_hash)
