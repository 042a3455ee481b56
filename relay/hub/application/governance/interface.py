"""ABI of the governance module, in the shapes of `hutong.light_clients.ibc.governance_abi`; its errors stand here."""

from typing import Final

from hutong.light_clients.ibc import governance_abi as shapes
from hutong.relay.hub.application.abi import Error, Event, Function

PROPOSE: Final = Function(*shapes.PROPOSE)
VOTE: Final = Function(*shapes.VOTE)
EXECUTE_PROPOSAL: Final = Function(*shapes.EXECUTE_PROPOSAL)
ROTATE_KEY: Final = Function(*shapes.ROTATE_KEY)
PROPOSAL_COUNT: Final = Function(*shapes.PROPOSAL_COUNT)
GET_PROPOSAL: Final = Function(*shapes.GET_PROPOSAL)
GET_RESULT: Final = Function(*shapes.GET_RESULT)
GET_VOTES: Final = Function(*shapes.GET_VOTES)
GET_MEMBERS: Final = Function(*shapes.GET_MEMBERS)
GET_SCHEDULE: Final = Function(*shapes.GET_SCHEDULE)
GET_PARAMETER: Final = Function(*shapes.GET_PARAMETER)

PROPOSED_EVENT: Final = Event(*shapes.PROPOSED)
VOTED_EVENT: Final = Event(*shapes.VOTED)
PROPOSAL_EXECUTED_EVENT: Final = Event(*shapes.PROPOSAL_EXECUTED)
PROPOSAL_FAILED_EVENT: Final = Event(*shapes.PROPOSAL_FAILED)
KEY_ROTATED_EVENT: Final = Event(*shapes.KEY_ROTATED)
VALIDATOR_ADMITTED_EVENT: Final = Event(*shapes.VALIDATOR_ADMITTED)

NOT_AN_OPERATOR: Final = Error("NotAnOperator", "address")
PROPOSAL_REFUSED: Final = Error("ProposalRefused", "uint64", "string")
INSUFFICIENT_EXECUTION_GAS: Final = Error("InsufficientExecutionGas", "uint64")
"""The vote decides the proposal, and the gas does not pay for its action."""
