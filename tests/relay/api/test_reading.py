"""Reading over real HTTP: what the ledger and the chains say, on both servers."""

import time

import httpx
import pytest

from hutong.relay.ledger import Ledger, LedgerReader, why
from tests.relay.api.api_world import (
    ALICE,
    CLIENT,
    MESSAGE_ID,
    NOW_NS,
    SENT_HASH,
    TOKEN,
    api_under_trio,
    config_of,
    facts,
    sent,
)

READS = {
    "/v1/status": lambda one: one["chains"] == 3 and one["paths"] == 3,
    "/v1/totals": lambda one: one["messages"]["total"] == 12 and one["messages"]["dead"] == 1,
    "/v1/series?window=24h": lambda one: len(one["items"]) == 96 and one["bucket_s"] == 900,
    "/v1/chains": lambda one: [item["name"] for item in one["items"]] == ["alpha", "beta", "hub"],
    "/v1/clients": lambda one: len(one["items"]) == 6,
    "/v1/paths": lambda one: one["items"][2]["b_to_a"]["cause"] == "client_inactive",
    "/v1/routes?from=alpha&to=beta": lambda one: [item["via"] for item in one["items"]] == [None, "hub"],
    "/v1/messages?limit=100": lambda one: len(one["items"]) == 12 and one["next"] is None,
    f"/v1/messages/{MESSAGE_ID}": lambda one: one["id"] == f"alpha/{CLIENT}/1",
    f"/v1/messages/alpha/{CLIENT}/1": lambda one: one["state"] == "acknowledged" and len(one["timeline"]) == 3,
    "/v1/messages/hub/bft-evm-2/1": lambda one: one["legs"] == ["alpha/client-0/4", "hub/bft-evm-2/1"],
    f"/v1/messages/alpha/{CLIENT}/2/why": lambda one: not one["settled"],
    f"/v1/search?q={SENT_HASH}": lambda one: one["kind"] == "transaction" and len(one["items"]) == 1,
    "/v1/search?q=nonsense": lambda one: one == {"items": [], "kind": "nothing"},
    "/v1/dead-letters": lambda one: one["items"][0]["job"] == f"receive:alpha/{CLIENT}/3",
    "/v1/tokens": lambda one: one["items"][0]["chain"] == "alpha" and one["items"][0]["denom"] == TOKEN,
    "/healthz": lambda one: one["status"] == "ok",
}


@pytest.mark.parametrize("target", READS)
def test_every_read_answers_under_uvicorn(client, target):
    response = client.get(target)
    assert response.status_code == 200, response.text
    assert READS[target](response.json()), response.text


async def test_every_read_answers_the_same_under_trio(ledger_home):
    async with api_under_trio(config_of(ledger_home)) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as http:
            for target, holds in READS.items():
                response = await http.get(target)
                assert response.status_code == 200 and holds(response.json()), (target, response.text)


def test_lists_go_on_from_their_cursor(client):
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get("/v1/messages", params={"limit": 5, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 12 and seen[0] == f"alpha/{CLIENT}/12"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"state": "dead"}, 1),
        ({"app": "transfer"}, 1),
        ({"sender": ALICE}, 12),
        ({"sender": ALICE, "state": "acknowledged"}, 9),
        ({"receiver": "0x" + "00" * 20}, 0),
        ({"message_id": MESSAGE_ID}, 1),
        ({"transaction": SENT_HASH}, 1),
        ({"source": "beta"}, 0),
        ({"since": "2100-01-01T00:00:00Z"}, 0),
        ({"until": "2100-01-01T00:00:00+02:00"}, 12),
    ],
)
def test_filters_are_exact(client, filters, count):
    assert len(client.get("/v1/messages", params=filters | {"limit": 100}).json()["items"]) == count


def test_a_transaction_that_was_passed_on_is_pending_until_a_block_has_it(uvicorn_api, client):
    target = f"/v1/transactions/beta/0x{'c0' * 32}"
    assert client.get(target).json()["state"] == "unknown"
    uvicorn_api[1].under_way.add("beta", bytes.fromhex("c0" * 32))
    assert client.get(target).json()["state"] == "pending"
    assert client.get(target.replace("beta", "alpha")).json()["state"] == "unknown"


async def test_a_transaction_of_more_messages_than_are_shown_says_where_they_go_on(tmp_path):
    """A contract sent 60 messages at once: the others are in the list of messages, from the cursor on."""
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    try:
        for sequence in range(1, 61):
            ledger.note([sent(facts(sequence), NOW_NS + sequence, SENT_HASH)])
        await ledger.flush()
    finally:
        ledger.close()
    async with (
        api_under_trio(config_of(tmp_path)) as (url, _),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as http,
    ):
        shown = (await http.get(f"/v1/transactions/alpha/{SENT_HASH}")).json()
        others = (await http.get("/v1/messages", params={"transaction": SENT_HASH, "cursor": shown["next"]})).json()
        unknown = (await http.get(f"/v1/transactions/alpha/0x{'77' * 32}")).json()
    ids = [message["id"] for message in shown["messages"] + others["items"]]
    assert len(shown["messages"]) == 50 and others["next"] is None
    assert ids == [f"alpha/{CLIENT}/{sequence}" for sequence in range(60, 0, -1)]
    assert unknown["messages"] == [] and unknown["next"] is None


def test_why_is_the_sentence_of_the_command(client, ledger_home):
    reader = LedgerReader.open_file(ledger_home / "ledger.sqlite")
    try:
        for packet_id in (f"alpha/{CLIENT}/1", "alpha/client-0/4"):
            said = client.get(f"/v1/messages/{packet_id}/why").json()
            assert said["sentence"] == str(why(packet_id, reader, time.time_ns()))
            assert client.get(f"/v1/messages/{packet_id}").json()["why"] == said
    finally:
        reader.close()


def test_an_answer_that_did_not_change_is_not_sent_again(client):
    target = f"/v1/messages/alpha/{CLIENT}/5"
    first = client.get(target)
    assert client.get(target, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    again = client.get(target, headers={"if-none-match": '"other"'})
    assert again.status_code == 200 and again.content == first.content
    head = client.head(target)
    assert head.status_code == 200 and head.content == b"" and head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        (f"/v1/messages/alpha/{CLIENT}/99", 404, "not_found"),
        ("/v1/messages/alpha/client%2F0/1", 404, "not_found"),
        ("/v1/messages/ALPHA/client-0/1", 422, "invalid_request"),
        ("/v1/messages/alpha/client-0/0", 422, "invalid_request"),
        ("/v1/messages?limit=101", 422, "invalid_request"),
        ("/v1/messages?state=lost", 422, "invalid_request"),
        ("/v1/messages?since=yesterday", 422, "invalid_request"),
        ("/v1/messages?cursor=AAAA", 400, "invalid_request"),
        ("/v1/messages?limt=5", 400, "invalid_request"),
        ("/v1/messages?limit=5&limit=6", 400, "invalid_request"),
        ("/v1/routes?from=alpha&to=nowhere", 422, "invalid_request"),
        ("/v1/nothing", 404, "not_found"),
    ],
)
def test_refusals_are_problems_with_stable_codes(client, target, status, code):
    response = client.get(target)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:hutong:problem:{code}"


def test_a_wrong_method_says_which_are_taken(client):
    response = client.delete("/v1/messages")
    assert response.status_code == 405 and response.headers["allow"] == "GET"


def test_an_address_that_takes_post_alone_says_so(client):
    for path in ("/v1/transfers/prepare", "/v1/transactions", "/v1/dead-letters/receive/alpha/client-0/1/retry"):
        response = client.get(path)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed"), path
        assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/v1/messages?source=alhpa", "source"),
        ("/v1/messages?destination=Beta", "destination"),
        ("/v1/tokens?chain=alhpa", "chain"),
    ],
)
def test_a_mistyped_chain_is_no_empty_list(client, target, field):
    response = client.get(target)
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert "there are alpha, beta, hub" in response.json()["detail"]
    assert client.get("/v1/messages?source=hub").json()["items"] == [], "a chain that sent nothing is no mistake"


def test_damaged_and_missing_ledgers_are_named_and_stop_nothing_else(tmp_path):
    from tests.relay.api.api_world import api_under_uvicorn

    with api_under_uvicorn(config_of(tmp_path)) as (url, _):
        with httpx.Client(base_url=url, trust_env=False) as http:
            missing = http.get("/v1/messages")
            assert (missing.status_code, missing.json()["code"]) == (503, "ledger_unavailable")
            assert str(tmp_path) not in missing.text
            assert http.get("/v1/chains").status_code == 200
            ready = http.get("/readyz")
            assert ready.status_code == 503 and not ready.json()["ready"]
