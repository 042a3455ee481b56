"""A node's identity among peers: an Ed25519 key, its self-signed certificate, and the id that follows from it.

The certificate carries nothing but the key; peers pin it whole. It is made with pycryptodome, which the project has, in
the few DER fields that X.509 demands.
"""

import ssl
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from Crypto.Util.asn1 import DerBitString, DerInteger, DerObject, DerObjectId

from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import UnsafeFile, read_private_file
from hutong.relay.hub.home.home import UnusableHome

NODE_KEY_FILE = "node_key.pem"
NODE_ID_BYTES = 20
MAX_CERTIFICATE_BYTES = 1024
_ED25519 = "1.3.101.112"
_COMMON_NAME = "2.5.4.3"
_UTF8_STRING, _UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _SET = 0x0C, 0x17, 0x18, 0x10, 0x11
_VERSION_3 = bytes.fromhex("a003020102")
_SPKI_BYTES = 44
_SPKI_START = bytes.fromhex("302a300506032b6570032100")


class UnusableCertificate(Exception):
    """Not a certificate of a node key; one sentence."""


@dataclass(frozen=True, slots=True)
class NodeKey:
    """What a node shows (`certificate`, DER) and what it keeps."""

    private_key_pem: str
    certificate: bytes

    @property
    def node_id(self) -> str:
        """40 hex digits: the first 20 bytes of the SHA-256 of the public key in DER."""
        return node_id_of(self.certificate)

    def __repr__(self) -> str:
        return f"NodeKey({self.node_id})"


def new_node_key() -> NodeKey:
    """A new Ed25519 key with its self-signed certificate, which never expires."""
    return _with_certificate(ECC.generate(curve="ed25519"))


def _with_certificate(key: ECC.EccKey) -> NodeKey:
    public_key = key.public_key().export_key(format="DER")
    if not isinstance(public_key, bytes):
        raise TypeError("DER is bytes")
    algorithm = _sequence(DerObjectId(_ED25519).encode())
    common_name = DerObject(_UTF8_STRING, _node_id(public_key).encode()).encode()
    name = _sequence(
        DerObject(_SET, _sequence(DerObjectId(_COMMON_NAME).encode(), common_name), constructed=True).encode()
    )
    # No date ends a pinned key: it is valid while peers list it (RFC 5280, 4.1.2.5 for the far end).
    validity = _sequence(
        DerObject(_UTC_TIME, b"700101000000Z").encode(), DerObject(_GENERALIZED_TIME, b"99991231235959Z").encode()
    )
    body = _sequence(_VERSION_3, DerInteger(1).encode(), algorithm, name, validity, name, public_key)
    signature = eddsa.new(key, "rfc8032").sign(body)
    certificate = _sequence(body, algorithm, DerBitString(signature).encode())
    pem = key.export_key(format="PEM")
    return NodeKey(pem if isinstance(pem, str) else pem.decode(), certificate)


def _sequence(*parts: bytes) -> bytes:
    return DerObject(_SEQUENCE, b"".join(parts), constructed=True).encode()


def _node_id(public_key: bytes) -> str:
    return sha256(public_key).digest()[:NODE_ID_BYTES].hex()


def node_id_of(certificate: bytes) -> str:
    """The id of the Ed25519 key that a certificate (DER) of this module's form holds. No signature is verified.

    Raises:
        UnusableCertificate: it is longer than MAX_CERTIFICATE_BYTES or of another form.
    """
    start = certificate.find(_SPKI_START)
    if len(certificate) > MAX_CERTIFICATE_BYTES or start < 0 or len(certificate) < start + _SPKI_BYTES:
        raise UnusableCertificate("is not the certificate of a hub's node key")
    public_key = certificate[start : start + _SPKI_BYTES]
    # The name says the id too: so a certificate with a second key structure before its own is found out.
    node_id = _node_id(public_key)
    if certificate.count(node_id.encode()) != 2 or certificate.count(_SPKI_START) != 1:
        raise UnusableCertificate("is not the certificate of a hub's node key")
    return node_id


def encode_node_key(key: NodeKey) -> bytes:
    """PEM: the private key, then the certificate, as OpenSSL reads them from one file."""
    return (key.private_key_pem.strip() + "\n" + ssl.DER_cert_to_PEM_cert(key.certificate)).encode()


def write_node_key(home: Path, key: NodeKey) -> None:
    """Write the key durably, readable by its owner alone (0600).

    Raises:
        OSError: it cannot be written.
    """
    write_durably(home / NODE_KEY_FILE, encode_node_key(key))


def load_node_key(home: Path) -> NodeKey:
    """The node key of a home with its certificate.

    Raises:
        UnusableHome: it is missing, others may read it, or key and certificate do not belong together.
    """
    path = home / NODE_KEY_FILE
    try:
        text = read_private_file(path).decode()
        private_key, mark, certificate = text.partition("-----BEGIN CERTIFICATE-----")
        key = NodeKey(private_key, ssl.PEM_cert_to_DER_cert(mark + certificate))
        public_key = ECC.import_key(private_key).public_key().export_key(format="DER")
        if not isinstance(public_key, bytes) or public_key not in key.certificate:
            raise ValueError("the certificate is of another key")
        node_id_of(key.certificate)
    except UnsafeFile as error:
        raise UnusableHome(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except (ValueError, UnusableCertificate):
        raise UnusableHome(f"{path}: is not a node key with its certificate") from None
    return key
