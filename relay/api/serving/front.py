"""Before every router of the API: what a request costs, how long it may take, and which page may show what."""

import math
from urllib.parse import parse_qsl

from hutong.relay.api.reading.answer_cache import CachedAnswer, target_of
from hutong.relay.api.requests import BUNDLE_LIMIT_S
from hutong.relay.api.service import Service
from hutong.relay.web.front import App, Front, Guard, Manners, Scope

MAX_BODY_BYTES = 256 * 1024
EVENTS = "/v1/events"
"""A GET of it is the one request without an end."""
_API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    b" manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"),
    (b"access-control-max-age", b"600"),
)
LIST_COST = 5
REPLAY_COST = 25
"""Up to 1 000 changes told again, proofs judged again, a bundle made."""
_LISTS = frozenset({"/v1/messages", "/v1/search", "/v1/dead-letters", "/v1/routes", "/v1/tokens"})
_REPLAYED = ("/proofs", "/bundle")


def cost_of(path: str, query: bytes, *, resumes: bool) -> int:
    """What a request costs its client, in plain requests: what tells many changes again or makes a bundle costs the
    most.

    Args:
        path: of the request, decoded.
        query: raw; `after` in it resumes a stream.
        resumes: it has a Last-Event-ID.
    """
    if path in _LISTS:
        return LIST_COST
    if path.startswith("/v1/messages/") and path.endswith(_REPLAYED):
        return REPLAY_COST
    if path in ("/v1/events", "/v1/ws") and (resumes or "after" in dict(parse_qsl(query.decode("latin-1")))):
        return REPLAY_COST
    return 1


def api_front(app: App, service: Service) -> Front:
    """The front of the API around `app`."""
    settings = service.settings

    def kept(scope: Scope) -> CachedAnswer | None:
        return service.cache.get(target_of(scope))

    guard = Guard(
        service.keys,
        service.rate_limit,
        settings.rate_limit_per_s,
        settings.cors_origins,
        settings.trusted_proxies,
        settings.has_tls,
    )
    manners = Manners(
        log="api",
        policy_of=lambda path: _API_POLICY if path.startswith("/v1/") else _PAGE_POLICY,
        cost_of=lambda scope, resumes: cost_of(scope["path"], scope["query_string"], resumes=resumes),
        limit_s=_limit_s,
        takes_key=lambda _scope: True,
        body_types=lambda _scope: (b"application/json",),
        max_body_bytes=MAX_BODY_BYTES,
        kept=kept,
        preflight=_PREFLIGHT,
    )
    return Front(app, guard, manners)


def _limit_s(scope: Scope) -> float | None:
    path: str = scope["path"]
    if path.endswith("/bundle"):
        return BUNDLE_LIMIT_S
    return math.inf if path == EVENTS and scope["method"] == "GET" else None
