"""Names of verifiers that a certificate proves (OpenID4VP 1.0 §5.9.3): `x509_hash:` and `x509_san_dns:`.

The name is the audience of the holder's signature, with its prefix: what was presented to one verifier counts at no other.
"""

import re
from enum import StrEnum
from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import CertifiedKey, decode_base64url, encode_base64url

FINGERPRINT_BYTES: Final = 32
MAX_CLIENT_ID_CHARS: Final = 512
_HOST: Final = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class ClientIdPrefix(StrEnum):
    """How a client id is proven."""

    X509_HASH = "x509_hash"
    """By SHA-256 of the signing certificate: HAIP's way."""
    X509_SAN_DNS = "x509_san_dns"
    """By a host name in the signing certificate."""


def client_id_of(prefix: ClientIdPrefix, certified: CertifiedKey) -> str:
    """The name under which the holder of a certificate asks.

    Raises:
        MalformedInput: `x509_san_dns` of a certificate that names another number of hosts than one.
    """
    if prefix is ClientIdPrefix.X509_HASH:
        return f"{prefix}:{encode_base64url(certified.fingerprint)}"
    if len(certified.hosts) != 1:
        raise MalformedInput("certificate", "names one host for x509_san_dns", got=list(certified.hosts))
    return f"{prefix}:{certified.hosts[0]}"


@rule(f"{drafts.OPENID4VP} §5.9.3")
def client_id_well_formed(client_id: str) -> tuple[ClientIdPrefix, str]:
    """A prefix that is proven by a certificate, and what follows it.

    Raises:
        MalformedInput: too long, no hash of 32 bytes, or no host name in lower case.
        UnsupportedOperation: another prefix, or none.
    """
    if not 0 < len(client_id) <= MAX_CLIENT_ID_CHARS:
        raise MalformedInput("client_id", f"is not 1 to {MAX_CLIENT_ID_CHARS} characters", got=len(client_id))
    name, colon, rest = client_id.partition(":")
    if not colon or name not in tuple(ClientIdPrefix):
        raise UnsupportedOperation(f"client ids such as {client_id[:32]!r}", "x509_hash: and x509_san_dns: are")
    prefix = ClientIdPrefix(name)
    if prefix is ClientIdPrefix.X509_HASH:
        if len(decode_base64url(rest, "client_id", FINGERPRINT_BYTES)) != FINGERPRINT_BYTES:
            raise MalformedInput("client_id", f"is not a hash of {FINGERPRINT_BYTES} bytes", got=rest)
    elif _HOST.fullmatch(rest) is None:
        raise MalformedInput("client_id", "is not a host name in lower case", got=rest)
    return prefix, rest


@rule(f"{drafts.OPENID4VP} §5.9.3")
def certificate_proves_client_id(client_id: str, certified: CertifiedKey) -> None:
    """The signing certificate has the hash, or names the host, that the client id says.

    Raises:
        PredicateFailed: it has another one.
    """
    prefix, rest = client_id_well_formed(client_id)
    if prefix is ClientIdPrefix.X509_HASH:
        found = encode_base64url(certified.fingerprint)
        if rest != found:
            raise PredicateFailed("certificate_proves_client_id", "hash of the certificate", rest, found)
    elif rest not in certified.hosts:
        raise PredicateFailed("certificate_proves_client_id", "host of the certificate", rest, list(certified.hosts))
