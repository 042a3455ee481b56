"""Narrow types of the API's fields, each with its bound. What is text on the wire and a number or a time in memory is both
here."""

import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from hutong.relay.schemas.documented import WITHOUT_BOUNDS

T = TypeVar("T")

MAX_ITEMS = 10_000
"""Of any list in an answer; the API's own lists have at most 100 items a page."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)


def _units(value: Any) -> int:
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        raise ValueError("must be a decimal text of at most 78 digits")
    return int(value)


def instant_text(at: datetime) -> str:
    """RFC 3339 with milliseconds, rounded down; `at` is in UTC."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Name = Annotated[str, Field(max_length=256), WITHOUT_BOUNDS]
Cursor = Annotated[str, Field(max_length=1_024), WITHOUT_BOUNDS]
Text = Annotated[str, Field(max_length=8_192), WITHOUT_BOUNDS]
HexData = Annotated[str, Field(max_length=524_290, pattern="^0x([0-9a-fA-F]{2})*$"), WITHOUT_BOUNDS]
Base64 = Annotated[str, Field(max_length=524_288, pattern="^[A-Za-z0-9+/]*={0,2}$"), WITHOUT_BOUNDS]
Address = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$"), WITHOUT_BOUNDS]
Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$", examples=["0x" + "5e" * 32]), WITHOUT_BOUNDS]
Count = Annotated[int, Field(ge=0, lt=2**64), WITHOUT_BOUNDS]
Whole = Annotated[int, Field(gt=-(2**63), lt=2**63), WITHOUT_BOUNDS]
Seconds = Annotated[float, Field(allow_inf_nan=False)]
Items = Annotated[tuple[T, ...], Field(max_length=MAX_ITEMS), WITHOUT_BOUNDS]

_DECIMAL_TEXT: dict[str, Any] = {"type": "string"}
Units = Annotated[int, BeforeValidator(_units), PlainSerializer(str, return_type=str), WithJsonSchema(_DECIMAL_TEXT)]
"""An amount in the smallest unit: decimal text on the wire, a number here."""
Wei = Annotated[
    int,
    BeforeValidator(_units),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        _DECIMAL_TEXT
        | {"description": "smallest unit, decimal", "pattern": "^[0-9]{1,78}$", "examples": ["21000000000000"]}
    ),
]
"""As `Units`, and OpenAPI says more of it."""
Instant = Annotated[
    AwareDatetime,
    PlainSerializer(instant_text, return_type=str),
    WithJsonSchema({"type": "string", "description": "RFC 3339, UTC", "examples": ["2026-11-26T03:50:50.123Z"]}),
]
