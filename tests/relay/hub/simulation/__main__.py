"""python -m tests.relay.hub.simulation --first SEED --schedules N [--without RULE] [--liars f+1] [--poisoned]

Runs N schedules. Exit code 1 where a rule is violated with all rules on, or where a rule that is off is not missed.
"""

import argparse
import sys
import time
from collections import Counter

from tests.relay.hub.simulation.keys import cheap_signatures, public_key_of
from tests.relay.hub.simulation.network import Network, Violated
from tests.relay.hub.simulation.poison import PoisonedNetwork
from tests.relay.hub.simulation.rules import (
    RECORD,
    REMOVABLE,
    REMOVABLE_OF_SKIPS,
    VOTED_ABOVE,
    skips_without,
    turned_off,
)
from tests.relay.hub.simulation.schedule import schedule_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.relay.hub.simulation", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="seed of the first schedule")
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument(
        "--without", choices=REMOVABLE + REMOVABLE_OF_SKIPS, help="turn a rule off, and stop where that is noticed"
    )
    parser.add_argument("--liars", choices=("f", "f+1"), default="f")
    parser.add_argument("--poisoned", action="store_true", help="with a block that some cannot execute")
    arguments = parser.parse_args()
    if (arguments.without in REMOVABLE_OF_SKIPS and not arguments.poisoned) or (
        arguments.poisoned and (arguments.without in REMOVABLE or arguments.liars == "f+1")
    ):
        parser.error("rules of skips are turned off with --poisoned, the others without it, and liars are few then")
    seeds = range(arguments.first, arguments.first + arguments.schedules)
    if arguments.poisoned:
        with cheap_signatures(), skips_without(arguments.without):
            return with_poison(seeds, arguments.without)
    with cheap_signatures(), turned_off(arguments.without):
        if arguments.liars == "f+1":
            return with_too_many_liars(seeds)
        return with_few_liars(seeds, arguments.without)


def with_few_liars(seeds: range, without: str | None) -> int:
    started, steps = time.process_time(), 0
    for done, seed in enumerate(seeds, 1):
        network = Network(schedule_of(seed), forgets_records=without == RECORD)
        try:
            network.run()
        except Violated as violation:
            if without is not None:
                print(f"without the {without}: found in schedule {done} (seed {seed}): {violation}")
                return 0
            print(f"seed {seed}: {violation}\nagain: python -m tests.relay.hub.simulation --first {seed} --schedules 1")
            return 1
        steps += network.steps
    print(f"{len(seeds)} schedules, {steps} deliveries and timers, {time.process_time() - started:.1f} s of CPU")
    if without is not None:
        print(f"without the {without}: NOT FOUND")
        return 1
    return 0


def with_poison(seeds: range, without: str | None) -> int:
    ended: Counter[str] = Counter()
    for done, seed in enumerate(seeds, 1):
        network = PoisonedNetwork(schedule_of(seed), signs_anyway=without == VOTED_ABOVE)
        try:
            ended[network.run_poisoned()] += 1
        except Violated as violation:
            if without is not None:
                print(f"without the rule that {without}: found in schedule {done} (seed {seed}): {violation}")
                return 0
            print(f"seed {seed}: {violation}")
            print(f"again: python -m tests.relay.hub.simulation --first {seed} --schedules 1 --poisoned")
            return 1
    counts = ", ".join(f"{ended[name]} {name}" for name in ("skipped", "executed", "stands"))
    print(f"{len(seeds)} schedules with a block that some cannot execute: {counts}")
    if without is not None:
        print(f"without the rule that {without}: NOT FOUND")
        return 1
    return 0 if ended["skipped"] and ended["executed"] else 1


def with_too_many_liars(seeds: range) -> int:
    forks = seen = named = 0
    for seed in seeds:
        network = Network(schedule_of(seed, too_many=True))
        guilty = {public_key_of(number).address for number in network.schedule.liars}
        try:
            forked = network.run_with_too_many_liars()
            if not network.named_by_commits() <= guilty:
                raise Violated("the commits of a fork accuse an honest validator")
        except Violated as violation:
            print(f"seed {seed}: {violation}")
            print(f"again: python -m tests.relay.hub.simulation --first {seed} --schedules 1 --liars f+1")
            return 1
        forks += forked
        seen += forked and any(endpoint.accused for endpoint in network.honest)
        named += forked and bool(network.named_by_commits())
    print(
        f"{len(seeds)} schedules with one liar too many, {forks} forks: double votes were seen by the honest in {seen},"
        f" the two commits name liars in {named}; nobody else is named in any"
    )
    return 0 if forks and named else 1


if __name__ == "__main__":
    sys.exit(main())
