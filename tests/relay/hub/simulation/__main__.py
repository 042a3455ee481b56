"""python -m tests.relay.hub.simulation --first SEED --schedules N [--without RULE] [--liars f+1]

Runs N schedules. Exit code 1 where a rule is violated with all rules on, or where a rule that is off is not missed.
"""

import argparse
import sys
import time

from tests.relay.hub.simulation.keys import cheap_signatures
from tests.relay.hub.simulation.network import Network, Violated
from tests.relay.hub.simulation.rules import REMOVABLE, majority_as_told, rules_without
from tests.relay.hub.simulation.schedule import schedule_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.relay.hub.simulation", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="seed of the first schedule")
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--without", choices=REMOVABLE, help="turn a rule off, and stop where that is noticed")
    parser.add_argument("--liars", choices=("f", "f+1"), default="f")
    arguments = parser.parse_args()
    started, steps = time.process_time(), 0
    forks = named = 0
    with cheap_signatures(), majority_as_told(arguments.without):
        for seed in range(arguments.first, arguments.first + arguments.schedules):
            too_many = arguments.liars == "f+1"
            network = Network(schedule_of(seed, too_many=too_many), rules_without(arguments.without))
            try:
                if too_many:
                    if network.run_with_too_many_liars():
                        forks += 1
                        named += any(endpoint.accused for endpoint in network.honest)
                else:
                    network.run()
            except Violated as violation:
                done = seed - arguments.first + 1
                if arguments.without is not None:
                    print(f"without {arguments.without}: found in schedule {done} (seed {seed}): {violation}")
                    return 0
                print(f"seed {seed}: {violation}")
                print(
                    f"again: python -m tests.relay.hub.simulation --first {seed} --schedules 1 --liars {arguments.liars}"
                )
                return 1
            steps += network.steps
    seconds = time.process_time() - started
    print(f"{arguments.schedules} schedules, {steps} deliveries and timers, {seconds:.1f} s of CPU")
    if arguments.liars == "f+1":
        print(f"forks: {forks}, of which double votes were seen in {named}; no honest validator was accused")
        return 0 if forks and named == forks else 1
    if arguments.without is not None:
        print(f"without {arguments.without}: NOT FOUND")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
