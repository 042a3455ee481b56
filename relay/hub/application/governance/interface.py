"""ABI of the governance module (docs/spec/hub-governance.md)."""

from typing import Final

from hutong.relay.hub.application.abi import Error, Event, Function

PROPOSE: Final = Function("propose", ["bytes", "string"], ["uint64"])
VOTE: Final = Function("vote", ["uint64", "bool"], ["bool"])
"""Whether the proposal was executed by it."""
EXECUTE_PROPOSAL: Final = Function("executeProposal", ["uint64"])
ROTATE_KEY: Final = Function("rotateKey", ["bytes", "bytes"])
"""(new compressed key, its signature over the proof of possession)"""

PROPOSAL_COUNT: Final = Function("proposalCount", [], ["uint64"])
GET_PROPOSAL: Final = Function(
    "getProposal",
    ["uint64"],
    ["uint8", "uint64", "uint64", "(bytes,address,uint64,uint64,uint64,string,bytes)"],
)
"""(status, approved power, total power, (proposer's key, account, time, height, expiry, title, action))."""
GET_RESULT: Final = Function("getResult", ["uint64"], ["(uint8,uint64,uint64,uint64,(bytes,uint64)[],string)"])
"""(status, time, height, total power, approvals, why it failed) of the last attempt to execute."""
GET_VOTES: Final = Function("getVotes", ["uint64"], ["(bytes,bool,uint64,uint64,uint64)[]"])
"""(key, approves, power at the vote, time, height), in the order of the keys."""
GET_MEMBERS: Final = Function("getMembers", [], ["(bytes,address,uint64,uint64)[]"])
"""(key, operator, power, time of the last change of key), in the order of the keys."""
GET_SCHEDULE: Final = Function("getSchedule", [], ["uint32", "uint32", "uint64", "uint64"])
"""(rules version of the next block, planned version and its height or 0, the revision's last block or 0)."""
GET_PARAMETER: Final = Function("getParameter", ["string"], ["uint64"])

PROPOSED_EVENT: Final = Event("Proposed", ["uint64", "address"], ["uint8", "uint64", "string"])
"""(number, operator; kind, expiry, title)."""
VOTED_EVENT: Final = Event("Voted", ["uint64", "address"], ["bool", "uint64", "uint64"])
"""(number, operator; approves, approved power, total power)."""
PROPOSAL_EXECUTED_EVENT: Final = Event("ProposalExecuted", ["uint64"], ["uint8"])
PROPOSAL_FAILED_EVENT: Final = Event("ProposalFailed", ["uint64"], ["string"])
KEY_ROTATED_EVENT: Final = Event("KeyRotated", ["address"], ["bytes", "bytes"])
"""(operator; old key, new key)."""
VALIDATOR_ADMITTED_EVENT: Final = Event("ValidatorAdmitted", ["address"], ["bytes", "uint64"])

NOT_AN_OPERATOR: Final = Error("NotAnOperator", "address")
PROPOSAL_REFUSED: Final = Error("ProposalRefused", "uint64", "string")
INSUFFICIENT_EXECUTION_GAS: Final = Error("InsufficientExecutionGas", "uint64")
"""The vote decides the proposal, and the gas does not pay for its action."""
