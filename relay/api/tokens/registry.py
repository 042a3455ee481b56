"""Which tokens there are: from the transfers that the ledger keeps, named by the chains. Bounded, and read again after a moment."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from adapters.interface import EndpointUnavailable
from relay.api.backend import Backend, Chains
from relay.api.ledger_desk import LedgerDesk
from relay.api.models.chain import HeldToken, Token, TokenList
from relay.api.problems import ApiProblem, Code
from relay.api.tokens.look_alikes import looks_like_another, shared_skeletons
from relay.api.tokens.metadata import Metadata, read_metadata
from relay.api.tokens.tracing import Place, home_of, places_of
from relay.core.paths import Paths
from relay.ledger import App, MessageFilter, MessageRecord

MAX_TOKENS = 500
MAX_PLACES = 2_000
"""Of all tokens together; later ones are left out, so that nobody fills the memory by sending dust of his own tokens."""
PAGE = 100
MAX_PAGES = 20
"""Newest transfers that are looked at: at most 2 000 in one refresh."""
FRESH_S = 10.0
MAX_ASKED = 24
"""Places whose contracts are asked in one refresh; the others have their turn in the next."""
ASK_LIMIT_S = 5.0


@dataclass(slots=True)
class _Known:
    """A token by its home, and where else it was seen."""

    home: Place
    places: list[Place] = field(default_factory=list)


class TokenRegistry:
    """One a process."""

    def __init__(self, ledger: LedgerDesk, backend: Backend, paths: Paths, clock_s: Callable[[], float]) -> None:
        self._ledger = ledger
        self._backend = backend
        self._paths = paths
        self._clock_s = clock_s
        self._known: dict[Place, _Known] = {}
        self._seen: set[Place] = set()
        self._metadata: dict[Place, Metadata] = {}
        self._newest_change = -1
        self._until_s = float("-inf")
        self._lock = anyio.Lock()

    async def tokens(self, chain: str | None) -> TokenList:
        """All of them, or those that the chain has: at home, or as vouchers.

        Raises:
            ApiProblem: the ledger cannot be read.
        """
        async with self._lock:
            if self._until_s < self._clock_s():
                await self._read_transfers()
                await self._ask_contracts()
                self._until_s = self._clock_s() + FRESH_S
        shared = shared_skeletons(self._names(known) for known in self._known.values())
        shown = [
            self._token(known, shared)
            for known in self._known.values()
            if chain is None or chain in {known.home.chain, *(place.chain for place in known.places)}
        ]
        return TokenList(items=shown)

    async def _read_transfers(self) -> None:
        newest = self._newest_change
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await self._ledger.read(
                lambda readers, cursor=cursor: readers.messages.page(  # type: ignore[misc]
                    MessageFilter(app=App.TRANSFER), cursor, PAGE
                )
            )
            for record in page.items:
                newest = max(newest, record.change)
                self._add(record)
            cursor = page.next
            if cursor is None or all(record.change <= self._newest_change for record in page.items):
                break
        self._newest_change = newest

    def _add(self, record: MessageRecord) -> None:
        for place in places_of(record):
            if place in self._seen or len(self._seen) >= MAX_PLACES:
                continue
            home = home_of(place, self._paths)
            if home is None or (home not in self._known and len(self._known) >= MAX_TOKENS):
                continue
            known = self._known.setdefault(home, _Known(home))
            self._seen.add(place)
            if place != home:
                known.places.append(place)

    async def _ask_contracts(self) -> None:
        wanted = [place for place in (*self._known, *self._seen) if place not in self._metadata][:MAX_ASKED]
        if not wanted:
            return

        async def ask(chains: Chains) -> dict[Place, Metadata]:
            found: dict[Place, Metadata] = {}
            for place in wanted:
                adapter = chains.adapters.get(place.chain)
                if adapter is None:
                    continue
                try:
                    found[place] = await read_metadata(adapter, place.denom)
                except EndpointUnavailable:
                    continue
            return found

        try:
            self._metadata |= await self._backend.ask(ask, ASK_LIMIT_S)
        except ApiProblem as problem:
            if problem.code is not Code.CHAIN_UNAVAILABLE:
                raise

    def _names(self, known: _Known) -> tuple[str | None, str | None]:
        found = self._metadata.get(known.home, Metadata())
        return found.name, found.symbol

    def _token(self, known: _Known, shared: set[str]) -> Token:
        found = self._metadata.get(known.home, Metadata())
        return Token(
            denom=known.home.denom.path,
            chain=known.home.chain,
            name=found.name,
            symbol=found.symbol,
            decimals=found.decimals,
            look_alike=any(looks_like_another(name, shared) for name in (found.name, found.symbol) if name),
            held=[self._held(place) for place in known.places],
        )

    def _held(self, place: Place) -> HeldToken:
        found = self._metadata.get(place, Metadata())
        return HeldToken(
            chain=place.chain, denom=place.denom.path, address=found.address, name=found.name, symbol=found.symbol
        )
