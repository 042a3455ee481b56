"""Three verdicts on every case: stock Go code, the Python client, HubClient in an EVM. Never laxer than stock."""

import re
from collections import Counter

import pytest

from tests.oracle.case import Case
from tests.oracle.generate import all_cases
from tests.oracle.judges import BINARY, SolidityJudge, build_stock, python_verdict, stock_verdicts

TABLE = BINARY.with_name("verdicts.txt")

pytestmark = [pytest.mark.nodes, pytest.mark.safety]

UNREAD = (
    r"proposer_priority",
    r"total_voting_power",
    r"4 validators, (adjacent|skipping): signed_header\.commit\.signatures\[3\]\.(timestamp\.(seconds|nanos) \+ 1|signature bit flipped)",
)
"""Fields that nobody hashes or reads in an update: changed, they are valid for all three."""

STRICTER_BOTH: tuple[tuple[str, str], ...] = (
    (r"(frozen_height|timestamp) removed$", "T1"),
    (r"^create: client_state\.proof_specs", "T11"),
    (r"next_validators_hash emptied$|empty next validators hash$|empty app hash$", "T4"),
    (r"^absence among \d+: proofs\[0\]\.nonexist\.key ", "I6"),
    (r"commit\.signatures\[\d+\]\.validator_address bit flipped$", "T2"),
)
"""(pattern of case ids, rule): stock code accepts, we refuse. T: docs/spec/tendermint-client.md, H: docs/spec/hub-client.md,
I: docs/spec/strictness.md."""
STRICTER_PYTHON = STRICTER_BOTH
STRICTER_SOLIDITY = (
    *STRICTER_BOTH,
    (r"_(period|drift)\.nanos \+ 1$|signatures\[\d+\]\.timestamp\.seconds negative$", "H2"),
    (r"^create: consensus_state\.root\.hash (shorter|longer)$|app hash of 20 bytes$", "H3"),
    (r"signatures\[\d+\]\.signature shorter$", "H8"),
)


def rule_for(case: Case, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((rule for pattern, rule in table if re.search(pattern, case.id)), None)


def test_three_judges_agree_on_every_case(capsys):
    build_stock()
    cases = all_cases()
    stock = stock_verdicts(cases)
    assert [verdict["id"] for verdict in stock] == [case.id for case in cases]
    solidity = SolidityJudge()
    rows: list[str] = []
    wrong: list[str] = []
    table: dict[str, Counter[str]] = {}
    for case, judged in zip(cases, stock, strict=True):
        by_python, python_reason = python_verdict(case)
        by_solidity, solidity_reason = solidity.verdict(case)
        by_stock = judged["verdict"]
        counts = table.setdefault(case.family, Counter())
        counts["cases"] += 1
        counts[by_stock] += 1
        problem = ""
        if case.expected is not None and by_stock != case.expected:
            problem = f"expected {case.expected}"
        for judge, verdict, rules in (
            ("python", by_python, STRICTER_PYTHON),
            ("solidity", by_solidity, STRICTER_SOLIDITY),
        ):
            if verdict == by_stock or (by_stock == "panic" and verdict == "invalid"):
                counts[f"{judge} equal"] += 1
            elif verdict == "invalid" and (rule := rule_for(case, rules)):
                counts[f"{judge} stricter"] += 1
                counts[f"{judge} by rule {rule}"] += 1
            else:
                problem += f" {judge} differs"
        if any(re.search(pattern, case.id) for pattern in UNREAD) and by_stock != "valid" and case.kind == "header":
            problem += " an unread field was read"
        rows.append(f"{case.id} | {by_stock} | {by_python} | {by_solidity}")
        if problem:
            wrong.append(
                f"{case.id}: {problem}: stock {by_stock} ({judged.get('error', '')[:160]}), "
                f"python {by_python} ({python_reason[:160]}), solidity {by_solidity} ({solidity_reason[:160]})"
            )
    TABLE.write_text("case | stock | python | solidity\n" + "\n".join(rows) + "\n")
    with capsys.disabled():
        print(f"\noracle: {len(cases)} cases; every verdict stands in {TABLE.name} beside the binary")
        for family, counts in table.items():
            print(f"  {family}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    assert not wrong, f"{len(wrong)} cases:\n" + "\n".join(wrong)
