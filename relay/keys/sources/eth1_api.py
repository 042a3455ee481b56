"""The REST that signers of Ethereum keys speak (Web3Signer's eth1 API), and what `hutong signer` adds to it.

`POST /api/v1/eth1/sign/{identifier}` takes `{"data": "0x…"}`, hashes the data with Keccak-256 and answers `0x` r ‖ s ‖ v as text.
The identifier is the public key, 64 bytes without its prefix. What is hashed otherwise has no place there, so `hutong signer`
serves `POST /api/v1/hutong/sign/{identifier}` with `{"kind": …, "data": "0x…"}` for it, and answers refusals with a code.

Source: Consensys/web3signer, openapi-specs/eth1.
"""

from enum import StrEnum

from hutong.light_clients.crypto import secp256k1

UPCHECK_PATH = "/upcheck"
PUBLIC_KEYS_PATH = "/api/v1/eth1/publicKeys"
SIGN_PATH = "/api/v1/eth1/sign/"
HUTONG_SIGN_PATH = "/api/v1/hutong/sign/"
MAX_SIGN_BYTES = 2 * 2**20 + 1024
"""Of a request's body: a document of a mebibyte in hex."""
MAX_ANSWER_BYTES = 64 * 1024
MAX_KEYS_BYTES = 1024 * 1024
SIGNATURE_BYTES = 65


class RefusalCode(StrEnum):
    """Why a signer did not sign, in the member `code` of a JSON object."""

    MALFORMED = "malformed"
    """No document that is signed here."""
    REFUSED = "refused"
    """The key's policy forbids it."""
    UNKNOWN_KEY = "unknown-key"
    UNSUPPORTED = "unsupported"
    """The key's source never signs such documents."""
    UNAVAILABLE = "unavailable"
    """Its token or its record is away: ask again."""


def identifier_of(public_key: bytes) -> str:
    """`0x` and 128 hex digits of a compressed key of 33 bytes.

    Raises:
        ValueError: it is no key of secp256k1.
    """
    point = secp256k1.decompress(public_key)
    if point is None:
        raise ValueError("not a compressed key of secp256k1")
    return f"0x{point[0]:064x}{point[1]:064x}"
