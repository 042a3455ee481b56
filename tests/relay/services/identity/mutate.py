"""Changed presentations by the hundred thousand: each is refused with fields, or is the very text that a holder signed.

python -m tests.relay.services.identity.mutate [--count 100000] [--seed 1]
"""

import argparse
import sys
from collections import Counter
from random import Random

from hutong.light_clients.interface import VerificationError
from tests.relay.services.identity.rules import presentation_corpus as corpus
from tests.relay.services.identity.rules.actors import judged
from tests.relay.services.identity.rules.sd_jwt.test_presentation_corpus import changed

MOST_CHANGES = 3


def run(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many ended how, and the texts that ended in neither of the two ways."""
    random, outcomes, wrong = Random(seed), Counter[str](), list[str]()
    start = [case.text for case in (*corpus.honest(), *corpus.attacks()) if len(case.text) < 8_192]
    honest = {case.text for case in corpus.honest()}
    for _ in range(count):
        text = random.choice(start)
        for _ in range(random.randint(1, MOST_CHANGES)):
            text = changed(text, random) or "~"
        try:
            judged(text)
        except VerificationError as error:
            outcomes[type(error).__name__] += 1
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}: {text!r}")
        else:
            outcomes["accepted as it was signed"] += 1
            if text not in honest:
                wrong.append(f"accepted: {text!r}")
    return outcomes, wrong


def main() -> int:
    """Exit code 1 where one was neither refused nor as it was signed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcomes, wrong = run(given.count, given.seed)
    print(", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items())))
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
