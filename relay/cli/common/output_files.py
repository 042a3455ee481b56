"""Files that a command leaves for its user."""

from pathlib import Path
from typing import TYPE_CHECKING

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.verify.inputs import UnusableInput

if TYPE_CHECKING:
    pass


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"{folder} cannot be made: {error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    try:
        write_durably(path, data, READABLE)
    except OSError as error:
        raise UnusableInput(f"{path} cannot be written: {error.strerror}") from None
