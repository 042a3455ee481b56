"""The real API over a written ledger, servers that say whatever a test wants, and one suite for both clients."""

import pytest
import trio

from hutong.relay.web.api_keys import ApiKey, Scope, digest_of, write_keys
from tests.relay.api.api_world import api_under_uvicorn, config_of, write_ledger
from tests.relay.sdk.both_clients import ADMIN, WRITER, Blocking, UnderTrio


@pytest.fixture(params=[Blocking(), UnderTrio()], ids=lambda one: one.name)
def client(request):
    return request.param


@pytest.fixture(scope="module")
def api_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("sdk")
    trio.run(write_ledger, home)
    entries = [(WRITER, "writer", Scope.WRITE), (ADMIN, "admin", Scope.ADMIN)]
    keys = [ApiKey(name, frozenset([scope]), digest_of(key), "2026-11-26T00:00:00Z") for key, name, scope in entries]
    write_keys(home / "api-keys.json", keys)
    return home


@pytest.fixture(scope="module")
def api(api_home):
    """(URL, service) of the API as `hutong api run` serves it."""
    with api_under_uvicorn(config_of(api_home, keys_file=str(api_home / "api-keys.json"))) as (url, service):
        yield url, service
