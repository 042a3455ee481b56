"""Which tokens there are: from the transfers that the ledger keeps, named by the chains. Bounded, and read again after a moment."""

from collections.abc import Callable

import anyio
import trio

from hutong.adapters.interface import AdapterError
from hutong.relay.api.reading.backend import Backend, Chains
from hutong.relay.api.reading.ledger_desk import LedgerDesk
from hutong.relay.api.tokens.look_alikes import bounded_name, looks_like_another, shared_skeletons
from hutong.relay.api.tokens.metadata import Metadata, read_metadata
from hutong.relay.api.tokens.seen import SeenToken, SeenTokens
from hutong.relay.api.tokens.tracing import Place
from hutong.relay.core.topology.paths import Paths
from hutong.relay.ledger import App, MessageFilter
from hutong.relay.schemas.network import HeldToken, Token, TokenList
from hutong.relay.web.problems import ApiProblem, Code

PAGE = 100
MAX_PAGES = 20
"""Transfers that are looked at: at most 2 000 in one refresh, newer ones first; older ones have their turn in the next."""
FRESH_S = 10.0
MAX_ASKED = 24
"""Places whose contracts are asked in one refresh; the others have their turn in the next."""
ASKED_AT_ONCE = 8
TOKEN_LIMIT_S = 1.0
"""For all that one contract is asked: a slow one keeps others waiting no longer."""
ASK_LIMIT_S = 5.0
RETRY_S = 60.0
"""A chain that gave no answer is asked again after this time, and after all that were not asked yet."""


class TokenRegistry:
    """One a process."""

    def __init__(self, ledger: LedgerDesk, backend: Backend, paths: Paths, clock_s: Callable[[], float]) -> None:
        self._ledger = ledger
        self._backend = backend
        self._clock_s = clock_s
        self._seen = SeenTokens(paths)
        self._metadata: dict[Place, Metadata] = {}
        self._retry_at_s: dict[Place, float] = {}
        """Of those that gave no answer."""
        self._newest_change = -1
        self._older: str | None = None
        """Cursor of the transfers that were not looked at yet."""
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
                self._forget_dropped()
                await self._ask_contracts()
                self._until_s = self._clock_s() + FRESH_S
        every = self._seen.tokens
        shared = shared_skeletons(self._names(token) for token in every)
        shown = tuple(
            self._token(token, shared)
            for token in every
            if chain is None or chain in {token.home.chain, *(place.chain for place in token.held)}
        )
        return TokenList(items=shown, complete=self._is_complete())

    async def _read_transfers(self) -> None:
        """What is new, and then further back through what is old, until all of it was seen."""
        newest, known_change = self._newest_change, self._newest_change
        cursor: str | None = None
        among_new = True
        for _ in range(MAX_PAGES):
            page = await self._ledger.read(
                lambda readers, cursor=cursor: readers.messages.page(  # type: ignore[misc]
                    MessageFilter(app=App.TRANSFER), cursor, PAGE
                )
            )
            for record in page.items:
                newest = max(newest, record.change)
                self._seen.add(record)
            known = bool(page.items) and all(record.change <= known_change for record in page.items)
            if among_new and known:
                among_new, cursor = False, self._older
            else:
                cursor = page.next
            if cursor is None:
                break
        self._older, self._newest_change = cursor, newest
        self._seen.trim()

    def _forget_dropped(self) -> None:
        kept = {place for token in self._seen.tokens for place in (token.home, *token.held)}
        # Copied at once: what a cancelled request has asked may still be written by the chains' thread.
        self._metadata = {place: found for place, found in tuple(self._metadata.items()) if place in kept}
        self._retry_at_s = {place: at_s for place, at_s in tuple(self._retry_at_s.items()) if place in kept}

    def _wanted(self) -> list[Place]:
        """Homes before vouchers, old before new, and after them those that gave no answer when they were asked."""
        now_s = self._clock_s()
        homes = [token.home for token in self._seen.tokens]
        places = [*homes, *(place for token in self._seen.tokens for place in token.held)]
        unknown = [place for place in places if place not in self._metadata]
        due = [place for place in unknown if self._retry_at_s.get(place, now_s) <= now_s]
        return sorted(due, key=lambda place: self._retry_at_s.get(place, float("-inf")))[:MAX_ASKED]

    async def _ask_contracts(self) -> None:
        wanted = self._wanted()
        if not wanted:
            return
        metadata, retry_at_s = self._metadata, self._retry_at_s

        async def ask(chains: Chains) -> None:
            limiter = trio.CapacityLimiter(ASKED_AT_ONCE)

            async def ask_one(place: Place) -> None:
                adapter = chains.adapters.get(place.chain)
                if adapter is None:
                    return
                async with limiter:
                    retry_at_s[place] = self._clock_s() + RETRY_S
                    try:
                        with trio.move_on_after(TOKEN_LIMIT_S):
                            # Kept as it comes: what others do not answer takes nothing from this one.
                            metadata[place] = await read_metadata(adapter, place.denom)
                            retry_at_s.pop(place, None)
                    except AdapterError:
                        pass

            async with trio.open_nursery() as nursery:
                for place in wanted:
                    nursery.start_soon(ask_one, place)

        try:
            await self._backend.ask(ask, ASK_LIMIT_S)
        except ApiProblem as problem:
            if problem.code is not Code.CHAIN_UNAVAILABLE:
                raise

    def _is_complete(self) -> bool:
        """Every transfer was looked at, nothing was left out, and every token was asked for its name at least once."""
        homes = (token.home for token in self._seen.tokens)
        all_asked = all(home in self._metadata or home in self._retry_at_s for home in homes)
        return self._older is None and not self._seen.dropped and all_asked

    def _names(self, token: SeenToken) -> tuple[str | None, str | None]:
        found = self._metadata.get(token.home, Metadata())
        return found.name, found.symbol

    def _token(self, token: SeenToken, shared: set[str]) -> Token:
        found = self._metadata.get(token.home, Metadata())
        return Token(
            denom=token.home.denom.path,
            chain=token.home.chain,
            name=found.name,
            symbol=found.symbol,
            decimals=found.decimals,
            look_alike=any(looks_like_another(name, shared) for name in (found.name, found.symbol) if name),
            held=tuple(self._held(place, found) for place in token.held),
        )

    def _held(self, place: Place, home: Metadata) -> HeldToken:
        found = self._metadata.get(place, Metadata())
        # A voucher that nobody has described is named by its trace, and its symbol is a shortened address.
        undescribed = found.name is not None and found.name == bounded_name(place.denom.path)
        symbol = home.symbol if undescribed and home.symbol is not None else found.symbol
        return HeldToken(
            chain=place.chain, denom=place.denom.path, address=found.address, name=found.name, symbol=symbol
        )
