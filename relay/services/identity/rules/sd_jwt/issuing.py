"""Building an SD-JWT VC (RFC 9901 §4). Salts, decoys and the signature come from outside: nothing here is random."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.interface.json_text import MAX_JSON_DEPTH
from hutong.relay.services.identity.rules.jose import (
    MAX_SAFE_INTEGER,
    Algorithm,
    JsonObject,
    JsonValue,
    encode_base64url,
    read_json,
    read_json_object,
    write_json,
)
from hutong.relay.services.identity.rules.jose.jws import MAX_PAYLOAD_BYTES
from hutong.relay.services.identity.rules.sd_jwt.compact import MAX_DISCLOSURES, CompactSdJwt
from hutong.relay.services.identity.rules.sd_jwt.credential_type import (
    CREDENTIAL_TYPE,
    NEVER_DISCLOSED,
    W3C_MEMBERS,
    type_is_accepted,
)
from hutong.relay.services.identity.rules.sd_jwt.disclosures import (
    DIGEST_ALGORITHM,
    DIGESTS,
    ELEMENT,
    RESERVED_NAMES,
    SHA_256,
    Disclosure,
    new_disclosure,
    read_disclosure,
)
from hutong.relay.services.identity.rules.sd_jwt.places import ClaimPath, Place, path_of
from hutong.relay.services.identity.rules.sd_jwt.unpacking import DIGEST_CHARS

MIN_SALT_CHARS: Final = 22
"""base64url of 128 bits (RFC 9901 §9.3)."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A claim or element that its holder may show or withhold; hidden parts may be inside."""

    value: "Claim"


Claim: TypeAlias = "Hidden | bool | int | float | str | Sequence[Claim] | Mapping[str, Claim] | None"


@dataclass(frozen=True, slots=True)
class CredentialDraft:
    """What is to be signed. `decoys`: digests that stand for nothing, by the path of an object or array."""

    claims: Mapping[str, Claim]
    decoys: Mapping[ClaimPath, Sequence[str]] = field(default_factory=dict)
    header: "JsonObject | IssuerHeader" = field(default_factory=dict)
    """`kid` or `x5c`; as an `IssuerHeader` where many credentials have the same."""
    hidden: AbstractSet[str] = frozenset()
    """Names at the top level that are hidden as wholes, as if each value were a `Hidden`: a type hides the same ones each time."""


@dataclass(frozen=True, slots=True)
class IssuerHeader:
    """A header spelled once for many credentials: certificates are longer than most claims."""

    algorithm: Algorithm
    encoded: str


def issuer_header(members: JsonObject, algorithm: Algorithm = Algorithm.ES256) -> IssuerHeader:
    """The header of credentials under `algorithm`, with `kid` or `x5c`."""
    header: JsonObject = {"alg": algorithm.value, "typ": CREDENTIAL_TYPE, **members}
    return IssuerHeader(algorithm, encode_base64url(write_json(header)))


_PLAIN = frozenset({str, bool, type(None)})
"""Values that every parser reads alike; numbers are asked for in particular."""
_SCALARS = _PLAIN | {int, float}
_GUARDED = NEVER_DISCLOSED | W3C_MEMBERS


@dataclass(slots=True)
class _Packing:
    """Types are asked for by `is` where that is enough: `isinstance` takes several times as long to say no."""

    salts: Iterator[str]
    decoys: Mapping[ClaimPath, Sequence[str]]
    used: set[str] = field(default_factory=set)
    spelled: list[str] = field(default_factory=list)
    """Disclosures as they are sent."""

    def digest(self, name: str | None, claim: Claim, place: Place, depth: int) -> str:
        """The digest under which a claim is hidden, those inside it first."""
        value = claim if type(claim) is str else self.packed(claim, place, depth)
        salt = next(self.salts, None)
        if salt is None or len(salt) < MIN_SALT_CHARS or salt in self.used:
            raise MalformedInput("salts", f"needs another of {MIN_SALT_CHARS} characters for every hidden claim")
        self.used.add(salt)
        encoded, digest = new_disclosure(salt, name, value)
        self.spelled.append(encoded)
        return digest

    def decoys_at(self, place: Place) -> Sequence[str]:
        decoys = self.decoys.get(path_of(place), ()) if self.decoys else ()
        if decoys and any(len(decoy) != DIGEST_CHARS for decoy in decoys):
            raise MalformedInput("decoys", f"has one that is not {DIGEST_CHARS} characters, so it hides nothing")
        return decoys

    def packed(self, claim: Claim, place: Place, depth: int) -> JsonValue:
        if type(claim) in _PLAIN:
            return claim  # type: ignore[return-value]  # its type was asked for
        if type(claim) is int and -MAX_SAFE_INTEGER <= claim <= MAX_SAFE_INTEGER:
            return claim
        if depth > MAX_JSON_DEPTH:
            raise MalformedInput("claims", f"nested deeper than {MAX_JSON_DEPTH}")
        if isinstance(claim, Hidden):
            raise MalformedInput("claims", "hides what is hidden already, or the whole", got=path_of(place))
        if type(claim) is dict or isinstance(claim, Mapping):
            return self.object(claim, place, depth, frozenset())
        if isinstance(claim, Sequence) and not isinstance(claim, str):
            return self.array(claim, place, depth)
        return read_json(write_json(claim), "claims", MAX_PAYLOAD_BYTES)  # of a number: one that all read alike

    def object(self, members: Mapping[str, Claim], place: Place, depth: int, hidden: AbstractSet[str]) -> JsonObject:
        found: JsonObject = {}
        digests = list(self.decoys_at(place))
        if not RESERVED_NAMES.isdisjoint(members):
            path = (*path_of(place), next(name for name in members if name in RESERVED_NAMES))
            raise PredicateFailed("names_are_free", "a claim with a name that SD-JWT keeps", path)
        for name, claim in members.items():
            if name in hidden:
                digests.append(self.digest(name, claim, (place, name), depth + 1))
            elif type(claim) is Hidden:
                digests.append(self.digest(name, claim.value, (place, name), depth + 1))
            elif type(claim) is str:
                found[name] = claim
            else:
                found[name] = self.packed(claim, (place, name), depth + 1)
        if digests:
            found[DIGESTS] = [*sorted(digests)]  # their order says nothing of the claims' order
        return found

    def array(self, elements: Sequence[Claim], place: Place, depth: int) -> list[JsonValue]:
        found: list[JsonValue] = []
        for index, element in enumerate(elements):
            if type(element) is Hidden:
                found.append({ELEMENT: self.digest(None, element.value, (place, index), depth + 1)})
            else:
                found.append(self.packed(element, (place, index), depth + 1))
        for decoy in self.decoys_at(place):
            found.insert(sum(decoy.encode()) % (len(found) + 1), {ELEMENT: decoy})
        return found


def pack(draft: CredentialDraft, salts: Iterable[str]) -> tuple[JsonObject, tuple[Disclosure, ...]]:
    """The payload with digests for what is hidden, and the disclosures, those of inner claims first.

    Raises:
        MalformedInput: too few, short or repeated salts; a decoy of another length; a claim that is no JSON.
        PredicateFailed: a name that SD-JWT keeps to itself.
    """
    payload, packing = _packed(draft, salts)
    disclosures = tuple(read_disclosure(text, "disclosure") for text in packing.spelled)
    return read_json_object(payload, "claims", MAX_PAYLOAD_BYTES), disclosures


def _packed(draft: CredentialDraft, salts: Iterable[str]) -> tuple[bytes, _Packing]:
    """As `pack`, the payload as it is signed."""
    packing = _Packing(iter(salts), draft.decoys)
    payload = packing.object(draft.claims, (), 0, draft.hidden)
    if packing.spelled or draft.decoys:
        payload[DIGEST_ALGORITHM] = SHA_256
    if len(packing.spelled) > MAX_DISCLOSURES:
        raise MalformedInput("claims", f"hides more than {MAX_DISCLOSURES}", got=len(packing.spelled))
    written = write_json(payload)
    if len(written) > MAX_PAYLOAD_BYTES:
        raise MalformedInput("claims", f"more than {MAX_PAYLOAD_BYTES} bytes", got=len(written))
    return written, packing


def issue_credential(
    draft: CredentialDraft, salts: Iterable[str], sign: Callable[[bytes], bytes], algorithm: Algorithm = Algorithm.ES256
) -> CompactSdJwt:
    """An SD-JWT VC with all its disclosures, as its holder receives it.

    Args:
        salts: one for each hidden claim, in the order in which the draft is walked, inner ones first.
        sign: from the signing input to 64 bytes of signature under `algorithm`.

    Raises:
        MalformedInput, PredicateFailed: as `pack`; no `vct`; or hidden claims that a verifier must always see.
    """
    type_is_accepted({"vct": _plain(draft.claims.get("vct"))}, None)
    for name in sorted(_GUARDED & draft.claims.keys()):
        if name in W3C_MEMBERS:
            raise PredicateFailed("no_other_data_model", "a claim of the W3C data model", name, "absent")
        claim = draft.claims[name]
        is_hidden = name in draft.hidden or (type(claim) not in _SCALARS and _hides(claim))
        if is_hidden or (draft.decoys and any(path[:1] == (name,) for path in draft.decoys)):
            raise PredicateFailed("what_protects_is_not_withheld", "hidden", name, "signed in the clear")
    payload, packing = _packed(draft, salts)
    header = draft.header if isinstance(draft.header, IssuerHeader) else issuer_header(draft.header, algorithm)
    if header.algorithm is not algorithm:
        raise MalformedInput("header", "is of another algorithm", got=header.algorithm, expected=algorithm)
    signing_input = f"{header.encoded}.{encode_base64url(payload)}"
    token = f"{signing_input}.{encode_base64url(sign(signing_input.encode()))}"
    return CompactSdJwt(token, tuple(packing.spelled), None)


def salt_of(randomness: bytes) -> str:
    """A salt from at least 16 random bytes.

    Raises:
        MalformedInput: fewer.
    """
    if len(randomness) * 8 < 128:
        raise MalformedInput("salt", "fewer than 128 bits", got=len(randomness))
    return encode_base64url(randomness)


def _plain(claim: Claim) -> JsonValue:
    return claim if isinstance(claim, str) else None


def _hides(claim: Claim) -> bool:
    if isinstance(claim, Hidden):
        return True
    if type(claim) is dict or isinstance(claim, Mapping):
        return any(_hides(inner) for inner in claim.values() if type(inner) not in _SCALARS)
    return isinstance(claim, Sequence) and not isinstance(claim, str) and any(map(_hides, claim))
