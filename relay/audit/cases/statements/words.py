"""Bytes as texts of evidence."""

from base64 import b64encode


def base64_text(data: bytes) -> str:
    """With padding, as the readers of documents take it."""
    return b64encode(data).decode()
