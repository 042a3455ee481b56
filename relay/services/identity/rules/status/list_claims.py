"""What a Status List Token says, and whether it is the list that is asked for, in time (Token Status List §5.1, §8.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.drafts import STATUS_LIST
from hutong.relay.services.identity.rules.jose import (
    MAX_SAFE_INTEGER,
    JsonObject,
    JsonValue,
    decode_base64url,
    encode_base64url,
)
from hutong.relay.services.identity.rules.status.inflating import Wrapping, deflate, inflate
from hutong.relay.services.identity.rules.status.statuses import MAX_STATUS_BYTES, Statuses
from hutong.relay.services.identity.rules.status.widths import checked_width
from hutong.relay.services.identity.rules.uris import checked_uri

MAX_COMPRESSED_BYTES: Final = MAX_STATUS_BYTES + 4096
"""zlib adds five bytes to each 16 KiB that it cannot make smaller, and a frame."""
MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""Of the claims: base64url of `MAX_COMPRESSED_BYTES`, and what stands beside it."""
MAX_TOKEN_CHARS: Final = 8 * 1024 * 1024 + 64 * 1024
"""Of the compact form: base64url of the claims, a header and a signature."""


@dataclass(frozen=True, slots=True)
class ListClaims:
    """Times in whole seconds of Unix time; `ttl_s` and `expires_at_s` None where the token says none."""

    subject: str
    issued_at_s: int
    expires_at_s: int | None
    ttl_s: int | None
    statuses: Statuses


def _seconds(claims: Mapping[str, JsonValue], name: str, least: int) -> int | None:
    value = claims.get(name)
    if name not in claims:
        return None
    if type(value) is not int or not least <= value <= MAX_SAFE_INTEGER:
        raise MalformedInput(f"token.{name}", f"is not a whole number of seconds from {least}", got=value)
    return value


@rule(STATUS_LIST + " §4.2")
def compressed_list_is_whole(status_list: JsonValue) -> Statuses:
    """`bits` is a width, `lst` the base64url of one zlib stream of at most `MAX_STATUS_BYTES` bytes of statuses.

    Raises:
        MalformedInput: anything else; nothing beyond the bound is ever inflated.
    """
    if not isinstance(status_list, dict):
        raise MalformedInput("token.status_list", "is not an object", got=status_list)
    bits = checked_width(status_list.get("bits"), "token.status_list.bits")
    text = status_list.get("lst")
    if not isinstance(text, str):
        raise MalformedInput("token.status_list.lst", "is not a text", got=text)
    compressed = decode_base64url(text, "token.status_list.lst", MAX_COMPRESSED_BYTES)
    return Statuses(bits, inflate(compressed, "token.status_list.lst", MAX_STATUS_BYTES, Wrapping.ZLIB))


@rule(STATUS_LIST + " §5.1")
def list_claims_well_formed(claims: JsonObject) -> ListClaims:
    """The token's claims, each of its type. Claims of other names are passed over, as the draft says.

    Raises:
        MalformedInput: `sub`, `iat` or `status_list` is missing, or one of them, `exp` or `ttl` is not of its type.
    """
    issued_at_s = _seconds(claims, "iat", 0)
    if issued_at_s is None:
        raise MalformedInput("token.iat", "is missing")
    return ListClaims(
        checked_uri(claims.get("sub"), "token.sub"),
        issued_at_s,
        _seconds(claims, "exp", 0),
        _seconds(claims, "ttl", 1),
        compressed_list_is_whole(claims.get("status_list")),
    )


@rule(STATUS_LIST + " §8.3")
def subject_is_lists_uri(claims: ListClaims, uri: str) -> None:
    """The token is of the list that the credential names, compared by code points.

    Raises:
        PredicateFailed: it is of another list, or the URI is written otherwise.
    """
    if claims.subject != uri:
        raise PredicateFailed("subject_is_lists_uri", "the token is of another list", got=claims.subject, expected=uri)


@rule(STATUS_LIST + " §8.3")
def token_is_in_time(claims: ListClaims, now_s: int, max_drift_s: int) -> None:
    """The token was not signed after `now_s`, and has not expired. At the very second of `exp` it has.

    Raises:
        PredicateFailed: it is from the future by more than `max_drift_s`, or it has expired.
    """
    if claims.issued_at_s > now_s + max_drift_s:
        raise PredicateFailed("token_is_in_time", "signed in the future", got=claims.issued_at_s, expected=now_s)
    if claims.expires_at_s is not None and now_s >= claims.expires_at_s:
        raise PredicateFailed("token_is_in_time", "expired", got=now_s, expected=claims.expires_at_s)


@rule(STATUS_LIST + " §13.7")
def token_is_fresh(claims: ListClaims, now_s: int, fetched_at_s: int | None, max_age_s: int | None) -> None:
    """A copy is used no longer than `ttl` after it was fetched, and no longer than the verifier's own `max_age_s` after signing.

    With `fetched_at_s` None nobody knows when this copy was fetched, and the time of signing counts in its place.

    Raises:
        PredicateFailed: it is older; or neither `exp`, `ttl` nor `max_age_s` bounds it, so that it would be good for ever.
    """
    if claims.expires_at_s is None and claims.ttl_s is None and max_age_s is None:
        raise PredicateFailed("token_is_fresh", "nothing says how long this list is good")
    since_s = claims.issued_at_s if fetched_at_s is None else fetched_at_s
    if claims.ttl_s is not None and now_s - since_s > claims.ttl_s:
        raise PredicateFailed("token_is_fresh", "the copy is older than its ttl", now_s - since_s, claims.ttl_s)
    if max_age_s is not None and now_s - claims.issued_at_s > max_age_s:
        raise PredicateFailed("token_is_fresh", "older than asked for", now_s - claims.issued_at_s, max_age_s)


def status_list_claim(statuses: Statuses) -> JsonObject:
    """The claim `status_list` of a token for `statuses`, for an issuer; equal statuses give equal text."""
    return {"bits": statuses.bits, "lst": encode_base64url(deflate(statuses.octets, Wrapping.ZLIB))}
