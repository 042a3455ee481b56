"""Where agreements are put on record between AGREED and FINALIZED (decision 33). Without a hub nothing is recorded, and that is shown.

A door backed by a hub sends its transaction when `record` is first called, which is when the provider's state becomes AGREED, and ends
when the bundle of records is there. It may be called again after a kill: the module writes a record once.
"""

from dataclasses import dataclass
from typing import Protocol

from hutong.relay.services.directory.rules.policy.policy import Policy
from hutong.relay.services.identity.rules.jose.strict_json import JsonValue


class RecordRefused(Exception):
    """The hub refuses the agreement, for good; one sentence. The negotiation ends."""


class RecordUnavailable(Exception):
    """The hub does not answer, or makes no blocks; one sentence. It is tried again."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is put on record: the agreement under the offer that it is bound to."""

    agreement: Policy
    offer: Policy
    negotiation: str
    """Our identifier of the negotiation, which is the nonce: drawn at random, once."""


class AgreementDoor(Protocol):
    """Where agreements are recorded and their records judged."""

    @property
    def is_hub(self) -> bool:
        """False where there is no hub: then an agreement is the word of two connectors."""
        ...

    async def record(self, agreed: Agreed) -> JsonValue:
        """Put on record; returns what FINALIZED carries, None where there is no hub. The same agreement again is harmless.

        Raises:
            RecordRefused, RecordUnavailable: see there.
        """
        ...

    async def judge(self, agreement: Policy, record: JsonValue) -> str | None:
        """Why a record that a provider sent does not hold; None where it does, or where there is no hub to hold it against.

        Raises:
            RecordUnavailable: what is trusted of the hub is not to be had.
        """
        ...


class NoHub:
    """No record anywhere."""

    is_hub = False

    async def record(self, agreed: Agreed) -> JsonValue:
        """See `AgreementDoor`."""
        return None

    async def judge(self, agreement: Policy, record: JsonValue) -> str | None:
        """See `AgreementDoor`: a record is kept as it came, and believed by nobody."""
        return None
