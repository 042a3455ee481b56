"""Narrow types of the API's fields, each with its bound. Texts as numbers become numbers here."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field

MAX_ITEMS = 10_000
"""Of any list in an answer; the API's own lists have at most 100 items a page."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)


def _units(value: Any) -> int:
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        raise ValueError("must be a decimal text of at most 78 digits")
    return int(value)


Name = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=8_192)]
HexData = Annotated[str, Field(max_length=524_290, pattern="^0x([0-9a-fA-F]{2})*$")]
Base64 = Annotated[str, Field(max_length=524_288, pattern="^[A-Za-z0-9+/]*={0,2}$")]
Address = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$")]
Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
Count = Annotated[int, Field(ge=0, lt=2**64)]
Whole = Annotated[int, Field(gt=-(2**63), lt=2**63)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]
Units = Annotated[int, BeforeValidator(_units)]
"""An amount in the smallest unit: decimal text on the wire, a number here."""
Instant = AwareDatetime


class Known(StrEnum):
    """A word out of a list that newer servers may lengthen: what this version does not know reads as `UNKNOWN`."""

    @classmethod
    def _missing_(cls, value: object) -> "Known | None":
        unknown = cls.__members__.get("UNKNOWN")
        return unknown if isinstance(value, str) and len(value) <= 64 else None
