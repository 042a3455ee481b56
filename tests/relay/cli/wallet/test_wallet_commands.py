"""`hutong wallet`: from `init` to a presentation, as a person types it."""

import json
from types import SimpleNamespace

import pytest

from hutong.relay.services.identity.wallet import Transport, wallet
from hutong.relay.services.identity.wallet.browser import RedirectListener
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.identity.certificates import AUTHORITY, pem
from tests.relay.services.identity.rules.actors import NOW_S
from tests.relay.services.identity.wallet.peers import (
    PASSWORD,
    VCT,
    ScriptedIssuer,
    ScriptedVerifier,
    make_wallet,
    transport_to,
)
from tests.relay.services.identity.wallet.suite_issuer import BASE, SuiteIssuer
from tests.relay.services.identity.wallet.suite_issuer import VCT as PID
from tests.relay.services.identity.wallet.test_haip_wallet import write_provider
from tests.relay.services.identity.wallet.test_hostile_peers import sealed


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A wallet whose issuers and verifiers answer in this process, at their time."""
    found = SimpleNamespace(
        issuer=ScriptedIssuer(batch=3, tx_code="4711", seal_of=sealed),
        verifier=ScriptedVerifier(),
        home=make_wallet(tmp_path),
        folder=tmp_path,
    )
    (tmp_path / "password").write_bytes(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    monkeypatch.setattr(wallet, "time", SimpleNamespace(time=lambda: NOW_S))
    monkeypatch.setattr(Transport, "over_network", lambda _: transport_to(found.issuer, found.verifier))

    def run(*words, code=0):
        options = () if words[0] == "qr" else ("--home", found.home, "--password-file", tmp_path / "password")
        done = within_this_process("wallet", *words, *options)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    found.run = run
    return found


def test_a_wallet_accepts_lists_shows_presents_and_exports(place):
    said, shown = place.run("accept", place.issuer.link(), "--tx-code", "4711", "--seals", "--yes")
    name = said.partition(":")[0]
    assert said == f"{name}: 3 one-time credentials of {VCT}\n"
    assert shown == f"issuer: https://issuer.example\ncredential: {VCT} (Licence)\n"
    assert place.run("list")[0] == f"{name}  3 of 3 left  {VCT}  https://issuer.example\n"

    dry = place.run("present", place.verifier.link(), "--dry-run")[0]
    assert "asks: verifier.example\n" in dry and '  discloses address.locality: "Köln"\n' in dry
    assert "  always shows level: 2\n" in dry and "one-time credential, 3 left" in dry and not place.verifier.answers
    fields = json.loads(place.run("present", place.verifier.link(), "--json", "--yes", "--use", f"licence={name}")[0])
    assert fields["asks"] == "verifier.example" and fields["credentials"][0]["name"] == name
    assert len(place.verifier.answers) == 1 and json.loads(place.run("list", "--json")[0])[0]["left"] == 2
    assert "presented to verifier.example" in place.run("show", name)[0]
    (line,) = json.loads(place.run("show", name, "--json")[0])["presented"]
    assert line["claims"] == ["address", "address.locality"]

    call = ("--gate", f"0x{'11' * 20}", "--chain-id", 1337, "--caller", f"0x{'22' * 20}", "--call", f"0x{'33' * 36}")
    signed = json.loads(place.run("present-contract", name, *call, "--claim", "age_over_18", "--yes")[0])
    assert signed["presentation"]["deadline"] == NOW_S + 600 and len(signed["holderSignature"]) == 132

    place.run("export", name, "--to", place.folder / "plain.json")
    place.run("export", name, "--to", place.folder / "keys.json", "--with-keys")
    place.run("export", name, "--to", place.folder / "keys.json", code=2)
    plain, full = (json.loads((place.folder / file).read_text()) for file in ("plain.json", "keys.json"))
    assert "jwk" not in plain["credentials"][0] and full["credentials"][0]["jwk"]["d"]
    assert (place.folder / "keys.json").stat().st_mode & 0o777 == 0o600
    place.run("forget", name, "--yes")
    assert place.run("list")[0] == ""
    place.run("show", name, code=2)


def test_what_is_refused_is_one_sentence(place):
    assert "tx_code" in place.run("accept", place.issuer.link(), "--tx-code", "47", "--yes", code=1)[1]
    assert "refused with 400" in place.run("accept", place.issuer.link(), "--tx-code", "4712", "--yes", code=1)[1]
    assert "sets_are_answered" in place.run("present", place.verifier.link(), "--yes", code=1)[1]
    place.verifier.claims = {"response_uri": "https://attacker.example/"}
    assert "answer_goes_to_the_asker" in place.run("present", place.verifier.link(), "--yes", code=1)[1]
    place.verifier.claims = {}
    assert "--use is QUERY=NAME" in place.run("present", place.verifier.link(), "--use", "licence", code=2)[1]
    place.run("accept", place.verifier.link(), "--yes", code=1)
    place.run("present", place.issuer.link(), "--yes", code=1)


def test_codes_for_phones(place):
    link = place.issuer.link()
    drawn = place.run("qr", link)[0]
    assert len(drawn.splitlines()) > 10 and set(drawn) <= set("█▀▄ \n\x1b[0123456789;m")
    place.run("qr", link, "--to", place.folder / "offer.png")
    place.run("qr", place.verifier.link("haip-vp"), "--to", place.folder / "request.svg")
    assert (place.folder / "offer.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (place.folder / "request.svg").read_bytes()
    place.run("qr", link, "--to", place.folder / "offer.gif", code=2)
    place.run("qr", "https://example.org/", code=2)
    place.run("qr", place.issuer.link(x="a" * 3_000), code=2)


@pytest.mark.long
def test_a_new_wallet_asks_for_trust(tmp_path):
    """With the key derivation as it is: half a second and a quarter of a gibibyte."""
    (tmp_path / "password").write_bytes(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    words = ("--home", tmp_path / "new", "--password-file", tmp_path / "password")
    done = within_this_process("wallet", "init", *words)
    assert done.returncode == 0 and "no verifier is trusted yet" in done.stderr
    assert within_this_process("wallet", "list", *words).stdout == ""
    assert "exists already" in within_this_process("wallet", "init", *words).stderr
    assert within_this_process("wallet", "init", "--home", tmp_path / "x").returncode == 2


def test_what_an_issuer_puts_off_is_pending_until_it_is_collected(place, monkeypatch):
    """Asked without a link, attested by the file that is named, in a browser that comes back to a port of this machine."""
    suite = SuiteIssuer(deferred=1)
    monkeypatch.setattr(Transport, "over_network", lambda _: transport_to(suite))
    monkeypatch.setattr(RedirectListener, "wait", lambda listener, _: suite.browser(shown(suite)))
    (place.home / "issuers.pem").write_bytes(pem(AUTHORITY))
    write_provider(place.folder)
    asked = ("accept", "--issuer", BASE, "--configuration", "pid", "--yes")
    assert "takes attested wallets alone" in place.run(*asked, code=1)[1]
    for wrong in (asked[:1], (*asked[:3], "--yes"), ("accept", "openid4vp://x", "--issuer", BASE)):
        place.run(*wrong, code=2)
    said, heard = place.run(*asked, "--provider", place.folder / "provider.toml")
    name = said.partition(":")[0]
    assert said == f"{name}: pending\n" and f"by: hutong wallet collect {name}" in heard
    (fields,) = json.loads(place.run("pending", "--json")[0])
    assert fields == {"name": name, "type": PID, "issuer": BASE, "count": 1, "ask_after_s": NOW_S + 5}
    assert place.run("pending")[0] == f"{name}  {PID}  {BASE}  from {NOW_S + 5} on\n" and place.run("list")[0] == ""
    place.run("collect", "nobody", code=2)
    suite.deferred = 1
    assert "is not ready" in place.run("collect", code=1)[1]
    assert place.run("collect", name)[0].endswith(f": 1 credential of {PID}\n")
    assert (place.run("pending")[0], place.run("collect")[0]) == ("", "")
    suite.deferred = 1
    name = place.run(*asked, "--provider", place.folder / "provider.toml")[0].partition(":")[0]
    place.run("forget", name, "--yes")
    assert place.run("pending")[0] == ""


def shown(suite):
    return f"{BASE}authorize?client_id={suite.client}&request_uri=urn%3Asuite%3A1"
