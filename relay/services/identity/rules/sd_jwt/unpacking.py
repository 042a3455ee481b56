"""From digests back to claims (RFC 9901 §7.1 step 3): what an issuer signed and a holder showed, and where it stands."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.json_text import MAX_JSON_DEPTH
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.sd_jwt.disclosures import (
    DIGEST_ALGORITHM,
    DIGESTS,
    ELEMENT,
    RESERVED_NAMES,
    SHA_256,
    Disclosure,
)
from hutong.relay.services.identity.rules.sd_jwt.places import ClaimPath, Place, path_of

DIGEST_CHARS: Final = 43
"""base64url of 32 bytes."""
MAX_DIGESTS: Final = 4_096
"""Of a whole credential with its decoys."""
_digest = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
_CONTAINERS = (dict, list)


class Unpacked(NamedTuple):
    """The claims without a trace of digests, and the paths of those that a disclosure brought.

    What holds no digest is the payload's own, not a copy: nothing of it is to be changed.
    """

    claims: JsonObject
    places: Mapping[ClaimPath, str]
    """Where each disclosure stands, and its digest."""

    @property
    def disclosed(self) -> frozenset[ClaimPath]:
        """Paths of what a disclosure brought; what the issuer signed in the clear is not among them."""
        return frozenset(self.places)


class _Walk:
    """An object or array without digests is passed on as it is, not copied: of a credential only few have some.

    Types are asked for by `is`, since `isinstance` takes several times as long to say no.
    """

    __slots__ = ("disclosures", "places", "seen")

    def __init__(self, disclosures: Mapping[str, Disclosure]) -> None:
        self.disclosures = disclosures
        self.seen: set[str] = set()
        self.places: dict[ClaimPath, str] = {}

    def follow(self, digest: JsonValue) -> Disclosure | None:
        """The disclosure under a digest of the payload; None for what is hidden and for decoys."""
        if type(digest) is not str:
            raise MalformedInput("payload", "holds a digest that is no base64url of SHA-256", got=digest)
        disclosure = self.disclosures.get(digest)
        if disclosure is None and _digest(digest) is None:
            raise MalformedInput("payload", "holds a digest that is no base64url of SHA-256", got=digest)
        seen = self.seen
        if digest in seen:
            raise PredicateFailed("digests_stand_once", "a digest stands twice in the credential", digest, "once")
        if len(seen) >= MAX_DIGESTS:
            raise MalformedInput("payload", f"holds more than {MAX_DIGESTS} digests")
        seen.add(digest)
        return disclosure

    def value(self, value: JsonValue, place: Place, depth: int) -> JsonValue:
        if type(value) not in _CONTAINERS:
            return value
        if depth > MAX_JSON_DEPTH:
            raise MalformedInput("payload", f"nested deeper than {MAX_JSON_DEPTH} with its disclosures")
        if type(value) is dict:
            return self.object(value, place, depth)
        return self.array(value, place, depth) if type(value) is list else value

    def object(self, members: JsonObject, place: Place, depth: int) -> JsonObject:
        found = members if RESERVED_NAMES.isdisjoint(members) else _without_digests(members, place)
        for name, value in found.items():
            if type(value) in _CONTAINERS:
                shown = self.value(value, (place, name), depth + 1)
                if shown is not value:
                    if found is members:
                        found = members.copy()
                    found[name] = shown
        if DIGESTS in members:
            self._add_disclosed(members[DIGESTS], found, place, depth)
        return found

    def _add_disclosed(self, digests: JsonValue, found: JsonObject, place: Place, depth: int) -> None:
        if type(digests) is not list:
            raise MalformedInput("payload", "holds an _sd that is no list", got=digests)
        path: ClaimPath | None = None
        for digest in digests:
            disclosure = self.follow(digest)
            if disclosure is None:
                continue
            if path is None:
                path = path_of(place)
            name = disclosure.name
            if name is None:
                raise PredicateFailed("disclosures_fit_their_place", "an element stands where a claim must", path)
            if name in found:
                raise PredicateFailed("disclosures_fit_their_place", "a disclosure overwrites a claim", (*path, name))
            self.places[(*path, name)] = disclosure.digest
            found[name] = self.value(disclosure.value, (place, name), depth + 1)

    def array(self, elements: list[JsonValue], place: Place, depth: int) -> list[JsonValue]:
        found: list[JsonValue] = []
        is_same = True
        for element in elements:
            if type(element) is dict and len(element) == 1 and ELEMENT in element:
                is_same = False
                disclosure = self.follow(element[ELEMENT])
                if disclosure is None:
                    continue
                if disclosure.name is not None:
                    raise PredicateFailed(
                        "disclosures_fit_their_place", "a claim stands where an element must", path_of(place)
                    )
                here = (place, len(found))
                self.places[path_of(here)] = disclosure.digest
                found.append(self.value(disclosure.value, here, depth + 1))
            elif type(element) in _CONTAINERS:
                shown = self.value(element, (place, len(found)), depth + 1)
                is_same = is_same and shown is element
                found.append(shown)
            else:
                found.append(element)
        return elements if is_same else found


def _without_digests(members: JsonObject, place: Place) -> JsonObject:
    if ELEMENT in members:
        raise MalformedInput("payload", "holds `...` outside of an array, or beside other members")
    if place and DIGEST_ALGORITHM in members:
        raise PredicateFailed("digest_algorithm_is_sha256", "_sd_alg below the top level", path_of(place), "absent")
    found = members.copy()
    found.pop(DIGESTS, None)
    found.pop(DIGEST_ALGORITHM, None)
    return found


@rule(f"{drafts.SD_JWT} §4.1.1")
def digest_algorithm_is_sha256(payload: JsonObject) -> None:
    """`_sd_alg` says SHA-256, or is absent, which means the same.

    Raises:
        PredicateFailed: another one; none other is supported.
    """
    if payload.get(DIGEST_ALGORITHM, SHA_256) != SHA_256:
        raise PredicateFailed("digest_algorithm_is_sha256", "_sd_alg", payload[DIGEST_ALGORITHM], SHA_256)


@rule(f"{drafts.SD_JWT} §7.1 (3)(c) to (5)")
def disclosures_unpack(payload: JsonObject, disclosures: Mapping[str, Disclosure]) -> Unpacked:
    """Every digest stands once, every disclosure stands under one, in the kind of place that it is for.

    Raises:
        MalformedInput: digests of another shape, `...` in another place, or nesting beyond the bound of JSON.
        PredicateFailed: a digest that stands twice, a disclosure that overwrites a claim, is of the other kind, or that
            no digest names.
    """
    walk = _Walk(disclosures)
    claims = walk.object(payload, (), 1)
    if not walk.seen.issuperset(disclosures):
        index = next(index for index, digest in enumerate(disclosures) if digest not in walk.seen)
        raise PredicateFailed("disclosures_unpack", "no digest of the credential names this disclosure", index)
    return Unpacked(claims, walk.places)
