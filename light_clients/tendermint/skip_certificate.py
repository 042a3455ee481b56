"""A block that no node can execute: what validators sign to let it count as empty, and when that binds (docs/spec/hub-skip.md).

The signatures stand outside consensus: they are no votes, and no vote, proposal or header can pass for one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.interface.document import Document
from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.types import MAX_CHAIN_ID_BYTES, MAX_INT64, KeyType

MAGIC = b"\xbfhutong/skip/1"
"""Begins a certificate in a block. No Ethereum transaction begins with bf: types end at 7f, lists of RLP begin at c0."""
SIGN_PREFIX = b"\x00hutong/skip/1\x00execute as empty\x00"
"""CometBFT's sign bytes begin with their own length and a field, so none of more than a byte begins with 00."""
PUBLIC_KEY_BYTES = 33
SIGNATURE_BYTES = 64
MAX_SIGNATURES = 100
"""As many as a hub has validators at most."""
MAX_CERTIFICATE_BYTES = (
    len(MAGIC) + 1 + MAX_CHAIN_ID_BYTES + 8 + 2 * HASH_BYTES + 2 + MAX_SIGNATURES * (PUBLIC_KEY_BYTES + SIGNATURE_BYTES)
)
FILE_FORMAT = "hutong-skip-1"
MAX_FILE_BYTES = 64 * 1024

Powers = Mapping[bytes, int]
"""Voting power by compressed public key, all positive."""


@dataclass(frozen=True, slots=True)
class SkipStatement:
    """Block `height` of this hash, over the state of `prior_app_hash`, counts as executed empty.

    `prior_app_hash` is the root of the state before the block, which the block's own header carries.
    """

    chain_id: str
    height: int
    block_hash: bytes
    prior_app_hash: bytes

    def __str__(self) -> str:
        return f"block {self.height} ({self.block_hash.hex()[:16]}) of {self.chain_id}"


@dataclass(frozen=True, slots=True)
class SkipSignature:
    """By the compressed key of 33 bytes, r ‖ s with low s over SHA-256 of `sign_bytes`."""

    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SkipCertificate:
    """Signatures of one statement, in ascending order of their keys. Complete once `skip_is_decided` holds."""

    statement: SkipStatement
    signatures: tuple[SkipSignature, ...]


def encode_statement(statement: SkipStatement) -> bytes:
    """1 byte length, chain id, 8 bytes height big-endian, block hash, prior app hash. Sizes are not judged here."""
    chain_id = statement.chain_id.encode()
    head = bytes((len(chain_id),)) + chain_id + statement.height.to_bytes(8, "big")
    return head + statement.block_hash + statement.prior_app_hash


def sign_bytes(statement: SkipStatement) -> bytes:
    """What a validator signs, before it is hashed: the prefix keeps it apart from votes and proposals."""
    return SIGN_PREFIX + encode_statement(statement)


def skip_digest(statement: SkipStatement) -> bytes:
    """The 32 bytes that a validator's secp256k1 key signs: SHA-256 of `sign_bytes`."""
    return sign_digest(KeyType.SECP256K1, sign_bytes(statement))


def certificate_state_key(height: int) -> bytes:
    """Where the hub's state keeps the certificate by which the block of this height counts as empty."""
    return b"skip/certificate/" + height.to_bytes(8, "big")


def is_certificate(raw: bytes) -> bool:
    """Whether the first transaction of a block claims to be a certificate; it may still be malformed."""
    return raw.startswith(MAGIC)


def encode_certificate(certificate: SkipCertificate) -> bytes:
    """As the next block and the state hold it: mark, statement, count (2 bytes big-endian), key ‖ signature each."""
    signatures = b"".join(one.public_key + one.signature for one in certificate.signatures)
    count = len(certificate.signatures).to_bytes(2, "big")
    return MAGIC + encode_statement(certificate.statement) + count + signatures


def decode_certificate(data: bytes) -> SkipCertificate:
    """Inverse of `encode_certificate`, of at most `MAX_CERTIFICATE_BYTES`. No signature is verified.

    Raises:
        MalformedInput: anything that `encode_certificate` would not write, such as keys out of order or twice.
    """
    if len(data) > MAX_CERTIFICATE_BYTES or not is_certificate(data):
        raise MalformedInput("skip_certificate", f"its mark and at most {MAX_CERTIFICATE_BYTES} bytes", got=len(data))
    statement, rest = _statement(data[len(MAGIC) :])
    count, body = int.from_bytes(rest[:2], "big"), rest[2:]
    size = PUBLIC_KEY_BYTES + SIGNATURE_BYTES
    if len(rest) < 2 or count > MAX_SIGNATURES or len(body) != count * size:
        raise MalformedInput("skip_certificate.signatures", f"at most {MAX_SIGNATURES} of {size} bytes", got=len(body))
    entries = (body[at : at + size] for at in range(0, len(body), size))
    return _in_order(
        statement,
        tuple(SkipSignature(entry[:PUBLIC_KEY_BYTES], entry[PUBLIC_KEY_BYTES:]) for entry in entries),
    )


def decode_statement(data: bytes) -> SkipStatement:
    """Inverse of `encode_statement`.

    Raises:
        MalformedInput: anything that `encode_statement` would not write.
    """
    statement, rest = _statement(data)
    if rest:
        raise MalformedInput("skip_statement", "has bytes after its end", got=len(rest))
    return statement


def _statement(data: bytes) -> tuple[SkipStatement, bytes]:
    """And what follows it."""
    length = data[0] if data else 0
    end = 1 + length + 8 + 2 * HASH_BYTES
    if not 1 <= length <= MAX_CHAIN_ID_BYTES or len(data) < end or not data[1 : 1 + length].isascii():
        raise MalformedInput("skip_statement", "chain id, height and two hashes", got=len(data))
    at = 1 + length
    height = int.from_bytes(data[at : at + 8], "big")
    if not 1 <= height <= MAX_INT64:
        raise MalformedInput("skip_statement.height", f"from 1 to {MAX_INT64}", got=height)
    at += 8
    hashes = data[at : at + HASH_BYTES], data[at + HASH_BYTES : end]
    return SkipStatement(data[1 : 1 + length].decode(), height, *hashes), data[end:]


def _in_order(statement: SkipStatement, signatures: tuple[SkipSignature, ...]) -> SkipCertificate:
    """One encoding a certificate, and nobody counted twice."""
    keys = [one.public_key for one in signatures]
    if keys != sorted(set(keys)):
        raise MalformedInput("skip_certificate.signatures", "are not in ascending order of keys, each once")
    return SkipCertificate(statement, signatures)


# Files that operators hand each other


def certificate_document(certificate: SkipCertificate) -> dict[str, object]:
    """The JSON of one or more signatures of a statement, as operators hand it to each other; bytes are plain hex."""
    statement = certificate.statement
    return {
        "format": FILE_FORMAT,
        "chain_id": statement.chain_id,
        "height": statement.height,
        "block_hash": statement.block_hash.hex(),
        "prior_app_hash": statement.prior_app_hash.hex(),
        "signatures": [
            {"public_key": one.public_key.hex(), "signature": one.signature.hex()} for one in certificate.signatures
        ],
    }


def certificate_of_file(data: bytes) -> SkipCertificate:
    """Inverse of `certificate_document`, of at most `MAX_FILE_BYTES`. Nothing is verified but the form.

    Raises:
        MalformedInput: not such a document, or keys that do not ascend.
    """
    with Document.parse(data, "skip", MAX_FILE_BYTES).of_format("signatures of a skip", FILE_FORMAT) as fields:
        statement = SkipStatement(
            fields["chain_id"].ascii(MAX_CHAIN_ID_BYTES, least=1),
            fields["height"].integer(1, MAX_INT64),
            fields["block_hash"].hex(HASH_BYTES),
            fields["prior_app_hash"].hex(HASH_BYTES),
        )
        signatures = tuple(_signature(one) for one in fields["signatures"].items(MAX_SIGNATURES))
    return _in_order(statement, signatures)


def _signature(document: Document) -> SkipSignature:
    with document.members() as fields:
        return SkipSignature(fields["public_key"].hex(PUBLIC_KEY_BYTES), fields["signature"].hex(SIGNATURE_BYTES))


def combined(certificates: Iterable[SkipCertificate]) -> SkipCertificate:
    """All signatures of one statement, each key once: of two by one key the first given is kept. None is verified.

    Raises:
        PredicateFailed: `skip_statements_agree`: the certificates are about different blocks or states.
        MalformedInput: there is no certificate.
    """
    parts = tuple(certificates)
    if not parts:
        raise MalformedInput("skip", "no signature is given")
    found: dict[bytes, SkipSignature] = {}
    for one in parts:
        if one.statement != parts[0].statement:
            raise PredicateFailed(
                "skip_statements_agree",
                "the files are about different blocks or states",
                got=str(one.statement),
                expected=str(parts[0].statement),
            )
        for signature in one.signatures:
            found.setdefault(signature.public_key, signature)
    return replace(parts[0], signatures=tuple(found[key] for key in sorted(found)))


# Rules


def skip_is_about(certificate: SkipCertificate, statement: SkipStatement) -> None:
    """Chain, height, block and prior state are those that the judge knows of itself.

    Raises:
        PredicateFailed: the certificate is about another chain, block or state.
    """
    if certificate.statement != statement:
        raise PredicateFailed(
            "skip_is_about",
            "the certificate is about another chain, block or state",
            got=encode_statement(certificate.statement),
            expected=encode_statement(statement),
        )


def skip_is_signed(certificate: SkipCertificate, powers: Powers) -> int:
    """Every signature is of a member of the set and of this very statement; returns the power that signed.

    Raises:
        PredicateFailed: `skip_signers_are_members` or `skip_signatures_hold`.
    """
    digest = skip_digest(certificate.statement)
    power = 0
    for one in certificate.signatures:
        if one.public_key not in powers:
            raise PredicateFailed("skip_signers_are_members", "not in the set of the next height", got=one.public_key)
        if not secp256k1.verify_low_s(one.public_key, digest, one.signature):
            raise PredicateFailed("skip_signatures_hold", "not its key's signature", got=one.public_key)
        power += powers[one.public_key]
    return power


def skip_is_decided(certificate: SkipCertificate, powers: Powers) -> None:
    """More than two thirds of `powers` signed, which are those that vote on the next height: so the signers and every
    commit of that height share an honest validator.

    Raises:
        PredicateFailed: `skip_is_decided`: too little power; otherwise as `skip_is_signed`.
    """
    power, total = skip_is_signed(certificate, powers), sum(powers.values())
    if not power * 3 > total * 2:
        raise PredicateFailed(
            "skip_is_decided", "not more than two thirds of the power signed", got=power, expected=f"> {total * 2 // 3}"
        )
