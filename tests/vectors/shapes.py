"""Files that only a folder's `MANIFEST.md` lists, which names no format: known by the fields of their cases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hutong.light_clients.interface.json_text import deeper_than
from tests.vectors.vector_registry import Entry

MAX_SHAPED_BYTES = 1024 * 1024
MAX_SHAPED_DEPTH = 64
SHAPES = {
    "sm2-verify-json": {"public_x", "public_y", "ident_ascii", "message_hex", "r", "s", "valid"},
}
"""Format ids of our own, and the fields that every case of such a list has."""


def shape_of(document: Any) -> str | None:
    if not isinstance(document, list) or not document or not all(isinstance(case, dict) for case in document):
        return None
    return next((name for name, fields in SHAPES.items() if all(fields <= set(case) for case in document)), None)


def shaped_entries(root: Path, listed: frozenset[str]) -> Iterator[Entry]:
    """Entries of files in folders with a `MANIFEST.md` that the manifest (`listed`) does not have, by shape."""
    for readme in sorted(root.glob("*/MANIFEST.md")):
        for path in sorted(readme.parent.rglob("*.json")):
            name = path.relative_to(root).as_posix()
            if name in listed or path.stat().st_size > MAX_SHAPED_BYTES:
                continue
            data = path.read_bytes()
            # Test suites of parsers are among them; libraries raise the recursion limit to where deep nesting ends the process.
            if deeper_than(data, MAX_SHAPED_DEPTH):
                continue
            try:
                shape = shape_of(json.loads(data))
            except ValueError:
                continue
            if shape is not None:
                yield Entry(root, name, readme.parent.name, shape, "cases")
