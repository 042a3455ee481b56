"""Copies of other issuers' lists, each judged before it is served: by whom it is signed, of which list, and whether it is in time.

A mirror can withhold and delay, and nothing else: a token has its own times, and where the hub's record names its hash, whoever
judges by the record sees at once whether the copy is the one (`token_is_the_proven_one`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hutong.light_clients.interface import VERIFY, PredicateFailed, rule
from hutong.relay.services.identity.rules.drafts import STATUS_LIST
from hutong.relay.services.identity.rules.jose import TrustAnchors
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust
from hutong.relay.services.identity.rules.status import ListClaims, ListDemand, judge_list, token_is_in_time
from hutong.relay.services.identity.rules.status.statuses import Statuses

Fetch = Callable[[str], Awaitable[str]]
"""From a list's URI to its token."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A list token that was judged, and what it says."""

    token: str
    claims: ListClaims


@rule(f"{STATUS_LIST} §11.3")
def list_is_not_older(claims: ListClaims, kept: ListClaims) -> None:
    """A list that is fetched was not signed before the one that is kept: nobody takes a mirror back in time.

    Raises:
        PredicateFailed: it was.
    """
    if claims.issued_at_s < kept.issued_at_s:
        raise PredicateFailed("list_is_not_older", "iat of the list", claims.issued_at_s, f">= {kept.issued_at_s}")


@rule("docs/spec/identity-status.md")
def bits_have_only_risen(statuses: Statuses, kept: Statuses) -> None:
    """Width and size are as before, and no bit that was set is not: hutong's issuers take nothing back.

    Raises:
        PredicateFailed: a bit fell, or the list has another width or size.
    """
    if (statuses.bits, statuses.size) != (kept.bits, kept.size):
        raise PredicateFailed("bits_have_only_risen", "width and size", (statuses.bits, statuses.size))
    before, after = int.from_bytes(kept.octets, "big"), int.from_bytes(statuses.octets, "big")
    if before & ~after:
        raise PredicateFailed("bits_have_only_risen", "a bit of the list fell")


@dataclass(slots=True)
class Mirror:
    """The lists of one issuer. `refused` says of a list why its last copy was not taken."""

    uris: tuple[str, ...]
    anchors: TrustAnchors
    now_s: Callable[[], int]
    copies: dict[str, Copy] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def take(self, uri: str, token: str) -> None:
        """Keep a copy in place of the one before.

        Raises:
            MalformedInput, PredicateFailed, UnsupportedOperation: the rule by which it is refused; what is kept stays.
        """
        demand = ListDemand(IssuerTrust((), self.anchors), Clock(self.now_s()))
        claims, _ = judge_list(VERIFY, token, uri, demand)
        kept = self.copies.get(uri)
        if kept is not None:
            list_is_not_older(claims, kept.claims)
            bits_have_only_risen(claims.statuses, kept.claims.statuses)
        self.copies[uri] = Copy(token, claims)
        self.refused.pop(uri, None)

    def served(self, number: int) -> Copy | None:
        """The copy of a list by its place; None where there is none, or the one that is kept has expired."""
        copy = self.copies.get(self.uris[number]) if 0 <= number < len(self.uris) else None
        if copy is None:
            return None
        try:
            token_is_in_time(copy.claims, self.now_s(), 0)
        except PredicateFailed:
            return None
        return copy
