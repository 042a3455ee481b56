"""The daemon's own TLS, as wallets and the conformance suite meet it (BCP 195, RFC 9325)."""

import socket
import ssl
from functools import partial

import pytest
import trio

from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import serve
from tests.nodes.identity.loopback_tls import loopback_tls
from tests.relay.services.identity.serving.test_serving import ISSUER, SERVER, write_files

RECOMMENDED = {
    f"ECDHE-{key}-AES{bits}-GCM-SHA{sha}" for key in ("ECDSA", "RSA") for bits, sha in ((128, 256), (256, 384))
}


def shaken(
    port: int, authority, ciphers: str | None = None, most: ssl.TLSVersion | None = None
) -> tuple[str, str, bytes]:
    """Version and cipher of a handshake, and what `/healthz` answers."""
    context = ssl.create_default_context(cafile=authority)
    if most is not None:
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, most
    if ciphers is not None:
        context.set_ciphers(ciphers)
    with socket.create_connection(("127.0.0.1", port), 30) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
            version, cipher = wrapped.version(), wrapped.cipher()
            assert version is not None and cipher is not None
            wrapped.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
            return version, cipher[0], b"".join(iter(partial(wrapped.recv, 4096), b""))


@pytest.mark.long
async def test_the_servers_ciphers_are_those_of_bcp_195(tmp_path):
    tls = loopback_tls(tmp_path)
    text = SERVER + f'tls_certificate = "{tls.certificate}"\ntls_key = "{tls.key}"\n' + ISSUER
    config = load_identity_config(write_files(tmp_path, text))
    ready = trio.Event()
    places: list[str] = []

    def on_ready(place: str) -> None:
        places.append(place)
        ready.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, config, on_ready)
        await ready.wait()
        port = int(places[0].rpartition(":")[2])
        shake = partial(trio.to_thread.run_sync, shaken, port, tls.authority)
        version, _, answer = await shake()
        assert version == "TLSv1.3"
        assert b"\r\ndate: " in answer.lower() and answer.startswith(b"HTTP/1.1 200")
        version, cipher, _ = await shake(None, ssl.TLSVersion.TLSv1_2)
        assert version == "TLSv1.2" and cipher in RECOMMENDED
        for ciphers in ("ECDHE+CHACHA20", "ECDHE+AES:!AESGCM", "AESGCM:!ECDHE:!DHE"):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await shake(ciphers, ssl.TLSVersion.TLSv1_2)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await shake("ALL:@SECLEVEL=0", ssl.TLSVersion.TLSv1_1)
        nursery.cancel_scope.cancel()
