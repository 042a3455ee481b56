"""How lists are signed: JAdES in its compact form for one of ETSI, `vc+jwt` for a credential."""

from base64 import b64encode
from collections.abc import Callable, Sequence

from hutong.light_clients.crypto import sha256
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose import JsonObject, encode_base64url, sign_compact

Sign = Callable[[bytes], bytes]
"""From the signing input to r ‖ s by a key of P-256."""


def jades_compact(payload: JsonObject, chain: Sequence[bytes], signed_s: int, sign: Sign) -> str:
    """JAdES B-B (TS 119 182-1 §5.1, §6.3): `alg`, the certificate and its hash, and the time that the signer says.

    Args:
        chain: DER, the signing certificate first, the trust anchor left out.
        signed_s: Unix seconds.
    """
    header: JsonObject = {
        "alg": "ES256",
        "iat": signed_s,
        "x5c": [b64encode(one).decode() for one in chain],
        "x5t#S256": encode_base64url(sha256(chain[0])),
    }
    return sign_compact(header, canonical_json(payload), sign)


def credential_token(credential: JsonObject, key_id: str, sign: Sign) -> str:
    """The credential as `vc+jwt` (VC-JOSE-COSE §3.1): the payload is the credential itself."""
    header: JsonObject = {"alg": "ES256", "cty": "vc", "kid": key_id, "typ": "vc+jwt"}
    return sign_compact(header, canonical_json(credential), sign)
