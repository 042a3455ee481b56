"""How to install what a command misses. hutong is in no package index: a name there would be somebody else's."""

from importlib.util import find_spec

_JUDGING = ("audit", "verify")
"""Commands for which the extra `audit` is enough, but for the parts that ask chains."""


def missing_extra(command: str) -> str:
    """The extra that brings what `command`, a name below `hutong`, found missing."""
    return "audit" if command in _JUDGING and find_spec("coincurve") is None else "relay"


def install_hint(extra: str) -> str:
    """A command for the checkout that this was installed from."""
    return f"in the checkout of hutong run: pip install -c constraints.txt '.[{extra}]'"
