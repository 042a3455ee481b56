"""Governance of a hub by its validators: proposals, votes, members and what is scheduled (docs/spec/hub-governance.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.hub.proven_proposals import Content, NothingTrusted, ProvenProposals
from hutong.adapters.hub.settings import GOVERNANCE_ADDRESS
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.events import indexed_arguments
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer, RefusedByChain
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc import governance_abi as shapes
from hutong.light_clients.ibc.governance_abi import Status

PARAMETERS = ("block_interval_ms", "proof_block_delay_ms", "voting_period_s")

PROPOSE = Function(*shapes.PROPOSE)
VOTE = Function(*shapes.VOTE)
EXECUTE_PROPOSAL = Function(*shapes.EXECUTE_PROPOSAL)
ROTATE_KEY = Function(*shapes.ROTATE_KEY)
PROPOSAL_COUNT = Function(*shapes.PROPOSAL_COUNT)
GET_PROPOSAL = Function(*shapes.GET_PROPOSAL)
GET_RESULT = Function(*shapes.GET_RESULT)
GET_VOTES = Function(*shapes.GET_VOTES)
GET_MEMBERS = Function(*shapes.GET_MEMBERS)
GET_SCHEDULE = Function(*shapes.GET_SCHEDULE)
GET_PARAMETER = Function(*shapes.GET_PARAMETER)

PROPOSED_TOPIC = keccak256(shapes.PROPOSED.signature.encode())
PROPOSAL_EXECUTED_TOPIC = keccak256(shapes.PROPOSAL_EXECUTED.signature.encode())
PROPOSAL_FAILED_TOPIC = keccak256(shapes.PROPOSAL_FAILED.signature.encode())
_PROPOSAL_FAILED = Function(shapes.PROPOSAL_FAILED.name, (), shapes.PROPOSAL_FAILED.data)


@dataclass(frozen=True, slots=True)
class Vote:
    """Of one validator, with the power that it held then."""

    public_key: bytes
    approve: bool
    power: int
    time_s: int
    height: int


@dataclass(frozen=True, slots=True)
class Result:
    """The last attempt to execute; heights and times are 0 before the first."""

    status: Status
    time_s: int
    height: int
    total_power: int
    approvals: tuple[tuple[bytes, int], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`approved_power` and `total_power` are by the set of the newest state."""

    number: int
    status: Status
    approved_power: int
    total_power: int
    public_key: bytes
    account: str
    proposed_s: int
    height: int
    expires_s: int
    title: str
    action: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """A validator of the newest state, and who speaks for it."""

    public_key: bytes
    account: str
    power: int
    rotated_s: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Planned version and heights are 0 where nothing is planned."""

    rules_version: int
    planned_version: int
    planned_height: int
    last_height: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a vote or proposal came to: executed in this transaction, refused with `failure`, or neither yet."""

    number: int
    executed: bool
    failure: str
    receipt: Receipt


async def _view(execution: ExecutionRpc, function: Function, *arguments: object) -> tuple[object, ...]:
    return function.decode(await execution.call(GOVERNANCE_ADDRESS, function.encode(*arguments)))


async def proposal_count(execution: ExecutionRpc) -> int:
    """How many proposals the hub has had; their numbers go from 1 to it."""
    return _number((await _view(execution, PROPOSAL_COUNT))[0])


async def proposal(execution: ExecutionRpc, number: int) -> Proposal:
    """A proposal as a node says it is; nothing is proven.

    Raises:
        RefusedByChain: the hub has no proposal of this number.
        BadAnswer: its status is unknown.
    """
    returned = await execution.call(GOVERNANCE_ADDRESS, GET_PROPOSAL.encode(number))
    status, approved, total, fields = GET_PROPOSAL.decode(returned)
    return Proposal(
        number=number,
        status=_status(status),
        approved_power=approved,
        total_power=total,
        **shapes.PROPOSAL.named(fields),
    )


async def result(execution: ExecutionRpc, number: int) -> Result:
    """How a proposal ended, or how it stands, by a node's word.

    Raises:
        RefusedByChain: the hub has no proposal of this number.
        BadAnswer: its status is unknown.
    """
    returned = await execution.call(GOVERNANCE_ADDRESS, GET_RESULT.encode(number))
    (values,) = GET_RESULT.decode(returned)
    fields = shapes.RESULT.named(values)
    approvals = tuple(tuple(item) for item in fields["approvals"])
    return Result(**fields | {"status": _status(fields["status"]), "approvals": approvals})


async def votes(execution: ExecutionRpc, number: int) -> tuple[Vote, ...]:
    """The votes on a proposal so far, by a node's word.

    Raises:
        RefusedByChain: the hub has no proposal of this number.
    """
    returned = await execution.call(GOVERNANCE_ADDRESS, GET_VOTES.encode(number))
    (rows,) = GET_VOTES.decode(returned)
    return tuple(Vote(**shapes.VOTE_ROW.named(row)) for row in rows)


async def members(execution: ExecutionRpc) -> tuple[Member, ...]:
    """The validators with their operators, as a node says they are on its newest state.

    Raises:
        RefusedByChain: the hub is not governed by its validators.
    """
    returned = await execution.call(GOVERNANCE_ADDRESS, GET_MEMBERS.encode())
    (rows,) = GET_MEMBERS.decode(returned)
    return tuple(Member(**shapes.MEMBER.named(row)) for row in rows)


async def schedule(execution: ExecutionRpc) -> Schedule:
    """Which rules version and which end of the revision are scheduled, by a node's word.

    Raises:
        RefusedByChain: the hub is not governed by its validators.
    """
    returned = await execution.call(GOVERNANCE_ADDRESS, GET_SCHEDULE.encode())
    return Schedule(**shapes.SCHEDULE.named(GET_SCHEDULE.decode(returned)))


async def parameters(execution: ExecutionRpc) -> dict[str, int]:
    """The parameters that governance may change, by the names of PARAMETERS, in their units, as they are now.

    Raises:
        RefusedByChain: the hub is not governed by its validators.
    """
    return {name: _number((await _view(execution, GET_PARAMETER, name))[0]) for name in PARAMETERS}


async def propose(transactor: Transactor, action: bytes, title: str) -> Decision:
    """Propose an action; the proposer's own vote approves it at once.

    Raises:
        RefusedByChain: the sender operates no validator, or the action is not one that validators vote for.
        BadAnswer: the receipt has no Proposed event, or one without its number.
    """
    receipt = await transactor.send(GOVERNANCE_ADDRESS, PROPOSE.encode(action, title))
    for log in receipt.logs:
        if log.address == GOVERNANCE_ADDRESS and log.topics[:1] == (PROPOSED_TOPIC,):
            number, _ = indexed_arguments(log, 2, "eth_getTransactionReceipt")
            return _decision(int.from_bytes(number, "big"), receipt)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no Proposed event")


async def vote(transactor: Transactor, number: int, *, approve: bool) -> Decision:
    """Vote on an open proposal; the vote that decides executes the action as well.

    Raises:
        RefusedByChain: the proposal is not open, or the sender operates no validator.
    """
    return _decision(number, await transactor.send(GOVERNANCE_ADDRESS, VOTE.encode(number, approve)))


async def execute(transactor: Transactor, number: int) -> Decision:
    """Execute an approved action again that was refused before. Anyone may.

    Raises:
        RefusedByChain: the proposal was not approved, has expired, or was executed.
    """
    return _decision(number, await transactor.send(GOVERNANCE_ADDRESS, EXECUTE_PROPOSAL.encode(number)))


async def rotate_key(transactor: Transactor, public_key: bytes, proof: bytes) -> Receipt:
    """Replace the consensus key of the sender's validator.

    Args:
        public_key: compressed secp256k1, 33 bytes.
        proof: the new key's signature over `possession_digest`.

    Raises:
        RefusedByChain: the sender operates no validator, or the proof is not the new key's.
    """
    return await transactor.send(GOVERNANCE_ADDRESS, ROTATE_KEY.encode(public_key, proof))


async def propose_and_vote(
    transactors: Sequence[Transactor],
    action: bytes,
    title: str = "by hutong",
    proven: ProvenProposals | None = None,
) -> Receipt:
    """The first operator proposes, the others vote until it is executed; returns that receipt.

    The number is the endpoint's word, so the others vote only for what the hub's state proves to be this proposal.

    Raises:
        RefusedByChain: no operator, the action was refused, or these operators are too few: the proposal stays open.
        NothingTrusted: others must vote, and without `proven` nothing shows what for.
        ProposalDiffers, NoSuchProposal, VerificationError: the endpoint lies.
    """
    first, *others = transactors
    decision = await propose(first, action, title)
    number, is_proven = decision.number, False
    for other in others:
        if decision.executed or decision.failure:
            break
        if proven is None:
            raise NothingTrusted(number)
        if not is_proven:
            await proven.require(number, Content(first.signer.address, action, title), decision.receipt.height)
            is_proven = True
        decision = await vote(other, number, approve=True)
    if decision.failure:
        raise RefusedByChain("ProposalFailed", f"proposal {decision.number}: {decision.failure}")
    if not decision.executed:
        now = await proposal(first.execution, decision.number)
        raise RefusedByChain(
            "ProposalOpen",
            f"proposal {now.number} is open, approved by {now.approved_power} of {now.total_power}: other operators decide it"
            f" with hutong hub vote {now.number}",
        )
    return decision.receipt


def _decision(number: int, receipt: Receipt) -> Decision:
    executed, failure = False, ""
    for log in receipt.logs:
        if log.address != GOVERNANCE_ADDRESS:
            continue
        executed |= log.topics[:1] == (PROPOSAL_EXECUTED_TOPIC,)
        if log.topics[:1] == (PROPOSAL_FAILED_TOPIC,):
            (failure,) = _PROPOSAL_FAILED.decode(log.data)
    return Decision(number, executed, failure, receipt)


def _status(value: int) -> Status:
    try:
        return Status(value)
    except ValueError as error:
        raise BadAnswer("eth_call", "status", f"is {value}") from error


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise BadAnswer("eth_call", "result", "is not a number")
    return value
