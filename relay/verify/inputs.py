"""Files and options that a verdict is about: read, bounded, and parsed, or refused in one sentence."""

import codecs
import re
from pathlib import Path
from typing import Any, TypeVar

from hutong.light_clients.interface import MalformedInput, json_text
from hutong.relay.base.regular_files import NotAFile, open_regular

MAX_FILE_BYTES = 16 * 1024 * 1024
"""A header of 10 000 validators in RPC JSON has 5 MB."""
Given = TypeVar("Given")
_HEX = re.compile(r"(0[xX])?([0-9a-fA-F]{2})*")


class UnusableInput(Exception):
    """The input is not what the command reads; the text is one sentence for the user."""


def read_file(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The whole file; what is only white space counts as empty.

    Raises:
        UnusableInput: it is a pipe or a device, cannot be read, is empty, or has more than `max_bytes`.
    """
    try:
        with open_regular(path) as file:
            data = file.read(max_bytes + 1)
    except NotAFile as error:
        raise UnusableInput(f"{path} {error.strerror}") from None
    except OSError as error:
        raise UnusableInput(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > max_bytes:
        raise UnusableInput(f"{path} has more than {max_bytes} bytes")
    if not data.strip():
        raise UnusableInput(f"{path} is empty")
    return data


def parse_json(data: bytes, what: str) -> Any:
    """JSON with the bounds that answers of nodes have: depth, no repeated keys, no NaN.

    A byte order mark at the beginning is passed over.

    Args:
        what: names the text in a refusal.

    Raises:
        UnusableInput: it is not JSON within these bounds.
    """
    try:
        return json_text.parse_json(data.removeprefix(codecs.BOM_UTF8), "body", MAX_FILE_BYTES)
    except MalformedInput as error:
        library = error.__cause__  # names line and column
        raise UnusableInput(f"{what} is not JSON: {library or error.reason}") from None


def read_json(path: Path) -> Any:
    """The file as JSON.

    Raises:
        UnusableInput: as `read_file` and `parse_json`.
    """
    return parse_json(read_file(path), str(path))


def parse_hex(text: str, name: str, size: int | None = None) -> bytes:
    """Bytes of hex with or without 0x; may be empty.

    Args:
        name: the option or field, for a refusal.
        size: the bytes that it must have; None: any number.

    Raises:
        UnusableInput: it is not hex, or of another size.
    """
    if _HEX.fullmatch(text) is None:
        raise UnusableInput(f"{name} is not hex: {text[:80]}")
    data = bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)
    if size is not None and len(data) != size:
        raise UnusableInput(f"{name} must have {size} bytes, has {len(data)}")
    return data


def required(given: Given | None, option: str, what: str) -> Given:
    """What the option was given: a file proves nothing without something trusted from elsewhere.

    Args:
        what: says what to give there.

    Raises:
        UnusableInput: the option is absent.
    """
    if given is None:
        raise UnusableInput(f"no trust root: give {option}, {what}")
    return given


def read_state(path: Path) -> bytes:
    """The bytes of a state: the file's, or those that its hex stands for (white space around it is dropped).

    Raises:
        UnusableInput: the file cannot be read, or is empty or too long.
    """
    data = read_file(path)
    try:
        return parse_hex(data.decode("ascii").strip(), str(path))
    except (UnicodeDecodeError, UnusableInput):
        return data
