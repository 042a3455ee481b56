"""Policies and requests for tests: one offer, the agreement to it, a request that it permits, and drawn ones."""

import json
from copy import deepcopy
from random import Random

from hutong.relay.services.directory.rules.policy.deciding import Request
from hutong.relay.services.directory.rules.policy.reading import policy_of, read_policy
from hutong.relay.services.directory.rules.policy.values import NameTree
from hutong.relay.services.directory.rules.policy.vocabulary import PROFILE
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns

OWNER, USER, DATA = "did:web:owner.example", "did:web:user.example", "urn:uuid:traffic"
TREES = {
    "purpose": NameTree(
        {
            "urn:research": None,
            "urn:medical": "urn:research",
            "urn:genetic": "urn:medical",
            "urn:commercial": None,
            "urn:advertising": "urn:commercial",
        }
    )
}
END = "2027-01-01T00:00:00Z"


def constraint(left, operator, right, **more):
    return {"leftOperand": left, "operator": operator, "rightOperand": right, **more}


UNTIL = constraint("dateTime", "lteq", END)
FOR_RESEARCH = constraint("purpose", "isAnyOf", ["urn:research"])
TEN_TIMES = constraint("count", "lteq", 10)
DELETE = {"action": "delete", "constraint": [constraint("elapsedTime", "lteq", "P30D")]}
OFFER = {
    "@id": "urn:uuid:offer",
    "@type": "Offer",
    "profile": PROFILE,
    "target": DATA,
    "assigner": OWNER,
    "permission": [{"action": "use", "constraint": [UNTIL, FOR_RESEARCH, TEN_TIMES], "duty": [DELETE]}],
    "prohibition": [{"action": "distribute"}],
}
AGREED = {"@type": "Agreement", "assignee": USER, "timestamp": "2026-11-30T00:00:00Z"}


def offer(**changes):
    return deepcopy(OFFER) | changes


def agreement(**changes):
    return offer(**AGREED) | changes


def permission(*constraints, action="use", duty=(DELETE,), **more):
    return {"action": action, "constraint": list(constraints), "duty": list(duty), **more}


def policy(document):
    return read_policy(json.dumps(document).encode())


def request(**changes):
    known = {
        "party": USER,
        "action": "read",
        "target": DATA,
        "purpose": "urn:medical",
        "time_ns": parse_instant_ns("2026-12-01T00:00:00Z", "time"),
        "used_before": 0,
    }
    return Request(**(known | changes))


DAY = "2027-01-{:02}T00:00:00Z"
PURPOSES = [*TREES["purpose"].above, "urn:unlisted"]


def drawn_constraint(random: Random):
    """One of a few values an operand, so that bounds meet one another and the requests."""
    kind = random.choice(["dateTime", "count", "purpose", "elapsedTime", "unknown"])
    order = random.choice(["eq", "neq", "lt", "lteq", "gt", "gteq"])
    match kind:
        case "dateTime":
            return constraint(kind, order, DAY.format(random.randint(1, 5)))
        case "count":
            return constraint(kind, order, random.randint(1, 5))
        case "elapsedTime":
            return constraint(kind, order, f"P{random.randint(1, 5)}D")
        case "purpose":
            operator = random.choice(["eq", "neq", "isA", "isAnyOf", "isNoneOf"])
            several = random.sample(PURPOSES, random.randint(1, 2))
            return constraint(kind, operator, several if operator.endswith("Of") else several[0])
    return constraint("weather", "eq", "fine")


def drawn_condition(random: Random, depth=0):
    if depth < 2 and random.random() < 0.2:
        parts = [drawn_condition(random, depth + 1) for _ in range(random.randint(1, 3))]
        return {random.choice(["and", "or", "xone"]): parts}
    return drawn_constraint(random)


def drawn_rule(random: Random, **more):
    conditions = [drawn_condition(random) for _ in range(random.randint(0, 3))]
    return {"action": random.choice(["use", "read", "distribute", "sell"]), "constraint": conditions, **more}


def drawn_agreement(random: Random):
    rules = {
        "permission": [drawn_rule(random, duty=[DELETE] * random.randint(0, 1)) for _ in range(random.randint(1, 2))],
        "prohibition": [drawn_rule(random) for _ in range(random.randint(0, 2))],
    }
    return agreement(**rules)


def drawn_request(random: Random):
    """On the bounds, before, between and after them; now and then something is not known."""
    day_ns = 86_400 * 10**9

    def known(value):
        return None if random.random() < 0.1 else value

    half_days = random.randint(0, 12)
    return request(
        action=random.choice(["use", "read", "distribute", "sell"]),
        purpose=known(random.choice(PURPOSES)),
        time_ns=known(parse_instant_ns(DAY.format(1), "time") + (half_days - 1) * day_ns // 2),
        used_before=known(random.randint(0, 6)),
        since_agreement_ns=known(random.randint(0, 12) * day_ns // 2),
    )


def as_offer(document):
    return {name: value for name, value in document.items() if name not in ("assignee", "timestamp")} | {
        "@type": "Offer"
    }


def parsed(document):
    return policy_of(deepcopy(document))
