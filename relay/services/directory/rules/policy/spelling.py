"""One spelling for what JSON-LD takes for the same policy, so that two of them are equal where their bytes are.

`odrl:use`, `http://www.w3.org/ns/odrl/2/use`, `{"@id": "odrl:use"}` and `use` are one word; a list of one and its element are one
value; neither rules nor constraints have an order. The labels that rules have (`@id`, `@type`) say nothing and are left out.
"""

from typing import Final, cast

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.policy.values import read_name
from hutong.relay.services.directory.rules.policy.vocabulary import ODRL, ODRL_PREFIX
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

MAX_RULES: Final = 16
"""Of each kind in a policy, and of the duties of a rule."""
MAX_CONDITIONS: Final = 16
"""Of a rule, a duty or a composite."""
MAX_RIGHT: Final = 64
"""Values of one set."""
MAX_NESTED: Final = 4
"""Composites within one another."""
CONNECTIVES: Final = ("and", "or", "xone")
_KINDS: Final = ("permission", "prohibition", "obligation")
_NAMED_TYPES: Final = ("Asset", "AssetCollection", "Party", "PartyCollection")
_RULE_TYPES: Final = {"permission": "Permission", "prohibition": "Prohibition", "obligation": "Duty", "duty": "Duty"}


def spelled(document: JsonObject) -> JsonObject:
    """The policy in its one spelling.

    Raises:
        MalformedInput: a member that policies of the profile do not have, one that stands twice in two spellings, a value of
            another shape, or more rules and constraints than the bounds of this module.
    """
    fields = _members(
        document, "policy", ("@id", "@type", "profile", "target", "assigner", "assignee", "timestamp", *_KINDS)
    )
    out: JsonObject = {}
    for name in ("@id", "@type", "profile"):
        if name in fields:
            out[name] = _word(fields[name], f"policy.{name}")
    _take_named(out, fields, "policy")
    if "timestamp" in fields:
        out["timestamp"] = _plain(fields["timestamp"], "policy.timestamp")
    for kind in _KINDS:
        rules = [
            _rule(one, kind, f"policy.{kind}[{i}]") for i, one in enumerate(_list(fields, kind, "policy", MAX_RULES))
        ]
        if rules:
            out[kind] = sorted(rules, key=canonical_json)
    return out


def _rule(value: JsonValue, kind: str, path: str) -> JsonValue:
    names = ("@id", "@type", "action", "constraint") + (() if kind == "duty" else ("target", "assigner", "assignee"))
    fields = _members(value, path, (*names, "duty") if kind == "permission" else names)
    if "@type" in fields and _word(fields["@type"], f"{path}.@type") != _RULE_TYPES[kind]:
        raise MalformedInput(f"{path}.@type", "is another kind of rule", fields["@type"], _RULE_TYPES[kind])
    if "action" not in fields:
        raise MalformedInput(f"{path}.action", "a rule has one")
    out: JsonObject = {"action": _word(fields["action"], f"{path}.action")}
    _take_named(out, fields, path)
    if conditions := _conditions(fields, "constraint", path, 0):
        out["constraint"] = conditions
    duties = [_rule(one, "duty", f"{path}.duty[{i}]") for i, one in enumerate(_list(fields, "duty", path, MAX_RULES))]
    if duties:
        out["duty"] = sorted(duties, key=canonical_json)
    return out


def _take_named(out: JsonObject, fields: JsonObject, path: str) -> None:
    """Target and parties by their names. A collection is one name too, whatever else is said of it; who is in it is a fact."""
    for name in ("target", "assigner", "assignee"):
        value = fields.get(name)
        if isinstance(value, dict) and set(value) == {"@id", "@type"}:
            if _word(value["@type"], f"{path}.{name}.@type") not in _NAMED_TYPES:
                raise MalformedInput(f"{path}.{name}.@type", "is not an asset, a party or a collection of them")
            value = value["@id"]
        if value is not None:
            out[name] = _word(value, f"{path}.{name}")


def _conditions(fields: JsonObject, name: str, path: str, depth: int) -> list[JsonValue]:
    found = _list(fields, name, path, MAX_CONDITIONS)
    return sorted((_condition(one, f"{path}.{name}[{i}]", depth) for i, one in enumerate(found)), key=canonical_json)


def _condition(value: JsonValue, path: str, depth: int) -> JsonValue:
    fields = _members(value, path, None)
    joined = [name for name in CONNECTIVES if name in fields]
    if not joined:
        return _constraint(fields, path)
    if set(fields) - {"@id", "@type"} != {joined[0]}:
        raise MalformedInput(path, "a composite has one member, which is its connective", got=sorted(fields))
    if depth == MAX_NESTED:
        raise MalformedInput(path, f"composites stand more than {MAX_NESTED} deep")
    parts = _conditions(fields, joined[0], path, depth + 1)
    if not parts:
        raise MalformedInput(f"{path}.{joined[0]}", "joins nothing")
    return {joined[0]: parts}


def _constraint(fields: JsonObject, path: str) -> JsonValue:
    out: JsonObject = {}
    for name, value in fields.items():
        if name in ("@id", "@type"):
            continue
        if name in ("leftOperand", "operator", "unit"):
            out[name] = _word(value, f"{path}.{name}")
        elif name == "rightOperand":
            values = [_plain(one, f"{path}.{name}") for one in _items(value)]
            if not 1 <= len(values) <= MAX_RIGHT:
                raise MalformedInput(f"{path}.{name}", f"has 1 to {MAX_RIGHT} values", got=len(values))
            out[name] = sorted(values, key=canonical_json)
        else:  # a member that changes the meaning in a way that is not known here, such as an anchor or a status
            out[name] = value
    for name in ("leftOperand", "operator", "rightOperand"):
        if name not in out:
            raise MalformedInput(f"{path}.{name}", "a constraint has one")
    return out


def _members(value: JsonValue, path: str, known: tuple[str, ...] | None) -> JsonObject:
    if not isinstance(value, dict):
        raise MalformedInput(path, "is not an object", got=value)
    fields: JsonObject = {}
    for name, member in value.items():
        short = _short(name)
        if short in fields:
            raise MalformedInput(f"{path}.{short}", "stands twice, in two spellings")
        if known is not None and short not in known:
            raise MalformedInput(f"{path}.{short[:64]}", "is not a member that the profile has")
        fields[short] = member
    return fields


def _short(word: str) -> str:
    return word.removeprefix(ODRL).removeprefix(ODRL_PREFIX)


def _list(fields: JsonObject, name: str, path: str, most: int) -> list[JsonValue]:
    found = _items(fields[name]) if name in fields else []
    if len(found) > most:
        raise MalformedInput(f"{path}.{name}", f"more than {most}", got=len(found))
    return found


def _items(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict) and set(value) == {"@list"}:
        value = value["@list"]
    return value if isinstance(value, list) else [value]


def _word(value: JsonValue, path: str) -> str:
    if isinstance(value, dict) and set(value) == {"@id"}:
        value = value["@id"]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _short(read_name(value, path))


def _plain(value: JsonValue, path: str) -> JsonValue:
    """A literal or the name of a node. The type of a literal is that of its operand, so that one more says nothing."""
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            value = value["@id"]
        elif "@value" in value and set(value) <= {"@value", "@type"}:
            value = value["@value"]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise MalformedInput(path, "is not a text or a number", got=value)
    return _short(value) if isinstance(value, str) else cast(JsonValue, value)
