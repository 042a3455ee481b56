"""The words of the profile `urn:hutong:odrl:1`: operands with their domains and who enforces them, operators, actions.

The list is closed: a word that does not stand here has no meaning, and a constraint with one is never taken as fulfilled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

SPEC: Final = "docs/spec/directory-policy.md"
PROFILE: Final = "urn:hutong:odrl:1"
ODRL: Final = "http://www.w3.org/ns/odrl/2/"
ODRL_PREFIX: Final = "odrl:"


class Domain(Enum):
    """What values of an operand are, and so how they compare."""

    INSTANT = "an instant in UTC"
    DURATION = "a duration of days, hours, minutes and seconds"
    COUNT = "a whole number"
    DECIMAL = "a decimal number"
    NAME = "a name"
    """Two names are the same or different."""
    TREE = "a name in a published hierarchy"
    """A name may stand below another one."""

    @property
    def is_ordered(self) -> bool:
        """Whether values compare by size."""
        return self not in (Domain.NAME, Domain.TREE)


class Enforcement(Enum):
    """Who sees to it that a rule is kept; printed beside the rule wherever it is shown."""

    BEFORE = "enforced before"
    """By the hub when the agreement is made, and again at each request for a key."""
    AT_KEY = "enforced at the key"
    """By the hub's counter and the holders of the key: without them nothing is opened."""
    PROMISED = "promised"
    """By nobody: the assignee gives its word, and a breach is evidence."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A left operand. With `has_unit` its values compare within one unit, which a constraint then has to name."""

    domain: Domain
    enforcement: Enforcement
    has_unit: bool = False


class Operator(Enum):
    """By its name in ODRL."""

    EQ = "eq"
    NEQ = "neq"
    LT = "lt"
    LTEQ = "lteq"
    GT = "gt"
    GTEQ = "gteq"
    IS_A = "isA"
    IS_PART_OF = "isPartOf"
    IS_ANY_OF = "isAnyOf"
    IS_NONE_OF = "isNoneOf"

    @property
    def takes_list(self) -> bool:
        """Whether the right operand is a set of values."""
        return self in (Operator.IS_ANY_OF, Operator.IS_NONE_OF)


_EQUALITY: Final = frozenset({Operator.EQ, Operator.NEQ})
_ORDER: Final = _EQUALITY | {Operator.LT, Operator.LTEQ, Operator.GT, Operator.GTEQ}
_SETS: Final = _EQUALITY | {Operator.IS_ANY_OF, Operator.IS_NONE_OF}
_TREES: Final = _SETS | {Operator.IS_A, Operator.IS_PART_OF}


def operators_of(domain: Domain) -> frozenset[Operator]:
    """Those that have a meaning for values of a domain."""
    if domain.is_ordered:
        return _ORDER
    return _TREES if domain is Domain.TREE else _SETS


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Left operands by name. The groups in `coupled` bound one another: two of a group are never judged as independent."""

    operands: Mapping[str, Operand]
    coupled: tuple[frozenset[str], ...] = ()


OPERANDS: Final = Vocabulary(
    MappingProxyType(
        {
            "dateTime": Operand(Domain.INSTANT, Enforcement.BEFORE),
            "purpose": Operand(Domain.TREE, Enforcement.BEFORE),
            "spatial": Operand(Domain.TREE, Enforcement.BEFORE),
            "language": Operand(Domain.NAME, Enforcement.BEFORE),
            "payAmount": Operand(Domain.DECIMAL, Enforcement.BEFORE, has_unit=True),
            "count": Operand(Domain.COUNT, Enforcement.AT_KEY),
            "elapsedTime": Operand(Domain.DURATION, Enforcement.AT_KEY),
            "delayPeriod": Operand(Domain.DURATION, Enforcement.AT_KEY),
            "timeInterval": Operand(Domain.DURATION, Enforcement.AT_KEY),
        }
    ),
    (frozenset({"elapsedTime", "delayPeriod"}),),
)
"""`count` is the number of this use, from 1; `elapsedTime` and `delayPeriod` count from the agreement, `timeInterval` from the
last use; `payAmount` is what `transfer` holds for it, in the asset that `unit` names; `purpose` is declared; `spatial` and
`language` are claims of the presented credential."""

ACTIONS: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "use": None,
        "read": "use",
        "display": "use",
        "present": "use",
        "index": "use",
        "aggregate": "use",
        "anonymize": "use",
        "derive": "use",
        "modify": "use",
        "translate": "use",
        "reproduce": "use",
        "distribute": "use",
        "delete": "use",
        "archive": "use",
        "attribute": "use",
        "inform": "use",
        "compensate": "use",
        "write": "use",
        "transfer": None,
        "sell": "transfer",
        "give": "transfer",
    }
)
"""Each with the one in which it is included. `aggregate` is answered by the private operations, without a key."""


def action_includes(wide: str, narrow: str) -> bool:
    """Whether whoever may do `wide` may do `narrow`; an action that is not of the profile includes itself alone."""
    here: str | None = narrow
    while here is not None:
        if here == wide:
            return True
        here = ACTIONS.get(here)
    return False
