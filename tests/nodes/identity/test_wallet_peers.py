"""Wallets and verifiers of others with ours, over HTTPS on the loopback address, at the time that it is."""

from collections import Counter

import pytest

from hutong.relay.local.ports import free_port
from hutong.relay.services.identity.wallet import PeerRefused, TrustFile, Wallet
from tests.nodes.identity.loopback_tls import loopback_tls
from tests.nodes.identity.openid4vc_wallet import foreign_wallet
from tests.nodes.identity.openvc_peer import openvc_wallet, running_openvc
from tests.nodes.identity.our_daemon import CLAIMS, VCT, running_daemon
from tests.nodes.identity.polaris_verifier import running_polaris
from tests.relay.services.identity.certificates import AUTHORITY, pem

pytestmark = pytest.mark.nodes
BATCH, FLOWS = 20, 5
PASSWORD = b"correct horse"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A daemon of ours, with an issuer and a verifier, and what HTTPS needs."""
    folder = tmp_path_factory.mktemp("peers")
    tls = loopback_tls(folder)
    with running_daemon(folder / "daemon", tls, free_port()) as daemon:
        yield folder, tls, daemon


@pytest.fixture
def wallet(place, tmp_path):
    """Ours."""
    folder, tls, _ = place
    (tmp_path / "authority.pem").write_bytes(pem(AUTHORITY))
    trusted = {
        TrustFile.ISSUERS: tmp_path / "authority.pem",
        TrustFile.VERIFIERS: tmp_path / "authority.pem",
        TrustFile.TLS: tls.authority,
    }
    Wallet.create(tmp_path / "wallet", PASSWORD, trusted, iterations=2)
    with Wallet.open(tmp_path / "wallet", PASSWORD) as opened:
        yield opened


def test_our_wallet_with_our_issuer_and_verifier(place, wallet):
    _, _, daemon = place
    link, code = daemon.offer(transaction_code=True)
    assert wallet.accept(wallet.open_offer(link), code, BATCH).count == BATCH
    for _ in range(FLOWS):
        asked, link = daemon.ask()
        consent = wallet.propose(wallet.fetch_request(link))
        assert [path for path, _ in consent.shown[0].disclosed] == [("given_name",)]
        wallet.present(consent)
        assert daemon.result(asked)["state"] == "accepted"


def test_the_wallet_of_openid4vc_takes_a_batch_and_presents_it(place):
    _, tls, daemon = place
    with foreign_wallet("openid4vc_wallet", tls) as foreign:
        link, code = daemon.offer(transaction_code=True)
        assert foreign.ask("accept", link=link, count=BATCH, txCode=code)["count"] == BATCH
        for number in range(FLOWS):
            asked, link = daemon.ask()
            said = foreign.ask("present", link=link)
            assert (said["status"], said["left"]) == (200, BATCH - 1 - number), said
            assert daemon.result(asked)["state"] == "accepted"
        with pytest.raises(RuntimeError):
            foreign.ask("accept", link=link, count=1)


def test_oid4_client_takes_one(place, tmp_path):
    """Of an issuer that takes bearer tokens: this client has no DPoP."""
    _, tls, _ = place
    with running_daemon(tmp_path / "daemon", tls, free_port(), requires_dpop=False) as daemon:
        with foreign_wallet("oid4_client", tls) as foreign:
            assert foreign.ask("accept", link=daemon.offer()[0])["count"] == 1


def test_polaris_takes_what_our_wallet_shows(place, wallet):
    folder, tls, daemon = place
    holding = wallet.accept(wallet.open_offer(daemon.offer()[0]), most=FLOWS + 2)
    asks = {"vct_values": [VCT], "claims": ["given_name", "district"]}
    with running_polaris(folder, tls, **asks) as polaris:
        for _ in range(FLOWS):
            consent = wallet.propose(wallet.fetch_request(polaris.link()))
            assert [path for path, _ in consent.shown[0].disclosed] == [("given_name",)]
            assert wallet.present(consent) == f"{polaris.base}/done"
        assert Counter(polaris.verdicts()) == {(200, True): FLOWS}
        consent = wallet.propose(wallet.fetch_request(polaris.link()))
        wallet.present(consent)
        with pytest.raises(PeerRefused, match="400"):
            wallet.present(consent)
        wallet.decline(wallet.fetch_request(polaris.link()))
        assert polaris.verdicts() == [(200, True), (400, False), (200, False)] and wallet.left(holding) == 0


def test_openvc_takes_a_batch_and_presents_it(place, tmp_path):
    """It judges each credential with its status, and is refused a batch for a wrong transaction code."""
    _, tls, daemon = place
    with openvc_wallet(tmp_path, tls) as foreign:
        link, code = daemon.offer(transaction_code=True)
        assert foreign.ask("accept", link=link, count=BATCH, txCode=code)["count"] == BATCH
        for _ in range(FLOWS):
            asked, link = daemon.ask()
            assert foreign.ask("present", link=link)["status"] == 200
            assert daemon.result(asked)["state"] == "accepted"
        with pytest.raises(RuntimeError, match="409"):
            foreign.ask("present", link=link)
        link, code = daemon.offer(transaction_code=True)
        with pytest.raises(RuntimeError, match="invalid_grant"):
            foreign.ask("accept", link=link, count=1, txCode=f"{(int(code) + 1) % 10**6:06d}")


def test_openvc_issues_to_our_wallet_and_judges_what_it_shows(place, wallet):
    folder, tls, daemon = place
    said = {"vct": VCT, "claims": CLAIMS, "asks": ["given_name"], "batch": BATCH}
    with running_openvc(folder, tls, **said) as openvc:
        link, code = openvc.offer()
        holding = wallet.accept(wallet.open_offer(link), code, BATCH)
        assert (holding.count, holding.issuer) == (BATCH, openvc.base)
        for _ in range(FLOWS):
            consent = wallet.propose(wallet.fetch_request(openvc.link()))
            assert wallet.present(consent) == f"{openvc.base}/done"
        assert openvc.verdicts() == ["accepted"] * FLOWS
        with pytest.raises(PeerRefused, match="400"):
            wallet.present(consent)
        assert openvc.verdicts() == ["no such request"]
        with pytest.raises(PeerRefused, match="invalid_grant"):
            wallet.accept(wallet.open_offer(openvc.offer()[0]), "0000", 1)
        ours = wallet.accept(wallet.open_offer(daemon.offer(reference="case-9")[0]), most=BATCH)
        assert refusals(wallet, openvc, ours, 1) == []
        assert daemon.revoke("case-9") == BATCH
        (revoked,) = refusals(wallet, openvc, ours, BATCH - 1)
        assert "revoked" in revoked


def refusals(wallet, openvc, holding, most):
    """What openvc says of the first that it refuses; the list with the new bits may be a moment away."""
    for _ in range(most):
        consent = wallet.propose(wallet.fetch_request(openvc.link()), {"residence": holding.name})
        try:
            wallet.present(consent)
        except PeerRefused:
            return openvc.verdicts()
        assert openvc.verdicts() == ["accepted"]
    return []
