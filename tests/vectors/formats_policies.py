"""Policies: requests decided and agreements compared with offers under our profile, and the suites of others, in Turtle.

What another suite says with words that the profile does not have is refused or unknown, never wrong: such a case is named.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hutong.light_clients.interface import VERIFY, MalformedInput
from hutong.relay.services.directory.rules.policy.comparing import compatible, way_out
from hutong.relay.services.directory.rules.policy.deciding import Request, decide, request_is_permitted
from hutong.relay.services.directory.rules.policy.policy import RuleKind
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.services.directory.rules.policy.refining import judge_refinement
from hutong.relay.services.directory.rules.policy.truth import Truth
from hutong.relay.services.directory.rules.policy.values import NameTree
from hutong.relay.services.directory.rules.policy.vocabulary import (
    ODRL,
    OPERANDS,
    PROFILE,
    Domain,
    Enforcement,
    Operand,
    Vocabulary,
)
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from tests.vectors.turtle import RDF_TYPE, Graph, Literal, read_turtle
from tests.vectors.vector_registry import Entry, Group, Verification, runs

AXES = "http://w3id.org/odrl/spatial-axis#"
REPORT = "https://w3id.org/force/compliance-report#"
COLLECTIONS = {"AssetCollection", "PartyCollection"}
SIZES = ("absoluteSizeWidth", "absoluteSizeHeight", "absoluteSizeDepth", "spatialCoordinatesAltitude")
WIDER = Vocabulary(
    MappingProxyType(
        {
            **OPERANDS.operands,
            **{AXES + name: Operand(Domain.DECIMAL, Enforcement.BEFORE) for name in SIZES},
            "meteredTime": Operand(Domain.DURATION, Enforcement.AT_KEY),
        }
    ),
    (frozenset({"elapsedTime", "meteredTime", "delayPeriod"}),),
)
"""The profile, and the measures that the benchmark compares: the algebra knows domains, not operands."""


@runs("odrl-refinement-json")
def refinements(entry: Entry, group: Group) -> Iterator[Verification]:
    document = entry.json()
    trees = {"purpose": NameTree(document["purposes"])}
    for case in document["cases"]:

        def run(case=case) -> None:
            if case["expected"] == "downgrade":  # what is refused is the comparison, not the reading
                policies = policy_of(case["agreement"]), policy_of(case["offer"])
                judge_refinement(VERIFY, *policies, trees)
            judge_refinement(VERIFY, policy_of(case["agreement"]), policy_of(case["offer"]), trees)

        yield Verification(f"{case['id']} {case['kind']}", run, valid=case["expected"] == "refines")


@runs("odrl-decision-json")
def decisions(entry: Entry, group: Group) -> Iterator[Verification]:
    document = entry.json()
    trees = {"purpose": NameTree(document["purposes"])}
    for case in document["cases"]:

        def run(case=case) -> None:
            asked = case["request"]
            request = Request(
                party=asked["party"],
                action=asked["action"],
                target=asked["target"],
                purpose=asked.get("purpose"),
                time_ns=parse_instant_ns(asked["time"], "time"),
                used_before=asked["usedBefore"],
                revoked=asked.get("revoked", False),
            )
            request_is_permitted(policy_of(case["agreement"]), request, trees)

        yield Verification(f"{case['id']} {case['kind']}", run, valid=case["expected"] == "permit")


@runs("odrl-relation-ttl")
def relations(entry: Entry, group: Group) -> Iterator[Verification]:
    graph = read_turtle(entry.text())
    name = f"{entry.params['id']} {entry.params['problem']}"
    try:
        sides = [policy_of(_policy(graph, one), WIDER) for one in graph.subjects_of(ODRL + "Set")]
    except MalformedInput as error:
        yield Verification(name, lambda: None, unchecked=f"outside of the profile: {error}")
        return
    rules = [rule.conditions for side in sides for rule in side.permissions]
    if len(rules) != 2:
        yield Verification(name, lambda: None, unchecked="not two permissions")
        return
    first, second = rules
    if entry.params["relation"] == "conflict":
        words = {Truth.TRUE: "Compatible", Truth.FALSE: "Conflict", Truth.UNKNOWN: "Unknown"}
        found = words[compatible(first, second, {}, WIDER)]
    else:
        is_within = way_out(first, second, {}) is None
        words_of = {"subsumption": ("Compatible", "Conflict"), "refinement": ("Refines", "NotRefines")}
        found = words_of[entry.params["relation"]][0 if is_within else 1]

    def run() -> None:
        assert found == entry.params["verdict"], found

    if found == "Unknown" != entry.params["verdict"]:
        yield Verification(name, lambda: None, unchecked="unknown here, decided there")
    else:
        yield Verification(name, run)


@runs("odrl-testcase-ttl")
def test_suite(entry: Entry, group: Group) -> Iterator[Verification]:
    folder = entry.path.parent.parent
    graph = read_turtle(entry.text())
    (case,) = graph.subjects_of("http://example.org/TestCase")
    (name,) = graph.objects(case, "http://purl.org/dc/terms/title")
    policy, request, state = (
        graph.objects(case, f"http://example.org/{part}")[0] for part in ("policy", "request", "sotw")
    )
    try:
        policies = next(one for one in _each_of(folder / "policies") if policy in one.nodes)
        read = policy_of(_policy(policies, policy))
    except MalformedInput as error:
        yield Verification(name, lambda: None, unchecked=f"outside of the profile: {error}")
        return
    states = next(one for one in _each_of(folder / "sotw") if state in one.nodes)
    asked = _request(_all_of(folder / "requests"), request, states)
    breaches = _breaches(states, state)
    duties = [duty.written for rule in read.permissions for duty in rule.duties] if breaches else []
    report = decide(read, replace(asked, breached=frozenset(duties)))
    active = {kind: any(one.active is Truth.TRUE for one in report.rules if one.kind is kind) for kind in RuleKind}

    def run() -> None:
        for kind, word in ((RuleKind.PERMISSION, "PermissionReport"), (RuleKind.PROHIBITION, "ProhibitionReport")):
            expected = [
                REPORT + "Active" in graph.objects(one, REPORT + "activationState")
                for one in graph.subjects_of(REPORT + word)
            ]
            assert active[kind] is any(expected), (kind, expected)

    yield Verification(name, run)


@runs("odrl-verdicts-json")
def listed_relations(entry: Entry, group: Group) -> Iterator[Verification]:
    def run() -> None:
        assert all((entry.path.parent / row["file"]).is_file() for row in entry.json())

    yield Verification("every policy of the list is there", run)


@cache
def _all_of(folder: Path) -> Graph:
    whole = Graph()
    for one in _each_of(folder):
        whole.nodes |= one.nodes
    return whole


@cache
def _each_of(folder: Path) -> tuple[Graph, ...]:
    return tuple(read_turtle(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.ttl")))


def _policy(graph: Graph, policy: str) -> dict:
    fields: dict = {"@id": "urn:policy", "@type": "Set", "profile": PROFILE}
    for kind in ("permission", "prohibition", "obligation"):
        if rules := graph.objects(policy, ODRL + kind):
            fields[kind] = [_node(graph, one) for one in rules]
    return fields


def _node(graph: Graph, value):
    """JSON-LD of a node: a text, a name, or an object where the graph says something of it."""
    if isinstance(value, list):
        return [_node(graph, one) for one in value]
    if isinstance(value, Literal):
        return _zoned(value)
    if value not in graph.nodes:
        return str(value)
    if types := {one.removeprefix(ODRL) for one in graph.objects(value, RDF_TYPE)} & COLLECTIONS:
        return {"@id": str(value), "@type": types.pop()}
    fields: dict = {} if value.startswith(("_:", "urn:")) else {"@id": str(value)}
    for predicate, objects in graph.nodes[value].items():
        if predicate == RDF_TYPE or predicate.startswith("http://purl.org/dc/terms/"):
            continue
        found = [_node(graph, one) for one in objects]
        fields[predicate] = found[0] if len(found) == 1 else found
    return fields


def _zoned(text: str) -> str:
    """The suites' times without a zone are all of one zone."""
    if len(text) == 10 and text[4::3] == "--":
        return f"{text}T00:00:00Z"
    return f"{text}Z" if len(text) == 19 and text[10] == "T" else str(text)


def _request(graph: Graph, request: str, states: Graph) -> Request:
    (rule,) = graph.objects(request, ODRL + "permission")
    party, action, target = (
        str(graph.objects(rule, ODRL + name)[0]).removeprefix(ODRL) for name in ("assignee", "action", "target")
    )
    times = states.objects("http://example.com/request/currentTime", "http://purl.org/dc/terms/issued")
    within = [str(one) for member in (party, target) for one in states.objects(member, ODRL + "partOf")]
    return Request(party, action, target, time_ns=parse_instant_ns(str(times[0]), "issued"), within=frozenset(within))


def _breaches(states: Graph, state: str) -> bool:
    reports = [
        rule
        for included in states.objects(state, "http://example.org/includes")
        for rule in states.objects(included, REPORT + "ruleReport")
    ]
    return any(REPORT + "Violated" in states.objects(rule, REPORT + "deonticState") for rule in reports)
