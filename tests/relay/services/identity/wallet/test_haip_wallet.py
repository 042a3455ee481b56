"""Modules of the OpenID conformance suite's plan `oid4vci-1_0-wallet-haip-test-plan`, each with the variants of the plan.

docs/identity/conformance.md says which module stands in which test; `suite_issuer.py` demands what the suite's issuer demands.
"""

import pytest

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.wallet import CredentialsPutOff, PeerRefused, TrustFile, Wallet
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem
from tests.relay.services.identity.rules.actors import NOW_S, STRANGER
from tests.relay.services.identity.wallet.peers import PASSWORD, Reply, reply, transport_to
from tests.relay.services.identity.wallet.suite_issuer import BASE, PROOFS, PROVIDER, VCT, SuiteIssuer

CALLBACK = "http://127.0.0.1:8123/callback"
PROVIDER_KEY = key_of(0xF00D)


def write_provider(folder, key=PROVIDER_KEY, of=PROVIDER_KEY, **levels) -> None:
    """A provider's file with its key and its certificate, which is of the key `of`."""
    (folder / "provider.pem").write_bytes(private_pem(key))
    (folder / "provider.pem").chmod(0o600)
    (folder / "chain.pem").write_bytes(pem(certify("provider", of.public_key(), by="authority", key=AUTHORITY_KEY)))
    said = "".join(f"{name} = {list(words)}\n" for name, words in levels.items()).replace("'", '"')
    (folder / "provider.toml").write_text(
        f'name = "{PROVIDER}"\nkey = "provider.pem"\ncertificates = "chain.pem"\n{said}'
    )


@pytest.fixture
def home(tmp_path):
    """A wallet that its provider attests."""
    (tmp_path / "authority.pem").write_bytes(pem(AUTHORITY))
    Wallet.create(tmp_path / "wallet", PASSWORD, {TrustFile.ISSUERS: tmp_path / "authority.pem"}, iterations=2)
    write_provider(tmp_path / "wallet")
    return tmp_path / "wallet"


def opened(home, issuer, now_s=NOW_S) -> Wallet:
    issuer.now_s = now_s
    return Wallet.open(home, PASSWORD, transport_to(issuer), lambda: now_s)


def taken(wallet, issuer, *, begun="wallet", most=20):
    """The code flow, begun by the wallet, or by the issuer's link, by value or by reference."""
    if begun == "wallet":
        offered = wallet.open_issuer(BASE, issuer.configuration)
    else:
        offered = wallet.open_offer(issuer.link(by_reference=begun == "reference"))
    step = wallet.begin_in_browser(offered, CALLBACK)
    return wallet.accept_after_browser(offered, step, issuer.browser(step.address), most)


@pytest.mark.parametrize("begun", ["wallet", "value", "reference"])
def test_oid4vci_1_0_wallet_test_credential_issuance(home, begun):
    """Immediate, plain: attested at PAR and token end points by proofs that come once, and a nonce of DPoP at each."""
    issuer = SuiteIssuer()
    with opened(home, issuer) as wallet:
        holding = taken(wallet, issuer, begun=begun)
        assert (holding.issuer, holding.vct, holding.count) == (BASE, VCT, 1)
        assert holding.claims["given_name"] == "Jean"
        assert issuer.nonces_of_dpop == 1, "of one server, taken up for all its end points"
        assert len(issuer.instance_keys) == 3 and len(set(issuer.instance_keys)) == 1
        taken(wallet, issuer, begun=begun)
        assert len(set(issuer.instance_keys)) == 2, "another issuance, another instance key"


def test_oid4vci_1_0_wallet_test_credential_issuance_deferred(home):
    """Put off twice, in another process each time; the same keys, and a lost transaction ends it."""
    issuer = SuiteIssuer(deferred=2)
    with opened(home, issuer) as wallet, pytest.raises(CredentialsPutOff, match="hutong wallet collect") as put_off:
        taken(wallet, issuer)
    assert put_off.value.wait_s == 5
    for path in home.iterdir():
        assert b"token-1" not in path.read_bytes() and b"transaction-1" not in path.read_bytes(), path.name
    with opened(home, issuer, NOW_S + 5) as wallet:
        (pending,) = wallet.pending()
        assert (pending.name, pending.ask_after_s, wallet.holdings()) == (put_off.value.name, NOW_S + 5, [])
        with pytest.raises(CredentialsPutOff):
            wallet.collect(pending)
        (pending,) = wallet.pending()
        assert pending.ask_after_s == NOW_S + 10
    with opened(home, issuer, NOW_S + 10) as wallet:
        holding = wallet.collect(pending)
        assert holding.claims["given_name"] == "Jean" and wallet.pending() == []
        with pytest.raises(PeerRefused, match="invalid_transaction_id"):
            wallet.collect(pending)
        assert wallet.holdings() == [holding]


def test_a_transaction_that_is_over_is_not_asked_for_again(home):
    issuer = SuiteIssuer(deferred=1)
    with opened(home, issuer) as wallet:
        for code, left in (("credential_request_denied", 0), ("server_error", 1)):
            issuer.deferred = 1
            with pytest.raises(CredentialsPutOff):
                taken(wallet, issuer)
            issuer.instead = {"deferred_credential": reply({"error": code}, 400)}
            (pending,) = wallet.pending()
            with pytest.raises(PeerRefused, match=code):
                wallet.collect(pending)
            assert len(wallet.pending()) == left
            issuer.instead = {}
        assert wallet.give_up(pending) and wallet.pending() == []


@pytest.mark.parametrize("put_off", [0, 1])
def test_oid4vci_1_0_wallet_test_credential_issuance_encrypted(home, put_off):
    """Requests to the issuer's key, answers to a key of the wallet's that is new each time; later, too."""
    issuer = SuiteIssuer(encrypted=True, deferred=put_off, batch=10)
    with opened(home, issuer) as wallet:
        if put_off:
            with pytest.raises(CredentialsPutOff):
                taken(wallet, issuer)
            assert wallet.collect(wallet.pending()[0]).count == 10
        else:
            assert taken(wallet, issuer).count == 10


@pytest.mark.parametrize("put_off", [0, 1])
def test_oid4vci_1_0_wallet_test_credential_issuance_notification(home, put_off):
    """What became of a credential is told after it is kept, or was found amiss; an issuer that is deaf changes nothing."""
    issuer = SuiteIssuer(notifies=True, encrypted=True, deferred=put_off)
    with opened(home, issuer) as wallet:
        if put_off:
            with pytest.raises(CredentialsPutOff):
                taken(wallet, issuer)
            wallet.collect(wallet.pending()[0])
        else:
            taken(wallet, issuer)
        assert issuer.events == ["credential_accepted"]
        issuer.credential = {"vct": "urn:eudi:other:1"}
        with pytest.raises(VerificationError):
            taken(wallet, issuer)
        assert issuer.events == ["credential_accepted", "credential_failure"] and len(wallet.holdings()) == 1
        issuer.credential, issuer.instead = {}, {"notification": Reply(500, b"")}
        taken(wallet, issuer)
        assert len(wallet.holdings()) == 2


def test_oid4vci_1_0_wallet_test_client_attestation_challenge(home):
    """A challenge of the server's end point stands in each proof; one that an answer brings is taken up, too."""
    issuer = SuiteIssuer(has_challenges=True)
    with opened(home, issuer) as wallet:
        taken(wallet, issuer)
        assert issuer.asked.count("challenge") == 3
        issuer.instead = {"challenge": reply({"attestation_challenge": ""})}
        with pytest.raises(VerificationError):
            taken(wallet, issuer)


def test_a_challenge_that_a_refusal_brings_is_answered(home):
    issuer = SuiteIssuer()
    issuer.challenge = "of-the-answer"
    asked = []
    push = issuer.push

    def first_without(headers, fields):
        asked.append(1)
        if len(asked) == 1:
            brought = {"oauth-client-attestation-challenge": "of-the-answer"}
            return reply({"error": "use_attestation_challenge"}, 400, **brought)
        issuer.challenge = "of-the-answer" if len(asked) == 2 else None
        return push(headers, fields)

    issuer.push = first_without
    with opened(home, issuer) as wallet:
        step = wallet.begin_in_browser(wallet.open_issuer(BASE, "pid"), CALLBACK)
        assert step.address and len(asked) == 3


@pytest.mark.parametrize("configuration", PROOFS)
def test_oid4vci_1_0_wallet_test_batch_credential_issuance(home, configuration):
    """Ten distinct keys by each kind of proof; the credentials come in the other order."""
    issuer = SuiteIssuer(batch=10, configuration=configuration)
    with opened(home, issuer) as wallet:
        holding = taken(wallet, issuer)
        assert holding.count == 10 and holding.is_one_time
        assert all(len(keys) == 10 for keys in issuer.attested)
        assert len(issuer.attested) == {"pid": 0, "pid.jwt.keyattest": 10}.get(configuration, 1)
        for instance in wallet.instances(holding):
            assert wallet.instances(holding).count(instance) == 1
        assert taken(wallet, issuer, most=1).count == 1


def stopped(wallet, issuer, *after) -> None:
    """The flow ends with a refusal, and nothing but `after` was asked since the browser came back."""
    offered = wallet.open_issuer(BASE, "pid")
    step = wallet.begin_in_browser(offered, CALLBACK)
    query, before = issuer.browser(step.address), len(issuer.asked)
    with pytest.raises(VerificationError):
        wallet.accept_after_browser(offered, step, query)
    assert tuple(issuer.asked[before:]) == after


def test_fapi2_security_profile_final_client_test_authorization_responses(home):
    """A wrong or missing `iss`, a wrong or missing `state`: nothing more is asked, and the right answer is taken."""
    issuer = SuiteIssuer()
    with opened(home, issuer) as wallet:
        for changes in ({"iss": "https://other.example/"}, {"iss": BASE.rstrip("/")}, {"iss": None}, {"state": "another"}, {"state": None}):  # fmt: skip
            issuer.answer_changes = changes
            stopped(wallet, issuer)
        issuer.answer_changes = {}
        assert taken(wallet, issuer).count == 1


def test_fapi2_security_profile_final_client_test_discovery_issuer_mismatch(home):
    issuer = SuiteIssuer(server={"issuer": f"{BASE}invalid"})
    with opened(home, issuer) as wallet, pytest.raises(VerificationError):
        taken(wallet, issuer)
    assert "par" not in issuer.asked


@pytest.mark.parametrize(
    "changes",
    [
        {"needs_dpop_nonces": False}, {"token_type": "dpOP"}, {"expires_in": None}, {"scheme": "dPoP"},
    ],
)  # fmt: skip
def test_fapi2_security_profile_final_client_test_happy_paths(home, changes):
    """Without nonces of DPoP; a token's type and a challenge's scheme in another case; a token that does not say how long it lives."""
    issuer = SuiteIssuer(**changes)
    with opened(home, issuer) as wallet:
        assert taken(wallet, issuer).count == 1


def test_attack_N208_what_an_issuer_of_the_plan_must_not_get_away_with(home):
    """Each is refused, and nothing is kept: an answer in the clear, to another key, altered, under an algorithm that nobody offered."""
    issuer = SuiteIssuer(encrypted=True)
    with opened(home, issuer) as wallet:
        honest = issuer.sealed
        stranger = SuiteIssuer(encrypted=True)

        def changed(request, body, status):
            good = honest(request, body, status)
            head, *rest = good.body.decode().split(".")
            kid = request["credential_response_encryption"]["jwk"]["kid"]
            stranger.seen.clear()
            other = {"jwk": {**STRANGER.jwk, "kid": kid, "use": "enc", "alg": "ECDH-ES"}, "enc": "A128GCM"}
            return {
                "in the clear": reply(body, status, **{"content-type": "application/json"}),
                "to another key": stranger.sealed({"credential_response_encryption": other}, body, status),
                "altered": Reply(status, ".".join([head, *rest[:-1], "A" * 22]).encode(), good.headers),
                "as JSON": Reply(status, good.body, {"content-type": "application/json"}),
                "good": good,
            }[way]

        issuer.sealed = changed
        for way in ("in the clear", "to another key", "altered", "as JSON"):
            with pytest.raises(VerificationError):
                taken(wallet, issuer)
            assert wallet.holdings() == [], way
        way = "good"
        assert taken(wallet, issuer).count == 1
