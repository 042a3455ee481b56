"""The wallet and our issuer, whole, in one process: attested, with attested keys, encrypted both ways."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio

from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.services.identity.wallet import CredentialsPutOff, PeerRefused, TrustFile, Wallet
from tests.relay.services.identity.certificates import AUTHORITY, certify, key_of, pem
from tests.relay.services.identity.issuer.issuer_world import BASE, World, issuing
from tests.relay.services.identity.issuer.suite_wallet import Suite
from tests.relay.services.identity.rules.actors import NOW_S
from tests.relay.services.identity.wallet.peers import PASSWORD, transport_to
from tests.relay.services.identity.wallet.test_haip_wallet import PROVIDER_KEY, write_provider
from tests.relay.services.identity.wallet.test_with_our_verifier import in_our_application

TRUST = 'wallet_providers = "authority.pem"\nkey_attesters = "authority.pem"'
CALLBACK = "https://wallet.example/cb"


def make_attested(folder) -> Any:
    (folder / "trust.pem").write_bytes(pem(AUTHORITY))
    Wallet.create(folder / "wallet", PASSWORD, {TrustFile.ISSUERS: folder / "trust.pem"}, iterations=2)
    write_provider(folder / "wallet", key_storage=["iso_18045_basic"])
    return folder / "wallet"


class Recorded:
    """What the wallet sends and is answered, by its path."""

    def __init__(self, world: World) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.answers: list[tuple[str, Any]] = []
        self._ask = in_our_application(world.http)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self._ask(request)
        name = request.url.path.rsplit("/", 1)[-1]
        self.sent.append((name, request.headers))
        self.answers.append((name, answer))
        return answer

    def kinds(self, name: str) -> list[tuple[str, str]]:
        return [
            (headers["content-type"], answer.headers["content-type"])
            for (at, headers), (_, answer) in zip(self.sent, self.answers, strict=True)
            if at == name
        ]


async def with_wallet(world: World, home: Any, act: Callable[[Wallet], Any]) -> tuple[Any, Recorded]:
    recorded = Recorded(world)

    def run() -> Any:
        with Wallet.open(home, PASSWORD, transport_to(otherwise=recorded), lambda: NOW_S) as wallet:
            return act(wallet)

    return await trio.to_thread.run_sync(run), recorded


@pytest.mark.long
async def test_our_issuer_takes_the_wallet_that_its_provider_attests(tmp_path):
    """By its code and in a browser; a batch of attested keys in one token, encrypted both ways; and nobody who is not attested."""
    home = make_attested(tmp_path)
    async with issuing(tmp_path, TRUST, "needs_key_attestation = true") as world:
        offer = await world.offer()

        def accept(wallet: Wallet, link: str = offer["link"], code: Any = offer["transaction_code"]) -> Any:
            return wallet.accept(wallet.open_offer(link), code, 20)

        holding, recorded = await with_wallet(world, home, accept)
        assert (holding.count, holding.issuer, holding.claims["given_name"]) == (20, BASE, "Erika")
        assert recorded.kinds("credential") == [("application/jwt", "application/jwt")]
        (token,) = [headers for name, headers in recorded.sent if name == "token"]
        assert token["oauth-client-attestation"].count(".") == 2

        spare = await world.offer()
        (home / "provider.toml").rename(home / "away.toml")

        def refused(wallet: Wallet) -> str:
            try:
                accept(wallet, spare["link"], spare["transaction_code"])
            except UnsupportedOperation as error:
                return str(error)
            return ""

        said, recorded = await with_wallet(world, home, refused)
        assert "attests" in said and "token" not in [name for name, _ in recorded.sent]

        stranger = key_of(0xBAD)
        write_provider(home, key=stranger, of=stranger)
        (home / "chain.pem").write_bytes(
            pem(certify("provider", stranger.public_key(), by="another authority", key=stranger))
        )

        def turned_away(wallet: Wallet) -> str:
            try:
                accept(wallet, spare["link"], spare["transaction_code"])
            except PeerRefused as error:
                return error.reason
            return ""

        said, _ = await with_wallet(world, home, turned_away)
        assert said.startswith("invalid_client")
        write_provider(home, key=PROVIDER_KEY)
        holding, _ = await with_wallet(
            world, home, lambda wallet: accept(wallet, spare["link"], spare["transaction_code"])
        )
        assert holding.count == 20


async def test_our_issuer_is_asked_by_the_wallet_in_a_browser(tmp_path):
    """The wallet begins by itself; the person gives the offer's link and code on the issuer's page."""
    home = make_attested(tmp_path)
    async with issuing(tmp_path, TRUST) as world:
        person = Suite(world, "hutong-wallet", CALLBACK)
        person.offer = await world.offer(by_login=True)

        async def in_browser(address: str) -> str:
            return str(httpx.QueryParams(await person.answered(await world.http.get(address))))

        def take(wallet: Wallet) -> Any:
            opened = wallet.open_issuer(BASE, "residence")
            step = wallet.begin_in_browser(opened, CALLBACK)
            return wallet.accept_after_browser(opened, step, trio.from_thread.run(in_browser, step.address), 3)

        holding, _ = await with_wallet(world, home, take)
        assert holding.count == 3 and holding.is_one_time


@pytest.mark.long
async def test_our_issuer_gives_later_what_a_department_held(tmp_path):
    """Attested by a challenge of the server, encrypted both ways, put off until the department releases it, in another process."""
    home = make_attested(tmp_path)
    async with issuing(tmp_path, f"{TRUST}\nattestation_challenges = true") as world:
        offer = await world.offer(hold=True, reference="case-7")

        def put_off(wallet: Wallet) -> int:
            with pytest.raises(CredentialsPutOff):
                wallet.accept(wallet.open_offer(offer["link"]), offer["transaction_code"], 3)
            with pytest.raises(CredentialsPutOff):
                wallet.collect(wallet.pending()[0])
            return len(wallet.pending())

        pending, recorded = await with_wallet(world, home, put_off)
        assert pending == 1 and [name for name, _ in recorded.sent].count("challenge") == 1
        assert recorded.kinds("deferred_credential") == [("application/jwt", "application/jwt")]
        assert (await world.desk("/v1/issuer/releases", {"reference": "case-7"})).json() == {"released": 1}
        holding, _ = await with_wallet(world, home, lambda wallet: wallet.collect(wallet.pending()[0]))
        assert holding.count == 3 and holding.claims["given_name"] == "Erika"
