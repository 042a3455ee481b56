"""The seals, claims and presentations whose bytes docs/spec/identity-seal.md states."""

from hashlib import sha256

from hutong.light_clients.crypto import eth_address, secp256k1
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyUse,
    PublicKey,
)
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Gate,
    Presentation,
    Seal,
    SealedCredential,
    claims_root,
    gated_call_hash,
    presentation_digest,
    seal_digest,
    sign_account,
)


def filled(byte: int, size: int = 32) -> bytes:
    return bytes([byte]) * size


ISSUER_SECRET, HOLDER_SECRET = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")
"""Of the vectors alone: everybody knows them."""
CLAIMS = (
    Claim("age_over_18", True, filled(0x01)),
    Claim("birth_date", -3_653, filled(0x02)),
    Claim("family_name", "Möller", filled(0x03)),
    Claim("photo_sha256", filled(0xAB), filled(0x04)),
    Claim("refills", 3, filled(0x05)),
)


def account_of(secret: bytes) -> bytes:
    account = eth_address(secp256k1.public_key_of(secret))
    assert account is not None
    return account


def record_of(secret: bytes, purposes: KeyPurpose = KeyPurpose.CONTRACT, end: KeyEnd | None = None) -> KeyRecord:
    point = secp256k1.decompress(secp256k1.public_key_of(secret))
    assert point is not None
    key = PublicKey(KeyAlgorithm.ES256K, *(number.to_bytes(32, "big") for number in point))
    return KeyRecord(key, account_of(secret), KeyUse(purposes, 1), end or KeyEnd(), 1, Moment(7, 1_700_000_000))


SEAL = Seal(
    schema=filled(0x44),
    issuer=filled(0xA0),
    list_number=3,
    index=41,
    not_after_s=1_800_000_000,
    holder=account_of(HOLDER_SECRET),
    claims_root=claims_root(CLAIMS),
)
KEY = record_of(ISSUER_SECRET)
SIGNATURE = sign_account(ISSUER_SECRET, seal_digest(SEAL))
SEALED = SealedCredential(SEAL, thumbprint(KEY.key), SIGNATURE, CLAIMS)
ENTRY = LogEntry(
    SEAL.list_number,
    SEAL.index,
    Issuance(filled(0x55), sha256(b"issuer-signed JWT").digest()),
    Issuance(thumbprint(KEY.key), seal_digest(SEAL)),
)
PRESENTATION = Presentation(
    Gate(31_337, filled(0x77, 20)),
    caller=filled(0x88, 20),
    nonce=9,
    deadline_s=1_750_000_000,
    seal_digest=seal_digest(SEAL),
    call_hash=gated_call_hash(bytes.fromhex("12345678"), filled(0x99)),
)
PRESENTED = sign_account(HOLDER_SECRET, presentation_digest(PRESENTATION))
