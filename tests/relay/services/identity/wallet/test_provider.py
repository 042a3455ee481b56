"""A provider's file, and stores of wallets that were made before there was anything to come later."""

import sqlite3
from contextlib import closing

import pytest

from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.services.identity.rules.wallet.proof_demands import KeyLevels, ProofDemand, ProofKind
from hutong.relay.services.identity.wallet import WalletUnusable
from hutong.relay.services.identity.wallet.issuing.proofs import MAX_NESTED, chosen_proof, most_keys
from hutong.relay.services.identity.wallet.issuing.provider import load_provider
from tests.relay.services.identity.certificates import key_of
from tests.relay.services.identity.wallet.peers import ScriptedIssuer, make_wallet, open_wallet
from tests.relay.services.identity.wallet.test_haip_wallet import write_provider

HIGH, NO_WORD = KeyLevels(("iso_18045_high",), ()), KeyLevels((), ())


def test_a_provider_says_what_its_file_says_and_no_more(tmp_path):
    write_provider(tmp_path, key_storage=["iso_18045_basic"])
    provider = load_provider(tmp_path / "provider.toml")
    demand = ProofDemand(((ProofKind.ATTESTED, HIGH), (ProofKind.SIGNED, NO_WORD)))
    assert chosen_proof(demand, provider) == (ProofKind.SIGNED, NO_WORD)
    assert most_keys(demand, provider, 100) == MAX_NESTED
    assert most_keys(ProofDemand(((ProofKind.ATTESTED, NO_WORD),)), provider, 100) == 100
    with pytest.raises(UnsupportedOperation, match="iso_18045_high"):
        chosen_proof(ProofDemand(((ProofKind.ATTESTED, HIGH),)), provider)
    with pytest.raises(UnsupportedOperation, match="nobody attests"):
        chosen_proof(demand, None)
    write_provider(tmp_path, key_storage=["iso_18045_high"], user_authentication=["iso_18045_basic"])
    assert chosen_proof(demand, load_provider(tmp_path / "provider.toml")) == (ProofKind.ATTESTED, HIGH)


def test_a_provider_whose_files_do_not_belong_together_vouches_for_nothing(tmp_path):
    file = tmp_path / "provider.toml"
    write_provider(tmp_path)
    assert load_provider(file).config.client_id == "hutong-wallet"
    good = file.read_text()
    file.write_text(good.replace("https://", "http://"))
    with pytest.raises(WalletUnusable, match="https"):
        load_provider(file)
    write_provider(tmp_path, of=key_of(0xBAD))
    with pytest.raises(WalletUnusable, match="of another key"):
        load_provider(file)
    write_provider(tmp_path)
    (tmp_path / "provider.pem").chmod(0o644)
    with pytest.raises(WalletUnusable, match="key"):
        load_provider(file)
    (tmp_path / "chain.pem").write_text("no certificate")
    (tmp_path / "provider.pem").chmod(0o600)
    with pytest.raises(WalletUnusable, match="certificates"):
        load_provider(file)
    file.write_text(good + 'word = "x"\n')
    with pytest.raises(WalletUnusable):
        load_provider(file)
    with pytest.raises(WalletUnusable):
        load_provider(tmp_path / "nothing.toml")


def test_a_provider_that_is_away_keeps_nobody_from_what_is_held(tmp_path):
    folder, issuer = make_wallet(tmp_path), ScriptedIssuer(batch=1)
    with open_wallet(folder, issuer) as wallet:
        holding = wallet.accept(wallet.open_offer(issuer.link()))
    (folder / "provider.toml").write_text("no provider")
    with open_wallet(folder, issuer) as wallet:
        assert wallet.holdings() == [holding]
        opened = wallet.open_offer(issuer.link())
        with pytest.raises(WalletUnusable):
            wallet.accept(opened)


def test_a_store_of_the_first_format_opens_and_has_nothing_pending(tmp_path):
    folder, issuer = make_wallet(tmp_path), ScriptedIssuer(batch=1)
    with open_wallet(folder, issuer) as wallet:
        holding = wallet.accept(wallet.open_offer(issuer.link()))
    with closing(sqlite3.connect(folder / "wallet.sqlite", isolation_level=None)) as database:
        database.execute("DROP TABLE pending")
        database.execute("PRAGMA user_version = 1")
    for _ in range(2):
        with open_wallet(folder) as wallet:
            assert wallet.holdings() == [holding] and wallet.pending() == []
    with closing(sqlite3.connect(folder / "wallet.sqlite", isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(WalletUnusable, match="format 3"):
        open_wallet(folder)
