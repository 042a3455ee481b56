"""Everything that the routers stand on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from hutong.relay.api.reading.answer_cache import AnswerCache
from hutong.relay.api.reading.backend import Backend
from hutong.relay.api.reading.changes import Changes
from hutong.relay.api.reading.figures import Figures
from hutong.relay.api.reading.ledger_desk import LedgerDesk
from hutong.relay.api.sending.idempotency import IdempotencyStore
from hutong.relay.api.sending.under_way import UnderWay
from hutong.relay.api.tokens.registry import TokenRegistry
from hutong.relay.config import ApiConfig, Config
from hutong.relay.core.topology.paths import Paths
from hutong.relay.web.api_keys import KeyRing
from hutong.relay.web.rate_limit import RateLimit

ANSWER_LIMIT_S = 8.0
"""For the chains, so that a request that waits for them says so before its own deadline."""


@dataclass(frozen=True, slots=True)
class Service:
    """One API. `settings` is `config.api`."""

    config: Config
    settings: ApiConfig
    paths: Paths
    backend: Backend
    ledger: LedgerDesk
    figures: Figures
    cache: AnswerCache
    changes: Changes
    tokens: TokenRegistry
    keys: KeyRing
    idempotency: IdempotencyStore
    under_way: UnderWay
    rate_limit: RateLimit
    clock_s: Callable[[], float]
    inside_relay: bool

    @classmethod
    def of(cls, config: Config, settings: ApiConfig, backend: Backend, *, inside_relay: bool) -> "Service":
        """The service of a configuration. Nothing is opened or asked yet; `changes.run` is the server's to run.

        Args:
            inside_relay: whether the relay runs in this process.
        """
        clock_s = time.monotonic
        ledger, cache, paths = LedgerDesk(config.relay), AnswerCache(clock_s), Paths.of(config.paths)
        return cls(
            config=config,
            settings=settings,
            paths=paths,
            backend=backend,
            ledger=ledger,
            figures=Figures(ledger, clock_s),
            cache=cache,
            changes=Changes(ledger, backend, cache, settings.max_streams, clock_s),
            tokens=TokenRegistry(ledger, backend, paths, clock_s),
            keys=KeyRing(settings.keys_file),
            idempotency=IdempotencyStore(config.relay.home / "api.sqlite", time.time),
            under_way=UnderWay(clock_s),
            rate_limit=RateLimit(settings.rate_limit_per_s, clock_s),
            clock_s=clock_s,
            inside_relay=inside_relay,
        )

    def close(self) -> None:
        """Give ledger and file of idempotency keys back. The backend is the caller's to stop."""
        self.ledger.close()
        self.idempotency.close()
