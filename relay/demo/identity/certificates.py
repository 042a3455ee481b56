"""P-256 keys and certificates of the demo's issuer and verifier, and of their HTTPS, under an authority of its own."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.services.identity.rules.jose import encode_base64url

LIFE = timedelta(days=30)
COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Authority:
    """Certifies issuers, verifiers and their HTTPS; wallets and verifiers of the demo trust `certificate_file` (PEM)."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path

    @classmethod
    def begin(cls, file: Path, name: str) -> "Authority":
        """A new one, whose certificate is written to `file`. Its key is in no file.

        Raises:
            FileExistsError: there is such a file.
        """
        key, subject = ec.generate_private_key(ec.SECP256R1()), _name_of(name)
        builder = _builder(subject, subject, key.public_key(), is_authority=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        create_durably(file, builder.sign(key, SHA256()).public_bytes(Encoding.PEM), READABLE)
        return cls(subject, key, file)

    def certify(self, folder: Path, name: str, url: str | None = None) -> None:
        """A new key in `folder`: `key.pem` (its owner's alone), `chain.pem`, and `key.jwk.json` with its public half.

        Args:
            url: stands in the certificate, as issuers need it.

        Raises:
            FileExistsError: there is such a file.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name_of(name), self.name, key.public_key(), is_authority=False)
        if url is not None:
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(url)])
            builder = builder.add_extension(names, critical=False)
        self._write(folder, ("key.pem", "chain.pem"), key, builder)
        create_durably(folder / "key.jwk.json", json.dumps(_jwk_of(key.public_key())).encode(), READABLE)

    def certify_https(self, folder: Path) -> None:
        """A new key in `folder` for HTTPS on the loopback address: `tls.key.pem` (its owner's alone) and `tls.pem`.

        Raises:
            FileExistsError: there is such a file.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = _builder(_name_of("127.0.0.1"), self.name, key.public_key(), is_authority=False)
        for extension in (
            x509.SubjectAlternativeName(names),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            signer,
        ):
            builder = builder.add_extension(extension, critical=False)
        self._write(folder, ("tls.key.pem", "tls.pem"), key, builder)

    def _write(
        self, folder: Path, names: tuple[str, str], key: ec.EllipticCurvePrivateKey, builder: x509.CertificateBuilder
    ) -> None:
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        create_durably(folder / names[0], secret)
        create_durably(folder / names[1], builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM), READABLE)


def _name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, *, is_authority: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    basic = x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(basic, critical=True)
        .add_extension(usage, critical=True)
    )


def _jwk_of(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    x, y = (encode_base64url(one.to_bytes(COORDINATE_BYTES, "big")) for one in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
