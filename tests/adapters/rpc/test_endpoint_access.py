"""Endpoints that ask for a token, a header or a client certificate, over real TLS (parity row 57)."""

import logging
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
import trio

from hutong.adapters.interface import EndpointUnavailable, RpcRefused
from hutong.adapters.rpc import (
    AccessList,
    AccessUnusable,
    EndpointAccess,
    Fields,
    HeadSignal,
    RpcOptions,
    open_rpc_client,
    tls_context,
)
from tests.adapters.rpc.guarded_server import (
    TOKEN,
    authority,
    guarded_server,
    guarded_websocket,
    server_context,
    signed_by,
)
from tests.adapters.rpc.hostile_server import hostile_server, result

QUICK = RpcOptions(attempt_timeout_s=20, rounds=1, backoff_first_s=0.01, backoff_most_s=0.02)
BEARER = (("Authorization", f"Bearer {TOKEN}".encode()),)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """(server's context, a function from files to a client's context, the files)."""
    folder = tmp_path_factory.mktemp("tls")
    ours, clients, strangers = (authority(folder, name) for name in ("ours", "clients", "strangers"))
    files = {
        "ours": ours,
        "strangers": strangers,
        "relay": signed_by(clients, "relay"),
        "impostor": signed_by(strangers, "impostor"),
    }
    return server_context(signed_by(ours, "server"), clients), files


def access(port: int, files: dict, client: str | None = "relay", ca: str = "ours", headers=BEARER) -> AccessList:
    certificate, key = files[client] if client else (None, None)
    return AccessList((EndpointAccess("127.0.0.1", port, headers, tls_context(files[ca], certificate, key)),))


async def height(url: str, allowed: AccessList) -> int:
    async with open_rpc_client("alpha", [url], Random(1), replace(QUICK, access=allowed)) as client:
        return await client.call("eth_blockNumber", [], Fields.quantity)


async def test_parity_row_57_a_certificate_and_a_header_open_the_endpoint(tls):
    context, files = tls
    async with guarded_server(context) as server:
        assert await height(server.url, access(server.port, files)) == 16
        assert len(server.served) == 1 and not server.refused


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client": None}, "https://127.0.0.1"),
        ({"client": "impostor"}, "https://127.0.0.1"),
        ({"ca": "strangers"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"headers": ()}, "401"),
        ({"headers": (("authorization", b"Bearer another"),)}, "401"),
    ],
    ids=["no-certificate", "another-authority's", "server-of-another-authority", "no-header", "wrong-header"],
)
async def test_parity_row_57_who_lacks_one_of_them_is_not_served(tls, changes, said):
    context, files = tls
    async with guarded_server(context) as server:
        with pytest.raises(EndpointUnavailable) as caught:
            await height(server.url, access(server.port, files, **changes))
        assert server.served == [] and said in str(caught.value)


async def test_parity_row_57_the_systems_authorities_do_not_open_it(tls):
    context, _ = tls
    async with guarded_server(context) as server:
        with pytest.raises(EndpointUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await height(server.url, AccessList())


async def test_attack_G14_a_secret_goes_to_its_host_and_port_alone(tls):
    _, files = tls
    async with trio.open_nursery() as nursery:
        seen: list[bytes] = []

        async def overhear(stream):
            seen.append(await stream.receive_some(65536))
            await stream.aclose()

        (listener,) = await nursery.start(partial(trio.serve_tcp, overhear, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        with pytest.raises(EndpointUnavailable):
            await height(f"http://127.0.0.1:{port}", access(port + 1, files))
        with pytest.raises(EndpointUnavailable):
            await height(f"http://127.0.0.1:{port}", access(port, files))
        nursery.cancel_scope.cancel()
    assert TOKEN.encode() not in seen[0], "an entry of another port"
    assert TOKEN.encode() in seen[1]


async def test_attack_G14_a_server_that_repeats_the_token_puts_it_into_no_error_and_no_statistics(tls, caplog):
    context, files = tls
    caplog.set_level(logging.DEBUG)
    async with guarded_server(context) as server:
        server.parrot = True
        options = replace(QUICK, access=access(server.port, files))
        async with open_rpc_client("alpha", [server.url], Random(1), options) as client:
            with pytest.raises(RpcRefused) as refused:
                await client.call("eth_call", [], Fields.quantity)
            with pytest.raises(RpcRefused):
                await client.call("eth_blockNumber", [], Fields.quantity)
            (statistics,) = client.statistics()
    assert "[redacted]" in refused.value.message
    for text in (str(refused.value), repr(options), repr(statistics), caplog.text):
        assert TOKEN not in text
    assert dict(statistics.errors) == {"refused": 1} and statistics.requests == 2


async def test_parity_row_57_a_websocket_brings_certificate_and_header(tls):
    context, files = tls
    async with guarded_websocket(context) as (url, refused), trio.open_nursery() as nursery:
        port = int(url.rpartition(":")[2].partition("/")[0])
        signal = HeadSignal()
        nursery.start_soon(signal.follow, (url,), Random(1), access(port, files))
        with trio.fail_after(60):
            await signal.wait(60)
        assert signal.connected and not refused.is_set()
        nursery.cancel_scope.cancel()


async def test_parity_row_57_a_websocket_without_the_header_is_refused_and_not_connected(tls):
    context, files = tls
    async with guarded_websocket(context) as (url, refused), trio.open_nursery() as nursery:
        port = int(url.rpartition(":")[2].partition("/")[0])
        signal = HeadSignal()
        nursery.start_soon(signal.follow, (url,), Random(1), access(port, files, headers=()))
        with trio.fail_after(60):
            await refused.wait()
        assert not signal.connected
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", b"Bearer a\r\nx-evil: 1"),
        ("authorization", b"Bearer a\nb"),
        ("authorization", b""),
        ("authorization", b" padded"),
        ("authorization", b"\xff"),
        ("authorization", b"x" * 8193),
        ("x y", b"1"),
        ("x:y", b"1"),
        ("", b"1"),
        ("Content-Length", b"0"),
        ("host", b"evil.example"),
        ("transfer-encoding", b"chunked"),
    ],
)
def test_attack_G14_a_value_that_would_make_a_second_request_is_no_header(name, value):
    with pytest.raises(AccessUnusable) as caught:
        EndpointAccess("alpha.example", None, ((name, value),))
    assert not value.strip() or len(value) < 6 or value.decode("latin-1") not in str(caught.value)


def test_files_that_are_no_certificate_or_key_are_said_to_be_none(tls, tmp_path):
    _, files = tls
    certificate, key = files["relay"]
    (tmp_path / "no.pem").write_text("no certificate")
    locked = tmp_path / "locked.key"
    os.system(f"openssl ec -in {key} -aes256 -passout pass:x -out {locked} 2>/dev/null")
    for arguments, named in (
        ((tmp_path / "absent.pem", None, None), "absent.pem"),
        ((tmp_path / "no.pem", None, None), "no.pem"),
        ((None, certificate, files["impostor"][1]), "impostor.key"),
        ((None, certificate, tmp_path / "no.pem"), "no.pem"),
        ((None, certificate, locked), "locked.key"),
    ):
        with pytest.raises(AccessUnusable, match=named):
            tls_context(*arguments)
    assert tls_context(files["ours"], Path(certificate), Path(key)) is not None


async def test_two_urls_of_one_host_have_names_of_their_own():
    async with hostile_server() as server:
        server.answers["eth_blockNumber"] = lambda request: result(request, "0x10")
        urls = [server.url + "/a", server.url + "/b"]
        async with open_rpc_client("alpha", urls, Random(1), QUICK) as client:
            assert await client.call("eth_blockNumber", [], Fields.quantity) == 16
            first, second = client.statistics()
    assert second.name == f"{first.name}#2" and (first.requests, second.requests) == (1, 0)
