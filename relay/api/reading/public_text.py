"""Reasons as strangers may read them: an operator's endpoints, hosts and files are nobody else's matter."""

import re

_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,15}://[^\s,;'\"<>]{0,2047}[^\s,;:.'\"<>]", re.IGNORECASE)
_HOST = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])|\[[0-9a-f:.]{2,45}\](?::\d{1,5})?", re.IGNORECASE
)
_FILE = re.compile(r"(?<![\w/:.])(?:/[\w.@+-]+){2,}")
MAX_CHARS = 600


def public_text(text: str) -> str:
    """A reason without URLs, IP addresses and absolute paths of files, MAX_CHARS at most. Host names alone stay."""
    for pattern, name in ((_URL, "[endpoint]"), (_HOST, "[endpoint]"), (_FILE, "[file]")):
        text = pattern.sub(name, text[: 8 * MAX_CHARS])
    return text[:MAX_CHARS]


def optional_public_text(text: str | None) -> str | None:
    """`public_text`, or None for None."""
    return None if text is None else public_text(text)
