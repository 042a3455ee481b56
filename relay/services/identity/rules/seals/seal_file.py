"""A seal with all its claims and salts, as an issuer hands it to a wallet: JSON beside the SD-JWT (docs/spec/identity-seal.md).

It is the holder's secret: whoever has it reads every claim.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object
from hutong.relay.services.identity.rules.records.encoding import check_bytes
from hutong.relay.services.identity.rules.seals.claim_tree import MAX_CLAIMS, claims_root
from hutong.relay.services.identity.rules.seals.claims import Claim, ClaimKind, ClaimValue
from hutong.relay.services.identity.rules.seals.seal import SPEC, Seal
from hutong.relay.services.identity.rules.seals.signatures import P256_SIGNATURE_BYTES, SIGNATURE_BYTES

FORMAT: Final = "hutong-seal"
VERSION: Final = 1
MAX_FILE_BYTES: Final = 1_048_576
_MEMBERS: Final = {"claims", "format", "key", "seal", "signature", "version"}
_SEAL_MEMBERS: Final = {"claimsRoot", "holder", "index", "issuer", "list", "notAfter", "schema"}
_INTEGER: Final = ClaimKind.INTEGER
_KIND_NAMES: Final = {kind: kind.name.lower() for kind in ClaimKind}
_CLAIM_MEMBERS: Final = {"kind", "name", "salt", "value"}


@dataclass(frozen=True, slots=True)
class SealedCredential:
    """`key_thumbprint` (RFC 7638) names the issuer's key that signed; claims are all of the seal's."""

    seal: Seal
    key_thumbprint: bytes
    signature: bytes
    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        check_bytes("seal.key", self.key_thumbprint)
        if len(self.signature) not in (SIGNATURE_BYTES, P256_SIGNATURE_BYTES):
            raise MalformedInput("seal.signature", "65 bytes, or 64 of P-256", got=len(self.signature))


@rule(SPEC)
def claims_are_the_seals(sealed: SealedCredential) -> None:
    """The claims are all of the seal's: they lead to its root.

    Raises:
        PredicateFailed: to another one; see also `claims_are_distinct`.
    """
    found = claims_root(sealed.claims)
    if found != sealed.seal.claims_root:
        raise PredicateFailed("claims_are_the_seals", "claims of another seal", found, sealed.seal.claims_root)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _bytes(field: str, value: JsonValue) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x") or value != value.lower():
        raise MalformedInput(field, "0x and lower-case hexadecimal digits", got=str(value)[:80])
    try:
        data = bytes.fromhex(value[2:])
    except ValueError as error:
        raise MalformedInput(field, "0x and lower-case hexadecimal digits", got=value[:80]) from error
    if _hex(data) != value:
        raise MalformedInput(field, "0x and lower-case hexadecimal digits", got=value[:80])
    return data


def _whole(field: str, value: JsonValue) -> int:
    if type(value) is not int:
        raise MalformedInput(field, "a whole number", got=str(value)[:80])
    return value


def _text(field: str, value: JsonValue) -> str:
    if not isinstance(value, str):
        raise MalformedInput(field, "text", got=type(value).__name__)
    return value


def _object(field: str, value: JsonValue, members: set[str]) -> JsonObject:
    if not isinstance(value, dict) or set(value) != members:
        raise MalformedInput(field, f"an object with {', '.join(sorted(members))}")
    return value


def _claim_json(claim: Claim) -> dict[str, Any]:
    kind, value = _KIND_NAMES[claim.encoded.kind], claim.value
    # integers as decimal text: contracts hold more of them than JSON does
    if claim.encoded.kind is _INTEGER:
        value = str(claim.value)
    elif isinstance(value, bytes):
        value = _hex(value)
    return {"kind": kind, "name": claim.name, "salt": _hex(claim.salt), "value": value}


def _claim_value(kind: JsonValue, value: JsonValue) -> ClaimValue:
    field = "claim.value"
    if kind == "boolean":
        if not isinstance(value, bool):
            raise MalformedInput(field, "true or false", got=str(value)[:80])
        return value
    text = _text(field, value)
    if kind == "text":
        return text
    if kind == "bytes":
        return _bytes(field, text)
    if kind != "integer":
        raise MalformedInput("claim.kind", "boolean, integer, text or bytes", got=str(kind)[:80])
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 78) or str(int(text)) != text:
        raise MalformedInput(field, "an integer in decimal, as short as it can be", got=text[:80])
    return int(text)


def _claim(value: JsonValue) -> Claim:
    members = _object("claim", value, _CLAIM_MEMBERS)
    return Claim(
        _text("claim.name", members["name"]),
        _claim_value(members["kind"], members["value"]),
        _bytes("claim.salt", members["salt"]),
    )


def _seal(value: JsonValue) -> Seal:
    members = _object("seal", value, _SEAL_MEMBERS)
    return Seal(
        _bytes("seal.schema", members["schema"]),
        _bytes("seal.issuer", members["issuer"]),
        _whole("seal.list", members["list"]),
        _whole("seal.index", members["index"]),
        _whole("seal.not_after", members["notAfter"]),
        _bytes("seal.holder", members["holder"]),
        _bytes("seal.claims_root", members["claimsRoot"]),
    )


def seal_json(sealed: SealedCredential) -> dict[str, Any]:
    """The object that stands in the file, or in an issuer's answer."""
    seal = sealed.seal
    return {
        "claims": [_claim_json(claim) for claim in sealed.claims],
        "format": FORMAT,
        "key": _hex(sealed.key_thumbprint),
        "seal": {
            "claimsRoot": _hex(seal.claims_root),
            "holder": _hex(seal.holder),
            "index": seal.index,
            "issuer": _hex(seal.issuer),
            "list": seal.list_number,
            "notAfter": seal.not_after_s,
            "schema": _hex(seal.schema),
        },
        "signature": _hex(sealed.signature),
        "version": VERSION,
    }


def encode_seal_file(sealed: SealedCredential) -> bytes:
    """Canonical JSON: sorted members, no spaces, ASCII, one line break at the end."""
    text = json.dumps(seal_json(sealed), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode() + b"\n"


def seal_of_json(value: JsonValue) -> SealedCredential:
    """Inverse of `seal_json`. Whether the issuer signed it is not asked.

    Raises:
        MalformedInput: another format or version, or a member out of its rule.
        PredicateFailed: see `claims_are_the_seals`.
    """
    members = _object("seal_file", value, _MEMBERS)
    if (members["format"], members["version"]) != (FORMAT, VERSION) or type(members["version"]) is not int:
        raise MalformedInput("seal_file.version", "another format or version", got=str(members["version"])[:80])
    claims = members["claims"]
    if not isinstance(claims, list) or len(claims) > MAX_CLAIMS:
        raise MalformedInput("seal_file.claims", f"a list of at most {MAX_CLAIMS}")
    sealed = SealedCredential(
        _seal(members["seal"]),
        _bytes("seal.key", members["key"]),
        _bytes("seal.signature", members["signature"]),
        tuple(_claim(claim) for claim in claims),
    )
    claims_are_the_seals(sealed)
    return sealed


def decode_seal_file(data: bytes) -> SealedCredential:
    """Inverse of `encode_seal_file`; other spellings of the same JSON are read too.

    Raises:
        MalformedInput: longer than `MAX_FILE_BYTES`, not strict JSON, or see `seal_of_json`.
        PredicateFailed: see `claims_are_the_seals`.
    """
    return seal_of_json(read_json_object(data, "seal_file", MAX_FILE_BYTES))
