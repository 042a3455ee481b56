"""How to install what a command misses. hutong is in no package index: a name there would be somebody else's."""

from importlib.util import find_spec

_JUDGING = ("audit", "layout", "verify")
"""Commands for which the extra `audit` is enough, but for the parts that ask chains."""


_OF_CREDENTIALS = "cryptography"
"""P-256 and certificates: the extra `identity` brings it."""


def missing_extra(command: str, module: str = "") -> str:
    """The extra that brings `module`, which `command`, a name below `hutong`, found missing."""
    if command in ("identity", "wallet"):
        return command
    if module == _OF_CREDENTIALS:
        return "identity"
    return "audit" if command in _JUDGING and find_spec("coincurve") is None else "relay"


def install_hint(extra: str) -> str:
    """A command for the checkout that this was installed from."""
    return f"in the checkout of hutong run: pip install -c constraints.txt '.[{extra}]'"
