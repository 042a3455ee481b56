"""Places and values as JSON has them."""

from typing import Any

from hutong.relay.storage_layout.slots import Place
from hutong.relay.storage_layout.values import Value


def place_fields(place: Place) -> dict[str, Any]:
    """A place by the names that `--json` prints."""
    return {
        "path": place.path,
        "slot": word_text(place.slot),
        "slots": place.slot_count,
        "offset": place.offset,
        "bytes": place.type.size_bytes,
        "type": place.type.label,
    }


def word_text(number: int) -> str:
    """A slot or word: 0x and 64 hex digits."""
    return f"0x{number:064x}"


def value_fields(value: Value, *, numbers_as_text: bool) -> Any:
    """As JSON has it: bytes as 0x text; numbers as text where a program reads them, which may have doubles alone."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, tuple):
        return [value_fields(item, numbers_as_text=numbers_as_text) for item in value]
    if isinstance(value, dict):
        return {name: value_fields(item, numbers_as_text=numbers_as_text) for name, item in value.items()}
    return str(value) if numbers_as_text and isinstance(value, int) and not isinstance(value, bool) else value
