"""What a holder does: choose what to show, and sign that it is shown to this verifier (RFC 9901 §4.3)."""

from collections.abc import Callable, Iterable

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, read_jws, sign_compact, write_json
from hutong.relay.services.identity.rules.sd_jwt.compact import CompactSdJwt
from hutong.relay.services.identity.rules.sd_jwt.disclosures import disclosures_well_formed
from hutong.relay.services.identity.rules.sd_jwt.key_binding import KEY_BINDING_TYPE
from hutong.relay.services.identity.rules.sd_jwt.places import ClaimPath
from hutong.relay.services.identity.rules.sd_jwt.unpacking import disclosures_unpack


def select_disclosures(issued: CompactSdJwt, paths: Iterable[ClaimPath]) -> CompactSdJwt:
    """The credential with the disclosures of these claims alone, and of those that they are inside of.

    Paths count array elements as the credential with all its disclosures shows them. Claims in the clear are always shown.

    Raises:
        PredicateFailed: a path that no disclosure brings, or a credential that does not unpack.
        MalformedInput: a credential that cannot be read.
    """
    disclosures = disclosures_well_formed(issued.disclosures)
    places = disclosures_unpack(read_jws(issued.issuer_jwt, "credential").claims(), disclosures).places
    shown: set[str] = set()
    for path in paths:
        if path not in places:
            raise PredicateFailed("select_disclosures", "no disclosure brings", path, sorted(map(str, places)))
        shown.update(digest for place, digest in places.items() if place == path[: len(place)])
    encoded = tuple(disclosure.encoded for digest, disclosure in disclosures.items() if digest in shown)
    return CompactSdJwt(issued.issuer_jwt, encoded, None)


def bind_to_holder(
    selected: CompactSdJwt,
    audience: str,
    nonce: str,
    presented_s: int,
    sign: Callable[[bytes], bytes],
    algorithm: Algorithm = Algorithm.ES256,
) -> CompactSdJwt:
    """The presentation with the holder's signature over all of it.

    Args:
        presented_s: the holder's time, in seconds since 1970.
        sign: from the signing input to 64 bytes of signature by the key of `cnf`.
    """
    claims: JsonObject = {"iat": presented_s, "aud": audience, "nonce": nonce, "sd_hash": selected.sd_hash()}
    header: JsonObject = {"alg": algorithm.value, "typ": KEY_BINDING_TYPE}
    return CompactSdJwt(selected.issuer_jwt, selected.disclosures, sign_compact(header, write_json(claims), sign))
