"""What every database must do for the verifier and for login: `engine` is the fixture of whoever stands on these."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hutong.relay.services.identity.login.store import Login, LoginStore
from hutong.relay.services.identity.verifier import store as verifier_store
from hutong.relay.services.identity.verifier.store import Asked, Channel, RequestStore, State, TooManyOpen

RACERS = 8
ASKED = Asked(
    id="first",
    policy="licence",
    owner="key:shop",
    channel=Channel.SAME_DEVICE,
    nonce="n",
    challenge="c",
    encryption_jwk={"kty": "EC", "d": "secret"},
    return_to="https://shop.example/back",
    created_s=1_000,
    ends_s=1_300,
)


class StoreConformance:
    """Two stores in one database."""

    def test_a_request_is_kept_claimed_settled_and_removed(self, engine):
        store = RequestStore(engine)
        store.prepare()
        store.prepare()
        store.add(ASKED)
        store.add(replace(ASKED, id="second", created_s=1_001))
        assert store.get("first", 1_299) == ASKED and store.get("none", 1_299) is None
        assert store.get("first", 1_300).state is State.EXPIRED
        assert [one.id for one in store.of_owner("key:shop", 1_299)] == ["second", "first"]
        assert not store.claim("first", 1_300) and store.claim("first", 1_299)
        claimed = store.get("first", 1_299)
        assert (claimed.state, claimed.encryption_jwk) == (State.JUDGING, None)
        store.settle("first", State.ACCEPTED, {"name": "Köln"}, "digest", 1_900)
        store.settle("first", State.REFUSED, {}, "other", 1_900)
        store.mark_returned("first")
        settled = store.get("first", 1_800)
        assert (settled.state, settled.outcome, settled.code_sha256) == (State.ACCEPTED, {"name": "Köln"}, "digest")
        assert settled.is_returned and store.get("first", 1_900) is None
        assert [one.id for one in store.of_owner("key:shop", 1_900)] == ["second"]
        assert store.remove_ended(1_359) == 0 and store.remove_ended(1_360) == 1
        assert store.get("first", 1_899) and store.remove_ended(1_899) == 0 and store.remove_ended(1_900) == 1
        store.add(ASKED)
        store.forget(["first"])
        assert store.of_owner("key:shop", 0) == ()

    def test_strangers_push_out_nobody_who_has_a_key(self, engine, monkeypatch):
        store = RequestStore(engine)
        store.prepare()
        monkeypatch.setattr(verifier_store, "MAX_OPEN", 2)
        for number in range(2):
            store.add(replace(ASKED, id=f"page-{number}", owner=f"page:{number}"))
        with pytest.raises(TooManyOpen):
            store.add(replace(ASKED, id="page-2", owner="page:2"))
        store.add(ASKED)
        store.add(replace(ASKED, id="second"))
        with pytest.raises(TooManyOpen):
            store.add(replace(ASKED, id="third"))

    def test_of_many_at_once_one_claims_and_one_takes(self, engine):
        requests, logins = RequestStore(engine), LoginStore(engine)
        requests.prepare()
        logins.prepare()
        requests.add(ASKED)
        logins.keep_code("code", "library", {"person": {"sub": "a"}}, 2_000)
        assert logins.take_code("code", "pool", 1_000) is None
        with ThreadPoolExecutor(RACERS) as pool:
            claims = list(pool.map(lambda _: requests.claim("first", 1_000), range(RACERS)))
            taken = list(pool.map(lambda _: logins.take_code("code", "library", 1_000), range(RACERS)))
        assert sorted(claims) == [False] * (RACERS - 1) + [True]
        assert [one for one in taken if one is not None] == [{"person": {"sub": "a"}}]

    def test_a_login_ends_once_and_leaves(self, engine):
        store = LoginStore(engine)
        store.prepare()
        login = Login("id", "session", {"client_id": "library", "state": "é"}, 1_300)
        store.begin(login)
        assert store.get("id", 1_299) == login and store.get("id", 1_300) is None
        assert store.end("id") and not store.end("id")
        store.begin(login)
        store.keep_code("late", "library", {}, 1_060)
        assert store.take_code("late", "library", 1_060) is None
        store.keep_code("old", "library", {}, 1_060)
        assert store.remove_ended(1_301) == 2
