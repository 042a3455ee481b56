"""What an issuer signs with: the P-256 key of credentials under its certificates, and the account of seals beside them."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import VerificationError
from hutong.relay.keys import Signer
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.token_key import TokenKey, open_token_key
from hutong.relay.services.identity.issuer.settings import IssuerConfig
from hutong.relay.services.identity.rules.jose import JsonValue
from hutong.relay.services.identity.rules.jose.certificates import CertifiedKey, chain_well_formed, leaf_key_is_p256
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, PublicKey
from hutong.relay.services.identity.rules.sd_jwt.issuing import IssuerHeader, issuer_header

_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """Signs credentials and list tokens: `sign` makes r ‖ s of a signing input, as that of `held`.

    `header` is what its tokens have in theirs: the certificates. `thumbprint` (RFC 7638) is the key's name on the hub.
    """

    certified: CertifiedKey
    header: dict[str, JsonValue]
    credential_header: IssuerHeader
    """The same with what credentials have besides, spelled once."""
    thumbprint: bytes
    held: TokenKey
    sign: Callable[[bytes], bytes] = field(repr=False)


def load_credential_key(config: IssuerConfig, issuer: str) -> CredentialKey:
    """The key and the chain of a configuration, which belong together and name the issuer. Blocks.

    Args:
        issuer: the credential issuer identifier, which credentials have as `iss`.

    Raises:
        RoleUnusable: a file is not what it should be, the certificate is of another key, or names somebody else.
    """
    held = open_token_key(config.key, "issuer.key")
    try:
        certificates = x509.load_pem_x509_certificates(config.certificates.read_bytes())
        x5c = tuple(b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates)
        certified = leaf_key_is_p256(chain_well_formed(list[JsonValue](x5c)).leaf)
    except (OSError, ValueError, VerificationError) as error:
        raise RoleUnusable(f"issuer.certificates {config.certificates}: {error}") from None
    if certified.key.coordinates != held.coordinates:
        raise RoleUnusable(f"the first of issuer.certificates {config.certificates} is of another key than issuer.key")
    if certified.names(issuer) is False:
        named = ", ".join([*certified.uris, *certified.hosts])
        raise RoleUnusable(f"the certificate is for {named}, not for {issuer}: verifiers would refuse every credential")
    return credential_key_of(certified, x5c, held)


def credential_key_of(certified: CertifiedKey, x5c: tuple[str, ...], held: TokenKey) -> CredentialKey:
    """The key of a chain (base64 of DER, the key's certificate first) and what signs by it, which belong together."""
    header: dict[str, JsonValue] = {"x5c": list[JsonValue](x5c)}
    return CredentialKey(certified, header, issuer_header(header), certified.key.thumbprint(), held, held.sign)


def account_thumbprint(signer: Signer) -> bytes:
    """The RFC 7638 thumbprint of an account's secp256k1 key: its name among the keys of a DID."""
    point = secp256k1.decompress(signer.public_key)
    if point is None:
        raise ValueError("a signer's key is on its curve")
    x, y = (number.to_bytes(_COORDINATE_BYTES, "big") for number in point)
    return thumbprint(PublicKey(KeyAlgorithm.ES256K, x, y))
