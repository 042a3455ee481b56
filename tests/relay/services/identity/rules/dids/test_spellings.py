"""DIDs and keys: one spelling of each value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.relay.services.identity.rules.dids import did_jwk, did_key
from hutong.relay.services.identity.rules.dids.base58 import MAX_BASE58_BYTES, decode_base58, encode_base58
from hutong.relay.services.identity.rules.dids.instants import NANOSECONDS, parse_instant_ns, write_instant
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey, write_multikey
from hutong.relay.services.identity.rules.dids.syntax import (
    MAX_DID_CHARS,
    Did,
    parse_did,
    parse_did_url,
    parse_reference,
)
from hutong.relay.services.identity.rules.jose.base64url import encode_base64url

KEYS = (
    "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
    "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
)


def multikey_of(data):
    return "z" + encode_base58(data)


def test_attack_N37_a_multikey_has_one_spelling():
    for key in KEYS:
        assert write_multikey(parse_multikey(key, "key")) == key
    raw = decode_base58(KEYS[0][1:], "key")
    others = [
        KEYS[0][1:],
        "u" + encode_base64url(raw),
        KEYS[0] + "\n",
        KEYS[0].replace("z", "Z", 1),
        multikey_of(raw + b"\0"),
        multikey_of(raw[:-1]),
        "z1" + KEYS[0][1:],
        multikey_of(b"\x80\x24\x04" + bytes(64)),
        multikey_of(b"\x80\x24\x05" + decode_base58(KEYS[1][1:], "key")[3:]),
        multikey_of(b"\x80\x24\x02" + b"\xff" * 32),
        multikey_of(b"\xe7\x01\x02" + b"\xff" * 32),
    ]
    for text in others:
        with pytest.raises((MalformedInput, UnsupportedOperation)):
            parse_multikey(text, "key")


def test_attack_N37_an_ed25519_key_on_which_libraries_differ():
    assert parse_multikey(KEYS[0], "key")
    for point in (bytes(32), b"\1" + bytes(31), b"\xee" + b"\xff" * 30 + b"\x7f", b"\xff" * 32):
        with pytest.raises(MalformedInput):
            parse_multikey(multikey_of(b"\xed\x01" + point), "key")


def test_attack_N37_a_did_jwk_of_padding_repeated_names_or_a_private_key():
    key = parse_multikey(KEYS[1], "key")
    did = did_jwk.did_jwk_of(key)
    assert did_jwk.key_of_did_jwk(did) == key
    x, y = (encode_base64url(half) for half in (key.coordinates[:32], key.coordinates[32:]))
    jwk = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    assert did_jwk.key_of_did_jwk(Did("jwk", encode_base64url(jwk.encode()))) == key
    texts = (jwk[:-1] + ',"kty":"EC"}', jwk[:-1] + ',"d":"AA"}', jwk[:-1] + ',"use":"enc"}', jwk + " x", "[]", "")
    for identifier in (*(encode_base64url(text.encode()) for text in texts), did.identifier + "=", did.identifier[:-1]):
        with pytest.raises(VerificationError):
            did_jwk.key_of_did_jwk(Did("jwk", identifier))


def test_a_did_key_is_its_key():
    for key in KEYS:
        did = parse_did(f"did:key:{key}")
        assert did_key.did_key_of(did_key.key_of_did_key(did)) == did
    with pytest.raises(MalformedInput):
        did_key.key_of_did_key(Did("web", KEYS[0]))


def refused(read, text):
    try:
        read(text)
    except MalformedInput:
        return True
    return False


def test_texts_that_are_dids():
    for text in ("did:a:b", "did:a:b:c", "did:a::b", "did:1a:-._%2F", "did:a:%41%ff", "did:web:example.com%3A80:x"):
        assert str(parse_did(text)) == text
        for more in ("/", "/a//b", "?", "?a=b&c=/?", "#", "#/?:@", "/p?q=1#f"):
            assert str(parse_did_url(text + more)) == text + more


def test_attack_N37_texts_that_are_no_dids():
    bad = "did did: did:a did:a: did::b DID:a:b did:A:b did:a:b: did:a:%4 did:a:%zz did:a:b%20\n did:a_b:c did:a:ü did:a:b|c"
    texts = [*bad.split(" "), " did:a:b", "did:a:b ", "did:a:b\n", "", "did:a:" + "b" * MAX_DID_CHARS]
    assert [text for text in texts if not refused(parse_did, text)] == []


def test_texts_that_are_no_did_urls():
    texts = (
        "did:a:b#x#y",
        "did:a:b?%",
        "did:a:b/[",
        "did:a:b#\u00fc",
        "did:a:b/%4",
        "x:a:b#c",
        "did:a:b#" + "x" * 2048,
    )
    assert [text for text in texts if not refused(parse_did_url, text)] == []


def test_parameters_of_a_did_url_are_named_once():
    url = parse_did_url("did:a:b?versionTime=2020-01-01T00%3A00%3A00Z&service=files")
    assert url.parameters() == {"versionTime": "2020-01-01T00:00:00Z", "service": "files"}
    assert str(parse_reference("#k", url.did)) == "did:a:b#k"
    for query in ("a=1&a=2", "a", "=1", "a=%ff", "&".join(f"p{number}=1" for number in range(17))):
        with pytest.raises(MalformedInput):
            parse_did_url(f"did:a:b?{query}").parameters()


@given(st.binary(max_size=48))
@settings(max_examples=60)
def test_base58_is_read_back(data):
    assert decode_base58(encode_base58(data), "text") == data


@given(st.text(max_size=70) | st.text(alphabet="123zZ0OIl", max_size=70))
@settings(max_examples=60)
def test_what_base58_reads_is_written_alike(text):
    try:
        data = decode_base58(text, "text")
    except MalformedInput:
        return
    assert encode_base58(data) == text


def test_base58_is_bounded():
    assert len(decode_base58(encode_base58(b"\xff" * MAX_BASE58_BYTES), "text")) == MAX_BASE58_BYTES
    for text in ("z" * 177, "1" * 129):
        with pytest.raises(MalformedInput):
            decode_base58(text, "text")


@given(st.text(max_size=60) | st.from_regex(r"did:[a-z]{1,3}:[a-z:%]{1,8}[/?#][a-z%/?#]{0,9}", fullmatch=True))
@settings(max_examples=80)
def test_a_text_is_a_did_url_as_it_stands_or_none(text):
    try:
        url = parse_did_url(text)
    except MalformedInput:
        return
    assert str(url) == text


@given(st.integers(0, 253_402_300_799))
@settings(max_examples=60)
def test_instants_are_read_back(seconds):
    text = write_instant(seconds)
    assert parse_instant_ns(text, "time") == seconds * NANOSECONDS
    assert parse_instant_ns(text.replace("Z", ".000000001+00:00"), "time") == seconds * NANOSECONDS + 1


def test_instants_that_are_none():
    assert write_instant(951_782_400) == "2000-02-29T00:00:00Z"
    for text in ("1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2020-13-01T00:00:00Z", "2020-01-01T24:00:00Z"):
        with pytest.raises(MalformedInput):
            parse_instant_ns(text, "time")
    for seconds in (-1, 253_402_300_800):
        with pytest.raises(ValueError):
            write_instant(seconds)
