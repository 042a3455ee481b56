"""Mutual TLS 1.3 in which the certificates of network.toml are all that is trusted."""

import ssl
from collections.abc import Iterable
from pathlib import Path

from hutong.relay.hub.network.link.node_key import MAX_CERTIFICATE_BYTES, NODE_KEY_FILE, UnusableCertificate, node_id_of


def _context(protocol: int, home: Path, trusted: Iterable[bytes]) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    # A pinned certificate is trusted by itself, whoever issued it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for certificate in trusted:
        context.load_verify_locations(cadata=certificate)
    context.load_cert_chain(home / NODE_KEY_FILE)
    return context


def server_context(home: Path, trusted: Iterable[bytes]) -> ssl.SSLContext:
    """For connections that peers open; `trusted` are their certificates in DER, which `require_readable` has passed.

    Raises:
        OSError: the home's node key is missing or unusable (ssl.SSLError).
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, home, trusted)
    context.num_tickets = 0
    return context


def client_context(home: Path, certificate: bytes) -> ssl.SSLContext:
    """For a connection to the one peer whose certificate (DER) this is.

    Raises:
        OSError: the home's node key is missing or unusable (ssl.SSLError).
    """
    return _context(ssl.PROTOCOL_TLS_CLIENT, home, (certificate,))


def require_readable(certificate: bytes) -> None:
    """Let TLS read a certificate (DER) before it is trusted: contexts are made where nobody is left to refuse.

    Raises:
        UnusableCertificate: it cannot.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except ssl.SSLError:
        raise UnusableCertificate("is not a certificate that TLS can read") from None


def peer_id(certificate: bytes | None) -> str:
    """The node id of a certificate that TLS has accepted; whether that node is listed is for the caller.

    Raises:
        UnusableCertificate: there is none, or it is too long, or not one of a node key.
    """
    if certificate is None:
        raise UnusableCertificate("has shown no certificate")
    if len(certificate) > MAX_CERTIFICATE_BYTES:
        raise UnusableCertificate(
            f"has shown a certificate of {len(certificate)} bytes, a node's has at most {MAX_CERTIFICATE_BYTES}"
        )
    return node_id_of(certificate)
