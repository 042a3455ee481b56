"""What a wallet would show for a request: which of its credentials, which claims of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed
from hutong.relay.services.identity.rules.dcql import DcqlQuery, HeldCredential, Match, matches, sets_are_answered
from hutong.relay.services.identity.rules.jose import read_jws
from hutong.relay.services.identity.rules.sd_jwt import ClaimPath, CompactSdJwt, Unpacked
from hutong.relay.services.identity.rules.sd_jwt.disclosures import disclosures_well_formed
from hutong.relay.services.identity.rules.sd_jwt.unpacking import disclosures_unpack


@dataclass(frozen=True, slots=True)
class Choice:
    """For one query of the request: the held credential by position, and the disclosures to show of it."""

    query_id: str
    position: int
    disclosures: tuple[ClaimPath, ...]


def unpacked(credential: CompactSdJwt) -> Unpacked:
    """The claims of a held credential with every disclosure in place.

    Raises:
        MalformedInput, PredicateFailed: it does not unpack.
    """
    disclosures = disclosures_well_formed(credential.disclosures)
    return disclosures_unpack(read_jws(credential.issuer_jwt, "credential").claims(), disclosures)


def disclosures_for(asked: Sequence[ClaimPath], places: Sequence[ClaimPath]) -> tuple[ClaimPath, ...]:
    """The disclosures that bring what was asked for, whole: those on the way to it, itself, and those inside of it."""
    return tuple(
        place for place in places if any(place == path[: len(place)] or path == place[: len(path)] for path in asked)
    )


def choose(
    judge: Judge, query: DcqlQuery, held: Sequence[tuple[HeldCredential, Unpacked]], wanted: Mapping[str, int]
) -> tuple[Choice, ...]:
    """One credential for each query that is to be answered, in the request's order; the first that fits, or the one wanted.

    Args:
        held: what may be presented, with where its disclosures stand.
        wanted: positions that the holder picked, by query id.

    Raises:
        PredicateFailed: something required is missing, or what the holder picked does not fit.
    """
    found = matches(judge, query, [credential for credential, _ in held])
    for query_id, position in wanted.items():
        fitting = [match for match in found.get(query_id, ()) if match.position == position]
        if not fitting:
            raise PredicateFailed("choose", "what was picked does not answer the query", query_id[:64])
        found[query_id] = tuple(fitting)
    return tuple(
        _choice(query_id, found[query_id][0], held[found[query_id][0].position][1])
        for query_id in judge(sets_are_answered, query, found)
    )


def _choice(query_id: str, match: Match, place_of: Unpacked) -> Choice:
    return Choice(query_id, match.position, disclosures_for(match.disclosed, tuple(place_of.places)))
