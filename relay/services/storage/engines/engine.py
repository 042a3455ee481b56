"""What an operator asks of the place that keeps its shards, whatever keeps them (docs/storage/operator.md)."""

import re
from collections.abc import Iterator
from typing import Final, Protocol

from hutong.light_clients.interface import MalformedInput

MAX_OBJECT_BYTES: Final = 8 * 2**20 + 4_096
"""The largest shard and its outboard."""
MAX_NAME_CHARS: Final = 256
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*(?:/[a-z0-9][a-z0-9-]*)*")


class EngineUnavailable(Exception):
    """The engine refuses or does not answer; one sentence, without a secret. Asking again later may be right."""


class EngineFull(EngineUnavailable):
    """There is no room."""


class AlreadyThere(Exception):
    """An object of that name exists: nothing was written."""


class NotThere(Exception):
    """The engine has no object of that name, or it ends before the first byte that was asked for."""


class Engine(Protocol):
    """Objects by name, each whole or absent. Calls block; any thread may make them, several at once.

    Names are ours: lower-case letters, digits, `-`, and `/` between folders, at most 256 characters. Every call may raise
    `EngineUnavailable`; then nobody knows whether a write took place.
    """

    @property
    def kind(self) -> str:
        """`directory` or `s3`, for whoever asks the operator."""
        ...

    @property
    def location(self) -> str:
        """Where it is, for people, without a secret."""
        ...

    @property
    def is_durable(self) -> bool:
        """Whether what `create` and `replace` have written outlives a crash once they return. Receipts rest on no other."""
        ...

    def create(self, name: str, octets: bytes) -> str:
        """Write an object that must not exist yet. Returns the engine's tag of it, of at most 1 024 characters.

        Raises:
            AlreadyThere: one of that name is there, and is as it was.
            EngineFull: there is no room; nothing of it is left.
        """
        ...

    def replace(self, name: str, octets: bytes) -> str:
        """Write an object, in place of the one that is there, if any: a reader sees one of the two, whole.

        Raises:
            EngineFull: there is no room; the old one is as it was.
        """
        ...

    def read(self, name: str, start: int, size: int) -> bytes:
        """`size` bytes from `start` on, at least one; fewer where the object ends.

        Raises:
            NotThere: no such object, or it ends at `start` or before.
        """
        ...

    def read_back(self, name: str) -> bytes:
        """The whole object, at most MAX_OBJECT_BYTES + 1 of it, from the medium rather than a cache where the engine can.

        Raises:
            NotThere: no such object.
        """
        ...

    def delete(self, name: str) -> None:
        """After it the object is gone, durably where `is_durable`. One that is not there is as good as deleted."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Of all objects whose name begins with `prefix`, a folder with its `/` or nothing, in any order."""
        ...

    def free_bytes(self) -> int | None:
        """As much room is left; None where the engine cannot tell."""
        ...


def check_name(name: str) -> str:
    """A name that every engine takes and that leads nowhere else.

    Raises:
        MalformedInput: another form or length.
    """
    if len(name) > MAX_NAME_CHARS or _NAME.fullmatch(name) is None:
        raise MalformedInput("engine.name", "lower-case letters, digits, - and / between folders", got=name[:80])
    return name
