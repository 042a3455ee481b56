"""The key and the certificates under which this verifier asks."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.light_clients.interface import VerificationError
from hutong.relay.config import AnyKeyConfig
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.token_key import TokenKey, open_token_key
from hutong.relay.services.identity.rules.jose.certificates import MAX_CHAIN, CertifiedKey, leaf_key_is_p256
from hutong.relay.services.identity.rules.openid4vp import ClientIdPrefix, client_id_of


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs request objects. `x5c` is the chain in base64 of DER, the signing certificate first."""

    certified: CertifiedKey
    x5c: tuple[str, ...]
    held: TokenKey

    def client_id(self, prefix: ClientIdPrefix) -> str:
        """The name under which this verifier asks.

        Raises:
            RoleUnusable: the certificate does not name one host, for `x509_san_dns`.
        """
        try:
            return client_id_of(prefix, self.certified)
        except VerificationError as error:
            raise RoleUnusable(f"verifier.certificates: {error}") from None


def read_signing_key(key: Path | AnyKeyConfig, certificates_file: Path) -> SigningKey:
    """A configured key and the chain of its file. Blocks.

    Raises:
        RoleUnusable: no such files, a key that is not the certificate's, or an anchor in the chain.
    """
    held = open_token_key(key, "verifier.key")
    try:
        chain = x509.load_pem_x509_certificates(certificates_file.read_bytes())
        certified = leaf_key_is_p256(chain[0])
    except (ValueError, OSError, VerificationError) as error:
        raise RoleUnusable(f"verifier.certificates: {certificates_file} cannot be used: {error}") from None
    if len(chain) > MAX_CHAIN:
        raise RoleUnusable(f"verifier.certificates: more than {MAX_CHAIN} certificates; leave the anchor out")
    if any(one.issuer == one.subject for one in chain):
        raise RoleUnusable(
            "verifier.certificates: a self-signed certificate is an anchor; wallets refuse it in a request"
        )
    if certified.key.coordinates != held.coordinates:
        raise RoleUnusable("verifier.certificates: the first certificate is of another key than verifier.key")
    x5c = tuple(b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain)
    return SigningKey(certified, x5c, held)
