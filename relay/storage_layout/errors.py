"""Refusals of paths and words, cut by who must act. A layout that is none is `MalformedInput`, as any other document.

What is legal in Solidity and not offered here is `UnsupportedOperation`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hutong.light_clients.interface.errors import MalformedInput, VerificationError, shown

MAX_NAMES_SHOWN = 20
MAX_NAME_CHARS_SHOWN = 80


def listed(names: Iterable[str]) -> str:
    """Names for a sentence, in their order; of more than MAX_NAMES_SHOWN the rest is counted."""
    every = [name if len(name) <= MAX_NAME_CHARS_SHOWN else f"{name[:MAX_NAME_CHARS_SHOWN]}…" for name in names]
    text = ", ".join(every[:MAX_NAMES_SHOWN]) or "none"
    return text if len(every) <= MAX_NAMES_SHOWN else f"{text} and {len(every) - MAX_NAMES_SHOWN} more"


@dataclass(eq=True)
class UnusablePath(MalformedInput):
    """The person who wrote the path must write another one. `field` is the path up to what was refused."""

    def __str__(self) -> str:
        text = f"{self.field}: {self.reason}" if self.field else self.reason
        if self.expected is not None:
            text += f"; expected {self.expected}"
        return text if self.got is None else f"{text}, got {shown(self.got)}"


@dataclass(eq=True)
class ImpossibleWord(MalformedInput):
    """No compiler writes this word for that type: the word is of another slot or contract, or the layout is not the
    contract's. `field` is the path of the value."""

    def __str__(self) -> str:
        text = f"{self.field}: {self.reason}"
        return text if self.got is None else f"{text}, got {shown(self.got)}"


@dataclass(eq=True)
class WordsMissing(VerificationError):
    """The caller must bring the words of these slots too: some are known only when others were read."""

    path: str
    slots: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.path}: the words of these slots are needed too: {listed(map(hex, self.slots))}"
