"""What is wrong with a request is said in words, never as a pattern, and without what was sent."""

import pytest

from hutong.relay.api.models.sending import PrepareTransfer

GOOD = {
    "source": "alpha", "destination": "beta", "sender": "0x" + "a1" * 20, "receiver": "0x" + "b0" * 20,
    "token": "0x" + "70" * 20, "amount": "1",
}  # fmt: skip
SECRET = "do-not-tell!"  # noqa: S105


def test_the_good_request_of_this_file_is_one():
    assert PrepareTransfer.model_validate(GOOD).timeout_s == 3_600


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"amount": 1000}, "amount", "must be a text, in quotes"),
        ({"amount": "1.5"}, "amount", "must be the number of smallest units"),
        ({"amount": "0"}, "amount", "at least 1"),
        ({"amount": None}, "amount", "must be a text"),
        ({"source": "Alpha"}, "source", "must be a chain's name, as /v1/chains lists them"),
        ({"via": "A B"}, "via", "must be a chain's name"),
        ({"sender": SECRET + " \n"}, "sender", "must be one word of ASCII characters"),
        ({"timeout_s": 0}, "timeout_s", "must be at least 1"),
        ({"timeout_s": 86_401}, "timeout_s", "must be at most 86400"),
        ({"timeout_s": "1h"}, "timeout_s", "must be a whole number"),
        ({"timeout_s": 1.5}, "timeout_s", "must be a whole number"),
        ({"memo": "x" * 32_769}, "memo", "must have at most 32768 characters"),
        ({"token": ""}, "token", "is empty"),
        ({"color": SECRET}, "color", "is no field of this request"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_what_it_must_be(client, changes, field, words):
    problem = client.post("/v1/transfers/prepare", json=GOOD | changes).json()
    assert (problem["status"], problem["code"], problem["field"]) == (422, "invalid_request", field)
    assert problem["detail"].startswith(f"{field} ") and words in problem["detail"]
    assert SECRET not in problem["detail"] and "^" not in problem["detail"]


@pytest.mark.parametrize("field", ["source", "amount", "token"])
def test_a_field_that_is_missing_is_named(client, field):
    problem = client.post("/v1/transfers/prepare", json={k: v for k, v in GOOD.items() if k != field}).json()
    assert (problem["field"], problem["detail"].split(";")[0]) == (field, f"{field} is missing")


@pytest.mark.parametrize(("body", "words"), [("{", "is not JSON"), ("[]", "JSON object"), ("null", "body")])
def test_a_body_that_is_no_request(client, body, words):
    response = client.post("/v1/transfers/prepare", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422 and words in response.json()["detail"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/v1/messages/999", "must be 0x and 64 hex digits; a packet is named by chain/client/sequence"),
        ("/v1/messages/alpha/client-0/0", "sequence must be a number from 1 on"),
        ("/v1/transactions/alpha/0x12", "must be 0x and 64 hex digits"),
        ("/v1/messages?state=done", "state must be 'open', "),
        ("/v1/series?window=2h", "window must be '1h', '24h' or '7d'"),
        ("/v1/messages?limit=500", "limit must be at most 100"),
        ("/v1/messages?limit=few", "limit must be a whole number"),
    ],
)
def test_an_address_that_cannot_be(client, target, words):
    response = client.get(target)
    assert response.status_code == 422 and words in response.json()["detail"]
