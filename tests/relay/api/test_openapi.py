"""The OpenAPI document says everything that a client must know, and the API keeps to it."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.relay.web.problems import STATUSES

SPEC = Path(__file__).parents[3] / "docs" / "spec" / "api.md"
OPEN = {"/healthz", "/readyz"}


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_names_its_answers_and_problems(document):
    for path, method, operation in operations(document):
        answers = operation["responses"]
        assert operation["description"], path
        assert any(status.startswith("2") for status in answers), path
        if path in OPEN:
            continue
        assert {"400", "401", "413", "422", "429", "503", "504"} <= set(answers), (path, method)
        for status, answer in answers.items():
            if int(status) >= 400:
                assert "application/problem+json" in answer["content"] and "`" in answer["description"], (path, status)


def test_writes_name_the_key_that_they_need(document):
    schemes = document["components"]["securitySchemes"]
    assert schemes["api_key"]["type"] == "http" and schemes["api_key"]["scheme"] == "bearer"
    guarded = {path for path, _, operation in operations(document) if operation.get("security")}
    one = "/v1/dead-letters/{kind}/{chain}/{client}/{sequence}"
    assert guarded == {"/v1/transactions", "/v1/dead-letters/retry", f"{one}/retry", f"{one}/ignore"}
    for path, _, operation in operations(document):
        assert ("403" in operation["responses"]) == (path in guarded)


def test_lists_and_texts_are_bounded(document):
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            for one in schema.get("anyOf", [schema]):
                if one.get("type") == "string" and "enum" not in one and "const" not in one and "$ref" not in one:
                    assert "maxLength" in one or "pattern" in one, (path, parameter["name"])
                if one.get("type") == "integer":
                    assert one["maximum"] <= 100, (path, parameter["name"])


def test_the_specification_lists_the_same_addresses_and_codes(document):
    text = SPEC.read_text()
    for path in document["paths"]:
        ending = re.sub(r"^/v1/messages/(\{message_id\}|\{chain\}/\{client\}/\{sequence\})/", "…/", path)
        ending = ending.replace("{transaction_hash}", "{hash}")
        assert ending in text, f"{path} is not in docs/spec/api.md"
    for code, statuses in STATUSES.items():
        assert f"`{code}`" in text, f"{code} is not in docs/spec/api.md"
        assert all(str(status) in text for status in statuses)


def test_no_page_of_the_api_loads_from_elsewhere(client):
    for path in ("/docs", "/redoc", "/openapi"):
        assert client.get(path).status_code == 404
    assert "http" not in client.get("/").text.replace("http-equiv", "").replace("http://www.w3.org", "")


PATHS = st.sampled_from(
    ["/v1/messages", "/v1/search", "/v1/routes", "/v1/series", "/v1/tokens", "/v1/dead-letters", "/v1/messages/alpha/client-0/1",
     "/v1/transactions/alpha/0x" + "00" * 32, "/v1/observations", "/v1/records/0x00", "/v1/records/0x00/bundle", "/v1/cases", "/v1/cases/swaps/evidence", "/v1/messages/0x" + "ab" * 32, "/v1/paths", "/"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["q", "limit", "cursor", "state", "app", "source", "destination", "sender", "since", "until", "transaction", "message_id",
     "from", "to", "window", "chain", "hub", "x"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=80),
    st.integers().map(str),
    st.sampled_from(["alpha", "0x" + "1d" * 32, "open", "7d", "2026-01-01T00:00:00Z"]),
)


@given(PATHS, st.dictionaries(NAMES, VALUES, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_attack_G15_no_query_makes_the_server_fail(client, path, query):
    response = client.get(path, params=query)
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json()["code"] in {code.value for code in STATUSES}


@given(
    st.sampled_from(["/v1/transfers/prepare", "/v1/messages/prepare", "/v1/transactions"]),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
        max_leaves=8,
    ),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.long
def test_attack_G15_no_body_makes_the_server_fail(client, path, body):
    try:
        response = client.post(path, json=body)
    except ValueError:  # NaN is no JSON for httpx
        return
    assert response.status_code in (401, 422), response.text
    assert response.headers["content-type"] == "application/problem+json"


@given(st.binary(max_size=120))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.long
def test_attack_G15_no_bytes_as_a_body_make_the_server_fail(client, body):
    response = client.post("/v1/transfers/prepare", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422) and response.json()["code"] == "invalid_request"
