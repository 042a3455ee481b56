"""Forged answers by the million: each is refused with fields, or is the very answer that is asked for.

python -m tests.relay.services.storage.mutate_answers [--count 1000000] [--seed 1]
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import replace
from random import Random

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.services.storage.rules.audits.answers import LeafAnswer, RemovedAnswer, decode_answers, encode_answer
from hutong.relay.services.storage.rules.audits.judging import judge_answer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from tests.relay.services.storage.rules.held import drawn_operator, named

OPERATOR = drawn_operator("mutated", [[2, 0, 7], [3], [0, 1, 1, 4], [5], [6, 2]])
PEER = drawn_operator("a peer", [[2, 0, 7], [3], [0, 1, 1, 4], [5], [6, 2]])
CHALLENGE = OPERATOR.challenge(named("mutated seed"), 64)
HONEST = {leaf: OPERATOR.answer_leaf(leaf) for leaf in range(OPERATOR.set.leaves)}
ENCODED = {leaf: encode_answer(answer) for leaf, answer in HONEST.items()}
PEERS = [PEER.answer_leaf(leaf) for leaf in range(0, PEER.set.leaves, 7)]


def other_node(random: Random, path: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The path with a node more, less, changed or moved."""
    nodes = list(path)
    kind = random.randrange(4)
    if kind == 0 or not nodes:
        nodes.insert(random.randint(0, len(nodes)), random.randbytes(32))
    elif kind == 1:
        nodes.pop(random.randrange(len(nodes)))
    elif kind == 2:
        nodes[random.randrange(len(nodes))] = random.randbytes(32)
    else:
        random.shuffle(nodes)
    return tuple(nodes)


def forged_entry(random: Random, answer: LeafAnswer) -> LeafAnswer:
    """Another interval, pack, shard, root, retention, number or path in the placed entry."""
    placed = answer.placed
    low, high = placed.entry, placed.log_entry
    made = random.choice(
        (
            lambda: replace(placed, entry=replace(low, first=max(0, low.first + random.choice((-1, 1, 64))))),
            lambda: replace(placed, entry=replace(low, height=random.randint(0, 13))),
            lambda: replace(placed, entry=replace(low, pack=random.randbytes(32))),
            lambda: replace(placed, entry=replace(low, shard=random.randint(0, 63))),
            lambda: replace(placed, entry=replace(low, root=random.randbytes(32))),
            lambda: replace(placed, entry=replace(low, retain_until_s=random.getrandbits(63))),
            lambda: replace(placed, log_entry=replace(high, first=max(0, high.first + random.choice((-1, 1, 64))))),
            lambda: replace(placed, log_entry=replace(high, leaves=high.leaves + random.randint(1, 9))),
            lambda: replace(placed, log_entry=replace(high, batch=random.getrandbits(60))),
            lambda: replace(placed, log_entry=replace(high, root=random.randbytes(32))),
            lambda: replace(placed, log_entry=random.choice(OPERATOR.log)),
            lambda: replace(placed, entry_index=random.randint(0, 5)),
            lambda: replace(placed, log_index=random.randint(0, 6)),
            lambda: replace(placed, entry_path=other_node(random, placed.entry_path)),
            lambda: replace(placed, log_path=other_node(random, placed.log_path)),
            lambda: random.choice(PEERS).placed,
            lambda: random.choice(HONEST).placed,
        )
    )()
    return replace(answer, placed=made)


def forged_leaf(random: Random, answer: LeafAnswer) -> LeafAnswer | RemovedAnswer:
    """Other bytes, number or path of the leaf; a removal that is not recorded; another leaf's or operator's whole answer."""
    kind = random.randrange(6)
    if kind == 0:
        return replace(answer, leaf=random.randbytes(random.choice((1_024, 64, 0, 1_025))))
    if kind == 1:
        return replace(answer, leaf_index=random.randint(0, 130))
    if kind == 2:
        return replace(answer, leaf_path=other_node(random, answer.leaf_path))
    if kind == 3:
        return RemovedAnswer(answer.placed)
    return random.choice(PEERS) if kind == 4 else random.choice(HONEST)


def forged_challenge(random: Random) -> Challenge:
    """Another seed, operator, root, size or number of leaves."""
    operator_set = CHALLENGE.operator_set
    return random.choice(
        (
            lambda: replace(CHALLENGE, seed=random.randbytes(32)),
            lambda: replace(CHALLENGE, operator=random.randbytes(32)),
            lambda: replace(CHALLENGE, operator_set=replace(operator_set, root=random.randbytes(32))),
            lambda: replace(CHALLENGE, operator_set=replace(operator_set, size=random.randint(1, 9))),
            lambda: replace(CHALLENGE, operator_set=replace(operator_set, leaves=random.randint(9, 999))),
            lambda: replace(CHALLENGE, operator_set=PEER.set),
        )
    )()


def changed_bytes(random: Random, octets: bytes) -> bytes:
    """Bits turned, bytes cut, inserted or moved."""
    made = bytearray(octets)
    for _ in range(random.randint(1, 3)):
        at, kind = random.randrange(max(1, len(made))), random.randrange(4)
        if kind == 0 and made:
            made[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            del made[at : at + random.randint(1, 64)]
        elif kind == 2:
            made[at:at] = random.randbytes(random.randint(1, 64))
        else:
            made = made[at:] + made[:at]
    return bytes(made)


def attempt(random: Random) -> tuple[str, str | None]:
    """One forgery: how it ended, and what is wrong with that."""
    number = random.randrange(CHALLENGE.probes)
    challenge, answer = CHALLENGE, HONEST[probe_leaf(CHALLENGE, number)]
    kind = random.randrange(5)
    octets: bytes | None = None
    try:
        if kind == 0:
            answer = forged_entry(random, answer)
        elif kind == 1:
            answer = forged_leaf(random, answer)
        elif kind == 2:
            challenge = forged_challenge(random)
        elif kind == 3:
            number = random.choice((number + 1, -1, 64, 10**6, random.randrange(64)))
        else:
            octets = changed_bytes(random, encode_answer(answer))
            (answer,) = decode_answers(octets, challenge.operator_set.size, 1)
        judge_answer(VERIFY, challenge, number, answer, {})
    except MalformedInput:
        return "malformed", None
    except PredicateFailed as refused:
        return refused.predicate, None
    except Exception as error:
        return "crash", f"{type(error).__name__}: {error}: kind {kind}"
    # A drawn seed may ask for the same leaf, and a drawn change may be none: then the answer is the honest one.
    operator_set = challenge.operator_set
    honest = operator_set.root == OPERATOR.set.root and encode_answer(answer) == ENCODED[probe_leaf(challenge, number)]
    return "the honest answer", None if honest else f"accepted: kind {kind}, probe {number}, {answer!r:.300}"


def run(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many ended how, and those that were accepted or crashed."""
    random, outcomes, wrong = Random(seed), Counter[str](), list[str]()
    for _ in range(count):
        outcome, fault = attempt(random)
        outcomes[outcome] += 1
        if fault is not None:
            wrong.append(fault)
    return outcomes, wrong


def main() -> int:
    """Exit code 1 where one was accepted that is not the honest answer, or was refused without fields."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.process_time()
    outcomes, wrong = run(given.count, given.seed)
    took = time.process_time() - began
    for outcome, number in outcomes.most_common():
        print(f"{number:>9} {outcome}")
    print(f"{given.count} forgeries, {len(wrong)} accepted or crashed, {took:.0f} s of one processor")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
