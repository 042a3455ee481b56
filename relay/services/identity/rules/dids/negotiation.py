"""Which representation a caller takes: the `Accept` of RFC 9110 §12.5.1, as far as DID documents need it."""

import re
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.dids.representation import MediaType

MAX_ACCEPT_CHARS: Final = 512
_RANGE = re.compile(r"\s*+([a-z*]++/[a-z*+-]++)\s*+(?:;\s*+q=([01](?:\.[0-9]{0,3})?)\s*+)?", re.IGNORECASE)


def is_accepted(media_type: MediaType, accept: str | None) -> bool:
    """Whether `accept` takes this media type; None takes all.

    Raises:
        MalformedInput: `accept` is no list of media ranges with weights.
    """
    return accept is None or _weight(media_type.value, _ranges(accept)) > 0


def best_accepted(accept: str | None) -> MediaType | None:
    """The media type of most weight, the newer one of two; None where none is taken.

    Raises:
        MalformedInput: as `is_accepted`.
    """
    if accept is None:
        return MediaType.DID
    ranges = _ranges(accept)
    best = max(MediaType, key=lambda media_type: _weight(media_type.value, ranges))
    return best if _weight(best.value, ranges) > 0 else None


def _ranges(accept: str) -> dict[str, float]:
    if len(accept) > MAX_ACCEPT_CHARS:
        raise MalformedInput("accept", f"more than {MAX_ACCEPT_CHARS} characters", got=len(accept))
    found: dict[str, float] = {}
    for part in accept.split(","):
        match = _RANGE.fullmatch(part)
        weight = 1.0 if match is None or match[2] is None else float(match[2])
        if match is None or weight > 1:
            raise MalformedInput("accept", "is no list of media types", got=part)
        found[match[1].lower()] = weight
    return found


def _weight(media_type: str, ranges: dict[str, float]) -> float:
    """Of the most specific range that holds it."""
    for candidate in (media_type, "application/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0
