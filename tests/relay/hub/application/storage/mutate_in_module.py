"""Forged answers by the million, judged by the rules and by the hub's module: one verdict, and no halt.

python -m tests.relay.hub.application.storage.mutate_in_module [--count 1000000] [--seed 1]
"""

import argparse
import sys
import time
from collections import Counter
from hashlib import sha256
from random import Random

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, VerificationError
from hutong.relay.hub.application.storage.answering import GivenAnswers, submit_answers
from hutong.relay.hub.application.storage.refusals import StorageRefusal
from hutong.relay.hub.application.storage.registry import Registry
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.storage.rules.audits.answers import decode_answers, encode_answer
from hutong.relay.services.storage.rules.audits.judging import judge_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, signing_digest
from hutong.relay.services.storage.rules.records import keys, members, rounds, values
from hutong.relay.services.storage.rules.records.members import OperatorRecord, OperatorState, encode_label
from hutong.relay.services.storage.rules.records.rounds import AnsweredRecord, ClockRecord, Phase
from hutong.relay.services.storage.rules.records.values import Outcome, SeedRecord, SetRecord
from tests.relay.services.storage.mutate_answers import (
    CHALLENGE,
    HONEST,
    changed_bytes,
    forged_challenge,
    forged_entry,
    forged_leaf,
)

HUB, EPOCH = hub_id("hutong-1"), 7
KEY = sha256(b"mutated operator").digest()
LABELS = tuple(map(encode_label, ("museum", "cellar", "north", "engine")))
NOW = Moment(510, 1_800_000_100)
CLOCK = ClockRecord(EPOCH, Phase.ANSWERING, 480, 1, 500, bytes(32), 1, 1_800_000_300)


class Rows:
    """A store of the module in memory."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self.rows = rows

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def set(self, key: bytes, value: bytes) -> None:
        self.rows[key] = value

    def delete(self, key: bytes) -> None:
        self.rows.pop(key, None)

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        return min(((one, value) for one, value in self.rows.items() if one > key), default=None)

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        return max(((one, value) for one, value in self.rows.items() if one < key), default=None)


def account() -> bytes:
    from eth_account import Account

    return bytes.fromhex(Account.from_key(KEY).address[2:])


ACCOUNT = account()


def registry_of(challenge: Challenge, number: int) -> Registry:
    """What the hub says of this audit, with as many probes answered as come before `number`."""
    operator, seed = challenge.operator, challenge.seed
    record = OperatorRecord(ACCOUNT, *LABELS, 1, OperatorState.ACTIVE, 1, 1)
    return Registry(
        Rows(
            {
                keys.CLOCK_KEY: rounds.encode_clock_record(CLOCK),
                keys.operator_key(operator): members.encode_operator_record(record),
                keys.set_key(operator, EPOCH): values.encode_set_record(SetRecord(challenge.operator_set, 490)),
                keys.seed_key(EPOCH): values.encode_seed_record(
                    SeedRecord(seed, bytes(32), 500, CLOCK.due_s, challenge.probes, 1, 1)
                ),
                keys.answered_key(operator): rounds.encode_answered_record(AnsweredRecord(EPOCH, number, 0)),
            }
        ),
        NOW,
    )


def in_module(challenge: Challenge, number: int, octets: bytes) -> bool:
    """Whether the module counts the answer; signed by the operator whatever it is."""
    registry = registry_of(challenge, number)
    operator = challenge.operator
    struct = ProbeAnswers(HUB, operator, EPOCH, number, 1, sha256(octets).digest())
    raw = secp256k1.sign_recoverable(KEY, signing_digest(struct))
    signature = raw[:64] + bytes([raw[64] + 27])
    try:
        outcome = submit_answers(registry, HUB, GivenAnswers(operator, EPOCH, number, 1, octets, signature))
    except (VerificationError, StorageRefusal):
        return False
    failed = registry.has_verdict(operator, EPOCH) and outcome == Outcome.FAILED
    return not failed


def by_rules(challenge: Challenge, number: int, octets: bytes) -> str:
    """`right`, or what is wrong."""
    try:
        answers = decode_answers(octets, challenge.operator_set.size, 1)
        judge_answers(VERIFY, challenge, number, answers, {})
    except MalformedInput:
        return "malformed"
    except PredicateFailed as refused:
        return refused.predicate
    return "right"


def attempt(random: Random) -> tuple[str, str | None]:
    """One forgery: how the rules ended, and how the module did where that is another verdict."""
    number, challenge = random.randrange(CHALLENGE.probes), CHALLENGE
    answer, kind = HONEST[probe_leaf(CHALLENGE, number)], random.randrange(6)
    try:
        if kind == 0:
            octets = encode_answer(forged_entry(random, answer))
        elif kind == 1:
            octets = encode_answer(forged_leaf(random, answer))
        elif kind == 2:
            challenge, octets = forged_challenge(random), encode_answer(answer)
        elif kind == 3:
            number, octets = random.randrange(CHALLENGE.probes), encode_answer(answer)
        elif kind == 4:
            octets = changed_bytes(random, encode_answer(answer))
        else:
            octets = encode_answer(answer)
    except (MalformedInput, PredicateFailed):
        return "no such answer", None
    rules = by_rules(challenge, number, octets)
    try:
        counted = in_module(challenge, number, octets)
    except Exception as error:
        return rules, f"module: {type(error).__name__}: {error}"
    return rules, None if counted == (rules == "right") else f"rules {rules}, module {counted}: kind {kind}"


def run(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many the rules ended how, and those on which the module is of another opinion."""
    random, outcomes, wrong = Random(seed), Counter[str](), list[str]()
    for _ in range(count):
        outcome, fault = attempt(random)
        outcomes[outcome] += 1
        if fault is not None:
            wrong.append(fault)
    return outcomes, wrong


def main() -> int:
    """Exit code 1 where the module's verdict is not the rules'."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.process_time()
    outcomes, wrong = run(given.count, given.seed)
    took = time.process_time() - began
    for outcome, number in outcomes.most_common():
        print(f"{number:>9} {outcome}")
    print(f"{given.count} answers, {len(wrong)} with another verdict of the module, {took:.0f} s of one processor")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
