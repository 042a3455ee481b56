"""An answer's bytes, as the server sends them and the SDK reads them."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter


@cache
def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """The reader and writer of one kind of answer; made once, since that costs more than many answers."""
    return TypeAdapter(kind)


def body_of(answer: object) -> bytes:
    """JSON in UTF-8, the fields in their order. The answer is not validated again."""
    kind: Any = type(answer)
    return adapter_of(kind).dump_json(answer, by_alias=True)
