"""How a home of a daemon of storage is begun: once, and never changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hutong.relay.base.os_errors import os_reason
from hutong.relay.keys import KeyUnavailable


class NotBegun(Exception):
    """Why nothing was laid down; one sentence."""


@contextmanager
def beginning_once(config: Path, what: str) -> Iterator[None]:
    """For the block that writes what is beside `config`, and it last of all.

    Args:
        what: `an operator`, for the sentence of a refusal.

    Raises:
        NotBegun: there is one already, a file of it is there, or the folder cannot be written.
    """
    if config.exists():
        raise NotBegun(f"{config} is there: {what} that was begun is never changed")
    try:
        yield
    except FileExistsError as error:
        raise NotBegun(
            f"{error.filename} is there, left by an earlier beginning; remove it or take another home"
        ) from None
    except OSError as error:
        raise NotBegun(f"{config.parent} cannot be written: {os_reason(error)}") from None
    except KeyUnavailable as error:
        raise NotBegun(str(error)) from None


def hub_lines(rpc: str | None, consensus_rpc: str | None) -> list[str]:
    """The table `[hub]` of a configuration, empty where there is no hub."""
    if rpc is None or consensus_rpc is None:
        return []
    return ["[hub]", f'rpc = ["{rpc}"]', f'consensus_rpc = ["{consensus_rpc}"]', ""]
