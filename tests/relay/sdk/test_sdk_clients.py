"""Both clients against the real API over real HTTP: what it has comes out as values, the same from either."""

from datetime import UTC, datetime, timedelta

import pytest

from hutong.relay.schemas.words import FoundKind
from hutong.relay.sdk import (
    ApiProblem,
    App,
    Hutong,
    InvalidArgument,
    MessageStage,
    MessageState,
    Unreachable,
)
from tests.relay.api.api_world import ALICE, BOB, CLIENT, MESSAGE_ID, SENT_HASH, TOKEN, api_under_uvicorn, config_of
from tests.relay.sdk.both_clients import ADMIN, WRITER, Blocking, UnderTrio

FIRST, OPEN, DEAD, FORWARDED = f"alpha/{CLIENT}/1", f"alpha/{CLIENT}/2", f"alpha/{CLIENT}/3", "alpha/client-0/4"
NOWHERE = f"alpha/{CLIENT}/99"


def test_status_says_what_answers(client, api):
    status = client.call(api[0], "status")
    assert (status.name, status.chains, status.paths, status.inside_relay) == ("hutong", 3, 3, False)
    assert abs(status.time - datetime.now(UTC)) < timedelta(minutes=5)


def test_chains_clients_paths_and_routes(client, api):
    assert [chain.name for chain in client.call(api[0], "chains")] == ["alpha", "beta", "hub"]
    ends = {(one.chain, one.client) for one in client.call(api[0], "clients")}
    assert ("alpha", CLIENT) in ends and len(ends) == 6
    paths = client.call(api[0], "paths")
    assert [(path.a.chain, path.b.chain) for path in paths] == [("alpha", "beta"), ("alpha", "hub"), ("beta", "hub")]
    direct, over_hub = client.call(api[0], "routes", "alpha", "beta")
    assert (direct.via, direct.send.client, direct.send.next_client) == (None, CLIENT, None)
    assert (over_hub.via, over_hub.send.next_client, len(over_hub.hops)) == ("hub", "bft-evm-2", 2)
    assert direct.estimate.samples > 0 and direct.estimate.p50_s > 0


def test_tokens_have_amounts_as_numbers_and_their_vouchers(client, api):
    tokens = client.call(api[0], "tokens")
    assert TOKEN in {token.denom for token in tokens}
    assert len(tokens) == len(tokens.items) and isinstance(tokens.complete, bool)


def test_totals_count_every_message_once(client, api):
    totals = client.call(api[0], "totals")
    counts = totals.messages
    states = (counts.open, counts.acknowledged, counts.refused, counts.timed_out, counts.settled, counts.dead)
    assert counts.total == sum(states) == sum(route.total for route in totals.routes) == 12
    assert counts.dead == 1 and {cost.chain for cost in totals.costs} <= {"alpha", "beta", "hub"}


@pytest.mark.parametrize(("window", "bucket_s", "buckets"), [("1h", 60, 60), ("24h", 900, 96), ("7d", 7_200, 84)])
def test_series_are_whole_windows_oldest_first(client, api, window, bucket_s, buckets):
    series = client.call(api[0], "series", window)
    assert (series.window, series.bucket_s, len(series.items)) == (window, bucket_s, buckets)
    first, second, *_ = series.items
    assert second.start - first.start == timedelta(seconds=bucket_s)


@pytest.mark.parametrize("page_items", [1, 100])
def test_dead_letters_name_the_message_and_what_to_do(client, api, page_items):
    (letter,) = client.take(None, api[0], "dead_letters", page_items=page_items)
    assert letter.message.id == DEAD and letter.message.state is MessageState.DEAD
    assert letter.do.endswith(f"hutong relay retry --config relay.toml {letter.job}")


def test_a_message_by_either_id_is_one_value(client, api):
    by_packet = client.call(api[0], "message", FIRST)
    assert by_packet == client.call(api[0], "message", MESSAGE_ID)
    assert (by_packet.state, by_packet.stage) == (MessageState.ACKNOWLEDGED, MessageStage.SETTLED)
    assert (by_packet.sender, by_packet.receiver, by_packet.sent_transaction) == (ALICE, BOB, SENT_HASH)
    assert by_packet.is_settled and by_packet.is_delivered and by_packet.why.settled
    assert [step.kind for step in by_packet.timeline][-1] == "acknowledge"
    assert by_packet.summary == client.take(1, api[0], "messages", message_id=MESSAGE_ID)[0]


def test_a_forwarded_transfer_has_its_token_and_both_legs(client, api):
    message = client.call(api[0], "message", "hub/bft-evm-2/1")
    assert message.id == FORWARDED and message.legs == (FORWARDED, "hub/bft-evm-2/1")
    assert (message.token.denom, message.token.amount, message.via) == (TOKEN, 10**18, "hub")
    assert message.stage is MessageStage.AT_HUB and not message.is_settled


def test_why_proofs_and_search(client, api):
    assert client.call(api[0], "why", OPEN).settled is False
    assert client.call(api[0], "proofs", FIRST) == ()
    found = client.call(api[0], "search", SENT_HASH)
    assert found.kind is FoundKind.TRANSACTION and [item.id for item in found.items] == [FIRST]
    assert client.call(api[0], "search", "no such thing").kind is FoundKind.NOTHING


@pytest.mark.parametrize("page_items", [1, 5, 100])
def test_lists_come_whole_over_any_pages(client, api, page_items):
    listed = client.take(None, api[0], "messages", page_items=page_items)
    assert len(listed) == len({item.id for item in listed}) == 12
    assert [item.sent_at for item in listed] == sorted((item.sent_at for item in listed), reverse=True)


def test_filters(client, api):
    assert [m.id for m in client.take(None, api[0], "messages", state=MessageState.DEAD)] == [DEAD]
    assert [m.id for m in client.take(None, api[0], "messages", app=App.TRANSFER)] == [FORWARDED]
    since = client.call(api[0], "message", f"alpha/{CLIENT}/11").sent_at
    found = client.take(None, api[0], "messages", since=since, until=since + timedelta(seconds=1))
    assert [m.id for m in found] == [f"alpha/{CLIENT}/11"]


def test_both_clients_give_equal_values(api):
    asked = [("message", FIRST), ("message", FORWARDED), ("why", DEAD), ("search", BOB), ("routes", "alpha", "beta"),
             ("proofs", FIRST), ("series", "7d"), ("tokens",), ("paths",), ("tokens", "beta")]  # fmt: skip
    for method, *args in asked:
        assert Blocking().call(api[0], method, *args) == UnderTrio().call(api[0], method, *args), method
    assert Blocking().take(None, api[0], "messages") == UnderTrio().take(None, api[0], "messages")


def test_the_api_s_own_refusals(client, api):
    url, write = api[0], {"api_key": WRITER}
    transfer = {"token": TOKEN, "amount": 1, "sender": ALICE, "receiver": BOB}
    refusals = [
        ("not_found", 404, None, "message", (NOWHERE,), {}, None),
        ("not_found", 404, None, "bundle", (NOWHERE,), {}, None),
        ("not_exportable", 409, None, "bundle", (OPEN,), {}, None),
        ("invalid_request", 422, "to", "routes", ("alpha", "nowhere"), {}, None),
        ("invalid_request", 422, "q", "search", ("x" * 300,), {}, None),
        ("not_supported", 422, None, "prepare_transfer", ("alpha", "beta"), transfer, None),
        ("invalid_request", 422, "client", "prepare_transfer", ("alpha", "beta"), transfer | {"client": "client-9"}, None),
        ("invalid_request", 422, "next_client", "prepare_message", ("alpha", "beta"),
         {"sender": ALICE, "receiver": BOB, "payload": b"x", "next_client": "client-9"}, None),
        ("unauthorized", 401, None, "submit", ("alpha", b"\x02", "k"), {}, None),
        ("unauthorized", 401, None, "status", (), {}, {"api_key": "hk_wrong"}),
        ("forbidden", 403, None, "submit", ("alpha", b"\x02", "k"), {}, {"api_key": ADMIN}),
        ("not_supported", 422, None, "submit", ("alpha", b"\x02", "k"), {}, write),
        ("too_large", 413, None, "prepare_transfer", ("alpha", "beta"), transfer | {"memo": "x" * 300_000}, None),
    ]  # fmt: skip
    for code, status, field, method, args, named, options in refusals:
        with pytest.raises(ApiProblem) as caught:
            client.call(url, method, *args, options=options, **named)
        problem = caught.value
        assert (problem.code, problem.status, problem.field) == (code, status, field), problem
        assert problem.detail in str(problem) and "hk_" not in str(problem).replace("hk_…", "")


def test_a_full_bucket_is_waited_for(client, api_home):
    with api_under_uvicorn(config_of(api_home, rate_limit_per_s=2)) as (url, _):
        for _ in range(12):  # the burst is 10: more would be refused if Retry-After were not kept to
            assert client.call(url, "status").name == "hutong"


def test_arguments_are_refused_before_anything_is_sent(client):
    nowhere = "http://127.0.0.1:1"
    for field, method, args, named in [
        ("message", "message", ("../../v1/status",), {}),
        ("message", "why", ("alpha/client-0/0",), {}),
        ("message", "follow", ("alpha",), {}),
        ("hash", "transaction", ("alpha", "0x12"), {}),
        ("chain", "transaction", ("Alpha?", SENT_HASH), {}),
        ("raw", "submit", ("alpha", b"", "k"), {}),
        ("idempotency_key", "submit", ("alpha", b"\x02", "not one\r\nX: y"), {}),
        ("amount", "prepare_transfer", ("a", "b"), {"token": "t", "amount": 0, "sender": "s", "receiver": "r"}),
        ("amount", "prepare_transfer", ("a", "b"), {"token": "t", "amount": "5", "sender": "s", "receiver": "r"}),
        ("amount", "prepare_transfer", ("a", "b"), {"token": "t", "amount": 1.5, "sender": "s", "receiver": "r"}),
        ("payload", "prepare_message", ("a", "b"), {"sender": "s", "receiver": "r", "payload": b""}),
        ("payload", "prepare_message", ("a", "b"), {"sender": "s", "receiver": "r", "payload": "0x12"}),
        (
            *("receive_gas", "prepare_message", ("a", "b")),
            {"sender": "s", "receiver": "r", "payload": b"x", "receive_gas": 10_000_001},
        ),
        (
            "receive_gas",
            "prepare_message",
            ("a", "b"),
            {"sender": "s", "receiver": "r", "payload": b"x", "receive_gas": 1.5},
        ),
        ("window", "series", ("2h",), {}),
        ("page_items", "dead_letters", (), {"page_items": 0}),
        ("page_items", "messages", (), {"page_items": 101}),
        ("since", "messages", (), {"since": datetime(2026, 1, 1)}),
    ]:
        with pytest.raises(InvalidArgument) as caught:
            run = client.take if method in ("messages", "dead_letters", "follow") else client.call
            run(*((1,) if run == client.take else ()), nowhere, method, *args, **named)
        assert caught.value.field == field


def test_nobody_there(client):
    with pytest.raises(Unreachable):
        client.call("http://127.0.0.1:1", "status")


@pytest.mark.parametrize("url", ["relay.example", "ftp://relay.example", "https://u:p@relay.example", "https://x/?a=b"])
def test_addresses_that_are_invalid(url):
    with pytest.raises(InvalidArgument) as caught:
        Hutong(url)
    assert caught.value.field == "url" and "u:p" not in str(caught.value)


def test_trial_N6_an_empty_key_is_said_before_anything_is_asked(client, api):
    with pytest.raises(InvalidArgument, match="api_key must be a key as `hutong api keys create` prints it"):
        client.call(api[0], "status", options={"api_key": ""})


def test_the_key_is_shown_nowhere_and_goes_over_no_open_line(client, api):
    with pytest.raises(InvalidArgument):
        client.call("http://relay.example", "status", options={"api_key": WRITER})
    with Hutong(api[0], api_key=WRITER) as hutong:
        assert WRITER not in repr(hutong) + repr(vars(hutong)) + repr(hutong._server)
