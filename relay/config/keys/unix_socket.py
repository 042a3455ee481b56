"""A unix socket in CometBFT's notation, `unix:///path`: where a validator and its signer meet."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

MAX_SOCKET_PATH_BYTES = 107
"""Linux takes no longer path of a unix socket (unix(7))."""


def socket_path(text: str) -> Path:
    """The absolute path of `unix:///path`.

    Raises:
        ValueError: a predicate: it is another form, TCP, relative, or too long.
    """
    if text.startswith("tcp://"):
        raise ValueError(
            "must be unix:///path: CometBFT's SecretConnection over TCP is not supported; between machines use a tunnel"
            " of unix sockets, such as `ssh -L`"
        )
    path = Path(text.removeprefix("unix://"))
    if not text.startswith("unix://") or not path.is_absolute():
        raise ValueError("must look like unix:///run/hub/signer.sock")
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise ValueError(f"must name a path of at most {MAX_SOCKET_PATH_BYTES} bytes, as Linux does of a socket")
    return path


def _checked(text: str) -> str:
    socket_path(text)
    return text


UnixSocket = Annotated[str, AfterValidator(_checked)]
