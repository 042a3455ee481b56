"""What is wrong with a value, in plain words: of the configuration, of an option and of a request alike."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


def reason_of(error: Mapping[str, Any]) -> str | None:
    """A sentence that goes on from the value's name, of one of pydantic's errors; None where no words of our own fit.

    Nothing of the value is in it.
    """
    words = _REASONS.get(error["type"])
    return None if words is None else words(error.get("ctx") or {})


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _characters(count: int) -> str:
    return "character" if count == 1 else "characters"


_REASONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "int_parsing": lambda _: "is not a whole number",
        "int_type": lambda _: "is not a whole number",
        "int_from_float": lambda _: "is not a whole number",
        "int_parsing_size": lambda _: "has too many digits",
        "float_parsing": lambda _: "is not a number",
        "float_type": lambda _: "is not a number",
        "finite_number": lambda _: "is not a finite number",
        "bool_parsing": lambda _: "is neither true nor false",
        "bool_type": lambda _: "is neither true nor false",
        "string_type": lambda _: "is not a text",
        "tuple_type": lambda _: "is not a list",
        "model_type": lambda _: "is not a table",
        "model_attributes_type": lambda _: "is not a table",
        "is_instance_of": lambda _: "is not a text",  # of a path, the one class that a field asks for
        "literal_error": lambda said: f"must be {said['expected']}",
        "string_pattern_mismatch": lambda said: f"does not match {said['pattern']}",
        "string_too_short": lambda said: f"has fewer than {said['min_length']} {_characters(said['min_length'])}",
        "string_too_long": lambda said: f"has more than {said['max_length']} {_characters(said['max_length'])}",
        "too_short": lambda said: f"needs at least {said['min_length']} {_entries(said['min_length'])}",
        "too_long": lambda said: f"may have at most {said['max_length']} {_entries(said['max_length'])}",
        "greater_than_equal": lambda said: f"is less than {said['ge']}",
        "less_than_equal": lambda said: f"is more than {said['le']}",
        "greater_than": lambda said: f"must be more than {said['gt']}",
        "less_than": lambda said: f"must be less than {said['lt']}",
    }
)
"""In place of the library's words, which speak of validation and tuples."""
