"""Login as routes beside the verifier's: one desk asks for both."""

from fastapi import APIRouter
from sqlalchemy import Engine

from hutong.relay.config import UnsafeFile, read_private_file
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.daemon.token_key import open_token_key
from hutong.relay.services.identity.login.person import MIN_SECRET_BYTES
from hutong.relay.services.identity.login.provider import Provider
from hutong.relay.services.identity.login.routes import LoginDesk, browser_router, provider_router
from hutong.relay.services.identity.login.settings import LoginConfig
from hutong.relay.services.identity.login.store import LoginStore
from hutong.relay.services.identity.verifier.browser_sessions import cookies_of
from hutong.relay.services.identity.verifier.desk import Desk


def begin_login(config: LoginConfig, common: Common, engine: Engine, desk: Desk) -> LoginDesk:
    """The provider of a configuration, its files read and its tables made.

    Raises:
        RoleUnusable: a key or a secret that cannot be used, or a subject that the policy does not ask for.
    """
    queries = {one.id for one in desk.policies[config.policy].query.credentials}
    for name, place in (("subject", config.subject), *((f"claims.{one}", at) for one, at in config.claims.items())):
        if place[0] not in queries:
            raise RoleUnusable(f"login.{name}: the policy {config.policy} has no query {place[0]!r}")
    try:
        secret = read_private_file(config.pairwise_file)
    except (OSError, UnsafeFile) as error:
        raise RoleUnusable(f"login.pairwise_file: {error}") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise RoleUnusable(f"login.pairwise_file: fewer than {MIN_SECRET_BYTES} bytes")
    store = LoginStore(engine)
    store.prepare()
    provider = Provider(desk.public_url, config, open_token_key(config.key, "login.key"), store, common)
    return LoginDesk(config, provider, store, desk, cookies_of(common), secret)


def login_router(login: LoginDesk) -> APIRouter:
    """Every route of login."""
    router = APIRouter()
    router.include_router(provider_router(login))
    router.include_router(browser_router(login))
    return router
