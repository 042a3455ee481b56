"""Files that a command is given or makes: bounded when read, new when written, and each refusal as one sentence."""

from pathlib import Path

from hutong.relay.cli.common.refusal import UNUSABLE, Refused


def read(path: Path, most: int) -> bytes:
    """Its content.

    Raises:
        Refused: it cannot be read, is no file, or has more than `most` bytes.
    """
    from hutong.relay.base.regular_files import NotAFile, open_regular

    try:
        with open_regular(path) as file:
            data = file.read(most + 1)
    except NotAFile as error:
        raise Refused(f"{path} {error.strerror}", UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", UNUSABLE) from None
    if len(data) > most:
        raise Refused(f"{path} has more than {most} bytes", UNUSABLE)
    return data


def write_new(path: Path, data: bytes, mode: int) -> None:
    """A new file.

    Raises:
        Refused: it exists or cannot be written.
    """
    from hutong.relay.base.durable_files import create_durably

    try:
        create_durably(path, data, mode)
    except FileExistsError:
        raise Refused(f"{path} exists already; choose another file", UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}", UNUSABLE) from None
