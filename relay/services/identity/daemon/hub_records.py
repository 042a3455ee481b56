"""What a hub's records say of an issuer, proven under one header: for roles that believe by accreditation."""

from dataclasses import dataclass
from typing import Protocol

from hutong.relay.services.identity.rules.acceptance.standing import Ground


@dataclass(frozen=True, slots=True)
class RecordsAsked:
    """Of which DID, which of its lists, and for which schema its chain of accreditations is shown."""

    issuer: bytes
    list_number: int
    schema: bytes


class HubUnreachable(Exception):
    """The hub's records could not be had, or do not hold under what is trusted of it; one sentence."""


class HubRecords(Protocol):
    """Reads records, and judges the header and the proofs before it gives them out."""

    async def ground(self, asked: RecordsAsked) -> Ground:
        """The records under the hub's newest header. How old that is, is for whoever asks to judge.

        Raises:
            HubUnreachable: see there.
        """
