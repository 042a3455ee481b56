"""Entries drawn by a seed, half of them Chinese, of five kinds of chain; words are as frequent as in a language (Zipf)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.search.engine import EntryOperation
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject

WORDS = 30_000
CHARACTERS = 2_500
ORIGINS = ("hub:hutong-1", "evm:1001", "cosmos:simd", "fisco:group0", "bitcoin:regtest")
_SYLLABLES = ("ba", "do", "ki", "lu", "mer", "no", "pra", "ri", "sto", "ta", "ven", "zu")


@dataclass(frozen=True)
class DrawnLog:
    """`count` operations, each of an entry of its own."""

    count: int
    seed: int = 1

    def operations(self, first: int) -> Iterator[EntryOperation]:
        """See `OperationSource`."""
        random = Random(self.seed)
        weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
        common = list(accumulate(1 / (rank + 20) for rank in range(1, CHARACTERS + 1)))
        for number in range(self.count):
            operation = self._one(random, weights, common, number)
            if number >= first:
                yield operation

    def _one(self, random: Random, weights: list[float], common: list[float], number: int) -> EntryOperation:
        if number % 2:
            said = [chinese(rank) for rank in random.choices(range(CHARACTERS), cum_weights=common, k=36)]
            title, description = "".join(said[:10]), "".join(said[10:24]) + "\uff0c" + "".join(said[24:])
        else:
            words = [english(rank) for rank in random.choices(range(WORDS), cum_weights=weights, k=20)]
            title, description = " ".join(words[:6]), " ".join(words[6:])
        document: JsonObject = {"@id": f"urn:ds:{number}", "title": title, "description": description}
        facets = {
            "theme": (f"urn:theme:{random.randrange(100)}",),
            "publisher": (f"did:web:d{random.randrange(53)}.example",),
            "origin": (ORIGINS[number % len(ORIGINS)],),
        }
        return EntryOperation(number, f"urn:ds:{number}", entry_text(document, facets))


def english(rank: int) -> str:
    """A word of its own for each rank."""
    digits = []
    rank += len(_SYLLABLES)
    while rank:
        rank, digit = divmod(rank, len(_SYLLABLES))
        digits.append(_SYLLABLES[digit])
    return "".join(digits)


def chinese(rank: int) -> str:
    """A character of its own for each rank."""
    return chr(0x4E00 + rank)


def queries(count: int) -> dict[str, list[str]]:
    """Of each kind `count` queries, as people write them."""
    random = Random(7)

    def each(make: Callable[[], str]) -> list[str]:
        return [make() for _ in range(count)]

    frequent = lambda: english(random.randrange(20))  # noqa: E731
    middle = lambda: english(random.randrange(50, 2_000))  # noqa: E731
    rare = lambda: english(random.randrange(20_000, WORDS))  # noqa: E731
    character = lambda: chinese(random.randrange(150))  # noqa: E731
    return {
        "common word": each(frequent),
        "rare word": each(rare),
        "three words": each(lambda: f"{frequent()} {frequent()} {middle()}"),
        "phrase": each(lambda: f'"{frequent()} {frequent()}"'),
        "prefix": each(lambda: f"{middle()[:4]}*"),
        "facets": each(
            lambda: f"theme:urn:theme:{random.randrange(100)} publisher:did:web:d{random.randrange(53)}.example"
        ),
        "Chinese pair": each(lambda: character() + character()),
        "one character": each(character),
    }
