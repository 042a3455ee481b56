"""Forged answers judged by Python and by Solidity: one verdict, by one name.

python -m tests.contracts.storage.forged_answers [--count 10000] [--seed 1]
"""

import argparse
import sys
import time
from collections import Counter
from random import Random

from eth_abi.abi import encode

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.services.storage.rules.audits.answers import decode_answers, encode_answer
from hutong.relay.services.storage.rules.audits.judging import judge_answer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from tests.contracts.evm import Evm, Reverted
from tests.relay.services.storage.mutate_answers import (
    CHALLENGE,
    HONEST,
    changed_bytes,
    forged_challenge,
    forged_entry,
    forged_leaf,
)

HELD = "held"
MALFORMED = "malformed"
Forgery = tuple[Challenge, int, bytes]


def forge(random: Random) -> Forgery:
    """A challenge, the number of a probe, and the bytes of an answer, one of which was changed."""
    number, challenge = random.randrange(CHALLENGE.probes), CHALLENGE
    answer = HONEST[probe_leaf(CHALLENGE, number)]
    kind = random.randrange(5)
    try:
        if kind == 0:
            answer = forged_entry(random, answer)
        elif kind == 1:
            answer = forged_leaf(random, answer)
        elif kind == 2:
            challenge = forged_challenge(random)
        elif kind == 3:
            number = random.choice((number + 1, 64, 10**6, random.randrange(64)))
        else:
            return challenge, number, changed_bytes(random, encode_answer(answer))
    except MalformedInput:
        return forge(random)
    return challenge, number, encode_answer(answer)


def by_python(challenge: Challenge, number: int, octets: bytes) -> str:
    """The rule that refuses, or that the answer is held."""
    try:
        (answer,) = decode_answers(octets, challenge.operator_set.size, 1)
        judge_answer(VERIFY, challenge, number, answer, {})
    except MalformedInput:
        return MALFORMED
    except PredicateFailed as refused:
        return refused.predicate
    return HELD


class BySolidity:
    """The library of StorageAudit, called by itself."""

    def __init__(self) -> None:
        self._probe = Evm().deploy("ProbesProbe")
        self._selector = self._probe.selector("judge", 5)

    def __call__(self, challenge: Challenge, number: int, octets: bytes) -> str:
        shown = challenge.operator_set
        asked = (challenge.seed, challenge.operator, shown.root, shown.size, shown.leaves, challenge.probes)
        types = ("(bytes32,bytes32,bytes32,uint256,uint256,uint256)", "uint256", "uint256", "bytes", "(bytes,bytes)[]")
        data = self._selector + encode(types, (asked, number, 1, octets, []))
        try:
            self._probe.evm.send(self._probe.address, data, keep=False)
        except Reverted as refused:
            if refused.name == "MalformedAnswer":
                return MALFORMED
            return str(refused.arguments[1]) if refused.name == "AnswerRefused" else f"crash: {refused}"
        return HELD


def run(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many ended how, and those of which the two say different things."""
    random, solidity = Random(seed), BySolidity()
    outcomes, wrong = Counter[str](), list[str]()
    for _ in range(count):
        forgery = forge(random)
        said, other = by_python(*forgery), solidity(*forgery)
        outcomes[said] += 1
        if said != other:
            wrong.append(f"Python {said}, Solidity {other}: probe {forgery[1]}, {forgery[2].hex():.400}")
    return outcomes, wrong


def main() -> int:
    """Exit code 1 where the two differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.process_time()
    outcomes, wrong = run(given.count, given.seed)
    took = time.process_time() - began
    for outcome, number in outcomes.most_common():
        print(f"{number:>9} {outcome}")
    print(f"{given.count} forgeries, {len(wrong)} verdicts differ, {took:.0f} s of one processor")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
