"""JSON from endpoints, under the one parser's bounds."""

from typing import Any

from hutong.adapters.interface import BadAnswer
from hutong.light_clients.interface import MalformedInput, json_text

MAX_JSON_DEPTH = json_text.MAX_JSON_DEPTH


def parse_json(data: bytes, method: str, max_bytes: int) -> Any:
    """Parse one JSON value of at most `max_bytes`.

    Args:
        method: named in errors.

    Raises:
        BadAnswer: all that `hutong.light_clients.interface.json_text` refuses, such as keys given twice or nesting that is too
            deep.
    """
    try:
        return json_text.parse_json(data, "body", max_bytes)
    except MalformedInput as error:
        raise BadAnswer(method, "body", error.reason, got=error.got) from error
