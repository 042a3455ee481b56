"""A proposer that lost a part of its leaves and tries headers until one asks for none of them: found with auditors' secrets, not without.

It never knows the secrets when it makes its header, so it tries under secrets of its own. Exits with 1 where a bound does not hold.
"""

import argparse
from collections.abc import Callable, Sequence
from random import Random
from statistics import median

from rich.console import Console

from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed, hub_id, secret_commitment
from hutong.relay.services.storage.rules.commitments.entries import OperatorSet

HUB = hub_id("hutong-1")
LEAVES = 2**17
LOST = 0.01
PROBES = 459
MOST_TRIES_WITHOUT = 1_000
LEAST_FOUND = 0.98
LEAST_FOUND_BY_LAST = 0.96
"""Whoever reveals last has two tries, so that twice as many escape."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=500, help="of each kind")
    parser.add_argument("--tries", type=int, default=100_000, help="headers that a proposer may try at most")
    parser.add_argument("--auditors", type=int, default=3)
    parser.add_argument("--seed", type=int, default=10)


class Liar:
    """An operator that lost `LOST` of its leaves, and proposes the header of the epoch."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lost = set(random.sample(range(LEAVES), round(LOST * LEAVES)))
        self.operator, self.held = random.randbytes(32), OperatorSet(random.randbytes(32), 1, LEAVES)

    def passes(self, seed: bytes) -> bool:
        """Whether no probe under this seed asks for what it lost."""
        challenge = Challenge(seed, self.operator, self.held, PROBES)
        return all(probe_leaf(challenge, number) not in self.lost for number in range(PROBES))

    def grind(self, seed_of: Callable[[bytes], bytes], tries: int) -> tuple[bytes, int]:
        """A header that passes as far as it knows, or the last that it tried; and how many it tried."""
        header = bytes(32)
        for number in range(1, tries + 1):
            header = self.random.randbytes(32)
            if self.passes(seed_of(header)):
                return header, number
        return header, tries


def committed(random: Random, count: int, epoch: int) -> tuple[list[Auditor], list[bytes]]:
    """Auditors with their commitments, ascending, and their secrets."""
    ids = sorted(random.randbytes(32) for _ in range(count))
    secrets = [random.randbytes(32) for _ in ids]
    pairs = zip(ids, secrets, strict=True)
    return [Auditor(one, secret_commitment(HUB, one, epoch, secret)) for one, secret in pairs], secrets


def seed_of(epoch: int, header: bytes, auditors: Sequence[Auditor], secrets: Sequence[bytes | None]) -> bytes:
    """The epoch's seed."""
    return epoch_seed(HUB, epoch, header, auditors, secrets).value


def tries_without_secrets(random: Random, tries: int) -> int | None:
    """How many headers the proposer tries before it passes; None: it never does. The seed is the header's alone."""
    liar = Liar(random)
    header, tried = liar.grind(lambda header: seed_of(7, header, [], []), tries)
    return tried if liar.passes(seed_of(7, header, [], [])) else None


def is_found_with_secrets(random: Random, tries: int, count: int) -> bool:
    """Whether the proposer is found under the seed that auditors' secrets make, whatever header it chose."""
    liar = Liar(random)
    (auditors, secrets), (others, guessed) = committed(random, count, 7), committed(random, count, 7)
    header, _ = liar.grind(lambda header: seed_of(7, header, others, guessed), tries)
    return not liar.passes(seed_of(7, header, auditors, secrets))


def is_found_though_last_to_reveal(random: Random, count: int) -> bool:
    """Whether an operator that is the last auditor to reveal is found: it reveals or withholds, whichever passes."""
    liar = Liar(random)
    auditors, secrets = committed(random, count, 7)
    header, withheld = random.randbytes(32), [None, *secrets[1:]]
    return not any(liar.passes(seed_of(7, header, auditors, shown)) for shown in (secrets, withheld))


def main(console: Console, arguments: argparse.Namespace) -> None:
    """What each finds."""
    random, rounds = Random(arguments.seed), arguments.rounds
    without = [tries_without_secrets(random, arguments.tries) for _ in range(rounds)]
    passed = [tried for tried in without if tried is not None]
    soon = sum(tried <= MOST_TRIES_WITHOUT for tried in passed) / rounds
    console.print(
        f"without secrets: passes in {len(passed) / rounds:.1%} of {rounds} epochs, after {median(passed or [0]):.0f} tries"
        f" (median), at most {max(passed, default=0)}; within {MOST_TRIES_WITHOUT} in {soon:.1%}"
    )
    found = sum(is_found_with_secrets(random, arguments.tries, arguments.auditors) for _ in range(rounds)) / rounds
    console.print(f"with {arguments.auditors} secrets: found in {found:.1%}, {arguments.tries:,} headers allowed")
    last = sum(is_found_though_last_to_reveal(random, arguments.auditors) for _ in range(rounds)) / rounds
    console.print(f"being the last to reveal, and withholding where it helps: found in {last:.1%}, and recorded")
    if soon < 1 or found < LEAST_FOUND or last < LEAST_FOUND_BY_LAST:
        raise SystemExit(1)
