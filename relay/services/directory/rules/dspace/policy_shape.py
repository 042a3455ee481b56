"""The shape that the protocol's schemas ask of offers and agreements on the wire (DSP 2025-1, `contract-schema.json`).

Meaning is judged after it, by the profile (`rules/policy`). What a schema leaves open is left open here.
"""

import re
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

MAX_ELEMENTS: Final = 64
"""Of a list of rules or constraints; the profile's own bound is lower."""
MAX_NESTED: Final = 8
OPERATORS: Final = frozenset(
    [
        "eq",
        "gt",
        "gteq",
        "lteq",
        "hasPart",
        "isA",
        "isAllOf",
        "isAnyOf",
        "isNoneOf",
        "isPartOf",
        "lt",
        "term-lteq",
        "neq",
    ]
)
_CONNECTIVES: Final = ("and", "andSequence", "or", "xone")
_KINDS: Final = ("permission", "prohibition", "obligation")
_INSTANT: Final = re.compile(
    r"-?([1-9][0-9]{3,9}|0[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,18})?|24:00:00(\.0{1,18})?)(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
)


def text(value: JsonValue, path: str, most: int = 4_096) -> str:
    """A text of at most `most` characters.

    Raises:
        MalformedInput: another JSON value, or a longer text.
    """
    if not isinstance(value, str):
        raise MalformedInput(path, "is not a text", got=value)
    if len(value) > most:
        raise MalformedInput(path, f"more than {most} characters", got=len(value))
    return value


def object_of(value: JsonValue, path: str) -> JsonObject:
    """A JSON object.

    Raises:
        MalformedInput: another JSON value.
    """
    if not isinstance(value, dict):
        raise MalformedInput(path, "is not an object", got=value)
    return value


def list_of(value: JsonValue, path: str, least: int = 0, most: int = MAX_ELEMENTS) -> list[JsonValue]:
    """A list of `least` to `most` elements.

    Raises:
        MalformedInput: another JSON value, or another number of elements.
    """
    if not isinstance(value, list):
        raise MalformedInput(path, "is not a list", got=value)
    if not least <= len(value) <= most:
        raise MalformedInput(path, f"has {least} to {most} elements", got=len(value))
    return value


def constant(value: JsonValue, path: str, expected: str) -> None:
    """Raises MalformedInput where a value is not the one that it must be."""
    if value != expected:
        raise MalformedInput(path, "is another one", got=value, expected=expected)


def check_offer(value: JsonValue, path: str, *, has_target: bool = False) -> JsonObject:
    """An offer as a message carries it.

    Args:
        has_target: whether a target is demanded, as a provider's offer has one.

    Raises:
        MalformedInput: it has not the schema's shape.
    """
    fields = _policy(value, path, "Offer")
    if "target" in fields or has_target:
        text(fields.get("target"), f"{path}.target")
    return fields


def check_agreement(value: JsonValue, path: str) -> JsonObject:
    """An agreement as a message carries it.

    Raises:
        MalformedInput: it has not the schema's shape.
    """
    fields = _policy(value, path, "Agreement")
    for name in ("target", "assigner", "assignee"):
        text(fields.get(name), f"{path}.{name}")
    if "timestamp" in fields and _INSTANT.search(text(fields["timestamp"], f"{path}.timestamp", 64)) is None:
        raise MalformedInput(f"{path}.timestamp", "is not an instant", got=fields["timestamp"])
    return fields


def _policy(value: JsonValue, path: str, type_: str) -> JsonObject:
    fields = object_of(value, path)
    constant(fields.get("@type"), f"{path}.@type", type_)
    text(fields.get("@id"), f"{path}.@id", 512)
    profile = fields.get("profile", [])
    for one in profile if isinstance(profile, list) else [profile]:
        text(one, f"{path}.profile", 512)
    if "permission" not in fields and "prohibition" not in fields:
        raise MalformedInput(path, "has neither a permission nor a prohibition")
    for kind in _KINDS:
        if kind in fields:
            for i, one in enumerate(list_of(fields[kind], f"{path}.{kind}", least=1)):
                _rule(one, f"{path}.{kind}[{i}]")
    return fields


def _rule(value: JsonValue, path: str) -> None:
    fields = object_of(value, path)
    text(fields.get("action"), f"{path}.action", 512)
    for i, one in enumerate(list_of(fields.get("constraint", []), f"{path}.constraint")):
        _constraint(one, f"{path}.constraint[{i}]", 0)


def _constraint(value: JsonValue, path: str, depth: int) -> None:
    fields = object_of(value, path)
    if depth > MAX_NESTED:
        raise MalformedInput(path, f"nested deeper than {MAX_NESTED}")
    joined = [name for name in _CONNECTIVES if name in fields]
    is_atomic = all(name in fields for name in ("leftOperand", "operator", "rightOperand"))
    if len(joined) + is_atomic != 1:
        raise MalformedInput(path, "is neither one comparison nor one connective", got=sorted(fields)[:8])
    for name in joined:
        for i, one in enumerate(list_of(fields[name], f"{path}.{name}")):
            _constraint(one, f"{path}.{name}[{i}]", depth + 1)
    if is_atomic:
        text(fields["leftOperand"], f"{path}.leftOperand", 512)
        if text(fields["operator"], f"{path}.operator", 64) not in OPERATORS:
            raise MalformedInput(f"{path}.operator", "is not one of the protocol's", got=fields["operator"])
        if not isinstance(fields["rightOperand"], str | dict | list):
            raise MalformedInput(f"{path}.rightOperand", "is not a text, an object or a list")
