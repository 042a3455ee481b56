"""Our validator sets beside CometBFT's: random changes and turns, and the same order, powers, priorities and proposers.

`python -m tests.oracle.test_validator_sets` writes CometBFT's answers for the tests that run without Go.
"""

import json
import random
import subprocess
from hashlib import sha256

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.types import MAX_TOTAL_VOTING_POWER
from tests.oracle.judges import BINARY, RUN_LIMIT_S, SolidityJudge, build_stock, python_verdict, stock_verdicts
from tests.relay.hub.application.governance.validator_attacks import validator_change_cases
from tests.relay.hub.application.governance.validator_set_scripts import RECORDED, recorded, standings

pytestmark = [pytest.mark.nodes, pytest.mark.safety]

SCRIPTS = 400
RECORDED_SCRIPTS = 12
KEYS = tuple(secp256k1.public_key_of(sha256(b"member %d" % number).digest()).hex() for number in range(40))
EIGHTH = MAX_TOTAL_VOTING_POWER // 8


def power_of(rng: random.Random, most: int) -> int:
    return rng.choice((1, 2, 3, rng.randint(1, most), rng.randint(1, most), most))


def script_of(rng: random.Random) -> dict:
    """Small sets and large ones, small powers and those near the cap; some changes are ones that CometBFT refuses."""
    most = rng.choice((10, 1_000, 10**12, EIGHTH // 8, EIGHTH))
    start = {key: power_of(rng, most // 4 or 1) for key in rng.sample(KEYS, rng.choice((1, 2, 4, 7, 30)))}
    known = [*start, *rng.sample(KEYS, 2)]
    steps = []
    for _ in range(rng.randint(1, 12)):
        changed = [rng.choice(known) for _ in range(rng.choice((0, 1, 1, 2, 3, 8)))]
        if rng.random() < 0.9:
            changed = list(dict.fromkeys(changed))
        changes = [{"key": key, "power": 0 if rng.random() < 0.4 else power_of(rng, most)} for key in changed]
        if rng.random() < 0.05:
            power = rng.choice((-1, MAX_TOTAL_VOTING_POWER, MAX_TOTAL_VOTING_POWER + 1))
            changes.append({"key": rng.choice(KEYS), "power": power})
        steps.append({"changes": changes, "turns": rng.choice((1, 1, 1, 2, 5, 40))})
    return {"start": [{"key": key, "power": power} for key, power in start.items()], "steps": steps}


def scripts_of_seed() -> list[dict]:
    rng = random.Random(4)
    return [script_of(rng) for _ in range(SCRIPTS)]


def stock_standings(scripts: list[dict]) -> list[list[dict]]:
    """What CometBFT makes of each script."""
    lines = "".join(
        json.dumps({"id": str(number), "kind": "validator_changes", "message": json.dumps(script).encode().hex()})
        + "\n"
        for number, script in enumerate(scripts)
    )
    result = subprocess.run([str(BINARY)], input=lines, capture_output=True, text=True, check=True, timeout=RUN_LIMIT_S)
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(verdicts) == len(scripts)
    assert all(verdict["verdict"] == "valid" for verdict in verdicts), verdicts[0]
    return [json.loads(bytes.fromhex(verdict["value"])) for verdict in verdicts]


def test_sets_priorities_and_proposers_are_cometbfts(capsys):
    build_stock()
    scripts = scripts_of_seed()
    accepted = refused = 0
    for number, (script, theirs) in enumerate(zip(scripts, stock_standings(scripts), strict=True)):
        for step, (got, expected) in enumerate(zip(standings(script), theirs, strict=True)):
            assert got == expected, (number, step)
            refused += got["refused"]
            accepted += not got["refused"]
    with capsys.disabled():
        print(f"\nvalidator sets: {SCRIPTS} scripts, {accepted} steps accepted and {refused} refused by both")
    assert accepted > SCRIPTS < refused * 4


def test_the_answers_on_file_are_cometbfts():
    build_stock()
    on_file = recorded()
    assert stock_standings([item["script"] for item in on_file]) == [item["standings"] for item in on_file]


def test_three_judges_agree_on_headers_about_a_change_of_the_set(capsys):
    build_stock()
    cases = validator_change_cases()
    solidity = SolidityJudge()
    wrong = []
    for case, stock in zip(cases, stock_verdicts(cases), strict=True):
        # ibc-go panics where a set's total power is above the cap; 02-client's caller recovers, so that is a refusal.
        by_stock = "invalid" if stock["verdict"] == "panic" else stock["verdict"]
        verdicts = (by_stock, python_verdict(case)[0], solidity.verdict(case)[0])
        if verdicts != (case.expected,) * 3:
            wrong.append((case.id, case.expected, verdicts, stock.get("error"), python_verdict(case)[1]))
    with capsys.disabled():
        print(
            f"\nvalidator sets: {len(cases)} headers about a change, judged alike by stock code, our client and HubClient"
        )
    assert not wrong


def record() -> None:
    build_stock()
    scripts = sorted(scripts_of_seed(), key=lambda script: len(json.dumps(script)))[SCRIPTS // 3 :][:RECORDED_SCRIPTS]
    rows = [{"script": s, "standings": found} for s, found in zip(scripts, stock_standings(scripts), strict=True)]
    RECORDED.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


if __name__ == "__main__":
    record()
