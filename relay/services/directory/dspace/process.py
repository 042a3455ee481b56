"""A negotiation or a transfer as this side keeps it, and the values beside it."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from hutong.relay.services.directory.rules.dspace.writing import pids_of, process
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

OPEN: Final = (State.REQUESTED, State.OFFERED, State.ACCEPTED, State.AGREED, State.VERIFIED)
"""States in which somebody has to decide: at every change all processes in one are looked at."""


@dataclass(frozen=True, slots=True)
class Process:
    """`pid` is ours and random; `their_pid` is None until the counterparty has said it. `callback` is where we send."""

    pid: str
    is_transfer: bool
    role: Role
    participant: str
    state: State
    callback: str
    their_pid: str | None = None
    offer: JsonObject | None = None
    """The last that either side sent."""
    first: str | None = None
    """Digest of what a counterparty's first message asked for: the same message again is answered again."""
    named_offer: str | None = None
    """`@id` of our offer that a consumer's first message named: a counter-offer asks for other terms of the same."""
    agreement: JsonObject | None = None
    agreement_id: str | None = None
    format: str | None = None
    data_address: JsonObject | None = None
    recorded: bool = False
    """A provider's negotiation whose agreement went through the door; FINALIZED is sent afterwards."""
    record: JsonValue = None
    judged: str | None = None
    """Why the last offer or agreement of the counterparty is not what was asked for; None where it is."""
    note: str | None = None
    """Why it ended, or what the counterparty last refused."""
    changed: int = 0
    """Ascends with every change of any process; the store sets it."""

    @property
    def consumer_and_provider(self) -> tuple[str, str]:
        """(consumerPid, providerPid); an empty text for one that is not known yet."""
        consumer, provider = pids_of(self.role, self.pid, self.their_pid)
        return consumer or "", provider or ""

    def shown(self) -> JsonObject:
        """As the protocol shows it to the counterparty."""
        return process(*self.consumer_and_provider, self.state, is_transfer=self.is_transfer)

    def fields(self) -> dict[str, Any]:
        """For the store and the operator, as JSON has it."""
        return asdict(self) | {"role": self.role.value, "state": self.state.value}

    @staticmethod
    def of(fields: dict[str, Any]) -> "Process":
        """From `fields`."""
        return Process(**(fields | {"role": Role(fields["role"]), "state": State(fields["state"])}))

    def at(self, state: State, **changes: Any) -> "Process":
        """With another state and other members."""
        return replace(self, state=state, **changes)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is to be delivered, in the order of its process. `number` is the store's."""

    pid: str
    kind: Kind
    participant: str
    url: str
    body: bytes
    number: int = 0
    attempts: int = 0
    first_ms: int = 0
    due_ms: int = 0


@dataclass(frozen=True, slots=True)
class HeldAgreement:
    """An agreement that transfers are made under. `negotiation` is None for one that was made elsewhere."""

    id: str
    role: Role
    participant: str
    policy: JsonObject
    negotiation: str | None
    recorded: bool = False
