"""Issuers and verifiers that lie, and a store that was changed: the wallet sends nothing, and keeps nothing."""

import sqlite3
from contextlib import closing

import pytest

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.rules.seals.claim_tree import claims_root
from hutong.relay.services.identity.rules.seals.claims import Claim
from hutong.relay.services.identity.rules.seals.presentation import Gate
from hutong.relay.services.identity.rules.seals.seal import Seal
from hutong.relay.services.identity.rules.seals.seal_file import SealedCredential, seal_json
from hutong.relay.services.identity.rules.seals.signatures import recovered_account
from hutong.relay.services.identity.rules.wallet.requests import MAX_ANSWER_BYTES
from hutong.relay.services.identity.wallet import (
    ContractCall,
    NothingLeft,
    PeerRefused,
    PeerUnreachable,
    WalletUnusable,
)
from hutong.relay.services.identity.wallet.exporting import exported
from hutong.relay.services.identity.wallet.holder_keys import HolderKey, SealKey
from hutong.sdk import identity_gate
from tests.relay.services.identity.rules.actors import NOW_S, STRANGER
from tests.relay.services.identity.rules.jose.test_certificate_attacks import SIGNS, certificate
from tests.relay.services.identity.wallet.peers import (
    PASSWORD,
    VERIFIER_KEY,
    Reply,
    ScriptedIssuer,
    ScriptedVerifier,
    make_wallet,
    open_wallet,
    reply,
    verifier_leaf,
)


@pytest.fixture
def folder(tmp_path):
    return make_wallet(tmp_path)


def refused_requests(folder, cases):
    """No case gets as far as the holder; the one that they were changed from does."""
    accepted = []
    good = ScriptedVerifier()
    with open_wallet(folder, good) as wallet:
        assert wallet.fetch_request(good.link()).asker == "verifier.example"
    for name, verifier in cases.items():
        with open_wallet(folder, verifier) as wallet:
            try:
                accepted.append((name, wallet.fetch_request(verifier.link())))
            except (VerificationError, PeerUnreachable):
                assert not verifier.answers
    assert not accepted


def test_attack_N150_a_request_that_nobody_signed_is_not_shown(folder):
    unsigned = ScriptedVerifier().request().rpartition(b".")[0] + b"."
    refused_requests(
        folder,
        {
            "no signature": ScriptedVerifier(text=unsigned),
            "alg none": ScriptedVerifier(header={"alg": "none"}),
            "hmac": ScriptedVerifier(header={"alg": "HS256"}),
            "another key": ScriptedVerifier(signer=STRANGER),
            "another type": ScriptedVerifier(header={"typ": "JWT"}),
            "no chain": ScriptedVerifier(header={"x5c": None}),
            "a key in the header": ScriptedVerifier(header={"jwk": VERIFIER_KEY.jwk}),
            "critical": ScriptedVerifier(header={"crit": ["b64"]}),
            "not a token": ScriptedVerifier(text=b'{"client_id":"x509_hash:a"}'),
            "too large": ScriptedVerifier(claims={"x": "a" * 100_000}),
            "a claim twice": ScriptedVerifier(twice=True),
        },
    )


def test_attack_N151_a_verifier_is_who_its_certificate_says(folder):
    leaf = verifier_leaf("verifier.example")
    own = certificate("a verifier", VERIFIER_KEY, "a verifier", VERIFIER_KEY, SIGNS)
    foreign = certificate("a verifier", VERIFIER_KEY, "another root", STRANGER, SIGNS)
    other = ScriptedVerifier(leaf=verifier_leaf("other.example")).name
    refused_requests(
        folder,
        {
            "hash of another certificate": ScriptedVerifier(client_id=other),
            "host of another": ScriptedVerifier(client_id="x509_san_dns:other.example"),
            "host of none": ScriptedVerifier(leaf=verifier_leaf(), client_id="x509_san_dns:verifier.example"),
            "signed by itself": ScriptedVerifier(leaf=own),
            "under another root": ScriptedVerifier(leaf=foreign),
            "another in the request": ScriptedVerifier(claims={"client_id": other}),
            "no prefix": ScriptedVerifier(client_id="verifier.example"),
            "redirect_uri": ScriptedVerifier(client_id="redirect_uri:https://verifier.example/response"),
        },
    )
    by_host = ScriptedVerifier(leaf=leaf, client_id="x509_san_dns:verifier.example")
    with open_wallet(folder, by_host) as wallet:
        assert wallet.fetch_request(by_host.link()).request.client_id == "x509_san_dns:verifier.example"


def test_attack_N152_the_answer_goes_to_the_asker_and_encrypted(folder):
    elsewhere = "https://attacker.example/response"
    plain = {"vp_formats_supported": {"dc+sd-jwt": {}}}
    refused_requests(
        folder,
        {
            "another host": ScriptedVerifier(claims={"response_uri": elsewhere}),
            "another host, by hash": ScriptedVerifier(leaf=verifier_leaf(), claims={"response_uri": elsewhere}),
            "another port, by hash": ScriptedVerifier(
                leaf=verifier_leaf(), claims={"response_uri": "https://verifier.example:8443/response"}
            ),
            "http": ScriptedVerifier(claims={"response_uri": "http://verifier.example/response"}),
            "none": ScriptedVerifier(claims={"response_uri": None}),
            "in the clear": ScriptedVerifier(claims={"response_mode": "direct_post"}),
            "by the browser": ScriptedVerifier(claims={"response_mode": "fragment", "redirect_uri": elsewhere}),
            "no key": ScriptedVerifier(claims={"client_metadata": plain}),
            "transaction data": ScriptedVerifier(claims={"transaction_data": ["e30"]}),
            "a scope": ScriptedVerifier(claims={"scope": "licence"}),
        },
    )
    by_hash = ScriptedVerifier(leaf=verifier_leaf())
    with open_wallet(folder, by_hash) as wallet:
        assert wallet.fetch_request(by_hash.link()).asker == "CN=a verifier"


def test_attack_N153_a_request_is_for_this_wallet_now(folder):
    refused_requests(
        folder,
        {
            "over": ScriptedVerifier(claims={"exp": NOW_S - 60}),
            "of the future": ScriptedVerifier(claims={"iat": NOW_S + 61}),
            "for somebody else": ScriptedVerifier(claims={"aud": "https://wallet.example"}),
            "for nobody": ScriptedVerifier(claims={"aud": None}),
            "a nonce that nobody posted": ScriptedVerifier(claims={"wallet_nonce": "abc"}),
            "a nonce of another": ScriptedVerifier(by_post=True, claims={"wallet_nonce": "abc"}),
            "no nonce": ScriptedVerifier(by_post=True, claims={"wallet_nonce": None}),
            "a query of nothing": ScriptedVerifier(claims={"dcql_query": {"credentials": []}}),
        },
    )


def test_a_wallet_that_trusts_nobody_answers_nobody(folder):
    (folder / "verifiers.pem").unlink()
    (folder / "issuer-keys.json").unlink()
    issuer, verifier = ScriptedIssuer(), ScriptedVerifier()
    with open_wallet(folder, issuer, verifier) as wallet:
        with pytest.raises(VerificationError):
            wallet.fetch_request(verifier.link())
        with pytest.raises(VerificationError):
            wallet.accept(wallet.open_offer(issuer.link()))
        assert wallet.holdings() == []


def test_attack_N155_an_issuer_that_points_elsewhere_gets_no_code(folder):
    other = "https://attacker.example"
    grant = {"pre-authorized_code": "code-1", "authorization_server": other}
    offers = {"grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": grant}}
    cases = (
        (ScriptedIssuer(metadata={"credential_issuer": other}), {}),
        (ScriptedIssuer(metadata={"credential_endpoint": "http://issuer.example/credential"}), {}),
        (ScriptedIssuer(server={"issuer": other}), {}),
        (ScriptedIssuer(), offers),
        (ScriptedIssuer(), {"credential_configuration_ids": ["passport"]}),
        (
            ScriptedIssuer(instead={"/.well-known/oauth-authorization-server": Reply(200, b'{"issuer":1,"issuer":2}')}),
            {},
        ),
    )
    for issuer, changes in cases:
        with open_wallet(folder, issuer) as wallet, pytest.raises(VerificationError):
            wallet.accept(wallet.open_offer(issuer.link(**changes)))
        assert "/token" not in issuer.asked
    moved, endless = Reply(302, b"", {"location": f"{other}/token"}), Reply(200, b" " * (MAX_ANSWER_BYTES + 1))
    for answer, refusal in ((moved, PeerRefused), (endless, PeerUnreachable)):
        issuer = ScriptedIssuer(instead={"/token": answer})
        with open_wallet(folder, issuer) as wallet, pytest.raises(refusal):
            wallet.accept(wallet.open_offer(issuer.link()))
        assert "/credential" not in issuer.asked


def test_attack_N157_what_an_issuer_sends_amiss_is_not_kept(folder):
    jwk = {"cnf": {"jwk": STRANGER.jwk}}
    cases = {
        "another key": ScriptedIssuer(claims_of=lambda number: jwk if number == 3 else {}),
        "another signer": ScriptedIssuer(signer=STRANGER),
        "a mark": ScriptedIssuer(claims_of=lambda number: {"number": number}),
        "another type": ScriptedIssuer(claims_of=lambda number: {"vct": "https://credentials.example/other"}),
        "expired": ScriptedIssuer(claims_of=lambda number: {"exp": NOW_S - 60}),
        "a seal that nobody promised": ScriptedIssuer(
            instead={"/credential": reply({"credentials": [{"credential": 1}]})}
        ),
        "no seal": ScriptedIssuer(seal_of=lambda holder: None),
        "another holder's seal": ScriptedIssuer(seal_of=lambda holder: sealed(SealKey().address)),
    }
    for issuer in cases.values():
        with open_wallet(folder, issuer) as wallet:
            opened = wallet.open_offer(issuer.link())
            with pytest.raises(VerificationError):
                wallet.accept(opened, most=4, with_seals=issuer.seal_of is not None)
            assert wallet.holdings() == []
    good = ScriptedIssuer()
    with open_wallet(folder, good) as wallet:
        assert wallet.accept(wallet.open_offer(good.link()), most=4).count == 4


def test_attack_N158_a_one_time_credential_never_leaves_twice(folder):
    """Also where the verifier fails after it has read the answer, and where two processes take at once."""
    issuer, verifier = ScriptedIssuer(batch=2), ScriptedVerifier()
    with open_wallet(folder, issuer, verifier) as wallet, open_wallet(folder, issuer, verifier) as another:
        holding = wallet.accept(wallet.open_offer(issuer.link()))
        consent = wallet.propose(wallet.fetch_request(verifier.link()))
        deaf = ScriptedVerifier()
        deaf.answer = lambda method, path, headers, body: Reply(500, b"")
        with open_wallet(folder, deaf) as failing, pytest.raises(PeerRefused):
            failing.present(consent)
        assert wallet.left(holding) == 1 == another.left(holding)
        another.present(another.propose(another.fetch_request(verifier.link())))
        with pytest.raises(NothingLeft):
            wallet.present(consent)
    assert len(verifier.answers) == 1


def test_attack_N159_rows_that_were_changed_moved_or_another_wallets_do_not_open(folder, tmp_path):
    issuer = ScriptedIssuer(batch=2)
    with open_wallet(folder, issuer) as wallet:
        first, second = (wallet.accept(wallet.open_offer(issuer.link())) for _ in range(2))
        assert wallet.instances(second)[0].credential
    with closing(sqlite3.connect(folder / "wallet.sqlite")) as database, database:
        take = "SELECT sealed FROM instance WHERE holding = ? AND number = ?"
        sealed_row = database.execute(take, (first.name, 0)).fetchone()[0]
        put = "UPDATE instance SET sealed = ? WHERE holding = ? AND number = ?"
        database.execute(put, (sealed_row, second.name, 0))
        database.execute(put, (sealed_row[:-1] + bytes([sealed_row[-1] ^ 1]), first.name, 1))
    with open_wallet(folder, issuer) as wallet:
        for holding in (first, second):
            with pytest.raises(WalletUnusable, match="the wallet's store was changed"):
                wallet.instances(holding)
    (tmp_path / "other").mkdir()
    other = make_wallet(tmp_path / "other")
    (other / "wallet.sqlite").write_bytes((folder / "wallet.sqlite").read_bytes())
    with open_wallet(other, issuer) as wallet, pytest.raises(WalletUnusable):
        wallet.holdings()


def test_attack_N159_no_representation_and_no_export_without_a_word_has_a_key(folder):
    issuer = ScriptedIssuer(batch=1)
    with open_wallet(folder, issuer) as wallet:
        holding = wallet.accept(wallet.open_offer(issuer.link()))
        (instance,) = wallet.instances(holding)
    secret = instance.secret
    assert (
        str(int.from_bytes(secret, "big")) not in repr(HolderKey(secret)) and repr(HolderKey(secret)) == "HolderKey()"
    )
    assert secret.hex() not in repr(SealKey(secret))
    plain, full = (str(exported(holding, [instance], with_keys=keys)) for keys in (False, True))
    assert "'d'" not in plain and "'d'" in full and instance.credential in plain
    assert PASSWORD.decode() not in full


SALT = b"\x01" * 32
CLAIMS = (Claim("age_over_18", True, SALT), Claim("name", "Erika", b"\x02" * 32))


def sealed(holder):
    seal = Seal(b"\x04" * 32, b"\xa0" * 32, 3, 41, NOW_S + 600, holder, claims_root(CLAIMS))
    return seal_json(SealedCredential(seal, b"\x05" * 32, b"\x06" * 65, CLAIMS))


def test_a_seal_is_presented_to_one_contract_for_one_call(folder):
    issuer = ScriptedIssuer(batch=2, seal_of=sealed)
    call = ContractCall(Gate(1337, b"\x11" * 20), b"\x22" * 20, b"\x33" * 4, b"\x44" * 32)
    with open_wallet(folder, issuer) as wallet:
        holding = wallet.accept(wallet.open_offer(issuer.link()), with_seals=True)
        for wrong, within_s in ((["height"], 600), (["name"], -1)):
            with pytest.raises(VerificationError):
                wallet.present_to_contract(holding, call, wrong, within_s)
        assert wallet.left(holding) == 2
        answers = [wallet.present_to_contract(holding, call, ["age_over_18"], 600) for _ in range(2)]
        with pytest.raises(NothingLeft):
            wallet.present_to_contract(holding, call, ["age_over_18"], 600)
    assert answers[0].sealed.seal.holder != answers[1].sealed.seal.holder
    assert answers[0].presentation.nonce != answers[1].presentation.nonce
    fields = answers[0].fields()
    assert fields["presentation"]["call"] != fields["presentation"]["seal"] and len(fields["disclosures"]) == 1
    assert "Erika" not in str(fields) and b"Erika".hex() not in str(fields)
    with open_wallet(folder, ScriptedIssuer()) as wallet, pytest.raises(WalletUnusable, match="without a seal"):
        plain = wallet.accept(wallet.open_offer(ScriptedIssuer().link()))
        wallet.present_to_contract(plain, call, [], 600)


def test_the_sdk_makes_a_gates_call_of_what_the_wallet_signs(folder):
    """Both hash the call by themselves; the holder's signature stands under the digest of either."""
    issuer = ScriptedIssuer(batch=2, seal_of=sealed)
    gate = identity_gate.Gate(1337, f"0x{'11' * 20}", f"0x{'22' * 20}", "mint(ACCEPTANCE,address)", (f"0x{'44' * 20}",))
    call = ContractCall(Gate(1337, b"\x11" * 20), b"\x22" * 20, gate.selector, bytes(12) + b"\x44" * 20)
    with open_wallet(folder, issuer) as wallet:
        holding = wallet.accept(wallet.open_offer(issuer.link()), with_seals=True)
        answer = wallet.present_to_contract(holding, call, ["age_over_18"], 600, nonce=7)
    digests = []

    def sign(digest):
        digests.append(digest)
        return answer.signature

    seal, status = identity_gate.read_seal_file(answer.seal_file()), identity_gate.status_proof(bytes(32), 1, 41)
    data = identity_gate.acceptance(seal, gate, ["age_over_18"], status, (7, NOW_S + 600), sign)
    assert data.startswith(gate.selector) and answer.signature in data
    assert recovered_account(digests[0], answer.signature) == answer.sealed.seal.holder
