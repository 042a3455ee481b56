"""The API over a written ledger and simulated chains, on both of its servers."""

import io

import httpx
import pytest
import structlog
import trio

from hutong.relay.telemetry import configure_logs
from tests.relay.api.api_world import api_under_uvicorn, config_of, write_ledger


@pytest.fixture(scope="session", autouse=True)
def quiet_logs():
    """Logs as a daemon writes them: structlog's own default prints every local variable, slowly."""
    configure_logs("error", io.StringIO())
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def ledger_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("api")
    trio.run(write_ledger, home)
    return home


@pytest.fixture(scope="module")
def uvicorn_api(ledger_home):
    with api_under_uvicorn(config_of(ledger_home)) as (url, service):
        yield url, service


@pytest.fixture(scope="module")
def client(uvicorn_api):
    with httpx.Client(base_url=uvicorn_api[0], trust_env=False, timeout=10) as one:
        yield one
