"""A wallet from offer to presentation, with peers that check what it sends."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.rules.sd_jwt import read_compact
from hutong.relay.services.identity.wallet import NothingLeft, PeerRefused, Wallet, WalletUnusable
from hutong.relay.services.identity.wallet.browser import RedirectListener
from tests.relay.services.identity.rules.actors import NOW_S
from tests.relay.services.identity.wallet.peers import (
    ISSUER_ADDRESS,
    PASSWORD,
    VCT,
    ScriptedIssuer,
    ScriptedVerifier,
    make_wallet,
    open_wallet,
)


@pytest.fixture
def folder(tmp_path):
    return make_wallet(tmp_path)


def accepted(wallet, issuer, **how):
    return wallet.accept(wallet.open_offer(issuer.link()), **how)


def test_a_batch_is_presented_one_by_one_and_then_refused(folder):
    issuer, verifier = ScriptedIssuer(batch=3), ScriptedVerifier()
    with open_wallet(folder, issuer, verifier) as wallet:
        holding = accepted(wallet, issuer)
        assert (holding.count, holding.is_one_time, holding.vct, holding.issuer) == (3, True, VCT, ISSUER_ADDRESS)
        for left in (3, 2, 1):
            consent = wallet.propose(wallet.fetch_request(verifier.link()))
            assert consent.shown[0].left == left
            assert wallet.present(consent) == "https://verifier.example/done"
        consent = wallet.propose(wallet.fetch_request(verifier.link()))
        with pytest.raises(NothingLeft):
            wallet.present(consent)
    texts = [presentations["licence"][0] for presentations, _ in verifier.answers]
    assert len({read_compact(text).issuer_jwt for text in texts}) == 3
    claims = verifier.answers[0][1]["licence"][0].claims
    assert claims["address"] == {"locality": "Köln", "country": "DE"} and "given_name" not in claims


def test_a_wallet_shows_what_would_be_disclosed_before_it_sends(folder):
    issuer, verifier = ScriptedIssuer(), ScriptedVerifier()
    with open_wallet(folder, issuer, verifier) as wallet:
        holding = accepted(wallet, issuer, most=1)
        consent = wallet.propose(wallet.fetch_request(verifier.link("haip-vp")))
        assert consent.asker == "verifier.example" and consent.goes_to == "https://verifier.example/response"
        (shown,) = consent.shown
        assert dict(shown.disclosed) == {
            ("address",): {"locality": "Köln", "country": "DE"}, ("address", "locality"): "Köln"
        }  # fmt: skip
        assert dict(shown.always) == {("nationalities",): ["DE", "FR"], ("level",): 2}
        assert not verifier.answers and wallet.left(holding) == 1 and wallet.diary() == []
        wallet.decline(consent.showable)
        assert verifier.answers[0].code == "access_denied" and wallet.left(holding) == 1
        wallet.present(consent)
        (line,) = wallet.diary()
        assert line.verifier == "verifier.example" and line.claims == ("address", "address.locality")


def test_a_posted_nonce_comes_back(folder):
    issuer, verifier = ScriptedIssuer(), ScriptedVerifier(by_post=True)
    with open_wallet(folder, issuer, verifier) as wallet:
        accepted(wallet, issuer)
        assert wallet.present(wallet.propose(wallet.fetch_request(verifier.link())))
        verifier.claims = {"wallet_nonce": verifier.wallet_nonce}
        with pytest.raises(VerificationError):
            wallet.fetch_request(verifier.link())


def test_a_transaction_code_is_asked_for_and_a_nonce_of_dpop_taken_up(folder):
    issuer = ScriptedIssuer(tx_code="4711", dpop_nonce="d-1", batch=1)
    with open_wallet(folder, issuer) as wallet:
        opened = wallet.open_offer(issuer.link())
        assert opened.needs_code
        for wrong in (None, "471", "471a"):
            with pytest.raises(VerificationError):
                wallet.accept(opened, wrong)
        assert "/token" not in issuer.asked
        with pytest.raises(PeerRefused, match="invalid_grant: no such code"):
            wallet.accept(opened, "4712")
        holding = wallet.accept(opened, "4711")
        assert holding.count == 1 and not holding.is_one_time
        assert issuer.asked.count("/token") == 4


def test_a_credential_that_came_alone_is_shown_again(folder):
    issuer, verifier = ScriptedIssuer(batch=1), ScriptedVerifier()
    with open_wallet(folder, issuer, verifier) as wallet:
        accepted(wallet, issuer)
        for _ in range(2):
            wallet.present(wallet.propose(wallet.fetch_request(verifier.link())))
    assert len(verifier.answers) == 2


def test_the_code_flow_takes_up_what_the_browser_brings(folder):
    issuer = ScriptedIssuer()
    with open_wallet(folder, issuer) as wallet:
        opened = wallet.open_offer(issuer.code_link())
        step = wallet.begin_in_browser(opened, "http://127.0.0.1:1/callback")
        assert step.address.startswith(f"{ISSUER_ADDRESS}/authorise?client_id=hutong-wallet&request_uri=urn%3Apushed")
        good = f"code=code-2&state={step.state}&iss=https%3A%2F%2Fissuer.example"
        for wrong in (
            good.replace(step.state, "another"), good.replace("issuer.example", "other.example"), f"{good}&code=code-3",
            good.partition("&iss")[0], f"error=access_denied&state={step.state}&iss=https%3A%2F%2Fissuer.example", "",
        ):  # fmt: skip
            with pytest.raises(VerificationError):
                wallet.accept_after_browser(opened, step, wrong)
        assert "/token" not in issuer.asked
        assert wallet.accept_after_browser(opened, step, good).count == 20


def test_the_store_opens_by_its_password_alone_and_tells_nothing(folder):
    issuer = ScriptedIssuer()
    with open_wallet(folder, issuer) as wallet:
        holding = accepted(wallet, issuer)
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        assert b"Erika" not in data and b"licence" not in data and b"issuer.example" not in data, path.name
        assert path.stat().st_mode & 0o077 == 0 or path.suffix in {".sqlite-wal", ".sqlite-shm"}, path.name
    with pytest.raises(WalletUnusable, match="the password is wrong"):
        Wallet.open(folder, b"another")
    with open_wallet(folder) as wallet:
        assert wallet.holdings() == [holding] and wallet.holding(holding.name).claims["given_name"] == "Erika"
        assert holding.accepted_s == NOW_S
        assert wallet.forget(holding) and wallet.holdings() == []
    with pytest.raises(WalletUnusable, match="exists already"):
        Wallet.create(folder, PASSWORD, iterations=2)


def test_the_holder_picks_among_credentials_that_fit(folder):
    issuer, verifier = ScriptedIssuer(), ScriptedVerifier()
    with open_wallet(folder, issuer, verifier) as wallet:
        first, second = accepted(wallet, issuer), accepted(wallet, issuer)
        showable = wallet.fetch_request(verifier.link())
        assert wallet.propose(showable).shown[0].holding == first
        assert wallet.propose(showable, {"licence": second.name}).shown[0].holding == second
        for wrong in ({"licence": "none"}, {"other": first.name}):
            with pytest.raises(VerificationError):
                wallet.propose(showable, wrong)


def test_the_sdk_has_the_same_wallet():
    from hutong.sdk import wallet as of_the_sdk

    assert of_the_sdk.Wallet is Wallet and set(of_the_sdk.__all__) <= set(dir(of_the_sdk))


def test_the_browser_comes_back_to_one_address_with_one_query():
    with RedirectListener() as listener, ThreadPoolExecutor(1) as browser:
        strange = browser.submit(httpx.get, listener.redirect_uri.replace("callback", "x"))
        page = browser.submit(httpx.get, f"{listener.redirect_uri}?code=c&state=s")
        assert listener.wait(60) == "code=c&state=s" and "wallet" in page.result().text
        assert strange.result().status_code == 404
        with pytest.raises(WalletUnusable, match="cannot be used"):
            RedirectListener(httpx.URL(listener.redirect_uri).port)
