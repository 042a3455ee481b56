"""What is kept of an object besides its bytes: headers that HEAD and GET answer, in the catalogue's row and in the event."""

from collections.abc import Mapping
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.catalogue.rows import MAX_NOTE_BYTES
from hutong.relay.services.storage.rules.objects.dag_cbor import Node, decode_node, encode_node

META: Final = "x-amz-meta-"
MAX_META_BYTES: Final = 2_048
"""Of names and values together, as S3 has it."""
DEFAULT_TYPE: Final = "binary/octet-stream"
KEPT: Final = frozenset(
    (
        "content-type",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
        "x-amz-object-lock-mode",
    )
)
PARTS: Final = "parts"
"""How many parts an object came in; not a header."""
CHECKSUM_TYPE: Final = "checksum-type"
"""Over what an object's checksum is, or that of an upload will be; not a header."""
CHECKSUM_ALGORITHM: Final = "checksum-algorithm"
"""Of an upload whose client named it; not a header."""
UPLOAD_LENGTH: Final = "upload-length"
"""Of an upload that may be cut: how many bytes it will have; not a header."""
UPLOAD_NAME: Final = "upload-name"
"""What its client calls it; not a header."""
NOT_HEADERS: Final = frozenset((PARTS, CHECKSUM_TYPE, CHECKSUM_ALGORITHM, UPLOAD_LENGTH, UPLOAD_NAME))


class NoteTooLarge(Exception):
    """More metadata than an object may have. One sentence; `fields` say how much, as S3 has them."""

    def __init__(self, sentence: str, size: int, most: int) -> None:
        self.fields = (("Size", str(size)), ("MaxSizeAllowed", str(most)))
        super().__init__(sentence)


def note_of(headers: Mapping[str, str]) -> bytes:
    """The note of a put's headers, names in lower case; empty where they say nothing but defaults.

    Raises:
        NoteTooLarge: see there.
    """
    kept = {name: value for name, value in headers.items() if name in KEPT or name.startswith(META)}
    meta = sum(len(name) - len(META) + len(value.encode()) for name, value in kept.items() if name.startswith(META))
    if meta > MAX_META_BYTES:
        raise NoteTooLarge(f"user metadata has more than {MAX_META_BYTES} bytes", meta, MAX_META_BYTES)
    if kept.get("content-type") == DEFAULT_TYPE:
        del kept["content-type"]
    codings = [one.strip() for one in kept.pop("content-encoding", "").split(",")]
    # How the body came, and not what it is.
    if left := [one for one in codings if one and one.lower() != "aws-chunked"]:
        kept["content-encoding"] = ",".join(left)
    return encode_note(kept)


def encode_note(kept: Mapping[str, str]) -> bytes:
    """Canonical; empty for nothing.

    Raises:
        NoteTooLarge: see there.
    """
    if not kept:
        return b""
    members: dict[str, Node] = {**kept}
    octets = encode_node(members)
    if len(octets) > MAX_NOTE_BYTES:
        sentence = f"headers that are kept have more than {MAX_NOTE_BYTES} bytes"
        raise NoteTooLarge(sentence, len(octets), MAX_NOTE_BYTES)
    return octets


def tells_of_parts(note: bytes) -> bool:
    """Whether the note is that of an object in parts."""
    return PARTS in decode_note(note)


def decode_note(octets: bytes) -> dict[str, str]:
    """Inverse of `encode_note`.

    Raises:
        MalformedInput: anything else.
    """
    if not octets:
        return {}
    node = decode_node(octets)
    if not isinstance(node, dict):
        raise MalformedInput("note", "is not a map")
    return {name: str(value) for name, value in node.items()}
