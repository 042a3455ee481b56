"""The wallet and our verifier, whole, in one process: its requests are judged here, and our answers there."""

import httpx
import pytest
import trio

from hutong.relay.services.identity.wallet import PeerRefused, TrustFile, Wallet
from tests.relay.services.identity.certificates import AUTHORITY, pem
from tests.relay.services.identity.rules.actors import NOW_S
from tests.relay.services.identity.verifier.scene import LIST_URI, issuer_chain, list_token, verifier_scene
from tests.relay.services.identity.wallet.peers import PASSWORD, ScriptedIssuer, transport_to

STATUS = {"status": {"status_list": {"idx": 7, "uri": LIST_URI}}}


def in_our_application(http):
    """From the wallet's thread into the event loop in which the application runs."""

    async def ask(request):
        answer = await http.request(request.method, request.url, headers=dict(request.headers), content=request.read())
        body = httpx.ByteStream(await answer.aread())
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)

    return lambda request: trio.from_thread.run(ask, request)


async def test_our_verifier_takes_what_the_wallet_shows_until_it_is_revoked(tmp_path):
    (tmp_path / "trust.pem").write_bytes(pem(AUTHORITY))
    trusted = {TrustFile.ISSUERS: tmp_path / "trust.pem", TrustFile.VERIFIERS: tmp_path / "trust.pem"}
    Wallet.create(tmp_path / "wallet", PASSWORD, trusted, iterations=2)
    issuer = ScriptedIssuer(batch=3, header={"x5c": issuer_chain()}, claims_of=lambda number: STATUS)
    async with verifier_scene(tmp_path) as scene:
        transport = transport_to(issuer, otherwise=in_our_application(scene.http))
        asked, declined, late = [await scene.ask() for _ in range(3)]

        def hold_and_show():
            with Wallet.open(tmp_path / "wallet", PASSWORD, transport, lambda: NOW_S) as wallet:
                holding = wallet.accept(wallet.open_offer(issuer.link()))
                consent = wallet.propose(wallet.fetch_request(asked["link"]))
                assert consent.asker == "verifier.example" and consent.shown[0].holding == holding
                assert {path for path, _ in consent.shown[0].disclosed} == {("given_name",), ("nationalities", 0)}
                wallet.present(consent)
                with pytest.raises(PeerRefused, match="409"):
                    wallet.present(consent)
                wallet.decline(wallet.fetch_request(declined["link"]))
                scene.lists.token = list_token(revoked=(7,), iat=NOW_S + 1)
                scene.now.seconds += 20
                with pytest.raises(PeerRefused, match="400"):
                    wallet.present(wallet.propose(wallet.fetch_request(late["link"])))
                assert wallet.left(holding) == 0

        await trio.to_thread.run_sync(hold_and_show)
        assert (await scene.result(asked))["state"] == "accepted"
        assert (await scene.result(declined))["state"] == "declined"
