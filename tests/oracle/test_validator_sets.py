"""Our validator sets beside CometBFT's: random changes and turns, and the same order, powers, priorities and proposers."""

import json
import random
import subprocess
from hashlib import sha256

import pytest

from light_clients.crypto import secp256k1
from light_clients.tendermint.types import MAX_TOTAL_VOTING_POWER, KeyType, PublicKey, ValidatorSet
from relay.hub.consensus.validators import ChangeRefused, advance_proposer, genesis_validators, with_changes
from tests.oracle.judges import BINARY, RUN_LIMIT_S, SolidityJudge, build_stock, python_verdict, stock_verdicts
from tests.relay.hub.validator_attacks import validator_change_cases

pytestmark = pytest.mark.nodes

SCRIPTS = 400
KEYS = tuple(
    PublicKey(KeyType.SECP256K1, secp256k1.public_key_of(sha256(b"member %d" % number).digest()))
    for number in range(40)
)
EIGHTH = MAX_TOTAL_VOTING_POWER // 8


def power_of(rng: random.Random, most: int) -> int:
    return rng.choice((1, 2, 3, rng.randint(1, most), rng.randint(1, most), most))


def script_of(rng: random.Random) -> dict:
    """Small sets and large ones, small powers and those near the cap; some changes are ones that CometBFT refuses."""
    most = rng.choice((10, 1_000, 10**12, EIGHTH // 8, EIGHTH))
    start = [(key, power_of(rng, most // 4 or 1)) for key in rng.sample(KEYS, rng.choice((1, 2, 4, 7, 30)))]
    known = [key for key, _ in start] + rng.sample(KEYS, 2)
    steps = []
    for _ in range(rng.randint(1, 12)):
        changed = [rng.choice(known) for _ in range(rng.choice((0, 1, 1, 2, 3, 8)))]
        if rng.random() < 0.9:
            changed = list(dict.fromkeys(changed))
        changes = [(key, 0 if rng.random() < 0.4 else power_of(rng, most)) for key in changed]
        if rng.random() < 0.05:
            changes.append((rng.choice(KEYS), rng.choice((-1, MAX_TOTAL_VOTING_POWER, MAX_TOTAL_VOTING_POWER + 1))))
        steps.append((changes, rng.choice((1, 1, 1, 2, 5, 40))))
    return {"start": start, "steps": steps}


def members(rows: list[tuple[PublicKey, int]]) -> list[dict]:
    return [{"key": key.data.hex(), "power": power} for key, power in rows]


def standing(validators: ValidatorSet, refused: bool) -> dict:
    return {
        "refused": refused,
        "members": [
            {"address": member.address.hex(), "power": member.voting_power, "priority": member.proposer_priority}
            for member in validators.validators
        ],
        "proposer": validators.proposer.address.hex(),
        "total": validators.claimed_total_voting_power,
    }


def ours(script: dict) -> list[dict]:
    validators = genesis_validators(script["start"])
    found = [standing(validators, False)]
    for changes, turns in script["steps"]:
        refused = False
        try:
            validators = with_changes(validators, changes)
        except ChangeRefused:
            refused = True
        validators = advance_proposer(validators, turns)
        found.append(standing(validators, refused))
    return found


def test_sets_priorities_and_proposers_are_cometbfts(capsys):
    build_stock()
    rng = random.Random(4)
    scripts = [script_of(rng) for _ in range(SCRIPTS)]
    lines = ""
    for number, script in enumerate(scripts):
        steps = [{"changes": members(changes), "turns": turns} for changes, turns in script["steps"]]
        message = json.dumps({"start": members(script["start"]), "steps": steps}).encode()
        lines += json.dumps({"id": str(number), "kind": "validator_changes", "message": message.hex()}) + "\n"
    result = subprocess.run([str(BINARY)], input=lines, capture_output=True, text=True, check=True, timeout=RUN_LIMIT_S)
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(verdicts) == SCRIPTS
    accepted = refused = 0
    for script, verdict in zip(scripts, verdicts, strict=True):
        assert verdict["verdict"] == "valid", verdict
        theirs = json.loads(bytes.fromhex(verdict["value"]))
        mine = ours(script)
        for step, (got, expected) in enumerate(zip(mine, theirs, strict=True)):
            assert got == expected, (verdict["id"], step)
            refused += got["refused"]
            accepted += not got["refused"]
    with capsys.disabled():
        print(f"\nvalidator sets: {SCRIPTS} scripts, {accepted} steps accepted and {refused} refused by both")
    assert accepted > SCRIPTS < refused * 4


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
