"""Credentials taken back: by a department's reference, or one by its place. Bits only rise."""

from dataclasses import dataclass

from sqlalchemy import Connection

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.issuer.offering import checked_reference
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.status.widths import StatusValue
from hutong.relay.services.identity.store import grants, issuances


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is revoked: all of a reference, or the credential of one index."""

    reference: str | None = None
    place: tuple[int, int] | None = None

    @staticmethod
    def of(body: JsonObject) -> "Revocation":
        """From JSON.

        Raises:
            MalformedInput: neither `reference` nor `list` and `index`, or both, or not of their types.
        """
        if body.keys() == {"reference"}:
            reference = checked_reference(body["reference"])
            if reference is not None:
                return Revocation(reference=reference)
        elif body.keys() == {"list", "index"}:
            number, index = body["list"], body["index"]
            if type(number) is int and type(index) is int and 0 <= number < 2**31 and 0 <= index < 2**31:
                return Revocation(place=(number, index))
        raise MalformedInput("body", "names a reference, or list and index")


@dataclass(frozen=True, slots=True)
class Revoked:
    """Credentials that were found, those of them that are revoked by this, and offers that have ended by it."""

    found: int
    risen: int
    ended: int

    @property
    def refusal(self) -> str | None:
        """Why this revoked nothing, in words; None where there was something to revoke."""
        if self.found:
            return None
        return "nothing was issued so" if not self.ended else f"nothing was issued so; offers that ended: {self.ended}"


def revoke(connection: Connection, revocation: Revocation) -> Revoked:
    """What comes of a revocation; part of the caller's transaction.

    Offers of a reference end with it: a wallet that has a token would otherwise take the same again, and it would hold.
    """
    ended = 0
    if revocation.place is None:
        # First: an issuance of such an offer that is under way is waited for here, and found below.
        ended = grants.end_offers_of(connection, revocation.reference or "")
        rows = issuances.entries_of(connection, revocation.reference or "")
    else:
        one = issuances.entry_at(connection, *revocation.place)
        rows = () if one is None else (one,)
    risen = sum(issuances.raise_status(connection, row, StatusValue.INVALID) for row in rows)
    return Revoked(len(rows), risen, ended)
