"""Words of the Dataspace Protocol 2025-1: roles, kinds of messages, states."""

from enum import Enum
from typing import Final

CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
VERSION: Final = "2025-1"
SPEC: Final = "DSP 2025-1"
RECORD: Final = "urn:hutong:record"
"""Member of a FINALIZED event of ours that carries the record of the agreement on a hub; others ignore it."""
PAGE: Final = "urn:hutong:page"
"""Member of a catalogue of ours: which part of the whole it is, and the proof that nothing between is left out."""


class Role(Enum):
    """Which side of a negotiation or a transfer a party is."""

    CONSUMER = "consumer"
    PROVIDER = "provider"

    @property
    def other(self) -> "Role":
        """The counterparty's."""
        return Role.PROVIDER if self is Role.CONSUMER else Role.CONSUMER


class Kind(Enum):
    """A message that moves a process; of an event its type as well."""

    REQUEST = "ContractRequestMessage"
    OFFER = "ContractOfferMessage"
    ACCEPTED = "ContractNegotiationEventMessage:ACCEPTED"
    AGREEMENT = "ContractAgreementMessage"
    VERIFICATION = "ContractAgreementVerificationMessage"
    FINALIZED = "ContractNegotiationEventMessage:FINALIZED"
    TERMINATION = "ContractNegotiationTerminationMessage"
    TRANSFER_REQUEST = "TransferRequestMessage"
    TRANSFER_START = "TransferStartMessage"
    TRANSFER_SUSPENSION = "TransferSuspensionMessage"
    TRANSFER_COMPLETION = "TransferCompletionMessage"
    TRANSFER_TERMINATION = "TransferTerminationMessage"

    @property
    def type(self) -> str:
        """The message's `@type`."""
        return self.value.partition(":")[0]

    @property
    def is_of_a_transfer(self) -> bool:
        """Whether it moves a transfer, and no negotiation."""
        return self.value.startswith("Transfer")


class State(Enum):
    """Of a negotiation or a transfer."""

    REQUESTED = "REQUESTED"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    AGREED = "AGREED"
    VERIFIED = "VERIFIED"
    FINALIZED = "FINALIZED"
    STARTED = "STARTED"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self in (State.FINALIZED, State.COMPLETED, State.TERMINATED)
