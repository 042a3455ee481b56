"""A verifier behind the daemon's front, an issuer with a status list, and a wallet that answers over HTTP as wallets do."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import trio
from prometheus_client import CollectorRegistry

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.daemon.hub_records import HubRecords
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.encrypting import encrypt_to
from hutong.relay.services.identity.rules.jose import JsonObject, TrustAnchors, sign_compact, write_json
from hutong.relay.services.identity.rules.jose.jwe import Encryption
from hutong.relay.services.identity.rules.openid4vp import (
    VERIFIER_PURPOSES,
    AuthorizationRequest,
    RequestDemand,
    ResponseMode,
    judge_request,
    link_well_formed,
    write_response,
)
from hutong.relay.services.identity.rules.sd_jwt import Clock, CompactSdJwt, bind_to_holder, select_disclosures
from hutong.relay.services.identity.rules.status import Statuses, pack_statuses, status_list_claim
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.verifier.desk import Desk
from hutong.relay.services.identity.verifier.role import begin_desk, role_of
from hutong.relay.services.identity.verifier.status_lists import ListUnreachable
from hutong.relay.web.api_keys import KeyRing, Scope, add_key
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem
from tests.relay.services.identity.rules.actors import HOLDER_KEY, ISSUER, ISSUER_KEY, LICENCE, NOW_S, Signer, issued
from tests.relay.services.identity.rules.jose.test_certificate_attacks import x5c
from tests.relay.services.identity.rules.openid4vp.verifiers import QUERY

PUBLIC_URL = "https://verifier.example"
SHOP = "https://shop.example/back"
LIST_URI = "https://issuer.example/status/1"
VERIFIER_SECRET = 0x7E21
CONFIG = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "https://verifier.example"
keys_file = "api-keys.json"

[verifier]
key = "verifier.pem"
certificates = "verifier-chain.pem"
return_to = ["https://shop.example/back", "https://shop.example/under/"]

[verifier.policies.licence]
title = "Driving licence"
query = "licence.json"
anchors = "issuers.pem"
max_status_age_s = 60
page = true

[verifier.policies.plain]
title = "Licence in the clear"
query = "licence.json"
anchors = "issuers.pem"
response_mode = "direct_post"
"""


@cache
def issuer_chain() -> list[str]:
    public = ISSUER_KEY.private_key.public_key()
    return list(x5c(certify("issuer", public, by="authority", key=AUTHORITY_KEY, uri=ISSUER)))


@cache
def credential() -> CompactSdJwt:
    """A licence whose status is index 7 of LIST_URI, as its issuer gave it."""
    return issued(LICENCE, header={"x5c": issuer_chain()})


def list_token(revoked: tuple[int, ...] = (), signer: Signer = ISSUER_KEY, **claims: Any) -> str:
    """A status list of sixteen, signed by the issuer. A claim of None leaves it out."""
    statuses: Statuses = pack_statuses(1, 16, dict.fromkeys(revoked, 1))
    every: JsonObject = {
        "sub": LIST_URI,
        "iss": ISSUER,
        "iat": NOW_S,
        "ttl": 15,
        "status_list": status_list_claim(statuses),
        **claims,
    }
    kept: JsonObject = {name: value for name, value in every.items() if value is not None}
    header: JsonObject = {"alg": "ES256", "typ": "statuslist+jwt", "x5c": issuer_chain()}
    return sign_compact(header, write_json(kept), signer.sign)


@dataclass
class Lists:
    """The host of status lists. What it serves is set by the test; None is a host that does not answer."""

    token: str | None = field(default_factory=list_token)
    uri: str = LIST_URI
    fetched: int = 0

    async def fetch(self, uri: str) -> str:
        self.fetched += 1
        if self.token is None or uri != self.uri:
            raise ListUnreachable("the list's host does not answer")
        return self.token


@dataclass
class Now:
    seconds: int = NOW_S

    def __call__(self) -> int:
        return self.seconds


@dataclass(frozen=True)
class Wallet:
    """Opens links and answers, over HTTP. Each part of an answer may be another one's."""

    http: httpx.AsyncClient
    holder: Signer = HOLDER_KEY
    now_s: int = NOW_S

    async def open(self, link: str, wallet_nonce: str | None = None) -> AuthorizationRequest:
        """The request of a link, judged as a wallet judges it."""
        found = link_well_formed(link)
        if wallet_nonce is None:
            answer = await self.http.get(found.request_uri)
        else:
            answer = await self.http.post(found.request_uri, data={"wallet_nonce": wallet_nonce})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/oauth-authz-req+jwt"
        anchors = TrustAnchors((AUTHORITY,), VERIFIER_PURPOSES)
        demand = RequestDemand(found.client_id, anchors, Clock(self.now_s), wallet_nonce)
        return judge_request(VERIFY, answer.text, demand)[0]

    def presentation(self, request: AuthorizationRequest, shown: CompactSdJwt | None = None, /, **bound: Any) -> str:
        """The licence with the given name, bound to the request. `bound` sets audience, nonce, time or key otherwise."""
        selected = select_disclosures(credential() if shown is None else shown, [("given_name",)])
        return str(
            bind_to_holder(
                selected,
                bound.get("audience", request.client_id),
                bound.get("nonce", request.challenge.nonce),
                bound.get("at_s", self.now_s),
                bound.get("key", self.holder).sign,
            )
        )

    async def answer(self, request: AuthorizationRequest, *texts: str, state: str | None = None) -> httpx.Response:
        """Post presentations of the licence, encrypted if the request asks so."""
        presentations = {"licence": list(texts or (self.presentation(request),))}
        said = request.challenge.state if state is None else state
        return await self.post(request, write_response(presentations, said))

    async def post(self, request: AuthorizationRequest, plaintext: bytes) -> httpx.Response:
        recipient = request.metadata.encryption_key
        if request.response_mode is ResponseMode.DIRECT_POST_JWT:
            assert recipient is not None
            form = {"response": encrypt_to(recipient, plaintext, Encryption.A256GCM)}
        else:
            members = json.loads(plaintext)
            form = {"vp_token": json.dumps(members["vp_token"]), "state": members["state"]}
        return await self.http.post(request.response_uri, data=form)


@dataclass(frozen=True)
class Scene:
    """`http` has no key; `shop` has one of scope `verify`, as a relying party."""

    http: httpx.AsyncClient
    shop: httpx.AsyncClient
    desk: Desk
    lists: Lists
    now: Now
    wallet: Wallet
    common: Common

    async def ask(self, policy: str = "licence", **body: str) -> dict[str, Any]:
        answer = await self.shop.post("/v1/verifier/requests", json={"policy": policy, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def result(self, asked: Mapping[str, Any], **params: str) -> dict[str, Any]:
        answer = await self.shop.get(f"/v1/verifier/requests/{asked['id']}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


def write_files(folder: Path, text: str = CONFIG) -> Path:
    key = key_of(VERIFIER_SECRET)
    (folder / "verifier.pem").write_bytes(private_pem(key))
    (folder / "verifier.pem").chmod(0o600)
    chain = certify("verifier", key.public_key(), by="authority", key=AUTHORITY_KEY, host="verifier.example")
    (folder / "verifier-chain.pem").write_bytes(pem(chain))
    (folder / "issuers.pem").write_bytes(pem(AUTHORITY))
    (folder / "licence.json").write_text(json.dumps(QUERY))
    file = folder / "identity.toml"
    file.write_text(text)
    return file


def client_of(app: Any, base_url: str = PUBLIC_URL, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base_url, headers=headers)


@asynccontextmanager
async def verifier_scene(
    folder: Path, text: str = CONFIG, hub: HubRecords | None = None, now_s: int = NOW_S
) -> AsyncIterator[Scene]:
    """One verifier with its own database in `folder`."""
    config = load_identity_config(write_files(folder, text))
    assert config.verifier is not None and config.server.keys_file is not None
    key = add_key(config.server.keys_file, "shop", [Scope.VERIFY])
    now, lists = Now(now_s), Lists()
    common = Common(config.server, KeyRing(config.server.keys_file), now, os.urandom, CollectorRegistry(), hub)
    with open_database(config.server) as engine:
        desk = begin_desk(config.verifier, common, engine, lists.fetch)
        app = create_app(common, [role_of(desk, common)], RateLimit(10_000, trio.current_time))
        async with client_of(app) as http, client_of(app, authorization=f"Bearer {key}") as shop:
            yield Scene(http, shop, desk, lists, now, Wallet(http, now_s=now_s), common)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
