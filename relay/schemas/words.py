"""Words out of lists: what a message, a client or a transaction is said to be."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

MAX_WORD_CHARS = 64


class Word(StrEnum):
    """A word out of a list that newer servers may lengthen: what this version does not know reads as `UNKNOWN`.

    A server writes words of its list alone, and OpenAPI names these.
    """

    @classmethod
    def _missing_(cls, value: object) -> "Word | None":
        unknown = cls.__members__.get("UNKNOWN")
        return unknown if isinstance(value, str) and len(value) <= MAX_WORD_CHARS else None

    @classmethod
    def listed(cls) -> tuple[str, ...]:
        """The words of the list: without `unknown`, which is not one of them."""
        return tuple(word.value for word in cls if word.name != "UNKNOWN")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        handler.resolve_ref_schema(found)["enum"] = list(cls.listed())
        return found


class _InPlace:
    """The words stand where they are used, with `unknown`, which these servers say too; other words have a name."""

    def __get_pydantic_core_schema__(self, source: type[Word], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(source, core_schema.str_schema(max_length=MAX_WORD_CHARS))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": [word.value for word in schema["function"]["function"]]}


IN_PLACE = _InPlace()


def known_word(kind: type[Word]) -> Callable[[Any], Any]:
    """A validator for what a client sends: a word of the list alone, where an answer may hold others."""
    *most, last = (f"'{word}'" for word in kind.listed())
    expected = f"{', '.join(most)} or {last}"

    def check(value: Any) -> Any:
        if value not in kind.listed():
            raise PydanticKnownError("enum", {"expected": expected})
        return value

    return check


class App(Word):
    """What a packet carries, by its ports."""

    MESSAGE = "message"
    TRANSFER = "transfer"
    OTHER = "other"
    UNKNOWN = "unknown"


class MessageState(Word):
    """How a message stands on the chain that sent it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """Acknowledged with an error: what was sent is given back."""
    TIMED_OUT = "timed_out"
    """What was sent is given back."""
    SETTLED = "settled"
    """Its commitment is gone, by whom is not known."""
    DEAD = "dead"
    """The relay gave a step up; its operator can try it again."""
    UNKNOWN = "unknown"


class MessageStage(Word):
    """How far it got. Also a message that ended badly is `settled`."""

    SENT = "sent"
    AT_HUB = "at_hub"
    """Of a way over a hub alone: the first of two packets was received."""
    DELIVERED = "delivered"
    SETTLED = "settled"
    UNKNOWN = "unknown"


class FoundKind(Word):
    """What a searched text was taken for."""

    PACKET = "packet"
    MESSAGE_ID = "message_id"
    TRANSACTION = "transaction"
    ADDRESS = "address"
    CHAIN = "chain"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


class ClientStatus(Word):
    """Whether a light client may be used. A server says `unknown` where it could not read the client."""

    ACTIVE = "active"
    FROZEN = "frozen"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class TransactionState(Word):
    """Where a transaction is. A server says `unknown` of one that neither a block nor a pool has."""

    PENDING = "pending"
    INCLUDED = "included"
    FAILED = "failed"
    UNKNOWN = "unknown"
