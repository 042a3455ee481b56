"""The emulated wallet of the OpenID conformance suite's plan `oid4vci-1_0-issuer-haip-test-plan`: attested, with DPoP, by the code flow.

Everything that it sends can be changed, as the modules of the suite change it.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from hutong.relay.services.identity.rules.jose import encode_base64url
from tests.relay.services.identity.certificates import AUTHORITY_KEY, certify, der_text, key_of
from tests.relay.services.identity.issuer.issuer_world import BASE, World, issuing, query_of, signed
from tests.relay.services.identity.rules.actors import Signer

PROVIDER = Signer(0xF00D)
PROVIDER_LEAF = certify("provider", key_of(PROVIDER.secret).public_key(), by="authority", key=AUTHORITY_KEY)
ATTESTED = 'wallet_providers = "authority.pem"'
VERIFIER = "v" * 43
LOREM = "?dummy1=lorem&dummy2=ipsum"
"""What the suite adds to the second client's redirect_uri."""


@dataclass
class Suite:
    """One client of the suite."""

    world: World
    client: str = "wallet-1"
    redirect: str = "https://suite.example/callback"
    instance: Signer = field(default_factory=lambda: Signer(0x1257))
    dpop_key: Signer = field(default_factory=lambda: Signer(0xD909))
    offer: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    @property
    def now_s(self) -> int:
        return self.world.clock[0]

    def attested(self, *, key: Signer = PROVIDER, **changes: Any) -> str:
        claims = {"sub": self.client, "exp": self.now_s + 900, "cnf": {"jwk": self.instance.jwk}, **changes}
        header = {"typ": "oauth-client-attestation+jwt", "x5c": [der_text(PROVIDER_LEAF)]}
        return signed(key, header, {name: value for name, value in claims.items() if value is not None})

    def possession(self, *, key: Signer | None = None, **changes: Any) -> str:
        self.count += 1
        claims = {"iss": self.client, "aud": BASE, "iat": self.now_s, "jti": f"{self.client}-{self.count}", **changes}
        return signed(key or self.instance, {"typ": "oauth-client-attestation-pop+jwt"}, claims)

    def dpop(self, path: str, token: str | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        self.count += 1
        key = changes.pop("key", self.dpop_key)
        claims = {"jti": f"{self.client}-d{self.count}", "htm": "POST", "htu": BASE + path, "iat": self.now_s}
        if token is not None:
            claims["ath"] = encode_base64url(sha256(token.encode()).digest())
        said = {"typ": "dpop+jwt", "jwk": self.dpop_key.jwk, **(header or {})}
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        return signed(key, {name: value for name, value in said.items() if value is not None}, kept)

    def headers(self, path: str, **said: str | None) -> dict[str, str]:
        found = {
            "oauth-client-attestation": self.attested(),
            "oauth-client-attestation-pop": self.possession(),
            "dpop": self.dpop(path),
        }
        changed = found | {name.replace("_", "-"): value for name, value in said.items()}
        return {name: value for name, value in changed.items() if value is not None}

    async def push(self, headers: dict[str, str] | None = None, **changes: str | None) -> httpx.Response:
        form = {
            "response_type": "code", "client_id": self.client, "redirect_uri": self.redirect, "scope": "residence",
            "state": "s" * 16, "code_challenge": encode_base64url(sha256(VERIFIER.encode()).digest()),
            "code_challenge_method": "S256", **changes,
        }  # fmt: skip
        sent = {name: value for name, value in form.items() if value is not None}
        return await self.world.http.post(f"{BASE}/par", data=sent, headers=headers or self.headers("/par"))

    async def uri(self, **changes: str | None) -> str:
        answer = await self.push(**changes)
        assert answer.status_code == 201, answer.text
        return answer.json()["request_uri"]

    async def page(self, uri: str, **also: str) -> httpx.Response:
        return await self.world.http.get(
            f"{BASE}/authorize", params={"client_id": self.client, "request_uri": uri, **also}
        )

    async def answered(self, page: httpx.Response, agree: str = "yes") -> dict[str, str]:
        """What the person's browser brings back: the offer's link and code are typed, for the wallet began by itself."""
        assert page.status_code == 200, page.text
        secret = page.text.partition('name="page" value="')[2].partition('"')[0]
        form = {"page": secret, "agree": agree, "offer": self.offer["link"], "code": self.offer["transaction_code"]}
        answer = await self.world.http.post(f"{BASE}/authorize", data=form)
        assert answer.status_code == 303, answer.text
        where = answer.headers["location"]
        assert where.startswith(self.redirect)
        return query_of(where)

    async def code(self, **changes: str | None) -> str:
        self.offer = await self.world.offer(by_login=True)
        said = await self.answered(await self.page(await self.uri(**changes)))
        assert said["iss"] == BASE
        return said["code"]

    async def exchange(self, code: str, headers: dict[str, str] | None = None, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect, "code_verifier": VERIFIER,
            "client_id": self.client, **changes,
        }  # fmt: skip
        sent = {name: value for name, value in form.items() if value is not None}
        return await self.world.http.post(f"{BASE}/token", data=sent, headers=headers or self.headers("/token"))

    async def token(self, **changes: str | None) -> str:
        answer = await self.exchange(await self.code(**changes))
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert said["token_type"] == "DPoP" and "refresh_token" not in said
        return said["access_token"]

    async def body(self, number: int = 0, **changes: Any) -> dict[str, Any]:
        """A credential request with a proof under a new nonce, and what the issuer must ignore."""
        answer = await self.world.http.post(f"{BASE}/nonce")
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        proof = self.world.wallet.proof(answer.json()["c_nonce"], number)
        said = {"credential_configuration_id": "residence", "proofs": {"jwt": [proof]}, "q7": {"r": [1]}, **changes}
        return {name: value for name, value in said.items() if value is not None}

    async def ask(
        self, token: str, body: Any, dpop: str | list[str] | None = None, scheme: str = "DPoP", **headers: str
    ) -> httpx.Response:
        proofs = [self.dpop("/credential", token)] if dpop is None else [dpop] if isinstance(dpop, str) else dpop
        said = [("authorization", f"{scheme} {token}"), ("content-type", "application/json")]
        said += [("DPoP", one) for one in proofs]
        said = [pair for pair in said if pair[0] not in headers] + list(headers.items())
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.world.http.post(f"{BASE}/credential", content=content, headers=said)


@asynccontextmanager
async def suite(folder: Path, issuer: str = ATTESTED, kind: str = "") -> AsyncIterator[Suite]:
    async with issuing(folder, issuer, kind) as world:
        yield Suite(world)
