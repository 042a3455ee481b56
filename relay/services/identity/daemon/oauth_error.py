"""Refusals of OAuth and OpenID end points: `{"error": …, "error_description": …}`, as their specifications say."""

import json
from collections.abc import Mapping

MAX_DESCRIPTION_CHARS = 300


class OAuthError(Exception):
    """A request that an OAuth or OpenID end point refuses.

    Args:
        error: the specification's own code, such as `invalid_grant`.
        description: one sentence: what is wrong. Nothing secret that was sent is in it.
    """

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        self.error = error
        self.description = _printable(description)[:MAX_DESCRIPTION_CHARS]
        self.status = status
        self.headers = dict(headers or {})
        super().__init__(error, self.description)

    def __str__(self) -> str:
        return f"{self.error}: {self.description}"

    def body(self) -> bytes:
        """As JSON (RFC 6749 §5.2)."""
        return json.dumps({"error": self.error, "error_description": self.description}).encode()


def _printable(text: str) -> str:
    """RFC 6749 §5.2: printable ASCII without quotation marks and backslashes."""
    return "".join(sign if " " <= sign <= "~" and sign not in '"\\' else "?" for sign in text)
