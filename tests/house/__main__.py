"""The rules of the house that a script can check (docs/contributing.md, "Style"), and its figures.

python -m tests.house               exit 1 if a place breaks a rule without a reason, or a reason is not needed any more
python -m tests.house --figures     print the figures alone
"""

import sys
from collections.abc import Iterable, Mapping

from tests.house.exceptions import BEHIND, EXCEPTIONS
from tests.house.figures import table
from tests.house.rules import RULES, Breach, unused_patterns
from tests.house.sources import modules


def judge(rule: str, breaches: Iterable[Breach], exceptions: Mapping[str, str]) -> list[str]:
    """Sentences: what has no reason, and reasons that no place needs."""
    found = list(breaches)
    without = [breach.sentence for breach in found if breach.place not in exceptions]
    spare = sorted(exceptions.keys() - {breach.place for breach in found})
    return [*without, *(f"tests/house/exceptions.py: {rule} need no exception for {place} any more" for place in spare)]


def main() -> int:
    every = modules()
    print("\n".join(table(every)))
    if "--figures" in sys.argv[1:]:
        return 0
    sentences = [
        sentence for name, rule in RULES.items() for sentence in judge(name, rule(every), EXCEPTIONS.get(name, {}))
    ]
    sentences += [f"tests/house/exceptions.py: no text has {pattern} any more" for pattern in unused_patterns(BEHIND)]
    print(f"\n{sum(map(len, EXCEPTIONS.values()))} exceptions, {len(sentences)} breaches")
    for sentence in sentences:
        print(sentence)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
