"""Over TLS: the certificate is checked, by the caller's authorities if given, and the bounds of time are the same."""

import ssl
import subprocess

import pytest

from hutong.relay.sdk import TooSlow, Unreachable
from tests.relay.sdk.scripted_server import Scripted, answer, endless, event, stream
from tests.relay.sdk.sdk_values import STATUS, settled

ID = "alpha/client-0/7"


class OverTls(Scripted):
    """With a certificate that it signed itself."""

    def __init__(self, script, folder):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        super().__init__(script)
        self.url = self.url.replace("http:", "https:")

    def _answer(self, connection):
        try:
            super()._answer(self.context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def server(certificate):
    def script(request):
        if "/v1/events" in request:
            return stream(event("message", settled(), "c1"))
        return answer(200, STATUS) if "/v1/status" in request else endless(b"HTTP/1.1 200 OK\r\nx: ", 0.05)

    one = OverTls(script, certificate)
    yield one
    one.close()


def test_reading_and_following(client, server, certificate):
    tls = ssl.create_default_context(cafile=certificate / "cert.pem")
    options = {"tls": tls, "timeout_s": 5, "api_key": "hk_" + "k" * 43}
    assert client.call(server.url, "status", options=options).version == "0.1.0"
    assert [message.id for message in client.take(None, server.url, "follow", ID, options=options)] == [ID]
    with pytest.raises(TooSlow):
        client.call(server.url, "chains", options=options | {"timeout_s": 0.5})


def test_a_certificate_of_nobody_gets_no_key(client, server):
    with pytest.raises(Unreachable) as caught:
        client.call(server.url, "status", options={"api_key": "hk_" + "k" * 43})
    assert "certificate verify failed" in str(caught.value) and server.requests == []
