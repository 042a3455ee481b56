"""Signed tokens in the compact form (RFC 7515 §7.1). Of the JSON forms none is read."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose.algorithms import BY_NAME, MAX_SIGNATURE_BYTES, Algorithm
from hutong.relay.services.identity.rules.jose.base64url import decode_base64url, encode_base64url
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, read_key_id
from hutong.relay.services.identity.rules.jose.key_set import KeySet
from hutong.relay.services.identity.rules.jose.strict_json import (
    JsonObject,
    JsonValue,
    read_json_object,
    write_json,
)

MAX_HEADER_BYTES: Final = 1 << 14
"""Four certificates of 2 KiB each and more."""
MAX_PAYLOAD_BYTES: Final = 1 << 16
KEPT_HEADERS: Final = 256
"""Of those read last, by their text: a verifier sees one header of each issuer, and one or two of all wallets."""
MAX_KEPT_HEADER_CHARS: Final = 1 << 13
"""So that kept headers take 10 MB at most, whoever fills the place of honest ones."""


_SIGNATURE_LENGTHS: Final = sorted({algorithm.signature_bytes for algorithm in Algorithm})


class KeySource(Enum):
    """Header members that bring a key with the token."""

    JWK = "jwk"
    X5C = "x5c"

    __hash__ = object.__hash__
    """As that of `Algorithm`."""


_NEVER = ("jku", "x5u", "b64", "zip")
"""Keys from an address of the signer's choice; another signing input; a payload that grows."""
_BY_SOURCE: Final = {source.value: source for source in KeySource}
_SUSPECT = frozenset((*_NEVER, *_BY_SOURCE))


class Jws(NamedTuple):
    """A token as it was read. Nothing of it is believed yet.

    A named tuple, as every value that each presentation makes anew: a frozen dataclass takes three times as long to make.
    """

    path: str
    """Names it in errors."""
    header: Mapping[str, JsonValue]
    """Not to be changed: tokens of one header share it."""
    payload: bytes
    signing_input: bytes
    signature: bytes

    def claims(self) -> JsonObject:
        """The payload as a JSON object.

        Raises:
            MalformedInput: it is none, or one that parsers read differently.
        """
        return read_json_object(self.payload, self.path + ".payload", len(self.payload))


def read_jws(token: str, path: str, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> Jws:
    """`header.payload.signature`, each in the one spelling of base64url. Verifies nothing.

    Raises:
        MalformedInput: another number of parts, another spelling, too large, or a header that is no strict JSON object.
    """
    header, _, rest = token.partition(".")
    payload, dot, signature = rest.partition(".")
    if not dot or "." in signature:
        got = len(token.split(".", 4))
        raise MalformedInput(path, "is not three parts with dots between them", got=got, expected=3)
    return Jws(
        path,
        (_kept_header if len(header) <= MAX_KEPT_HEADER_CHARS else _read_header)(header, path),
        decode_base64url(payload, path, max_payload_bytes, ".payload"),
        token[: len(header) + 1 + len(payload)].encode(),
        decode_base64url(signature, path, MAX_SIGNATURE_BYTES, ".signature"),
    )


def _read_header(text: str, path: str) -> Mapping[str, JsonValue]:
    field = f"{path}.header"
    return MappingProxyType(read_json_object(decode_base64url(text, field, MAX_HEADER_BYTES), field, MAX_HEADER_BYTES))


_kept_header = lru_cache(KEPT_HEADERS)(_read_header)
"""What one text says is always the same. A refusal is not kept."""


@rule(f"{drafts.JWT_BEST_PRACTICE} §3.11")
def token_type_is(jws: Jws, expected: str) -> None:
    """`typ` is exactly this one, so that no other kind of token stands in for it.

    Raises:
        PredicateFailed: another, or none.
    """
    if jws.header.get("typ") != expected:
        raise PredicateFailed("token_type_is", f"typ of {jws.path}", jws.header.get("typ"), expected)


@rule(f"{drafts.JWT_BEST_PRACTICE} §3.1")
def algorithm_is_allowed(jws: Jws, allowed: AbstractSet[Algorithm]) -> Algorithm:
    """`alg` is one that the verifier named. `none` and every HMAC never are.

    Raises:
        PredicateFailed: another, or none.
    """
    name = jws.header.get("alg")
    algorithm = BY_NAME.get(name) if isinstance(name, str) else None
    if algorithm is not None and algorithm in allowed:
        return algorithm
    names = sorted(algorithm.value for algorithm in allowed)
    raise PredicateFailed("algorithm_is_allowed", f"alg of {jws.path}", name, names)


@rule(f"{drafts.JWS} §4.1.11")
def no_critical_extension(jws: Jws) -> None:
    """The header names nothing that must be understood: no extension is.

    Raises:
        PredicateFailed: `crit` is there, whatever it holds.
    """
    if "crit" in jws.header:
        raise PredicateFailed("no_critical_extension", f"crit of {jws.path}", jws.header["crit"], "absent")


@rule(f"{drafts.JWT_BEST_PRACTICE} §3.10")
def keys_come_from_the_verifier(jws: Jws, sources: AbstractSet[KeySource]) -> None:
    """The header brings no key but from a source that the verifier judges, and does not change how the token is read.

    Raises:
        PredicateFailed: `jku`, `x5u`, `b64`, `zip`, or `jwk` or `x5c` where they are not judged.
    """
    if _SUSPECT.isdisjoint(jws.header):
        return
    for name in _NEVER:
        if name in jws.header:
            raise PredicateFailed("keys_come_from_the_verifier", f"header of {jws.path}", name, "absent")
    for name, source in _BY_SOURCE.items():
        if name in jws.header and source not in sources:
            raise PredicateFailed("keys_come_from_the_verifier", f"header of {jws.path}", name, "absent")


@rule(f"{drafts.JWS} §5.2")
def signature_verifies(jws: Jws, algorithm: Algorithm, keys: KeySet) -> VerificationKey:
    """One of the keys that fit `algorithm` and `kid` signed header and payload; the key that did.

    Raises:
        MalformedInput: `kid` is no name.
        PredicateFailed: no key fits, or none of those verifies.
    """
    kid = read_key_id(jws.header, jws.path)
    candidates = keys.candidates(algorithm, kid)
    if not candidates:
        known = sorted(f"{key.algorithm.value} {key.kid or 'without kid'}" for key in keys.keys)
        wanted = f"{algorithm.value} {kid or 'without kid'}"
        raise PredicateFailed("signature_verifies", f"no trusted key for {jws.path}", wanted, known)
    for key in candidates:
        if key.verifies(jws.signing_input, jws.signature):
            return key
    raise PredicateFailed("signature_verifies", f"signature of {jws.path} by {len(candidates)} trusted keys")


def judge_header(
    judge: Judge, jws: Jws, allowed: AbstractSet[Algorithm], sources: AbstractSet[KeySource] = frozenset()
) -> Algorithm:
    """What a header must be before a key is looked for; the algorithm.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    algorithm = judge(algorithm_is_allowed, jws, allowed)
    judge(no_critical_extension, jws)
    judge(keys_come_from_the_verifier, jws, sources)
    return algorithm


def judge_jws(judge: Judge, jws: Jws, allowed: AbstractSet[Algorithm], keys: KeySet) -> VerificationKey:
    """Every rule of a token that is signed by one of `keys`; the key that signed it. `typ` is the caller's to demand.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    algorithm = judge_header(judge, jws, allowed)
    return judge(signature_verifies, jws, algorithm, keys)


def sign_compact(header: JsonObject, payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The token over this header and payload; `sign` makes r ‖ s or R ‖ S of the signing input.

    Raises:
        ValueError: a length that no algorithm has, or a header that is no JSON: a bug of the caller.
    """
    signing_input = f"{encode_base64url(write_json(header))}.{encode_base64url(payload)}"
    signature = sign(signing_input.encode())
    if len(signature) not in _SIGNATURE_LENGTHS:
        raise ValueError(f"a signature of {len(signature)} bytes, not one of {_SIGNATURE_LENGTHS}")
    return f"{signing_input}.{encode_base64url(signature)}"
