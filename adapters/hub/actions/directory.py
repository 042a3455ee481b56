"""What actions of the data directory hold, and how they are said in words to whoever votes (docs/spec/hub-rules.md)."""

from collections.abc import Callable
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput

PUBLISHER_TYPES: Final = ["bytes32", "address", "uint64"]
DIRECTORY_TYPES: Final = ["uint32", "uint32"]
_NOBODY: Final = "0x" + "00" * 20


def directory_in_words(kind: int, fields: Callable[..., tuple[Any, ...]]) -> str:
    """An action of kinds 22 and 23, whose data `fields` decodes.

    Raises:
        MalformedInput: the data is not that of the kind, or the kind is another.
    """
    match kind:
        case 22:
            return publisher_in_words(*fields(*PUBLISHER_TYPES))
        case 23:
            of_call, of_block = fields(*DIRECTORY_TYPES)
            return f"directory: {of_call} operations in a call, {of_block} of one publisher in a block"
    raise MalformedInput("action.kind", "is said in no words", got=kind)


def publisher_in_words(publisher: bytes, account: str, records: int) -> str:
    """Of an action of kind 22."""
    if account == _NOBODY:
        return f"no longer name publisher {publisher.hex()} of the directory"
    return f"name publisher {publisher.hex()} of the directory, {account}, with {records} records"
