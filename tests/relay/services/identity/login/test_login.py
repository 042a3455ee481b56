"""Login by OpenID Connect, judged by Authlib's client and its rules of ID tokens: an application that is not ours."""

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest
import trio
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from hutong.relay.config import ConfigError
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.login.person import pairwise_sub
from hutong.relay.services.identity.login.role import begin_login, login_router
from hutong.relay.services.identity.login.store import CODES, LOGINS
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.verifier.role import begin_desk, role_of
from hutong.relay.services.identity.verifier.store import REQUESTS
from hutong.relay.web.api_keys import KeyRing
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.services.identity.certificates import key_of, private_pem
from tests.relay.services.identity.rules.actors import LICENCE, Hidden, issued
from tests.relay.services.identity.verifier.scene import (
    CONFIG,
    PUBLIC_URL,
    Lists,
    Now,
    Wallet,
    client_of,
    issuer_chain,
    write_files,
)
from tests.relay.services.identity.verifier.test_pages import LINK

SECRET = "s" * 43
CALLBACK = "https://library.example/callback"
LOGIN = f"""
[login]
policy = "licence"
key = "login.pem"
pairwise_file = "login-pairwise"
subject = ["licence", "given_name"]

[login.claims]
given_name = ["licence", "given_name"]
locality = ["licence", "address", "locality"]

[[login.clients]]
id = "library"
secret_file = "library-secret"
redirect_uris = ["{CALLBACK}"]
claims = ["given_name"]

[[login.clients]]
id = "pool"
redirect_uris = ["https://pool.example/callback"]
"""


@dataclass(frozen=True)
class Scene:
    app: Any
    browser: httpx.AsyncClient
    wallet: Wallet
    desk: Any
    now: Now
    engine: Any
    login: Any

    def client(self, client_id: str = "library", **changes: Any) -> AsyncOAuth2Client:
        """A stock client of an application."""
        every = {
            "client_id": client_id,
            "client_secret": SECRET if client_id == "library" else None,
            "redirect_uri": CALLBACK if client_id == "library" else "https://pool.example/callback",
            "scope": "openid",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if client_id == "library" else "none",
            "transport": httpx.ASGITransport(app=self.app),
            **changes,
        }
        return AsyncOAuth2Client(**every)

    async def begin(self, client: AsyncOAuth2Client, verifier: str = "v" * 43, **changes: str) -> tuple[str, str]:
        """The page on which a person signs in, and the state of the application's request."""
        url, state = client.create_authorization_url(
            f"{PUBLIC_URL}/login/authorize", code_verifier=verifier, nonce="nonce-of-the-library", **changes
        )
        answer = await self.browser.get(url)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"], state

    async def sign_in(self, page: str, shown: Any = None) -> str:
        """Where the browser goes after a wallet on another device has answered."""
        text = (await self.browser.get(page)).text
        found = LINK.search(text)
        assert found is not None
        this = self.desk.store.get(unescape(found.group(1)).rpartition("%2F")[2].partition("&")[0], 0)
        (code,) = (one for one in self.desk.store.of_owner(this.owner, 0) if one.return_to is None)
        request = await self.wallet.open(self.desk.link(code))
        assert (await self.wallet.answer(request, self.wallet.presentation(request, shown))).status_code == 200
        answer = await self.browser.get(page)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


@asynccontextmanager
async def login_scene(folder, key: str = 'key = "login.pem"'):
    write_files(folder, CONFIG + LOGIN.replace('key = "login.pem"', key))
    (folder / "login.pem").write_bytes(private_pem(key_of(0x106)))
    (folder / "login-pairwise").write_bytes(b"\x07" * 32)
    (folder / "library-secret").write_text(f"{SECRET}\n")
    for name in ("login.pem", "login-pairwise", "library-secret"):
        (folder / name).chmod(0o600)
    config = load_identity_config(folder / "identity.toml")
    assert config.verifier is not None and config.login is not None
    now = Now()
    common = Common(config.server, KeyRing(None), now, os.urandom, CollectorRegistry())
    with open_database(config.server) as engine:
        desk = begin_desk(config.verifier, common, engine, Lists().fetch)
        login = begin_login(config.login, common, engine, desk)
        app = create_app(common, [role_of(desk, common, (login_router(login),))], RateLimit(10_000, trio.current_time))
        async with client_of(app) as browser, client_of(app) as phone:
            yield Scene(app, browser, Wallet(phone), desk, now, engine, login)


async def claims_of(scene: Scene, token: Any, client_id: str = "library") -> CodeIDToken:
    """What Authlib's rules make of an ID token under the published key."""
    metadata = (await scene.browser.get("/.well-known/openid-configuration")).json()
    keys = KeySet.import_key_set((await scene.browser.get(metadata["jwks_uri"])).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"values": [metadata["issuer"]]}, "aud": {"values": [client_id]}},
        params={"nonce": "nonce-of-the-library", "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate(now=scene.now())
    return claims


async def test_an_application_signs_a_person_in(tmp_path):
    async with login_scene(tmp_path) as scene, scene.client() as client:
        page, state = await scene.begin(client)
        location = await scene.sign_in(page)
        assert location.startswith(f"{CALLBACK}?code=") and "iss=https%3A%2F%2Fverifier.example" in location
        token = await client.fetch_token(
            f"{PUBLIC_URL}/login/token", authorization_response=location, state=state, code_verifier="v" * 43
        )
        claims = await claims_of(scene, token)
        assert claims["given_name"] == "Erika"
        told = {"iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sub", "given_name"}
        assert set(claims) == told
        with scene.engine.connect() as connection:
            for table in (LOGINS, CODES, REQUESTS):
                assert connection.execute(select(table)).all() == []
        again, _ = await scene.begin(client)
        second = await client.fetch_token(
            f"{PUBLIC_URL}/login/token", authorization_response=await scene.sign_in(again), code_verifier="v" * 43
        )
        assert (await claims_of(scene, second))["sub"] == claims["sub"]


async def test_attack_N147_two_applications_cannot_join_their_people(tmp_path):
    async with login_scene(tmp_path) as scene:
        subs = {}
        for name in ("library", "pool"):
            async with scene.client(name) as client:
                page, _ = await scene.begin(client)
                token = await client.fetch_token(
                    f"{PUBLIC_URL}/login/token",
                    authorization_response=await scene.sign_in(page),
                    code_verifier="v" * 43,
                )
                claims = await claims_of(scene, token, name)
                subs[name] = claims["sub"]
                assert ("given_name" in claims) == (name == "library")
        assert subs["library"] != subs["pool"]
    secret = b"\x07" * 32
    names = {
        pairwise_sub(secret, "a.example", ["issuer", "vct"], "1"),
        pairwise_sub(secret, "a.example", ["issuer", "vct"], 1),
        pairwise_sub(secret, "a.example", ["other", "vct"], "1"),
        pairwise_sub(secret, "a.example", ["issuer", "other"], "1"),
        pairwise_sub(b"\x08" * 32, "a.example", ["issuer", "vct"], "1"),
    }
    assert len(names) == 5 and pairwise_sub(secret, "a.example", ["issuer", "vct"], "1") in names


async def test_attack_N145_requests_of_no_known_application(tmp_path):
    async with login_scene(tmp_path) as scene, scene.client() as client:
        url, _ = client.create_authorization_url(f"{PUBLIC_URL}/login/authorize", code_verifier="v" * 43)
        for wrong, right in (
            ("https://library.example/callback/more", CALLBACK),
            ("https://thief.example/callback", CALLBACK),
            ("stranger", "library"),
        ):
            changed = str(httpx.URL(url).copy_merge_params(
                {"client_id": wrong} if right == "library" else {"redirect_uri": wrong}))  # fmt: skip
            answer = await scene.browser.get(changed)
            assert answer.status_code == 400 and "location" not in answer.headers, wrong
        for drop, error in (("code_challenge", "invalid_request"), ("response_type", "unsupported_response_type")):
            told = await scene.browser.get(str(httpx.URL(url).copy_remove_param(drop)))
            if told.status_code == 303:
                assert told.headers["location"].startswith(f"{CALLBACK}?error={error}"), drop
            else:
                assert told.status_code == 400, drop
        neither = httpx.URL(url).copy_remove_param("code_challenge").copy_remove_param("code_challenge_method")
        told = await scene.browser.get(str(neither))
        assert told.headers["location"].startswith(f"{CALLBACK}?error=invalid_request")
        plain = str(httpx.URL(url).copy_set_param("code_challenge_method", "plain"))
        assert (await scene.browser.get(plain)).headers["location"].startswith(f"{CALLBACK}?error=invalid_request")
        assert (await scene.browser.get(url + "&client_id=pool")).status_code == 400
        assert (await scene.browser.get(url + "&request_uri=https%3A%2F%2Fx.example")).status_code == 400
        assert (await scene.browser.get(url)).status_code == 303


@pytest.mark.long
async def test_attack_N146_a_code_taken_twice_late_or_by_another(tmp_path):
    async with login_scene(tmp_path) as scene, scene.client() as client:

        async def code() -> str:
            return await scene.sign_in((await scene.begin(client))[0])

        async def refused(location: str, by: AsyncOAuth2Client, verifier: str = "v" * 43) -> str:
            with pytest.raises(OAuthError) as caught:
                await by.fetch_token(
                    f"{PUBLIC_URL}/login/token", authorization_response=location, code_verifier=verifier
                )
            return caught.value.error

        first = await code()
        async with scene.client("pool", redirect_uri=CALLBACK) as pool:
            assert await refused(first, pool) == "invalid_grant"
        async with scene.client(client_secret="x" * 43) as thief:
            assert await refused(first, thief) == "invalid_client"
        async with scene.client(redirect_uri="https://thief.example") as moved:
            assert await refused(first, moved) == "invalid_grant"
        assert await refused(await code(), client, "w" * 43) == "invalid_grant"
        second = await code()
        assert await client.fetch_token(
            f"{PUBLIC_URL}/login/token", authorization_response=second, code_verifier="v" * 43
        )
        assert await refused(second, client) == "invalid_grant"
        third = await code()
        scene.now.seconds += 60
        assert await refused(third, client) == "invalid_grant"


async def test_attack_N148_another_browser_ends_no_login(tmp_path):
    async with login_scene(tmp_path) as scene, scene.client() as client:
        page, _ = await scene.begin(client)
        text = (await scene.browser.get(page)).text
        found = LINK.search(text)
        assert found is not None
        request = await scene.wallet.open(unescape(found.group(1)))
        back = (await scene.wallet.answer(request)).json()["redirect_uri"]
        async with client_of(scene.app) as other:
            assert (await other.get(page)).status_code == 404
            led = await other.get(back)
            assert led.status_code == 200 and "location" not in led.headers
        assert "Waiting for a wallet" in (await scene.browser.get(page)).text
        own = await scene.browser.get(back)
        assert own.status_code == 303
        ended = await scene.browser.get(page)
        assert ended.headers["location"].startswith(f"{CALLBACK}?code=")
        assert (await scene.browser.get(page)).status_code == 404


async def test_a_person_who_shows_no_subject_is_not_signed_in(tmp_path):
    async with login_scene(tmp_path) as scene, scene.client() as client:
        page, _ = await scene.begin(client)
        empty = issued({**LICENCE, "given_name": Hidden("")}, header={"x5c": issuer_chain()})
        location = await scene.sign_in(page, empty)
        assert location.startswith(f"{CALLBACK}?error=access_denied")


def test_a_table_that_contradicts_itself_is_refused(tmp_path):
    (tmp_path / "login.pem").write_bytes(private_pem(key_of(0x106)))
    for said, text in {
        "login: needs the table [verifier]": CONFIG.partition("[verifier]")[0] + LOGIN,
        "login.policy: is not a policy": CONFIG + LOGIN.replace('policy = "licence"', 'policy = "other"'),
        "login.claims.sub": CONFIG + LOGIN.replace("given_name = [", "sub = ["),
        "is the id of another client": CONFIG + LOGIN.replace('id = "pool"', 'id = "library"'),
        "login.pairwise_file": CONFIG + LOGIN,
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_identity_config(write_files(tmp_path, text))
        assert said in str(caught.value), said
