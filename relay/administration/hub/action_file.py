"""An action of a hub's government that was made elsewhere, as a file."""

from pathlib import Path

from hutong.relay.administration.errors import Unusable
from hutong.relay.base.regular_files import open_regular

MAX_ACTION_BYTES = 128 * 1024


def read_action(file: Path) -> bytes:
    """The bytes of an action, of their hex, with or without 0x. What they say is not looked at.

    Raises:
        Unusable: the file cannot be read, is not hex, or has not 1 to MAX_ACTION_BYTES bytes in it.
    """
    try:
        with open_regular(file) as opened:
            text = opened.read(2 * MAX_ACTION_BYTES + 3).decode()
        raw = bytes.fromhex(text.strip().removeprefix("0x"))
    except (OSError, ValueError) as error:
        raise Unusable(f"{file}: {error}") from None
    if not 0 < len(raw) <= MAX_ACTION_BYTES:
        raise Unusable(f"{file}: an action has 1 to {MAX_ACTION_BYTES} bytes")
    return raw
