"""Inside the relay: over TLS, and whatever happens to the API the relay goes on."""

import ssl
import subprocess

import httpx
import pytest
import trio

from hutong.relay.api.serving import inside
from hutong.relay.archive import Archive
from hutong.relay.core.daemon import Parts
from tests.relay.api.api_world import config_of, simulated_adapters, write_ledger


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "key.pem").chmod(0o600)
    return folder


def parts_of(home, **api) -> Parts:
    return Parts(config_of(home, **api), simulated_adapters(), None, Archive(home / "evidence"))


async def test_it_serves_over_tls(tmp_path, certificate):
    await write_ledger(tmp_path)
    tls = {"tls_certificate": str(certificate / "cert.pem"), "tls_key": str(certificate / "key.pem")}
    send, receive = trio.open_memory_channel[str](1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inside.serve_beside, parts_of(tmp_path, **tls), send)
        with trio.fail_after(30):
            url = await receive.receive()
            context = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
            async with httpx.AsyncClient(base_url=url, verify=context, trust_env=False, timeout=20) as http:
                answer = await http.get("v1/totals")
                assert answer.status_code == 200 and "max-age" in answer.headers["strict-transport-security"]
        nursery.cancel_scope.cancel()


@pytest.mark.long
async def test_a_failure_of_the_api_ends_nothing_else(tmp_path, monkeypatch, autojump_clock):
    """A defect is logged, and the API starts again."""
    started = []

    async def fail(*_arguments):
        started.append(trio.current_time())
        if len(started) == 3:
            scope.cancel()
        raise ZeroDivisionError

    monkeypatch.setattr(inside, "_serve", fail)
    with trio.move_on_after(60) as scope:
        await inside.serve_beside(parts_of(tmp_path))
    assert scope.cancelled_caught and len(started) == 3


async def test_it_is_not_served_where_the_configuration_says_so(tmp_path):
    with trio.fail_after(60):
        await inside.serve_beside(parts_of(tmp_path, inside_relay=False))


@pytest.mark.long
async def test_a_chain_that_hangs_stops_no_answer(tmp_path):
    await write_ledger(tmp_path)
    adapters = simulated_adapters()

    async def hang(*_arguments):
        await trio.sleep_forever()

    adapters["alpha"].head = hang
    from tests.relay.api.api_world import api_under_trio

    async with api_under_trio(config_of(tmp_path), adapters) as (url, service):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as http:
            with trio.fail_after(60):
                while service.backend.views.chain("beta").height is None:
                    await trio.lowlevel.checkpoint()
                chains = {one["name"]: one for one in (await http.get("/v1/chains")).json()["items"]}
                assert chains["alpha"]["height"] is None and chains["beta"]["height"] == 2
                assert (await http.get("/v1/messages")).status_code == 200
                ready = await http.get("/readyz")
                assert ready.status_code == 503 and ready.json()["chains"]["alpha"] == "away"


async def test_trial_T9_a_port_that_is_lost_later_ends_nothing(tmp_path, monkeypatch, autojump_clock):
    started = []

    async def lose(_parts, _settings, _on_serving, served):
        served.set()
        started.append(trio.current_time())
        if len(started) == 3:
            scope.cancel()
        raise ExceptionGroup("tasks", [OSError(98, "Address already in use")])

    monkeypatch.setattr(inside, "_serve", lose)
    with trio.move_on_after(60) as scope:
        await inside.serve_beside(parts_of(tmp_path))
    assert scope.cancelled_caught and len(started) == 3
