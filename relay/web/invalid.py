"""What is wrong with a request that is not of its form, as a sentence that goes on from the field's name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hutong.relay.config.reasons import reason_of

_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "amount": "must be the number of smallest units in decimal digits, at least 1, without sign, point or exponent",
        "payload": "must be 0x and at least one pair of hex digits",
        "raw": "must be the signed transaction: 0x and pairs of hex digits",
        "message_id": "must be 0x and 64 hex digits; a packet is named by chain/client/sequence, in three parts of the path",
        "transaction_hash": "must be 0x and 64 hex digits",
        "transaction": "must be 0x and 64 hex digits",
        "sequence": "must be a number from 1 on",
        **dict.fromkeys(("sender", "receiver"), "must be one word of ASCII characters: an address"),
        **dict.fromkeys(("client", "next_client"), "must be a client, as /v1/routes lists them"),
        **dict.fromkeys(
            ("source", "destination", "via", "chain"),
            "must be a chain's name, as /v1/chains lists them: lower-case letters, digits and hyphens",
        ),
    }
)
"""By field, what its pattern asks for."""


def sentence(error: Mapping[str, Any]) -> tuple[str, str]:
    """(field, what is wrong with it) of one of pydantic's errors; the sentence goes on from the field's name.

    Nothing of what was sent is in it: it may be secret or long. The field's name is cut to 40 characters.
    """
    *_, last = [str(part) for part in error["loc"]] or ["body"]
    field = last[:40]
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "json_invalid":
        return "body", "is not JSON"
    if kind in ("model_attributes_type", "model_type", "dict_type"):
        return "body", "must be a JSON object"
    if kind == "string_pattern_mismatch" and field in _FORMS:
        return field, _FORMS[field]
    told = {
        "missing": "is missing",
        "extra_forbidden": "is no field of this request",
        "string_type": "must be a text, in quotes" if field == "amount" else "must be a text",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "string_too_short": "is empty",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
        "enum": f"must be {context.get('expected')}",
        "literal_error": f"must be {context.get('expected')}",
    }
    said = told.get(kind) or reason_of(error)
    return field, said or str(error["msg"]).removeprefix("Value error, ")
