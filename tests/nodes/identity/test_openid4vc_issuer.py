"""Our wallet before an issuer of others: attestation, attested keys, encryption and later issuance, judged by Credo's libraries."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.services.identity.wallet import CredentialsPutOff, PeerRefused, Wallet
from tests.nodes.identity.openid4vc_wallet import ForeignWallet
from tests.nodes.provision import javascript_peers
from tests.relay.services.identity.certificates import key_of
from tests.relay.services.identity.rules.actors import ISSUER_KEY, NOW_S
from tests.relay.services.identity.wallet.peers import PASSWORD, make_wallet, transport_to
from tests.relay.services.identity.wallet.test_haip_wallet import write_provider

pytestmark = pytest.mark.nodes
BASE = "https://credo.example"
CALLBACK = "https://wallet.example/cb"
FLOWS = 20


class ForeignIssuer:
    """Each request of the wallet goes to the process as a line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._lines = ForeignWallet(process)
        self.state = ""
        self.kinds: list[str] = []

    def becomes(self, **variant: Any) -> None:
        self.kinds = []
        self._lines.ask("variant", variant=variant)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        sent = {"method": request.method, "url": str(request.url), "headers": dict(request.headers)}
        answer = self._lines.ask("answer", **sent, body=request.read().decode())
        self.state = answer.get("state", "")
        self.kinds.append(f"{request.url.path} {answer['headers']['content-type']}")
        return httpx.Response(
            answer["status"], headers=answer["headers"], stream=httpx.ByteStream(answer["body"].encode())
        )


@pytest.fixture(scope="module")
def issuer() -> Iterator[ForeignIssuer]:
    script = javascript_peers() / "openid4vc_issuer.mjs"
    shutil.copy(Path(__file__).with_name("openid4vc_issuer.mjs"), script)
    jwk = {**ISSUER_KEY.jwk, "d": encode_base64url(ISSUER_KEY.secret.to_bytes(32, "big"))}
    environment = {**os.environ, "ISSUER_JWK": json.dumps(jwk), "NOW_S": str(NOW_S)}
    with subprocess.Popen(
        ["node", str(script)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            yield ForeignIssuer(process)
        finally:
            process.kill()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder: Path = make_wallet(tmp_path)
    write_provider(folder)
    return folder


def opened(home: Path, issuer: ForeignIssuer) -> Wallet:
    return Wallet.open(home, PASSWORD, transport_to(otherwise=issuer), lambda: NOW_S)


def taken(wallet: Wallet, issuer: ForeignIssuer, most: int = 10) -> Any:
    offered = wallet.open_issuer(BASE, "licence")
    step = wallet.begin_in_browser(offered, CALLBACK)
    assert parse_qs(urlsplit(step.address).query) == {"client_id": ["hutong-wallet"], "request_uri": ["urn:credo:1"]}
    query = urlencode({"code": "code-1", "state": issuer.state, "iss": BASE})
    return wallet.accept_after_browser(offered, step, query, most)


VARIANTS = {
    "plain": {},
    "attested keys": {"attested": True},
    "an attestation as the proof": {"attested": True, "proof": "attestation"},
    "encrypted": {"encrypted": True},
    "encrypted, attested keys": {"encrypted": True, "attested": True},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_issuer_of_openid4vc_gives_our_wallet_a_batch(home: Path, issuer: ForeignIssuer, name: str) -> None:
    """Twenty flows of ten credentials each; each credential is bound to a key of its own that the library has verified."""
    issuer.becomes(**VARIANTS[name])
    with opened(home, issuer) as wallet:
        for _ in range(FLOWS):
            holding = taken(wallet, issuer)
            assert (holding.count, holding.claims["level"]) == (10, 2)
        wanted = "application/jwt" if "encrypted" in name else "application/json"
        assert issuer.kinds.count(f"/credential {wanted}") == FLOWS


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_issuer_of_openid4vc_gives_later(home: Path, issuer: ForeignIssuer, encrypted: bool) -> None:
    issuer.becomes(deferred=2, encrypted=encrypted)
    with opened(home, issuer) as wallet, pytest.raises(CredentialsPutOff):
        taken(wallet, issuer)
    with opened(home, issuer) as wallet:
        (pending,) = wallet.pending()
        with pytest.raises(CredentialsPutOff):
            wallet.collect(pending)
        assert wallet.collect(pending).count == 10 and wallet.pending() == []


def test_the_issuer_of_openid4vc_turns_away_what_is_not_attested(home: Path, issuer: ForeignIssuer) -> None:
    issuer.becomes()
    stranger = key_of(0xBAD)
    write_provider(home, key=stranger, of=stranger)
    with opened(home, issuer) as wallet:
        assert taken(wallet, issuer).count == 10, (
            "whom it trusts is its caller's to say: any chain is one to the library"
        )
    (home / "provider.toml").unlink()
    with opened(home, issuer) as wallet, pytest.raises(UnsupportedOperation):
        taken(wallet, issuer)
    write_provider(home)
    with opened(home, issuer) as wallet:
        offered = wallet.open_issuer(BASE, "licence")
        step = wallet.begin_in_browser(offered, CALLBACK)
        query = urlencode({"code": "code-2", "state": issuer.state, "iss": BASE})
        with pytest.raises(PeerRefused, match="invalid_grant"):
            wallet.accept_after_browser(offered, step, query)
