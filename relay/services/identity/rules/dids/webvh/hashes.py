"""Multihashes of did:webvh: SHA-256 over canonical JSON, in base58btc ("SCID Generation", "Entry Hash Generation")."""

from typing import Final

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.dids.base58 import decode_base58, encode_base58
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object

SCID_PLACEHOLDER: Final = "{SCID}"
_SHA256_PREFIX: Final = b"\x12\x20"
_HASH_CHARS: Final = 46


def multihash_of(data: bytes) -> str:
    """46 characters, beginning `Qm`."""
    return encode_base58(_SHA256_PREFIX + sha256(data))


def is_entry_hash(text: str) -> bool:
    """Whether `text` is the one spelling of a SHA-256 multihash, which method version 1.0 alone permits."""
    if len(text) != _HASH_CHARS:
        return False
    try:
        data = decode_base58(text, "hash")
    except MalformedInput:
        return False
    return len(data) == 34 and data.startswith(_SHA256_PREFIX)


def entry_hash_of(entry: JsonObject, previous_version_id: str) -> str:
    """Of an entry without its proof, as if its version were the one before it (the SCID before the first)."""
    return multihash_of(canonical_json({**entry, "versionId": previous_version_id}))


def scid_of(first_entry: JsonObject, claimed: str, max_bytes: int) -> str:
    """What the first entry, without its proof, hashes to with the placeholder wherever it says `claimed`.

    The replacement is one of text, as the specification says, so it touches names of members as well.

    Raises:
        MalformedInput: replaced, two members of one object have one name.
    """
    text = canonical_json({**first_entry, "versionId": SCID_PLACEHOLDER})
    replaced = text.replace(claimed.encode(), SCID_PLACEHOLDER.encode())
    return multihash_of(canonical_json(read_json_object(replaced, "did.jsonl[0]", max_bytes)))
