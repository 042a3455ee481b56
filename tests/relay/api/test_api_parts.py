"""The API's parts by themselves: buckets, keys, cache, names of tokens, texts, idempotency."""

import json
import sqlite3
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.ibc.denom import Denom
from hutong.relay.api.models.instants import instant, parse_instant
from hutong.relay.api.reading import answer_cache
from hutong.relay.api.reading.answer_cache import MAX_ANSWERS, AnswerCache, target_of
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.api.sending import under_way
from hutong.relay.api.sending.idempotency import MAX_KEPT, IdempotencyStore
from hutong.relay.api.serving.front import cost_of
from hutong.relay.api.tokens.look_alikes import bounded_name, looks_like_another, shared_skeletons, skeleton
from hutong.relay.api.tokens.tracing import Place, home_of
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.topology.paths import Paths
from hutong.relay.schemas.fields import instant_text
from hutong.relay.web.api_keys import (
    ApiKey,
    KeyRing,
    KeysUnusable,
    Scope,
    check_name,
    digest_of,
    new_key,
    read_keys,
    write_keys,
)
from hutong.relay.web.problems import STATUSES, TITLES, ApiProblem, Code
from hutong.relay.web.rate_limit import BURST, RateLimit, client_of


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3)), max_size=60))
@settings(max_examples=50, deadline=None)
def test_nobody_gets_more_than_rate_and_burst(steps):
    clock = Clock()
    limit = RateLimit(2, clock, max_buckets=3)
    taken = dict.fromkeys("abc", 0)
    for client, wait_s in steps:
        clock.s += wait_s
        wait = limit.wait_s(client)
        taken[client] += wait == 0
        assert 0 <= wait <= 0.5 and len(limit) <= 3
    assert all(count <= 2 * BURST + 2 * (clock.s - 1_000) + 1 for count in taken.values())


def test_a_table_of_buckets_is_bounded_and_ipv6_networks_are_one_client():
    limit = RateLimit(1, Clock(), max_buckets=10)
    for number in range(1_000):
        limit.wait_s(f"client {number}")
    assert len(limit) == 10
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:2") != client_of("2001:db8:0:1::1")
    assert client_of("10.0.0.1:4711") == client_of("[::ffff:10.0.0.1]:80") == client_of("10.0.0.1")
    assert client_of("[2001:db8::1]:443") == client_of("[2001:db8::1]") == client_of("2001:db8::1")
    assert client_of("10.0.0.1:") != client_of("10.0.0:1") == client_of("[") == client_of(":") == "unknown"
    assert client_of("::ffff:10.0.0.1") == client_of("10.0.0.1") and client_of("nonsense") == "unknown"


@pytest.mark.parametrize(
    ("path", "query", "resumes", "cost"),
    [
        ("/v1/status", b"", True, 1),
        ("/v1/messages/alpha/client-0/1", b"", False, 1),
        ("/v1/messages/alpha/client-0/1/why", b"", False, 1),
        ("/v1/messages", b"limit=100", False, 5),
        ("/v1/tokens", b"", False, 5),
        ("/v1/messages/alpha/client-0/1/proofs", b"", False, 25),
        ("/v1/messages/0x12/bundle", b"", False, 25),
        ("/v1/events", b"message=after", False, 1),
        ("/v1/events", b"message=\xff&%61fter=c", False, 25),
        ("/v1/events", b"", True, 25),
        ("/v1/ws", b"after=c", False, 25),
    ],
)
def test_attack_G15_a_request_costs_what_it_makes_the_server_do(path, query, resumes, cost):
    assert cost_of(path, query, resumes=resumes) == cost
    clock = Clock()
    limit = RateLimit(50, clock)
    taken = 0
    while limit.wait_s("a", cost) == 0:
        taken += 1
    assert taken == 50 * BURST // cost and limit.wait_s("a", cost) == pytest.approx(cost / 50)
    clock.s += cost / 50 + 1e-6
    assert limit.wait_s("a", cost) == 0


def test_no_request_costs_more_than_there_can_be():
    limit = RateLimit(1, Clock())
    assert limit.wait_s("a", 25) == 0 and limit.wait_s("a") == 1.0


def test_keys_are_kept_as_digests_in_a_private_file(tmp_path):
    file, key = tmp_path / "keys.json", new_key()
    write_keys(file, [ApiKey("ops", frozenset({Scope.ADMIN}), digest_of(key), "2026-11-26T00:00:00Z")])
    assert file.stat().st_mode & 0o777 == 0o600 and key not in file.read_text()
    assert len(key) == 46 and new_key() != key
    ring = KeyRing(file)
    found = ring.find(key)
    assert found is not None and found.name == "ops" and found.scopes == {Scope.ADMIN}
    assert ring.find(key[:-1] + "_") is None and ring.find("") is None and KeyRing(None).find(key) is None


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"format":"hutong-api-keys","keys":[{}]}', '{"format":"other","keys":[]}', "[" * 50_000,
     json.dumps({"format": "hutong-api-keys", "keys": [{"name": "a", "scopes": ["root"], "sha256": "0" * 64, "created_at": ""}]})],
)  # fmt: skip
def test_a_file_that_is_none_of_keys_lets_nobody_in(tmp_path, content):
    file = tmp_path / "keys.json"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(KeysUnusable):
        read_keys(file)
    with pytest.raises(KeysUnusable):
        KeyRing(file).find(new_key())


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "-x"])
def test_names_of_keys_are_checked(name):
    with pytest.raises(KeysUnusable):
        check_name(name)


def test_the_cache_forgets_what_changed_and_never_keeps_what_was_read_before():
    clock = Clock()
    cache = AnswerCache(clock)
    cache.put(b"/1", [], b"one", b'"1"', ["a", "b"], cache.changes, 1)
    assert cache.get(b"/1").body == b"one"
    before = cache.changes
    cache.forget(["b"])
    assert cache.get(b"/1") is None
    cache.put(b"/1", [], b"old", b'"1"', ["a"], before, 1)
    assert cache.get(b"/1") is None, "it was read before the change"
    cache.put(b"/1", [], b"two", b'"2"', ["a"], cache.changes, 1)
    clock.s += 2
    assert cache.get(b"/1") is None
    for number in range(MAX_ANSWERS + 10):
        cache.put(b"/%d" % number, [], b"x", b'"x"', [f"{number}"], cache.changes, 1)
    assert len(cache) == MAX_ANSWERS == len(cache._names) == len(cache._targets)


def test_attack_G15_the_cache_is_bounded_in_bytes_and_lets_go_of_what_expired(monkeypatch):
    monkeypatch.setattr(answer_cache, "MAX_KEPT_BYTES", 10_000)
    clock = Clock()
    cache = AnswerCache(clock)
    for number in range(30):
        cache.put(b"/%d" % number, [], b"x" * 1_000, b'"x"', ["a"], cache.changes, 30 if number % 2 else 1)
    assert len(cache) == 10 and cache.get(b"/29") is not None and cache.get(b"/19") is None
    clock.s += 2
    cache.put(b"/new", [], b"x", b'"x"', ["b"], cache.changes, 1)
    assert len(cache) == 6 and cache._bytes == 5_001, "those of one second have left, unasked"
    clock.s += 60
    cache.put(b"/new", [], b"x", b'"x"', ["b"], cache.changes, 1)
    assert len(cache) == 1 == len(cache._expiries) and cache._bytes == 1
    cache.forget(["b"])
    assert len(cache) == cache._bytes == len(cache._targets) == len(cache._names) == 0


def test_attack_G15_another_spelling_of_a_target_is_the_same_answer():
    def target(path: str, query: bytes = b"") -> bytes:
        return target_of({"path": path, "query_string": query, "raw_path": b"not looked at"})

    assert target("/v1/messages/a") == target("/v1/messages/a", b"&") == target("/v1/messages/a", b"&&")
    assert target("/", b"limit=5") == target("/", b"limit=%35") == target("/", b"&limit=5&")
    assert (
        len(
            {
                target("/a"),
                target("/a", b"b"),
                target("/a?b="),
                target("/a", b"b=1"),
                target("/a", b"b=1&c="),
                target("/a\udcff"),
            }
        )
        == 6
    )


@given(st.text(max_size=50), st.binary(max_size=50))
@settings(max_examples=50, deadline=None)
def test_every_target_has_a_name(path, query):
    assert isinstance(target_of({"path": path, "query_string": query}), bytes)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "alpha: eth_call failed: http://user:pw@10.1.2.3:8545/v3/KEY: refused",
            "alpha: eth_call failed: [endpoint]: refused",
        ),
        ("wss://node.internal.example:443 is behind", "[endpoint] is behind"),
        ("connection to 10.0.0.7:5432 failed", "connection to [endpoint] failed"),
        (
            "there is no ledger at /home/relay/state/ledger.sqlite; has it run",
            "there is no ledger at [file]; has it run",
        ),
        (
            "packet alpha/client-0/7 of transfer/client-0/0xabc waits",
            "packet alpha/client-0/7 of transfer/client-0/0xabc waits",
        ),
        ("at height 1-1234, 0x5e5e, version 1.2.3", "at height 1-1234, 0x5e5e, version 1.2.3"),
    ],
)
def test_attack_G14_reasons_show_no_endpoint_host_or_file(text, shown):
    assert public_text(text) == shown


@given(st.text(max_size=3_000))
@settings(max_examples=50, deadline=None)
def test_any_text_can_be_shown(text):
    assert len(public_text(text)) <= 600
    name = bounded_name(text)
    assert name is None or (len(name) <= 160 and name.isprintable())
    assert skeleton(text) == skeleton(unicodedata.normalize("NFKD", text)) or True
    assert isinstance(skeleton(text), str)


@pytest.mark.parametrize(
    ("one", "other"),
    [("USDC", "usdc"), ("USDC", "USD\u0421"), ("USDC", "U5DC"), ("TOKEN", "T0KEN"), ("Lido", "l1do"), ("arn", "am"),
     ("\uff35\uff33\uff24\uff23", "USDC"), ("caf\u00e9", "cafe"),
     # Cyrillic, then Greek, and one sign of a currency
     ("USD\u0422", "USDT"), ("\u041cKR", "MKR"), ("WET\u041d", "WETH"), ("W\u0412TC", "WBTC"), ("L\u0406NK", "LINK"),
     ("l\u0456nk", "LINK"), ("DA\u0406", "DAI"), ("L\u0399NK", "LINK"), ("\u039cKR", "MKR"), ("\u0396RX", "ZRX"),
     ("\u03a5FI", "YFI"), ("\u039dEAR", "NEAR"), ("wet\u043d", "WETH"), ("l\u0131nk", "LINK"), ("USD\u20ae", "USDT")],
)  # fmt: skip
def test_names_that_look_alike_are_found(one, other):
    assert skeleton(one) == skeleton(other)
    assert shared_skeletons([(one, None), (other, "OTHER")]) == {skeleton(one)}


@pytest.mark.parametrize(
    "name",
    ["USD\u0422", "\u041cKR", "WET\u041d", "W\u0412TC", "L\u0406NK", "l\u0456nk", "DA\u0406", "L\u0399NK", "\u039cKR", "\u0396RX",
     "\u03a5FI", "USD\u20ae", "\u1d1c\ua731\u1d05\u1d04", "\u3164", "\u0301"],
)  # fmt: skip
def test_a_name_in_letters_of_elsewhere_is_never_said_to_be_no_look_alike(name):
    assert looks_like_another(name, ())


def test_plain_names_are_no_look_alikes_by_themselves():
    assert not any(
        looks_like_another(name, ()) for name in ("USDC", "Example Token", "caf\u00e9", "\uff35SD", "v2.0 (old)")
    )
    assert looks_like_another("USDC", {skeleton("usdc")})


def test_names_that_do_not_look_alike_are_apart():
    assert shared_skeletons([("alpha token", "ALPHA"), ("beta token", "BETA"), (None, None)]) == set()
    assert shared_skeletons([("same", "same")]) == set(), "a token may have its own name twice"


PATHS = Paths.of(
    [
        PathConfig(a=PathEnd(chain=chain, client="client-0"), b=PathEnd(chain="hub", client=f"bft-evm-{number}"))
        for number, chain in enumerate(("alpha", "beta"))
    ]
)


@pytest.mark.parametrize(
    ("chain", "denom", "home"),
    [
        ("alpha", "0xab", ("alpha", "0xab")),
        ("hub", "transfer/bft-evm-0/0xab", ("alpha", "0xab")),
        ("beta", "transfer/client-0/transfer/bft-evm-0/0xab", ("alpha", "0xab")),
        ("beta", "transfer/client-7/0xab", None),
        ("beta", "other/client-0/0xab", None),
        ("beta", "transfer/client-0/transfer/client-0/0xab", None),
    ],
)
def test_tokens_are_traced_home(chain, denom, home):
    found = home_of(Place(chain, Denom.parse(denom)), PATHS)
    assert (None if found is None else (found.chain, found.denom.path)) == home


def test_idempotency_keys_survive_a_restart_and_end_after_a_day(tmp_path):
    clock = Clock()
    store = IdempotencyStore(tmp_path / "api.sqlite", clock)
    assert store.claim("dapp", "k", b"digest") is None
    assert store.claim("dapp", "k", b"digest").answer is None, "under way"
    store.keep("dapp", "k", b"digest", '{"hash":"0x1"}')
    assert store.claim("other", "k", b"digest") is None, "keys of others are others"
    store.close()
    store = IdempotencyStore(tmp_path / "api.sqlite", clock)
    assert (tmp_path / "api.sqlite").stat().st_mode & 0o777 == 0o600
    assert store.claim("dapp", "k", b"else").digest == b"digest"
    assert store.claim("dapp", "k", b"digest").answer == '{"hash":"0x1"}'
    store.release("dapp", "k")
    assert store.claim("dapp", "k", b"digest") is not None, "an answer is not released"
    clock.s += 86_401
    assert store.claim("dapp", "k", b"digest") is None
    store.release("dapp", "k")
    assert store.claim("dapp", "k", b"digest") is None
    store.close()


def test_a_claim_that_others_share_is_not_released(tmp_path):
    store = IdempotencyStore(tmp_path / "api.sqlite", Clock())
    assert store.claim("dapp", "k", b"one") is None
    assert store.claim("dapp", "k", b"other").digest == b"one" and store.release("dapp", "k"), (
        "a conflict sends nothing"
    )
    assert store.claim("dapp", "k", b"one") is None
    assert store.claim("dapp", "k", b"one").answer is None
    assert not store.release("dapp", "k"), "the second one may have sent"
    assert store.claim("dapp", "k", b"other").digest == b"one"
    store.keep("dapp", "k", b"one", "{}")
    assert store.claim("dapp", "k", b"one").answer == "{}" and not store.release("dapp", "k")
    store.close()


def test_idempotency_keys_are_bounded(tmp_path, monkeypatch):
    from hutong.relay.api.sending import idempotency

    assert MAX_KEPT == 100_000
    monkeypatch.setattr(idempotency, "MAX_KEPT", 5)
    store = IdempotencyStore(tmp_path / "api.sqlite", Clock())
    for number in range(20):
        store.claim("dapp", f"k{number}", b"d")
    store.close()
    with sqlite3.connect(tmp_path / "api.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (5,)
    connection.close()


def test_what_is_under_way_is_bounded_and_ends(monkeypatch):
    monkeypatch.setattr(under_way, "MAX_UNDER_WAY", 3)
    clock = Clock()
    passed_on = under_way.UnderWay(clock)
    for number in range(5):
        passed_on.add("alpha", bytes([number]))
    assert [passed_on.has("alpha", bytes([number])) for number in range(5)] == [False, False, True, True, True]
    assert not passed_on.has("beta", bytes([4]))
    clock.s += under_way.UNDER_WAY_S
    assert not passed_on.has("alpha", bytes([4]))


def test_times_are_written_and_read():
    assert instant_text(instant(1_795_661_450_123_456_789)) == "2026-11-26T02:50:50.123Z"
    assert parse_instant("2026-11-26T02:50:50.123Z", "since") == 1_795_661_450_123_000_000
    assert instant_text(instant(2**63 - 1)) == "2262-04-11T23:47:16.854Z"
    assert instant_text(instant(10**30)).startswith("9999-")
    for wrong in ("", "now", "2026-13-01T00:00:00Z", "2026-11-26", "2026-11-26T00:00:00", "9" * 100):
        with pytest.raises(ApiProblem):
            parse_instant(wrong, "since")


def test_every_code_has_a_status_and_a_title():
    assert set(STATUSES) == set(TITLES) == set(Code)
    body = json.loads(ApiProblem(Code.NOT_FOUND, "x" * 5_000, field="q").body())
    assert body["status"] == 404 and body["field"] == "q" and len(body["detail"]) == 600
