"""Finding values that look like secrets, so that a configuration holding one is refused before it is used or shown."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from hutong.relay.config.errors import Problem

_PRIVATE_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_MNEMONIC_WORD_COUNTS = (12, 15, 18, 21, 24)
_SECRET_NAMES = re.compile(r"(^|_)(password|passphrase|secret|mnemonic|seed|private_key|privkey|token|api_key)$")

_PUBLIC_BYTES = re.compile(
    r"observations\.[0-9]{1,4}\.(slot|key)"
    r"|([a-z0-9_.]+\.)?(policy\.domains\.[0-9]{1,4}|(operator|writer|auditor|holder|repairer)_id)"
)
"""Places of a chain's state, domain separators, and who is who in trusted storage: any 32 bytes, often a hash, that everybody
may read."""

_REMEDY = "keep secrets in files or environment variables and name those (keystore, password_file, password_env)"


def secret_problems(value: Any, field: str = "") -> Iterator[Problem]:
    """Every key or text in a parsed TOML document that looks like a secret. The secret itself is never in the problem.

    Args:
        value: the document, or a part of it.
        field: the dotted place of that part; empty for the whole.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{field}.{name}" if field else str(name)
            if _SECRET_NAMES.search(str(name).lower()):
                yield Problem(path, "names a secret", _REMEDY)
            else:
                yield from secret_problems(inner, path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from secret_problems(inner, f"{field}.{index}")
    elif isinstance(value, str) and _PUBLIC_BYTES.fullmatch(field) is None:
        reason = _looks_secret(value)
        if reason:
            yield Problem(field, reason, _REMEDY)


def _looks_secret(text: str) -> str | None:
    stripped = text.strip()
    if _PRIVATE_KEY.fullmatch(stripped):
        return "looks like a private key (32 bytes of hex)"
    words = stripped.split()
    if len(words) in _MNEMONIC_WORD_COUNTS and all(re.fullmatch(r"[a-z]{3,8}", word) for word in words):
        return "looks like a mnemonic"
    if "://" in stripped:
        try:
            password = urlsplit(stripped).password
        except ValueError:
            return None
        if password:
            return "is a URL with a password in it"
    return None
