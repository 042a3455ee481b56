"""What the statements of some evidence show, by their ids: all that a case's rule draws conclusions from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.records import SlotPlace
from hutong.relay.audit.cases.statements import SPEC, ShownCredential, ShownEntry, ShownMessage, ShownReport, ShownState
from hutong.relay.audit.cases.trust import CaseTrust

ShownStatement: TypeAlias = ShownMessage | ShownState | ShownEntry | ShownReport | ShownCredential
Kind = TypeVar("Kind", ShownMessage, ShownState, ShownEntry, ShownReport, ShownCredential)


@dataclass(frozen=True, slots=True)
class Shown:
    """Statements that hold, by their ids, in the order of these."""

    statements: Mapping[str, ShownStatement]

    def of_kind(self, kind: type[Kind]) -> dict[str, Kind]:
        """All statements of one kind, such as `ShownMessage`, in the order of their ids."""
        return {name: one for name, one in self.statements.items() if isinstance(one, kind)}


@rule(SPEC)
def statement_is_there(shown: Shown, name: str, kind: type[Kind]) -> Kind:
    """The statement of that id, which has to be of that kind.

    Raises:
        PredicateFailed: there is none, or it is of another kind.
    """
    found = shown.statements.get(name)
    if not isinstance(found, kind):
        raise PredicateFailed(
            "statement_is_there", f"the case needs a statement {name}", type(found).__name__, kind.__name__
        )
    return found


@rule(SPEC)
def slot_is_meant(state: ShownState, trust: CaseTrust, chain: str, contract: str, slot: bytes) -> int:
    """The state is of this slot (32 bytes) of the contract that the reader means, on the chain that the reader means,
    shown by that chain itself or by the hub's client of it. Returns its word as a number; an empty slot is zero.

    Raises:
        PredicateFailed: it is of another place, chain, hub or client.
        MissingTrust: the reader does not say which chain or contract is meant.
    """
    name, meant, said = "slot_is_meant", trust.chain(chain), state.statement
    expected = SlotPlace(meant.contract(contract), slot)
    if said.what != expected:
        raise PredicateFailed(name, f"is not the slot of {contract} that is asked for", said.what, expected)
    by_hub = (said.chain_id, said.client) == (trust.hub_chain_id, meant.hub_client)
    by_itself = (said.chain_id, said.client) == (meant.chain_id, None)
    if not by_hub and not by_itself:
        raise PredicateFailed(
            name, f"is not shown of {chain}", (said.chain_id, said.client), (trust.hub_chain_id, meant.hub_client)
        )
    return state.number


@rule(SPEC)
def message_is_between(message: ShownMessage, trust: CaseTrust, source: str, destination: str) -> None:
    """The message went from one chain to another that the reader calls so.

    Raises:
        PredicateFailed: it went between others.
        MissingTrust: the reader does not say which chains are meant.
    """
    expected = (trust.chain(source).chain_id, trust.chain(destination).chain_id)
    if message.chain_ids != expected:
        raise PredicateFailed("message_is_between", "is of other chains", message.chain_ids, expected)
