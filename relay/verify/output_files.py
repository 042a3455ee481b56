"""Files that a command leaves for its user."""

from pathlib import Path

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.verify.inputs import UnusableInput


def make_folder(folder: Path) -> None:
    """The folder with its parents; one that is there already stays as it is.

    Raises:
        UnusableInput: it cannot be made, or a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"{folder} cannot be made: {error.strerror}") from None


def write_file(path: Path, data: bytes) -> None:
    """The file, mode 0644, whole or not at all; one of that name is replaced.

    Raises:
        UnusableInput: it cannot be written.
    """
    try:
        write_durably(path, data, READABLE)
    except OSError as error:
        raise UnusableInput(f"{path} cannot be written: {error.strerror}") from None
