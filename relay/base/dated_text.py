"""Nanoseconds of Unix time in a sentence, shown to people as dates.

The sentences of light clients' refusals keep nanoseconds, since their words are part of the hub's state.
"""

import re

from hutong.light_clients.tendermint.rpc_json import format_time

_TIME = "[0-9]{18,19}"
_INSTANT = re.compile(rf"\b({_TIME}) ns\b|(?<=beyond the clock drift; expected < )({_TIME}), got ({_TIME})\b")
"""Up to the year 2286, and only where the sentence says that it is a time: an amount in wei has as many digits."""


def with_dates(text: str) -> str:
    """The text, with each time in nanoseconds as RFC 3339 in UTC; other numbers stay as they are."""
    return _INSTANT.sub(
        lambda found: ", got ".join(format_time(int(one)) for one in found.groups() if one is not None), text
    )
