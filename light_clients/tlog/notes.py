"""Signed notes and verifier keys (C2SP signed-note): text, and who signed it. Strict, bounded, total.

Nothing is verified here. Stricter than the specification, as docs/spec/strictness.md says: base64 has one form, and names
are at most `MAX_NAME_BYTES` long.
"""

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass

from hutong.light_clients.crypto import sha256
from hutong.light_clients.crypto.ed25519 import PUBLIC_KEY_BYTES, is_strict_key
from hutong.light_clients.interface import MalformedInput

MAX_NOTE_BYTES = 128 * 1024
"""16 signatures of post-quantum size, which verifiers must accept, take under 110 KiB."""
MAX_SIGNATURES = 100
"""As golang.org/x/mod/sumdb/note."""
MAX_NAME_BYTES = 255
KEY_ID_BYTES = 4
ED25519 = 0x01
"""Signature type of a log's own key."""
COSIGNATURE_V1 = 0x04
"""Signature type of witnesses: Ed25519 with a timestamp (C2SP tlog-cosignature)."""

_SPACES = frozenset("\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000 ") | frozenset(map(chr, range(0x2000, 0x200B)))
"""Unicode's White_Space above the control characters, written out: the interpreter's table changes between its versions."""
_LINE_START = "— "


@dataclass(frozen=True, slots=True)
class Key:
    """Who signs: a name as in signature lines, and an Ed25519 public key of 32 bytes."""

    name: str
    public_key: bytes

    def key_id(self, signature_type: int) -> bytes:
        """The four bytes that stand before this key's signatures of that type."""
        return sha256(self.name.encode() + b"\n" + bytes([signature_type]) + self.public_key)[:KEY_ID_BYTES]

    def check(self, field: str) -> None:
        """The name may stand in a note, and the key is a point that signs strictly (`ed25519.verify_strict`).

        Raises:
            MalformedInput: it may not, or it is not such a point.
        """
        if not is_key_name(self.name):
            raise MalformedInput(f"{field}.name", f"1 to {MAX_NAME_BYTES} bytes without space or +", got=self.name)
        if not is_strict_key(self.public_key):
            raise MalformedInput(f"{field}.public_key", "is not an Ed25519 key", got=self.public_key)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line. `signature` are the bytes after the key id: of an Ed25519 key 64, of a cosignature 72."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends in a newline, and is what is signed."""

    text: bytes
    signatures: tuple[NoteSignature, ...]


def is_key_name(name: str) -> bool:
    """Neither empty nor too long, and without spaces, plus signs and control characters."""
    return 0 < len(name.encode(errors="replace")) <= MAX_NAME_BYTES and all(
        char >= " " and char != "+" and char not in _SPACES for char in name
    )


def decode_base64(text: str, field: str) -> bytes:
    """Standard base64 in its one form: padded, without other characters, spare bits zero.

    Raises:
        MalformedInput: another form.
    """
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedInput(field, "is not base64", got=text) from None
    if b64encode(data).decode() != text:
        raise MalformedInput(field, "is not base64 in its one form", got=text)
    return data


def decode_note(data: bytes, field: str = "note") -> Note:
    """A note of 1 to `MAX_SIGNATURES` signatures and at most `MAX_NOTE_BYTES`.

    Raises:
        MalformedInput: another form; `field` names the note in it.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedInput(field, f"more than {MAX_NOTE_BYTES} bytes", got=len(data))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise MalformedInput(field, "is not UTF-8") from None
    if any(char < " " and char != "\n" for char in text):
        raise MalformedInput(field, "has a control character")
    body, blank, lines = text.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise MalformedInput(field, "is not text, an empty line and signature lines")
    if lines.count("\n") > MAX_SIGNATURES:
        raise MalformedInput(field, f"more than {MAX_SIGNATURES} signatures", got=lines.count("\n"))
    signatures = tuple(_signature(line, f"{field}.signatures[{at}]") for at, line in enumerate(lines[:-1].split("\n")))
    return Note((body + "\n").encode(), signatures)


def encode_note(note: Note) -> bytes:
    """Inverse of `decode_note`."""
    lines = (f"{_LINE_START}{one.name} {b64encode(one.key_id + one.signature).decode()}\n" for one in note.signatures)
    return note.text + b"\n" + "".join(lines).encode()


def _signature(line: str, field: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_LINE_START).partition(" ")
    if not line.startswith(_LINE_START) or not space or not is_key_name(name):
        raise MalformedInput(field, "is not a dash, a name and base64", got=line)
    data = decode_base64(encoded, field)
    if len(data) <= KEY_ID_BYTES:
        raise MalformedInput(field, "has no signature after the key id", got=data)
    return NoteSignature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def decode_vkey(text: str, signature_type: int, field: str = "vkey") -> Key:
    """A verifier key, NAME+HEXID+BASE64, whose key is of `signature_type`.

    Raises:
        MalformedInput: another form or type, or an id that is not the key's own.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedInput(field, "is not name+id+key", got=text)
    data = decode_base64(parts[2], field)
    if len(data) != 1 + PUBLIC_KEY_BYTES or data[0] != signature_type:
        raise MalformedInput(field, f"is not an Ed25519 key of type {signature_type}", got=data)
    key = Key(parts[0], data[1:])
    key.check(field)
    if parts[1] != key.key_id(signature_type).hex():
        raise MalformedInput(field, "has the id of another key", got=parts[1], expected=key.key_id(signature_type))
    return key


def encode_vkey(key: Key, signature_type: int) -> str:
    """Inverse of `decode_vkey`."""
    return (
        f"{key.name}+{key.key_id(signature_type).hex()}+{b64encode(bytes([signature_type]) + key.public_key).decode()}"
    )
