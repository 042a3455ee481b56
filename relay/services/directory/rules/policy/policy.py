"""A policy of the profile, parsed: its rules in the order of their canonical JSON, so that a spelling makes no difference."""

from dataclasses import dataclass
from enum import Enum

from hutong.relay.services.directory.rules.policy.constraint import Condition, Foreign, leaves_of
from hutong.relay.services.directory.rules.policy.vocabulary import ACTIONS, Enforcement


class PolicyType(Enum):
    """What a policy is. A set is judged as an offer without an assigner."""

    SET = "Set"
    OFFER = "Offer"
    AGREEMENT = "Agreement"


class RuleKind(Enum):
    """What a rule does."""

    PERMISSION = "permission"
    PROHIBITION = "prohibition"
    OBLIGATION = "obligation"


@dataclass(frozen=True, slots=True)
class Duty:
    """What the assignee has to do. Nobody can make it: a duty is promised, whatever it says."""

    action: str
    conditions: tuple[Condition, ...]
    written: str

    @property
    def enforcement(self) -> Enforcement:
        """Promised."""
        return Enforcement.PROMISED

    @property
    def said(self) -> str:
        """For people: `delete (elapsedTime lteq P30D)`."""
        asked = "; ".join(condition.said for condition in self.conditions)
        return f"{self.action} ({asked})" if asked else self.action


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A permission with its duties, or a prohibition. `target` and `assignee` are the policy's unless the rule says its own."""

    action: str
    target: str | None
    assignee: str | None
    conditions: tuple[Condition, ...]
    duties: tuple[Duty, ...]
    written: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Offer, agreement or set. `canonical` is its JSON by RFC 8785 in the one spelling, and `hash` is that of it."""

    type: PolicyType
    id: str | None
    target: str | None
    assigner: str | None
    assignee: str | None
    timestamp_ns: int | None
    permissions: tuple[PolicyRule, ...]
    prohibitions: tuple[PolicyRule, ...]
    obligations: tuple[Duty, ...]
    canonical: bytes
    hash: bytes


def foreign_terms(rule: PolicyRule) -> tuple[Foreign, ...]:
    """The constraints of a rule that the profile does not know. Its duties may have some: they are promised anyway."""
    foreign = [leaf for leaf in leaves_of(rule.conditions) if isinstance(leaf, Foreign)]
    if rule.action not in ACTIONS:
        foreign.append(Foreign(f'"{rule.action}"', "an action that is not of the profile"))
    return tuple(foreign)
