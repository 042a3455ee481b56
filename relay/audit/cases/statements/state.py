"""Statements of kind `state`: what a chain's state held at a height of its own, from a record bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.document import Members
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.records import Observation, ObservationKey, SourceTrust
from hutong.relay.archive.bundle import CHAIN_ID
from hutong.relay.archive.record_bundle import (
    MAX_VALUE_BYTES,
    RecordBundle,
    RecordKey,
    What,
    what_fields,
    what_of,
)
from hutong.relay.audit.cases.statements.form import SPEC, bundle_id
from hutong.relay.audit.cases.statements.words import base64_text
from hutong.relay.audit.records import Finding
from hutong.relay.audit.records.states import BelievedState

STATE = "state"
MAX_CLIENT_CHARS = 64
MAX_HEIGHT_CHARS = 64
MAX_TIME_S = MAX_UINT64 // NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class StateStatement:
    """`value` stood at `what` after the block of `height` and `time_s` (whole seconds of Unix time); None: nothing.

    With `client` the bundle is of a hub (`chain_id`), and place, height and time are those of the chain that this client
    of the hub follows. Without it they are of the chain itself.
    """

    id: str
    bundle: str
    chain_id: str
    client: str | None
    what: What
    value: bytes | None
    height: Height
    time_s: int

    @property
    def place(self) -> What:
        """Where it stands in the bundle.

        Raises:
            MalformedInput: a key of the hub's own state is no place of a chain that it observes.
        """
        if self.client is None:
            return self.what
        if isinstance(self.what, RecordKey):
            raise MalformedInput("state.what", "is a key of the hub's own state: its client is null", got=self.client)
        return RecordKey(ObservationKey.of(self.client, self.what).to_bytes())


@dataclass(frozen=True, slots=True)
class ShownState:
    """`shown_at_s` is the time of the header under which it was shown; `trust` of an observation is whose word it is."""

    statement: StateStatement
    shown_at_s: int
    trust: SourceTrust | None

    @property
    def number(self) -> int:
        """The value as a big-endian number; nothing is zero, as on EVM chains."""
        return int.from_bytes(self.statement.value or b"", "big")


def state_fields(statement: StateStatement) -> dict[str, Any]:
    """As it stands in JSON, without id and kind."""
    return {
        "bundle": statement.bundle,
        "chain_id": statement.chain_id,
        "client": statement.client,
        "what": what_fields(statement.what),
        "value": None if statement.value is None else base64_text(statement.value),
        "height": str(statement.height),
        "time_s": statement.time_s,
    }


def read_state(name: str, fields: Members) -> StateStatement:
    """Inverse of `state_fields`.

    Raises:
        MalformedInput: naming the field.
    """
    client, value = fields["client"].nullable(), fields["value"].nullable()
    statement = StateStatement(
        name,
        bundle_id(fields["bundle"]),
        fields["chain_id"].matching(CHAIN_ID, "a chain id"),
        None if client is None else check_client_id(client.ascii(MAX_CLIENT_CHARS)),
        what_of(fields["what"]),
        None if value is None else value.base64(MAX_VALUE_BYTES),
        Height.parse(fields["height"].ascii(MAX_HEIGHT_CHARS)),
        fields["time_s"].integer(0, MAX_TIME_S),
    )
    _ = statement.place
    return statement


@rule(SPEC)
def state_held_so(
    statement: StateStatement, bundle: RecordBundle, state: BelievedState, findings: Sequence[Finding]
) -> ShownState:
    """The bundle is of the statement's chain and shows its value at its place, height and time.

    Args:
        bundle: judged; `state` and `findings` are what the judgement found.

    Raises:
        PredicateFailed: it is of another chain, or says something else, or nothing, of this place.
    """
    name = "state_held_so"
    if bundle.chain.chain_id != statement.chain_id:
        raise PredicateFailed(name, "the bundle is of another chain", bundle.chain.chain_id, statement.chain_id)
    place = statement.place
    found = next((one for one in findings if one.statement.what == place), None)
    if found is None:
        raise PredicateFailed(name, "the bundle says nothing of this place", expected=what_fields(place))
    shown_at_s = state.time_ns // NANOSECONDS_PER_SECOND
    value, height, time_s, trust = found.statement.value, bundle.height, shown_at_s, None
    if statement.client is not None:
        said = found.said
        if not isinstance(said, Observation):
            raise PredicateFailed(name, "nobody observed this place", expected=what_fields(place))
        value, height, trust = said.value, said.height, said.trust
        time_s = said.source_time_ns // NANOSECONDS_PER_SECOND
    for what, got, expected in (
        ("value", value, statement.value),
        ("height", height, statement.height),
        ("time", time_s, statement.time_s),
    ):
        if got != expected:
            raise PredicateFailed(name, f"the bundle shows another {what}", got, expected)
    return ShownState(statement, shown_at_s, trust)
