"""Which engine a process has: GmSSL by gmssl-pyx, OpenSSL by cryptography. Found at the first call, and remembered."""

from functools import cache
from importlib import import_module
from types import ModuleType

NOT_INSTALLED = (
    "SM2 and SM3 without the extra `gm` (in the checkout of hutong run: pip install -c constraints.txt '.[gm]')"
)
SM4_NOT_INSTALLED = "SM4 without the extra `gm` (in the checkout of hutong run: pip install -c constraints.txt '.[gm]')"


class GmNotInstalled(ImportError):
    """No engine for this algorithm is installed."""

    def __init__(self, reason: str = NOT_INSTALLED) -> None:
        super().__init__(reason)


@cache
def _gmssl() -> ModuleType | None:
    return _imported("gmssl_pyx")


@cache
def _openssl() -> ModuleType | None:
    """`cryptography`'s ciphers, which stand for the whole package."""
    return _imported("cryptography.hazmat.primitives.ciphers")


def _imported(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


def is_installed() -> bool:
    """Whether all of the suite can be called: SM2 has no engine but GmSSL."""
    return gmssl_or_none() is not None


def gmssl_or_none() -> ModuleType | None:
    """gmssl-pyx, where it is installed."""
    return _gmssl()


def gmssl() -> ModuleType:
    """gmssl-pyx.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    library = gmssl_or_none()
    if library is None:
        raise GmNotInstalled
    return library


def has_openssl() -> bool:
    """Whether `cryptography` is installed."""
    return _openssl() is not None


def look_again() -> None:
    """Forget what was found: for tests that take an engine away."""
    _gmssl.cache_clear()
    _openssl.cache_clear()
