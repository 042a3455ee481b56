"""Before every router of the daemon: what a request costs, its bounds, and whose `Authorization` it is."""

import re
from collections.abc import Mapping, Sequence

from hutong.relay.services.identity.daemon.requests import FORM, MAX_BODY_BYTES
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.web.front import App, Front, Guard, Manners, Scope
from hutong.relay.web.rate_limit import RateLimit

JSON = b"application/json"
JWT = b"application/jwt"
"""Encrypted requests and responses of OpenID4VCI and OpenID4VP."""
OPENING_COST = 5
"""In plain requests: a page that is opened keeps rows for minutes, of which there is a bounded number for all strangers; and a
did:webvh is fetched from a host that strangers name."""
_OPENING = re.compile(r"/verify/[^/]+|/login/authorize|/login/sessions/[^/]+|/1\.0/identifiers/did:webvh:.*")
_API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    b" base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, DPoP, OAuth-Client-Attestation, OAuth-Client-Attestation-PoP",
    ),
    (b"access-control-max-age", b"600"),
)


def identity_front(app: App, common: Common, rate_limit: RateLimit, roles: Sequence[Role]) -> Front:
    """The front of the daemon around `app`."""
    server = common.server
    policies: Mapping[str, bytes] = {path: policy for role in roles for path, policy in role.page_policies.items()}

    def policy_of(path: str) -> bytes:
        return _API_POLICY if path.startswith("/v1/") else policies.get(path, _PAGE_POLICY)

    guard = Guard(
        common.keys,
        rate_limit,
        server.rate_limit_per_s,
        server.cors_origins,
        server.trusted_proxies,
        server.has_tls,
    )
    manners = Manners(
        log="identity",
        policy_of=policy_of,
        cost_of=lambda scope, _resumes: OPENING_COST if _OPENING.fullmatch(scope["path"]) else 1,
        limit_s=lambda _scope: None,
        takes_key=_takes_key,
        body_types=_body_types,
        max_body_bytes=MAX_BODY_BYTES,
        kept=lambda _scope: None,
        preflight=_PREFLIGHT,
    )
    return Front(app, guard, manners)


def _takes_key(scope: Scope) -> bool:
    """Elsewhere `Authorization` is a token of OAuth, which its router judges."""
    path: str = scope["path"]
    return path.startswith("/v1/") or path == "/metrics"


def _body_types(scope: Scope) -> tuple[bytes, ...]:
    return (JSON,) if scope["path"].startswith("/v1/") else (JSON, FORM, JWT)
