"""Tokens that transfers have shown, by their homes: bounded, and the oldest stay, so that newer dust pushes nobody out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hutong.relay.api.tokens.tracing import Place, home_of, places_of
from hutong.relay.core.topology.paths import Paths
from hutong.relay.ledger import MessageRecord

MAX_TOKENS = 500
MAX_HELD = 2_000
"""Vouchers of all tokens together; those of older tokens first."""
MAX_HELD_OF_ONE = 64
"""Shortest traces first: who sends a token in circles makes longer and longer ones."""


@dataclass(slots=True)
class SeenToken:
    """A token by its home, when it was first sent, and where else it was seen, each with the first time."""

    home: Place
    first_ns: int
    held: dict[Place, int] = field(default_factory=dict)


class SeenTokens:
    """`dropped` once something was left out."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._by_home: dict[Place, SeenToken] = {}
        self.dropped = False

    @property
    def tokens(self) -> Sequence[SeenToken]:
        """Oldest first, as of the last `trim`."""
        return tuple(self._by_home.values())

    def add(self, record: MessageRecord) -> None:
        """Note the token of a transfer, wherever it was seen, in any order of time; over the bounds until `trim`.

        What is no denomination, or came over no configured path, is passed over.
        """
        at_ns = record.ordered_at_ns
        for place in places_of(record):
            home = home_of(place, self._paths)
            if home is None:
                continue
            token = self._by_home.setdefault(home, SeenToken(home, at_ns))
            token.first_ns = min(token.first_ns, at_ns)
            if place != home:
                token.held[place] = min(token.held.get(place, at_ns), at_ns)

    def trim(self) -> None:
        """Go back to the bounds: the tokens seen first stay, and of each the vouchers with the shortest traces."""
        oldest = sorted(self._by_home.values(), key=lambda token: (token.first_ns, token.home.denom.path))
        self.dropped |= len(oldest) > MAX_TOKENS
        left = MAX_HELD
        for token in oldest[:MAX_TOKENS]:
            places = sorted(token.held.items(), key=lambda one: (len(one[0].denom.hops), one[1], one[0].denom.path))
            kept = places[: min(left, MAX_HELD_OF_ONE)]
            self.dropped |= len(kept) < len(places)
            left -= len(kept)
            token.held = dict(kept)
        self._by_home = {token.home: token for token in oldest[:MAX_TOKENS]}
