"""Posted answers: encrypted to this request alone, in one spelling, and with nothing twice."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.encrypting import encrypt_to
from hutong.relay.services.identity.rules.jose.jwe import Encryption
from hutong.relay.services.identity.rules.openid4vp import (
    ResponseMode,
    VpToken,
    WalletError,
    judge_form,
    write_response,
)
from tests.relay.services.identity.rules.openid4vp.verifiers import (
    KID,
    OTHER_ENCRYPTION_KEY,
    STATE,
    decryption_key,
    encryption_key,
)
from tests.relay.services.identity.rules.refusals import refused_by

JWT, PLAIN = ResponseMode.DIRECT_POST_JWT, ResponseMode.DIRECT_POST
KEY = decryption_key()


def encrypted(plaintext: bytes, encryption: Encryption = Encryption.A256GCM, **recipient: Any) -> list[tuple[str, str]]:
    return [("response", encrypt_to(encryption_key(**recipient), plaintext, encryption))]


def read(fields: list[tuple[str, str]], mode: ResponseMode = JWT, state: str | None = STATE):
    return judge_form(VERIFY, fields, mode, KEY if mode is JWT else None, state)


def refusal(fields: list[tuple[str, str]], mode: ResponseMode = JWT, state: str | None = STATE) -> str:
    return refused_by(lambda: read(fields, mode, state))


def test_encrypted_and_plain_answers_say_the_same():
    expected = VpToken({"licence": ("a~",), "more": ("b~", "c~")}, STATE)
    body = write_response(expected.presentations, STATE)
    for encryption in Encryption:
        assert read(encrypted(body, encryption)) == expected
    with_party = encrypt_to(encryption_key(), body, Encryption.A128GCM, party_info=b"mdoc nonce")
    assert read([("response", with_party)]) == expected
    assert read([("vp_token", '{"licence":["a~"],"more":["b~","c~"]}'), ("state", STATE)], PLAIN) == expected
    assert read(encrypted(write_response({"licence": ["a~"]}, None)), state=None) == VpToken({"licence": ("a~",)}, None)


def test_a_wallet_may_decline_in_the_clear():
    said = [("error", "access_denied"), ("error_description", "not today"), ("state", STATE)]
    for mode in (JWT, PLAIN):
        assert read(said, mode) == WalletError("access_denied", "not today", STATE)
    assert read(encrypted(b'{"error":"access_denied","state":"%s"}' % STATE.encode())).code == "access_denied"
    assert "error: is not a text" in refusal([("error", "line\nbreak"), ("state", STATE)])
    assert "state of the response" in refusal([("error", "access_denied")])


def test_attack_N138_another_key_or_request():
    body = write_response({"licence": ["a~"]}, STATE)
    assert "kid of response" in refusal(encrypted(body, kid="answer-8"))
    assert "does not decrypt" in refusal(encrypted(body, key=OTHER_ENCRYPTION_KEY, kid=KID))
    assert "state of the response" in refusal(encrypted(write_response({"licence": ["a~"]}, "other")))
    assert "state of the response" in refusal(encrypted(write_response({"licence": ["a~"]}, None)))
    assert "parameter of direct_post.jwt" in refusal([("vp_token", '{"licence":["a~"]}'), ("state", STATE)])
    assert "parameter of direct_post" in refusal(encrypted(body), PLAIN)
    assert read(encrypted(body))


def test_attack_N143_members_and_parameters_twice():
    good = write_response({"licence": ["a~"]}, STATE)
    assert "repeats the name" in refusal(encrypted(b'{"state":"x",' + good[1:]))
    assert "repeats the name" in refusal(encrypted(good.replace(b'{"licence"', b'{"licence":["b~"],"licence"')))
    assert "repeats the name" in refusal([("vp_token", '{"a":["b~"],"a":["c~"]}'), ("state", STATE)], PLAIN)
    assert "has a parameter twice" in refusal(encrypted(good) * 2)
    assert "has exactly one of" in refusal([*encrypted(good), ("error", "access_denied")])
    assert "has exactly one of" in refusal([("state", STATE)])
    assert read(encrypted(good))


def test_answers_of_another_structure_are_named():
    for value, said in (
        (b'{"vp_token":"a~","state":"%s"}', "vp_token: is not an object"),
        (b'{"vp_token":{},"state":"%s"}', "vp_token: is not an object"),
        (b'{"vp_token":{"licence":"a~"},"state":"%s"}', "vp_token.licence: is not a list"),
        (b'{"vp_token":{"licence":[]},"state":"%s"}', "vp_token.licence: is not a list"),
        (b'{"vp_token":{"licence":[{}]},"state":"%s"}', "vp_token.licence: has one that is not a text"),
        (b'{"vp_token":{"licence":["a~"]},"state":7}%.0s', "state: is not a text"),
        (b'["%s"]', "response: is not a JSON object"),
        (b"%s", "response"),
    ):
        assert said in refusal(encrypted(value % STATE.encode())), value


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["response", "vp_token", "error", "state", "x"]), st.text(max_size=80)), max_size=4
    )
)
def test_any_form_is_an_answer_or_a_typed_error(fields: list[tuple[str, str]]):
    for mode in (JWT, PLAIN):
        try:
            read(fields, mode)
        except VerificationError:
            continue
