"""Encrypted tokens in the compact form (RFC 7516 §7.1): ECDH-ES on P-256 with AES-GCM, as HAIP demands, and nothing else.

joserfc agrees on the key and decrypts. Before it sees a token, its header is read as strictly as that of a signed one: the
library would take other spellings, a shorter tag, and whatever algorithm its registry knows.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from joserfc import jwe as library
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.jose.base64url import decode_base64url
from hutong.relay.services.identity.rules.jose.jwk import read_jwk, read_key_id
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object

KEY_AGREEMENT: Final = "ECDH-ES"
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MAX_HEADER_BYTES: Final = 1 << 11
MAX_PARTY_INFO_BYTES: Final = 256
"""Of `apu` and of `apv`."""
MAX_PLAINTEXT_BYTES: Final = 1 << 19
_NEVER = ("zip", "crit", "jku", "jwk", "x5u", "x5c", "b64")
"""A plaintext that grows, extensions that must be understood, and keys that a recipient has no use for."""


class Encryption(StrEnum):
    """Content encryption by the value of `enc`."""

    A128GCM = "A128GCM"
    A256GCM = "A256GCM"


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A private key on P-256, of one name, that decrypts what was encrypted to its public half."""

    kid: str
    _key: ECKey = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Jwe:
    """A token as it was read. Nothing of it is decrypted yet."""

    path: str
    """Names it in errors."""
    header: JsonObject
    compact: str


def read_decryption_key(private_jwk: JsonObject, path: str = "decryption key") -> DecryptionKey:
    """The key of a JWK with `d` and `kid`, as its owner keeps it.

    Raises:
        MalformedInput: no private key on P-256, or one without a name.
    """
    kid = read_key_id(private_jwk, path)
    if kid is None or private_jwk.get("kty") != "EC" or private_jwk.get("crv") != "P-256" or "d" not in private_jwk:
        raise MalformedInput(path, "is not a private key on P-256 with a kid")
    members = {name: private_jwk[name] for name in ("kty", "crv", "x", "y", "d") if name in private_jwk}
    try:
        return DecryptionKey(kid, ECKey.import_key(members))  # type: ignore[arg-type]  # joserfc names each member
    except (JoseError, ValueError, TypeError) as error:
        raise MalformedInput(path, "is not a private key on P-256") from error


def read_jwe(token: str, path: str, max_plaintext_bytes: int = MAX_PLAINTEXT_BYTES) -> Jwe:
    """`header..nonce.ciphertext.tag`, each in the one spelling of base64url. Decrypts nothing.

    Raises:
        MalformedInput: another number of parts, another spelling, too large, a nonce or tag of another length, a key that was
            encrypted, or a header that is no strict JSON object.
    """
    parts = token.split(".", 6)
    if len(parts) != 5:
        raise MalformedInput(path, "is not five parts with dots between them", got=len(parts), expected=5)
    header = decode_base64url(parts[0], f"{path}.header", MAX_HEADER_BYTES)
    if parts[1]:
        raise MalformedInput(f"{path}.encrypted_key", "is empty where the key is agreed on", got=len(parts[1]))
    for name, text, size in (("iv", parts[2], NONCE_BYTES), ("tag", parts[4], TAG_BYTES)):
        found = decode_base64url(text, f"{path}.{name}", size)
        if len(found) != size:
            # GCM takes shorter tags, which are guessed sooner
            raise MalformedInput(f"{path}.{name}", f"is not {size} bytes", got=len(found))
    decode_base64url(parts[3], f"{path}.ciphertext", max_plaintext_bytes)
    return Jwe(path, read_json_object(header, f"{path}.header", MAX_HEADER_BYTES), token)


@rule(f"{drafts.HAIP} §5, {drafts.OPENID4VP} §8.3")
def encryption_is_allowed(jwe: Jwe) -> Encryption:
    """`alg` is ECDH-ES, and `enc` is AES-GCM with 128 or 256 bits.

    Raises:
        PredicateFailed: another of either, or none.
    """
    if jwe.header.get("alg") != KEY_AGREEMENT:
        raise PredicateFailed("encryption_is_allowed", f"alg of {jwe.path}", jwe.header.get("alg"), KEY_AGREEMENT)
    found = jwe.header.get("enc")
    if not isinstance(found, str) or found not in tuple(Encryption):
        raise PredicateFailed("encryption_is_allowed", f"enc of {jwe.path}", found, [*map(str, Encryption)])
    return Encryption(found)


@rule(f"{drafts.JWE} §4.1.3, §4.1.13; {drafts.JWT_BEST_PRACTICE} §3.6")
def nothing_is_compressed_or_extended(jwe: Jwe) -> None:
    """The header has no compression, no extension that must be understood, and no key of the recipient.

    Raises:
        PredicateFailed: it has.
    """
    for name in _NEVER:
        if name in jwe.header:
            raise PredicateFailed("nothing_is_compressed_or_extended", f"header of {jwe.path}", name, "absent")


@rule(f"{drafts.OPENID4VP} §8.3")
def encrypted_to_this_key(jwe: Jwe, key: DecryptionKey) -> None:
    """`kid` is the name of the key that this recipient gave out for it.

    Raises:
        MalformedInput: it is no name.
        PredicateFailed: it is another one, or absent.
    """
    kid = read_key_id(jwe.header, jwe.path)
    if kid != key.kid:
        raise PredicateFailed("encrypted_to_this_key", f"kid of {jwe.path}", kid, key.kid)


@rule(f"{drafts.JWA} §4.6.1")
def agreement_well_formed(jwe: Jwe) -> None:
    """`epk` is a public key on P-256, and `apu` and `apv`, if they are there, are bytes.

    Raises:
        MalformedInput: a key that is none, or of no point of the curve; party information of another spelling.
        PredicateFailed: a key on another curve.
        UnsupportedOperation: a key of another kind.
    """
    epk = read_jwk(jwe.header.get("epk"), f"{jwe.path}.epk")
    if epk.algorithm is not Algorithm.ES256:
        raise PredicateFailed("agreement_well_formed", "curve of epk", epk.algorithm.value, "P-256")
    for name in ("apu", "apv"):
        value: JsonValue = jwe.header.get(name, "")
        if not isinstance(value, str):
            raise MalformedInput(f"{jwe.path}.{name}", "is not a text", got=value)
        decode_base64url(value, f"{jwe.path}.{name}", MAX_PARTY_INFO_BYTES)


@rule(f"{drafts.JWE} §5.2 (15)")
def ciphertext_is_authentic(jwe: Jwe, key: DecryptionKey, encryption: Encryption) -> bytes:
    """The tag stands over header and ciphertext under the agreed key; the plaintext.

    Raises:
        PredicateFailed: it does not. Which part was changed is not said.
    """
    registry = library.JWERegistry(algorithms=[KEY_AGREEMENT, encryption.value], strict_check_header=False)
    registry.max_protected_header_length = 2 * MAX_HEADER_BYTES
    registry.max_ciphertext_length = len(jwe.compact)
    try:
        found = library.decrypt_compact(jwe.compact, key._key, registry=registry).plaintext
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise PredicateFailed("ciphertext_is_authentic", f"{jwe.path} does not decrypt") from error
    if found is None:
        raise PredicateFailed("ciphertext_is_authentic", f"{jwe.path} does not decrypt")
    return found


def judge_jwe(
    judge: Judge, token: str, path: str, key: DecryptionKey, max_plaintext_bytes: int = MAX_PLAINTEXT_BYTES
) -> bytes:
    """Every rule of an encrypted token, in order; its plaintext. Who encrypted it is not known: anybody may.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    jwe = read_jwe(token, path, max_plaintext_bytes)
    encryption = judge(encryption_is_allowed, jwe)
    judge(nothing_is_compressed_or_extended, jwe)
    judge(encrypted_to_this_key, jwe, key)
    judge(agreement_well_formed, jwe)
    return judge(ciphertext_is_authentic, jwe, key, encryption)
