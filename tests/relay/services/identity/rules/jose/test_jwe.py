"""Encrypted tokens: ECDH-ES on P-256 with AES-GCM in one spelling, and nothing that a library would take beside it."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VerificationError
from hutong.light_clients.interface.judge import VERIFY, audit
from hutong.relay.services.identity.encrypting import encrypt_to
from hutong.relay.services.identity.rules.jose import decode_base64url, encode_base64url
from hutong.relay.services.identity.rules.jose.jwe import Encryption, judge_jwe, read_decryption_key
from tests.relay.services.identity.rules.actors import Algorithm, Signer
from tests.relay.services.identity.rules.openid4vp.verifiers import (
    ENCRYPTION_KEY,
    decryption_key,
    encryption_key,
    private_jwk,
)
from tests.relay.services.identity.rules.refusals import refused_by

KEY = decryption_key()
SECP256K1, ED25519 = Signer(7, Algorithm.ES256K), Signer(7, Algorithm.EDDSA)
TOKEN = encrypt_to(encryption_key(), b'{"a":1}', Encryption.A128GCM)


def refusal(token: str, most: int = 1_000) -> str:
    return refused_by(lambda: judge_jwe(VERIFY, token, "response", KEY, most))


def with_header(**changes: Any) -> str:
    head, *rest = TOKEN.split(".")
    header = {**json.loads(decode_base64url(head, "header", 1_000)), **changes}
    kept = {name: value for name, value in header.items() if value is not None}
    return ".".join([encode_base64url(json.dumps(kept).encode()), *rest])


def with_part(number: int, text: str) -> str:
    parts = TOKEN.split(".")
    parts[number] = text
    return ".".join(parts)


def test_what_was_encrypted_to_a_key_is_read_with_it():
    for encryption in Encryption:
        for size in (0, 1, 200_000):
            token = encrypt_to(encryption_key(), b"a" * size, encryption)
            assert judge_jwe(VERIFY, token, "response", KEY) == b"a" * size
    assert [verdict.name for verdict in audit(judge_jwe, TOKEN, "response", KEY)] == [
        "encryption_is_allowed", "nothing_is_compressed_or_extended", "encrypted_to_this_key",
        "agreement_well_formed", "ciphertext_is_authentic",
    ]  # fmt: skip


def test_attack_N138_algorithms_and_headers_of_the_attackers_choice():
    for changes, said in (
        ({"alg": "dir"}, "alg of response"),
        ({"alg": "RSA1_5"}, "alg of response"),
        ({"alg": "ECDH-ES+A128KW"}, "alg of response"),
        ({"alg": None}, "alg of response"),
        ({"enc": "A128CBC-HS256"}, "enc of response"),
        ({"enc": "A192GCM"}, "enc of response"),
        ({"enc": ["A128GCM"]}, "enc of response"),
        ({"zip": "DEF"}, "header of response"),
        ({"crit": ["exp"]}, "header of response"),
        ({"jku": "https://thief.example"}, "header of response"),
        ({"kid": "other"}, "kid of response"),
        ({"kid": None}, "kid of response"),
        ({"epk": None}, "response.epk: is not a JSON object"),
        ({"epk": SECP256K1.jwk}, "curve of epk"),
        ({"epk": ED25519.jwk}, "curve of epk"),
        ({"epk": {**ENCRYPTION_KEY.jwk, "y": ENCRYPTION_KEY.jwk["x"]}}, "response.epk: is no key of P-256"),
        ({"epk": private_jwk()}, "response.epk: holds a private"),
        ({"epk": ENCRYPTION_KEY.jwk}, "does not decrypt"),
        ({"apu": "padded=="}, "response.apu: "),
        ({"apv": 7}, "response.apv: is not a text"),
        ({"enc": "A256GCM"}, "does not decrypt"),
        ({"added": 1}, "does not decrypt"),
    ):
        assert said in refusal(with_header(**changes)), changes
    assert judge_jwe(VERIFY, TOKEN, "response", KEY) == b'{"a":1}'


def test_attack_N138_other_spellings_lengths_and_a_shorter_tag():
    _, _, iv, text, tag = TOKEN.split(".")
    for token, said in (
        (TOKEN + ".", "is not five parts"),
        (TOKEN.replace("..", "."), "is not five parts"),
        (with_part(1, "AAAA"), "encrypted_key: is empty"),
        (with_part(2, iv[:8]), "iv: is not 12 bytes"),
        (with_part(4, tag[:16]), "tag: is not 16 bytes"),
        (with_part(4, encode_base64url(bytes(16))), "does not decrypt"),
        (with_part(3, text + "=="), "ciphertext: "),
        (with_part(3, "A" * 2_000), "ciphertext: base64url of more than"),
        (with_part(0, encode_base64url(b'{"alg":"ECDH-ES","alg":"dir"}')), "repeats the name"),
    ):
        assert said in refusal(token), token[:60]


def test_keys_that_do_not_decrypt_are_not_taken():
    for changes in ({"kid": None}, {"d": None}, {"crv": "P-384"}, {"kty": "oct"}, {"d": "AA"}, {"x": 7}):
        jwk: Any = {name: value for name, value in {**private_jwk(), **changes}.items() if value is not None}
        assert "decryption key" in refused_by(lambda jwk=jwk: read_decryption_key(jwk)), changes


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.sampled_from("aA09-_.="), max_size=120), st.integers(0, 4))
def test_any_text_is_decrypted_or_a_typed_error(text: str, part: int):
    for token in (text, with_part(part, text)):
        try:
            judge_jwe(VERIFY, token, "response", KEY, 1_000)
        except VerificationError:
            continue
