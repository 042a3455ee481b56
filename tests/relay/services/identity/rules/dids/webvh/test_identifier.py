"""Where a did:webvh lies: only in the public web, and in one place."""

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.services.identity.rules.dids.syntax import parse_did
from hutong.relay.services.identity.rules.dids.webvh.identifier import parse_webvh_did

SCID = "QmaaKkr6nu7uSTpjSfAr3r7xBezNZGpWu6Gwtgqr6A4ynC"


def place(text):
    return parse_webvh_did(parse_did(f"did:webvh:{SCID}:{text}"))


PLACES = {
    "example.com": "https://example.com/.well-known/did.jsonl",
    "issuer.EXAMPLE.com": "https://issuer.example.com/.well-known/did.jsonl",
    "example.com:dids:issuer": "https://example.com/dids/issuer/did.jsonl",
    "example.com%3A3000": "https://example.com:3000/.well-known/did.jsonl",
    "example.com%3a3000:a": "https://example.com:3000/a/did.jsonl",
    "xn--fsq.jp:%E7%94%A8": "https://xn--fsq.jp/%E7%94%A8/did.jsonl",
    "1.example.co.uk:%61%20b": "https://1.example.co.uk/a%20b/did.jsonl",
}


def test_a_did_has_one_place():
    assert {text: place(text).log_url for text in PLACES} == PLACES
    for text, log in PLACES.items():
        assert place(text).witness_url == log.replace("did.jsonl", "did-witness.json")
        assert place(text).files_url == log.replace("did.jsonl", "").replace("/.well-known/", "/")


ADDRESSES = (
    "127.0.0.1 127.1 0x7f.1 2130706433 0x7f000001 017700000001 1.2.3.0x4 169.254.169.254 example.0 "
    "127%2E0%2E0%2E1 127%2e0%2e0%2e1 %5B%3A%3A1%5D %31%32%37.0.0.1 127.0.0.1%3A80"
).split()
PRIVATE = (
    "localhost a.localhost db.internal printer.local nas.lan router.home 1.0.0.127.in-addr.arpa x.onion com".split()
)
NO_HOSTS = "exa_mple.com -a.com a-.com example.com. .example.com a..com %2E.com exa%00mple.com".split()
CLIMBING = "example.com:..:..:admin example.com:. example.com:%2e%2E example.com:a%2F..%2Fb example.com:a%5Cb".split()
ODD_PATHS = "example.com:a%00 example.com:%20a example.com:a%0D%0AHost example.com:%7F example.com:%FF".split()
PORTS = "example.com%3A0 example.com%3A65536 example.com%3A080 example.com%3A80%3A81 user%40example.com".split()


def taken(identifiers):
    """Those that are not refused by a typed error."""
    found = []
    for identifier in identifiers:
        try:
            parse_webvh_did(parse_did(f"did:webvh:{identifier}"))
        except (PredicateFailed, MalformedInput):
            continue
        found.append(identifier)
    return found


def test_attack_N30_a_place_that_is_no_name_of_the_public_web():
    bad = [*ADDRESSES, *PRIVATE, *NO_HOSTS, *CLIMBING, *ODD_PATHS, *PORTS]
    assert taken(f"{SCID}:{text}" for text in [*bad, "example.com:admin"]) == [f"{SCID}:example.com:admin"]


def test_attack_N30_what_no_did_holds_reaches_no_host():
    bad = ("127.0.0.1#x", "127.0.0.1/x", "example.com?x=1", "user@example.com", "a.b\\c.com", "例.jp", "")
    assert taken(f"{SCID}:{text}" for text in bad) == []


def test_hosts_outside_ascii_are_said_not_to_be_supported():
    with pytest.raises(UnsupportedOperation):
        place("%E7%94%A8.jp")


def test_attack_N37_a_scid_is_a_hash_in_its_one_spelling():
    others = ("", "Qm", "{SCID}", "Qm" + "1" * 44, SCID[:-1], SCID + "1", "z" + SCID[1:], "0" + SCID[1:])
    assert taken(f"{scid}:example.com" for scid in (*others, SCID)) == [f"{SCID}:example.com"]
