"""What OpenAPI says of an answer where it is not what the type says."""

from typing import Any

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_BOUNDS = (
    "maxLength", "minLength", "pattern", "maxItems", "minItems", "maximum", "minimum", "exclusiveMaximum",
    "exclusiveMinimum",
)  # fmt: skip


def _without_description(schema: JsonSchemaValue) -> None:
    schema.pop("description", None)


UNDESCRIBED = ConfigDict(json_schema_extra=_without_description, json_schema_serialization_defaults_required=True)
"""Of an answer whose docstring is for readers of the code. Every field is promised, also one that older servers lack."""


class _WithoutBounds:
    """The bounds before it guard a reader, and are not promised to anyone."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {name: value for name, value in handler(schema).items() if name not in _BOUNDS}


WITHOUT_BOUNDS = _WithoutBounds()


class DocumentedAs:
    """Another type stands in the document."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._schema: CoreSchema | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        self._schema = handler.generate_schema(self._kind)
        return handler(source)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema if self._schema is None else self._schema)


class _AnyOf:
    """By a discriminator for whoever reads, one of several in the document."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": handler(schema)["oneOf"]}


ANY_OF = _AnyOf()
