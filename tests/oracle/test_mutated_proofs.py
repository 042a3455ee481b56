"""ICS-23 proofs changed by the mutation engine, before the stock Go code and ours: what we accept, it accepts."""

from collections import Counter
from random import Random

import pytest

from tests.light_clients.mutation.clients import KINDS, Bench
from tests.light_clients.mutation.forms import mutated
from tests.oracle.case import Case
from tests.oracle.judges import build_stock, python_verdict, stock_verdicts

pytestmark = pytest.mark.nodes

SEED = 20261126
MUTATIONS = 4_000


def test_what_we_accept_of_changed_proofs_stock_code_accepts(capsys):
    build_stock()
    bench = Bench("tendermint", *KINDS["tendermint secp256k1"])
    proofs = next(subject for subject in bench.subjects() if subject.name.endswith(" proof"))
    random = Random(SEED)
    present, absent = (bench.harness.prove(key, bench.latest).path for key in (bench.key, bench.other_key))
    claims = (("membership", present, bench.value), ("non_membership", absent, b""))
    state = bench.harness.states(bench.latest)[0]
    # The EVM's whole seconds are not at stake here, but the oracle's line is in them.
    now_ns = bench.now_ns // 10**9 * 10**9 + 10**9
    cases = [
        Case(
            "changed proofs",
            f"{kind} {number}",
            kind,
            now_ns,
            state,
            ((bench.latest, bench.truth[bench.latest]),),
            proof,
            bench.latest,
            path,
            value,
        )
        for number in range(MUTATIONS)
        for kind, path, value in (claims[number % 2],)
        for proof in (
            proofs.seeds[number // 2]
            if number < 2 * len(proofs.seeds)
            else mutated(proofs.form, random.choice(proofs.seeds), random.choice(proofs.seeds), random),
        )
    ]
    outcomes: Counter[str] = Counter()
    for case, stock in zip(cases, stock_verdicts(cases), strict=True):
        ours, reason = python_verdict(case)
        outcomes[f"{ours} for us, {stock['verdict']} for stock code"] += 1
        assert ours != "valid" or stock["verdict"] == "valid", (case.id, case.message.hex(), reason, stock)
    with capsys.disabled():
        print("\nchanged proofs: " + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())))
    assert outcomes["valid for us, valid for stock code"] > 10, outcomes
