"""The two libraries of the extra `hpke`, looked for when they are needed: everything else works without them."""

from functools import cache
from importlib import import_module
from types import ModuleType

from hutong.light_clients.crypto.hpke.errors import HpkeNotInstalled

PRIMITIVES = "cryptography.hazmat.primitives"


@cache
def found(name: str) -> ModuleType | None:
    """A module, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def library(name: str) -> ModuleType:
    """A module of `cryptography` or `pyhpke`.

    Raises:
        HpkeNotInstalled: it is not there.
    """
    module = found(name)
    if module is None:
        raise HpkeNotInstalled
    return module


def is_installed() -> bool:
    """Whether keys can be parsed and messages sealed and opened."""
    return found("pyhpke") is not None and found(f"{PRIMITIVES}.hpke") is not None
