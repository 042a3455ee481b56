"""Scripts of a validator set (a start, changes, turns) and what our code makes of them; CometBFT's answers to some are on file."""

import json
from pathlib import Path

from hutong.light_clients.tendermint.types import KeyType, PublicKey, ValidatorSet
from hutong.relay.hub.consensus.validators import ChangeRefused, advance_proposer, genesis_validators, with_changes

RECORDED = Path(__file__).with_name("recorded_validator_sets.json")
"""[{script, standings}]: standings as stock CometBFT gave them; written and checked by tests/oracle/test_validator_sets.py."""


def recorded() -> list[dict]:
    return json.loads(RECORDED.read_text())


def members(rows: list[dict]) -> list[tuple[PublicKey, int]]:
    return [(PublicKey(KeyType.SECP256K1, bytes.fromhex(row["key"])), row["power"]) for row in rows]


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


def standings(script: dict) -> list[dict]:
    """After the start and after each step, in the oracle's words."""
    validators = genesis_validators(members(script["start"]))
    found = [standing(validators, False)]
    for step in script["steps"]:
        refused = False
        try:
            validators = with_changes(validators, members(step["changes"]))
        except ChangeRefused:
            refused = True
        validators = advance_proposer(validators, step["turns"])
        found.append(standing(validators, refused))
    return found
