"""Checkpoint files, JSON or TOML, and the values in them as people and nodes write them."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hutong.relay.verify.inputs import UnusableInput, parse_json, read_file


def document_in(path: Path) -> Mapping[str, Any]:
    """The object in a JSON file, or in a TOML one by its suffix; at most MAX_FILE_BYTES.

    Raises:
        UnusableInput: the file cannot be read or holds no object.
    """
    data = read_file(path)
    if path.suffix == ".toml":
        try:
            return tomllib.loads(data.decode())
        except (ValueError, RecursionError):
            raise UnusableInput(f"{path} is not TOML") from None
    document = parse_json(data, str(path))
    if not isinstance(document, Mapping):
        raise UnusableInput(f"{path} is not a JSON object")
    return document


def named(document: Mapping[str, Any], path: Path, *names: str) -> Any:
    """The value under the first of `names` that is there and not null.

    Raises:
        UnusableInput: the document has none of them; the sentence names the first, and `path`.
    """
    for name in names:
        if document.get(name) is not None:
            return document[name]
    raise UnusableInput(f"{path} has no {names[0]}: a checkpoint names chain, height, hash, time and who signs")


def whole_number(value: Any, what: str) -> int:
    """A number in [0, 2**64), or a decimal or 0x text of one.

    Args:
        what: names the value in a refusal.

    Raises:
        UnusableInput: it is no such number.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = str(value)
        if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}", text) is None:
            raise UnusableInput(f"{what} is not a number: {text[:40]}")
        number = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    if not 0 <= number < 2**64:
        raise UnusableInput(f"{what} is not within 0 and 2^64 - 1")
    return number
