"""A certificate for HTTPS on the loopback address, with its own authority, for servers of tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.relay.services.identity.certificates import name_of, pem, private_pem


@dataclass(frozen=True, slots=True)
class LoopbackTls:
    """Files: what clients trust, and certificate and key of the server."""

    authority: Path
    certificate: Path
    key: Path


def loopback_tls(folder: Path) -> LoopbackTls:
    """For `127.0.0.1` and `localhost`, valid for two days around now."""
    now, root_key, key = datetime.now(UTC), *(ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def certificate(
        subject: str, public: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name_of(subject))
            .issuer_name(name_of("loopback authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(root_key, SHA256())

    subject_key = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = certificate(
        "loopback authority", root_key.public_key(), x509.BasicConstraints(ca=True, path_length=0), subject_key
    )
    leaf = certificate(
        "loopback",
        key.public_key(),
        x509.BasicConstraints(ca=False, path_length=None),
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key),
    )
    files = LoopbackTls(folder / "tls-authority.pem", folder / "tls.pem", folder / "tls.key")
    files.authority.write_bytes(pem(root))
    files.certificate.write_bytes(pem(leaf))
    files.key.touch(0o600)
    files.key.write_bytes(private_pem(key))
    return files
