"""What is said of a list as a whole, and how times are written in it: the same records and words give the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.dids.instants import write_instant
from hutong.relay.services.identity.rules.exports.listed_issuer import MAX_LISTED, SPEC, ListedIssuer

MAX_UPDATE_S: Final = 183 * 86_400
"""Between a list and the next: six months (TS 119 602 §6.3.15)."""
LAST_S: Final = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """Who publishes the list, and for which schema (SHA-256; zeros for all). URIs are None where none is given."""

    operator: str
    schema: bytes
    language: str
    update_within_s: int
    operator_id: str | None = None
    """A URI or DID; the issuer of a credential has to have one."""
    territory: str | None = None
    list_type: str | None = None
    service_type: str | None = None
    information: str | None = None
    schema_url: str | None = None
    """Where the schema is; its hash is on the hub."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The hub's headers under which the records stand: time of the oldest, in Unix seconds, and the greatest height."""

    time_s: int
    height: int


def instant(time_s: int) -> str:
    """RFC 3339 in UTC, without fractions. What has no end ends with the last year that it can write."""
    return write_instant(min(time_s, LAST_S))


@rule(f"{drafts.ETSI_TRUSTED_ENTITIES} §6.3.15; {SPEC}")
def list_ends(scheme: Scheme, issuers: Sequence[ListedIssuer], at: Standing) -> int:
    """When the next list has to be out, Unix seconds: within the scheme's time, and before any accreditation on it ends.

    Raises:
        PredicateFailed: the list is empty, too long, names one DID twice, or its interval is not within six months.
    """
    if not 0 < len(issuers) <= MAX_LISTED:
        raise PredicateFailed("list_ends", f"a list has 1 to {MAX_LISTED} entities", len(issuers))
    if len({issuer.did for issuer in issuers}) != len(issuers):
        raise PredicateFailed("list_ends", "one DID stands twice")
    if not 0 < scheme.update_within_s <= MAX_UPDATE_S:
        raise PredicateFailed("list_ends", "seconds to the next list", scheme.update_within_s, f"1 to {MAX_UPDATE_S}")
    return min(at.time_s + scheme.update_within_s, *(issuer.valid_until_s for issuer in issuers))
