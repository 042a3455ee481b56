"""Policies of the profile from JSON as the Dataspace Protocol writes them (docs/spec/directory-policy.md)."""

from typing import Final, cast

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.policy.constraint import (
    Axis,
    Composite,
    Condition,
    Connective,
    Constraint,
    Foreign,
)
from hutong.relay.services.directory.rules.policy.policy import Duty, Policy, PolicyRule, PolicyType
from hutong.relay.services.directory.rules.policy.spelling import CONNECTIVES, spelled
from hutong.relay.services.directory.rules.policy.values import read_value
from hutong.relay.services.directory.rules.policy.vocabulary import (
    OPERANDS,
    PROFILE,
    Operator,
    Vocabulary,
    operators_of,
)
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object

MAX_POLICY_BYTES: Final = 64 * 1024
POLICY_DOMAIN: Final = b"hutong/dir/policy/1"
_TYPES: Final = {one.value: one for one in PolicyType}
_OPERATORS: Final = {one.value: one for one in Operator}
_OF_AN_AGREEMENT: Final = ("target", "assigner", "assignee", "timestamp")
_CONSTRAINT_MEMBERS: Final = {"leftOperand", "operator", "rightOperand", "unit"}


def read_policy(data: bytes, vocabulary: Vocabulary = OPERANDS) -> Policy:
    """A policy of the profile from its JSON.

    Args:
        vocabulary: the left operands that have a meaning.

    Raises:
        MalformedInput: not strict JSON of at most MAX_POLICY_BYTES, or what `policy_of` refuses.
    """
    return policy_of(read_json_object(data, "policy", MAX_POLICY_BYTES), vocabulary)


def policy_of(document: JsonObject, vocabulary: Vocabulary = OPERANDS) -> Policy:
    """As `read_policy`, of an object that a strict parser gave.

    Operands, operators, units and actions that the profile does not know are read, and mean nothing.

    Raises:
        MalformedInput: another profile; what `spelled` refuses; a value that is not of its operand's domain; an agreement
            without target, assigner, assignee or timestamp.
    """
    fields = spelled(document)
    if fields.get("profile") != PROFILE:
        raise MalformedInput("policy.profile", "is another profile", got=fields.get("profile"), expected=PROFILE)
    type_ = _TYPES.get(str(fields.get("@type")))
    if type_ is None:
        raise MalformedInput("policy.@type", "is not Offer, Agreement or Set", got=fields.get("@type"))
    for name in _OF_AN_AGREEMENT if type_ is PolicyType.AGREEMENT else ():
        if name not in fields:
            raise MalformedInput(f"policy.{name}", "an agreement has one")
    canonical = canonical_json(fields)
    timestamp = fields.get("timestamp")
    if timestamp is not None and not isinstance(timestamp, str):
        raise MalformedInput("policy.timestamp", "is not a text", got=timestamp)
    named = {name: cast("str | None", fields.get(name)) for name in ("@id", "target", "assigner", "assignee")}
    return Policy(
        type=type_,
        id=named["@id"],
        target=named["target"],
        assigner=named["assigner"],
        assignee=named["assignee"],
        timestamp_ns=None if timestamp is None else parse_instant_ns(timestamp, "policy.timestamp"),
        permissions=tuple(_rule(one, vocabulary) for one in _objects(fields, "permission")),
        prohibitions=tuple(_rule(one, vocabulary) for one in _objects(fields, "prohibition")),
        obligations=tuple(_duty(one, vocabulary) for one in _objects(fields, "obligation")),
        canonical=canonical,
        hash=sha256(POLICY_DOMAIN + canonical),
    )


def _objects(fields: JsonObject, name: str) -> list[JsonObject]:
    return cast("list[JsonObject]", fields.get(name, []))


def _rule(fields: JsonObject, vocabulary: Vocabulary) -> PolicyRule:
    return PolicyRule(
        str(fields["action"]),
        cast("str | None", fields.get("target")),
        cast("str | None", fields.get("assignee")),
        _conditions(fields, "constraint", vocabulary),
        tuple(_duty(one, vocabulary) for one in _objects(fields, "duty")),
        _written(fields),
    )


def _duty(fields: JsonObject, vocabulary: Vocabulary) -> Duty:
    return Duty(str(fields["action"]), _conditions(fields, "constraint", vocabulary), _written(fields))


def _conditions(fields: JsonObject, name: str, vocabulary: Vocabulary) -> tuple[Condition, ...]:
    return tuple(_condition(one, vocabulary) for one in _objects(fields, name))


def _condition(fields: JsonObject, vocabulary: Vocabulary) -> Condition:
    for name in CONNECTIVES:
        if name in fields:
            return Composite(Connective(name), _conditions(fields, name, vocabulary), _written(fields))
    return _constraint(fields, vocabulary)


def _constraint(fields: JsonObject, vocabulary: Vocabulary) -> Constraint | Foreign:
    """A constraint with a meaning, or what is not of the profile as it stands.

    Raises:
        MalformedInput: a value that is not of the operand's domain, or several for an operator that takes one.
    """
    written, name = _written(fields), str(fields["leftOperand"])
    operand = vocabulary.operands.get(name)
    if operand is None:
        return Foreign(written, "an operand that is not of the profile")
    operator = _OPERATORS.get(str(fields["operator"]))
    if operator is None or operator not in operators_of(operand.domain):
        return Foreign(written, "an operator that the operand does not have")
    if set(fields) - _CONSTRAINT_MEMBERS:
        return Foreign(written, "a member that is not of the profile")
    if ("unit" in fields) is not operand.has_unit:
        return Foreign(written, "a unit is missing" if operand.has_unit else "a unit that the operand does not have")
    rights = cast("list[JsonValue]", fields["rightOperand"])
    if len(rights) > 1 and not operator.takes_list:
        raise MalformedInput(f"constraint.{name}", f"{operator.value} takes one value", got=len(rights))
    right = tuple(read_value(operand.domain, one, f"constraint.{name}") for one in rights)
    axis = Axis(name, str(fields.get("unit", "")))
    said = f"{name} {operator.value} {', '.join(map(str, rights))}" + (f" in {axis.unit}" if axis.unit else "")
    return Constraint(axis, operand, operator, right, written, said)


def _written(fields: JsonObject) -> str:
    return canonical_json(fields).decode()
