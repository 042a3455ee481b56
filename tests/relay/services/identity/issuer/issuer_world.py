"""An issuer in this process, and a wallet that asks it by HTTP. Clock and randomness are the test's."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from prometheus_client import CollectorRegistry

from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.issuer.role import (
    hub_sync_of,
    list_tokens_of,
    make_issuer,
    role_of,
    settle_locally,
)
from hutong.relay.services.identity.rules.jose import Algorithm, encode_base64url, sign_compact
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import IdentityConfig, load_identity_config
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.transactions import Database
from hutong.relay.web.api_keys import ApiKey, KeyRing, Scope, digest_of, new_key, write_keys
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem
from tests.relay.services.identity.rules.actors import NOW_S, Signer

BASE = "https://id.example/city"
ISSUER_KEY = Signer(0xA11CE)
PRE = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CALLBACK = "https://wallet.example/cb"
CONFIG = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "https://id.example/city"
keys_file = "api-keys.json"

[issuer]
name = "City"
key = "issuer.pem"
certificates = "chain.pem"
redirect_uris = ["https://wallet.example/cb"]
list_size = 1024
{issuer}

[[issuer.credentials]]
id = "residence"
vct = "https://id.example/types/residence"
name = "Certificate of residence"
{kind}
claims = [
  {{ name = "given_name", label = "Given name", mandatory = true }},
  {{ name = "district", hidden = false }},
  {{ name = "age_over_18" }}, {{ name = "inhabitants" }}, {{ name = "address" }},
]

[[issuer.credentials]]
id = "library"
vct = "https://id.example/types/library"
name = "Library card"
claims = [{{ name = "level" }}]
"""
CLAIMS = {"given_name": "Erika", "district": "Ost", "age_over_18": True, "address": {"street": "Weg 3"}}


def write_config(folder: Path, issuer: str = "", kind: str = "", text: str = CONFIG) -> IdentityConfig:
    key = key_of(ISSUER_KEY.secret)
    (folder / "issuer.pem").write_bytes(private_pem(key))
    (folder / "issuer.pem").chmod(0o600)
    (folder / "chain.pem").write_bytes(
        pem(certify("city", key.public_key(), by="authority", key=AUTHORITY_KEY, uri=BASE))
    )
    (folder / "authority.pem").write_bytes(pem(AUTHORITY))
    file = folder / "identity.toml"
    file.write_text(text.format(issuer=issuer, kind=kind))
    return load_identity_config(file)


def counted_bytes(name: str = "") -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    number = 0

    def draw(count: int) -> bytes:
        nonlocal number
        number += 1
        found = b""
        while len(found) < count:
            found += sha256(f"{name}{number} {len(found)}".encode()).digest()
        return found[:count]

    return draw


def numbered_signer(number: int) -> Signer:
    return Signer(0x5000 + number)


@dataclass
class Wallet:
    """One wallet: everything that it sends can be changed."""

    http: httpx.AsyncClient
    clock: list[int]
    dpop_key: Signer = field(default_factory=lambda: Signer(0xD909))
    count: int = 0

    def dpop(self, path: str, token: str | None = None, **changes: Any) -> str:
        self.count += 1
        key = changes.pop("key", self.dpop_key)
        claims = {"jti": f"j{self.count}", "htm": "POST", "htu": BASE + path, "iat": self.clock[0]}
        if token is not None:
            claims["ath"] = encode_base64url(sha256(token.encode()).digest())
        claims |= changes
        return signed(key, {"typ": "dpop+jwt", "jwk": key.jwk}, claims)

    def proof(self, nonce: str, number: int = 0, **changes: Any) -> str:
        key = changes.pop("key", numbered_signer(number))
        header = {"typ": "openid4vci-proof+jwt", "jwk": key.jwk, **changes.pop("header", {})}
        claims = {"aud": BASE, "iat": self.clock[0], "nonce": nonce, **changes}
        return signed(key, header, {name: value for name, value in claims.items() if value is not None})

    async def nonce(self) -> str:
        return (await self.http.post(f"{BASE}/nonce")).json()["c_nonce"]

    async def token(self, offer: dict[str, Any], **form: Any) -> httpx.Response:
        fetched = (await self.http.get(offer["offer_uri"])).json()
        code = fetched["grants"][PRE]["pre-authorized_code"] if "grants" in fetched else "gone"
        said = {"grant_type": PRE, "pre-authorized_code": code, "tx_code": offer["transaction_code"], **form}
        headers = {"dpop": said.pop("dpop", None) or self.dpop("/token")}
        sent = {name: value for name, value in said.items() if value is not None}
        return await self.http.post(f"{BASE}/token", data=sent, headers=headers)

    async def ask(self, token: str, body: Any, **said: Any) -> httpx.Response:
        headers = {
            "authorization": said.pop("authorization", f"DPoP {token}"),
            "dpop": said.pop("dpop", None) or self.dpop("/credential", token),
            "content-type": said.pop("content_type", "application/json"),
        }
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(f"{BASE}/credential", content=content, headers=headers)

    async def take(self, offer: dict[str, Any], count: int = 1, **body: Any) -> httpx.Response:
        """The whole flow of an offer."""
        token = (await self.token(offer)).json()["access_token"]
        nonce = await self.nonce()
        proofs = {"jwt": [self.proof(nonce, number) for number in range(count)]}
        return await self.ask(token, {"credential_configuration_id": "residence", "proofs": proofs, **body})


def signed(key: Signer, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return sign_compact({"alg": key.algorithm.value, **header}, json.dumps(claims).encode(), key.sign)


def account(number: int) -> Signer:
    return Signer(0x9000 + number, Algorithm.ES256K)


@dataclass
class World:
    """The issuer, its department and a wallet."""

    issuer: Any
    tokens: Any
    http: httpx.AsyncClient
    wallet: Wallet
    clock: list[int]
    key: str

    async def offer(self, **body: Any) -> dict[str, Any]:
        said = {"type": "residence", "claims": CLAIMS, **body}
        answer = await self.desk("/v1/issuer/offers", said)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def desk(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key if key is None else key}", "content-type": "application/json"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(path, content=content, headers=headers)

    async def settle(self) -> None:
        await settle_locally(self.issuer, self.tokens)


@asynccontextmanager
async def issuing(
    folder: Path, issuer: str = "", kind: str = "", door: Any = None, name: str = "", text: str = CONFIG
) -> AsyncIterator[World]:
    """An issuer without a hub, or with one that `door` reaches and `issuer` names."""
    config = write_config(folder, issuer, kind, text)
    key = new_key()
    made = ApiKey("desk", frozenset({Scope.ISSUE}), digest_of(key), "2026-01-01T00:00:00Z")
    write_keys(folder / "api-keys.json", [made])
    clock = [NOW_S]
    common = Common(
        config.server, KeyRing(folder / "api-keys.json"), lambda: clock[0], counted_bytes(name), CollectorRegistry()
    )
    with open_database(config.server) as engine:
        accounts = None if door is None else door.accounts
        found = await make_issuer(config.issuer, common, Database(engine), accounts)
        tokens = list_tokens_of(found)
        if door is None:
            await settle_locally(found, tokens)
        else:
            door.sync = hub_sync_of(found, tokens, config.issuer.hub, door, door.accounts)
        role = role_of(found, tokens, lambda: None)
        transport = httpx.ASGITransport(app=create_app(common, [role], RateLimit(100_000, lambda: 0.0)))
        async with httpx.AsyncClient(transport=transport, base_url="https://id.example") as http:
            yield World(found, tokens, http, Wallet(http, clock), clock, key)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
