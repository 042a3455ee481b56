"""What the tables of every kind of key have in common."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hutong.relay.config.fields import Model
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.config.keys.public_key import Curve


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a key's table names; a private one must have mode 0600."""

    field: str
    path: Path
    is_private: bool


class KeyBase(Model):
    """Of the members of a kind, `kind` is the word of the configuration file."""

    named_by: ClassVar[str] = "public_key"
    """The member that says which key it is, for problems."""

    policy: PolicyConfig | None = None
    """What the key may sign; without it everything that its owner asks for."""

    @property
    def key_curve(self) -> Curve:
        """Of which curve the key is."""
        return "secp256k1"

    @property
    def place(self) -> str:
        """What operators call it: the kind and where it is. Holds nothing secret."""
        raise NotImplementedError

    @property
    def same_key(self) -> Hashable:
        """Equal for two tables that name one key, so far as that can be told without opening it."""
        raise NotImplementedError

    def files(self) -> Iterator[NamedFile]:
        """Those that must be there before the key can be used."""
        yield from ()
