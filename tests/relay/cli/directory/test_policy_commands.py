"""`hutong directory policy`: what a policy says, what it permits, and whether an agreement keeps to its offer."""

import json

import pytest

from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.directory.rules.policy.policies import (
    DATA,
    FOR_RESEARCH,
    TREES,
    UNTIL,
    USER,
    agreement,
    constraint,
    offer,
    permission,
    policy,
)

REQUEST = {
    "party": USER,
    "action": "read",
    "target": DATA,
    "purpose": "urn:genetic",
    "time": "2026-12-01T00:00:00Z",
    "usedBefore": 9,
    "sinceAgreement": "P1D",
    "held": {"urn:yuan": "12.50"},
    "within": [],
    "breached": [],
    "revoked": False,
}


@pytest.fixture
def run(tmp_path):
    hierarchies = {name: dict(tree.above) for name, tree in TREES.items()}

    def command(name, *documents, words=()):
        files = []
        for number, document in enumerate(documents):
            files.append(tmp_path / f"{number}.json")
            files[-1].write_text(document if isinstance(document, str) else json.dumps(document))
        (tmp_path / "names.json").write_text(json.dumps(hierarchies))
        named = [] if name == "explain" else ["--hierarchies", tmp_path / "names.json"]
        return within_this_process("directory", "policy", name, *files, *named, *words)

    return command


def test_a_policy_is_explained_with_who_enforces_each_rule(run):
    done = run("explain", offer(), words=["--json"])
    assert done.returncode == 0, done.stdout + done.stderr
    shown = json.loads(done.stdout)
    assert shown["hash"] == policy(offer()).hash.hex() and shown["unenforceable"] is None
    assert {(term["says"], term["enforcement"]) for term in shown["terms"]} == {
        ("use", "enforced before"),
        ("count lteq 10", "enforced at the key"),
        ("dateTime lteq 2027-01-01T00:00:00Z", "enforced before"),
        ("purpose isAnyOf urn:research", "enforced before"),
        ("delete (elapsedTime lteq P30D)", "promised"),
        ("distribute", "enforced before"),
    }


def test_attack_R2_a_word_without_a_meaning_is_told_before_it_is_offered(run):
    done = run("explain", offer(permission=[permission(constraint("weather", "eq", "fine"))]))
    assert done.returncode == 1
    assert "cannot be enforced" in done.stdout and "say it as a duty, which is promised" in done.stdout


def test_a_request_is_decided_with_its_reason(run):
    assert run("decide", agreement(), REQUEST).returncode == 0
    denied = run("decide", agreement(), REQUEST | {"usedBefore": 10})
    assert denied.returncode == 1
    assert "denied: count lteq 10 is false: the request has 11" in denied.stdout
    shown = json.loads(run("decide", agreement(), REQUEST | {"purpose": "urn:advertising"}, words=["--json"]).stdout)
    assert not shown["permitted"] and shown["reason"].startswith("purpose isAnyOf urn:research is false")


def test_attack_R1_a_downgrade_is_named(run):
    kept = run("compare", offer(), agreement())
    assert kept.returncode == 0 and "refused" not in kept.stdout
    wider = agreement(permission=[permission(UNTIL, FOR_RESEARCH)])
    done = run("compare", offer(), wider)
    assert done.returncode == 1 and "refused permissions_are_offered" in done.stdout
    shown = json.loads(run("compare", offer(), wider, words=["--json"]).stdout)
    assert not shown["refines"] and shown["rules"][-1]["rule"] == "permissions_are_offered"


@pytest.mark.parametrize(
    "request_file", ["no JSON", [], {"party": USER}, REQUEST | {"weather": "fine"}, REQUEST | {"time": "yesterday"}]
)
def test_what_cannot_be_read_is_told_with_code_2(run, request_file):
    assert run("decide", agreement(), request_file).returncode == 2
    assert run("explain", request_file).returncode == 2
