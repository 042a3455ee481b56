"""How a person names a value: `owner`, `balances[0x…]`, `names["alice"]`, `items[3].price`, `items.length`.

    path = name { "." name | "[" key "]" }
    key  = quoted text, or any characters but quotes, brackets and white space

Text in double quotes has the escapes of JSON; in single quotes, which shells like, it has no escapes.
"""

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

from hutong.relay.storage_layout.errors import UnusablePath

MAX_PATH_CHARS = 1_000
MAX_PATH_STEPS = 32

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*+")
_DOUBLE_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*+"')
_SINGLE_QUOTED = re.compile(r"'[^']*+'")
_PLAIN_KEY = re.compile(r"[^\s\[\]\"']++")


@dataclass(frozen=True, slots=True)
class MemberStep:
    """`.name`; `end` is where it ends in the path."""

    name: str
    end: int


@dataclass(frozen=True, slots=True)
class KeyStep:
    """`[key]`: an index, or the key of a mapping. `is_quoted` says that the key was text in quotes, which are off here."""

    key: str
    is_quoted: bool
    end: int


Step: TypeAlias = MemberStep | KeyStep


@dataclass(frozen=True, slots=True)
class StoragePath:
    """A variable and the way from there to a value within it."""

    text: str
    variable: str
    steps: tuple[Step, ...]


def parse_path(text: str) -> StoragePath:
    """The path that `text` writes; which names and keys there are is not checked here.

    Raises:
        UnusablePath: it is longer than MAX_PATH_CHARS, has more than MAX_PATH_STEPS steps, or is not of that form.
    """
    if len(text) > MAX_PATH_CHARS:
        raise UnusablePath("", f"a path has at most {MAX_PATH_CHARS} characters", got=len(text))
    if not text.isprintable():  # also half a surrogate pair, which is text that no contract can hold
        raise UnusablePath("", "a path has printable characters; others are escaped in double quotes", got=ascii(text))
    first = _NAME.match(text)
    if first is None:
        raise UnusablePath("", "a path begins with the name of a state variable", got=text)
    steps: list[Step] = []
    position = first.end()
    while position < len(text):
        if len(steps) == MAX_PATH_STEPS:
            raise UnusablePath("", f"a path has at most {MAX_PATH_STEPS} steps", got=text)
        step = _member(text, position) if text[position] == "." else _key(text, position)
        steps.append(step)
        position = step.end
    return StoragePath(text, first[0], tuple(steps))


def _member(text: str, position: int) -> MemberStep:
    name = _NAME.match(text, position + 1)
    if name is None:
        raise UnusablePath(text[:position], "a name must follow the dot", got=text[position:])
    return MemberStep(name[0], name.end())


def _key(text: str, position: int) -> KeyStep:
    before = text[:position]
    if text[position] != "[":
        raise UnusablePath(before, "only .name or [key] can follow", got=text[position:])
    quoted = _DOUBLE_QUOTED.match(text, position + 1) or _SINGLE_QUOTED.match(text, position + 1)
    match = quoted or _PLAIN_KEY.match(text, position + 1)
    if match is None or text[match.end() : match.end() + 1] != "]":
        raise UnusablePath(
            before, "the key is not in brackets", got=text[position:], expected='[42], [0x…] or ["text"]'
        )
    return KeyStep(match[0] if quoted is None else _unquoted(before, match[0]), quoted is not None, match.end() + 1)


def _unquoted(before: str, quoted: str) -> str:
    if quoted[0] == "'":
        return quoted[1:-1]
    try:
        key = str(json.loads(quoted))
        key.encode()
    except ValueError:  # encoding refuses half a surrogate pair
        raise UnusablePath(before, "the text in quotes has an escape that JSON does not know", got=quoted) from None
    return key
