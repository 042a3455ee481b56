"""Proposals of a hub that its validators govern: read, made, voted for and executed by an operator."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, TypeAlias

from hutong.adapters.hub import HubChain, governance
from hutong.adapters.hub.admin import admins, describe_action
from hutong.adapters.hub.governance import Decision, Member, Proposal, Result, Schedule, Vote
from hutong.adapters.hub.proven_proposals import Content, ProvenProposal
from hutong.adapters.hub.verified_state import HubTrust
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.administration.hub.trust import proven_proposals
from hutong.relay.administration.hub.validators import require_going_on
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer

MAX_LISTED = 1_000

Act: TypeAlias = Callable[[HubChain, Transactor], Awaitable[Decision]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act came to, and how its proposal stands now."""

    decision: Decision
    proposal: Proposal

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        decision, now = self.decision, self.proposal
        return {
            "proposal": decision.number,
            "status": "executed" if decision.executed else "failed" if decision.failure else "open",
            "approved_power": now.approved_power,
            "total_power": now.total_power,
            "height": decision.receipt.height,
            "failure": decision.failure,
        }


@dataclass(frozen=True, slots=True)
class Motion:
    """What is put to the vote. `change` is a validator's key (compressed) and its coming power, if it is about one."""

    action: bytes
    title: str
    change: tuple[bytes, int] | None = None


@dataclass(frozen=True, slots=True)
class ListedProposal:
    """A proposal with what it came to; `votes` is None where they were not asked for."""

    proposal: Proposal
    result: Result
    votes: tuple[Vote, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints; `votes` only where they were asked for."""
        one, came = self.proposal, self.result
        row: dict[str, Any] = {
            "proposal": one.number,
            "status": one.status.name.lower(),
            "title": one.title,
            "action": describe(one.action),
            "proposer": one.account,
            "proposer_key": one.public_key.hex(),
            "height": one.height,
            "proposed_s": one.proposed_s,
            "expires_s": one.expires_s,
            "approved_power": one.approved_power,
            "total_power": one.total_power,
            "executed_height": came.height if came.status.name == "EXECUTED" else 0,
            "executed_total_power": came.total_power,
            "approvals": {key.hex(): power for key, power in came.approvals},
            "failure": came.text,
            "raw_action": one.action.hex(),
        }
        if self.votes is not None:
            row["votes"] = [asdict(vote) | {"public_key": vote.public_key.hex()} for vote in self.votes]
        return row


@dataclass(frozen=True, slots=True)
class Membership:
    """Who governs a hub, and by which parameters."""

    members: tuple[Member, ...]
    schedule: Schedule
    parameters: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        return {
            "members": [asdict(row) | {"public_key": row.public_key.hex()} for row in self.members],
            "schedule": asdict(self.schedule),
            "parameters": self.parameters,
        }


async def require_governed(execution: ExecutionRpc) -> None:
    """Demand that the hub's validators govern it.

    Raises:
        RefusedByChain: admins do (GovernedByAdmins).
        AdapterError: the hub does not answer.
    """
    _, needed = await admins(execution)
    if needed:
        raise RefusedByChain(
            "GovernedByAdmins", "this hub is governed by its admins, who decide with their own commands"
        )


async def read_proposals(hub: HubChainConfig, number: int | None, random: Random) -> list[ListedProposal]:
    """One proposal with its votes; for None the newest MAX_LISTED, the oldest of them first.

    Raises:
        RefusedByChain: admins govern the hub, or there is no such proposal.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        execution = chain.execution
        await require_governed(execution)
        if number is not None:
            one, came = await governance.proposal(execution, number), await governance.result(execution, number)
            return [ListedProposal(one, came, tuple(await governance.votes(execution, number)))]
        count = await governance.proposal_count(execution)
        wanted = range(max(1, count - MAX_LISTED + 1), count + 1)
        return [
            ListedProposal(await governance.proposal(execution, one), await governance.result(execution, one))
            for one in wanted
        ]


async def read_members(hub: HubChainConfig, random: Random) -> Membership:
    """The validators with their operators, the schedule of rules, and the parameters that may change.

    Raises:
        RefusedByChain: admins govern the hub.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        execution = chain.execution
        await require_governed(execution)
        rows = tuple(await governance.members(execution))
        return Membership(rows, await governance.schedule(execution), await governance.parameters(execution))


async def prove_proposal(hub: HubChainConfig, trust: HubTrust, number: int, random: Random) -> ProvenProposal:
    """A proposal as the hub's headers prove it, at the newest block.

    Raises:
        RefusedByChain: admins govern the hub.
        VerificationError: what its endpoints say does not prove.
        AdapterError: they do not answer.
    """
    async with open_hub(hub, random) as chain:
        await require_governed(chain.execution)
        proven = await proven_proposals(chain, trust)
        return await proven.read(number, (await chain.head()).height)


async def propose(
    hub: HubChainConfig, operator: Signer, trust: HubTrust | None, motion: Motion, random: Random
) -> Outcome:
    """Put `motion` to the vote, which approves it, and prove what was proposed where something is trusted.

    Args:
        trust: where proofs begin; None: nothing is proven.

    Raises:
        Declined: the hub's only process could decide no block any more.
        RefusedByChain: the hub refuses it.
        VerificationError: the hub's answer does not prove.
        AdapterError: it does not answer.
    """

    async def act(chain: HubChain, transactor: Transactor) -> Decision:
        if motion.change is not None:
            await require_going_on(chain, PublicKey(KeyType.SECP256K1, motion.change[0]), motion.change[1])
        proven = None if trust is None else await proven_proposals(chain, trust)
        decision = await governance.propose(transactor, motion.action, motion.title)
        if proven is not None:
            content = Content(transactor.signer.address, motion.action, motion.title)
            await proven.require(decision.number, content, decision.receipt.height)
        return decision

    return await _act(hub, operator, act, random)


async def vote(
    hub: HubChainConfig, operator: Signer, trust: HubTrust, number: int, random: Random, *, approve: bool
) -> Outcome:
    """Approve a proposal, or withdraw or withhold that, once the endpoints are known to sign for the trusted chain.

    Raises:
        RefusedByChain: the hub refuses it, or admins govern it.
        VerificationError: what its endpoints say does not prove.
        AdapterError: they do not answer.
    """

    async def act(chain: HubChain, transactor: Transactor) -> Decision:
        await proven_proposals(chain, trust)
        return await governance.vote(transactor, number, approve=approve)

    return await _act(hub, operator, act, random)


async def execute(hub: HubChainConfig, operator: Signer, number: int, random: Random) -> Outcome:
    """Execute a proposal again that was approved while its action was refused.

    Raises:
        RefusedByChain: the hub refuses it, or admins govern it.
        AdapterError: it does not answer.
    """

    async def act(_: HubChain, transactor: Transactor) -> Decision:
        return await governance.execute(transactor, number)

    return await _act(hub, operator, act, random)


async def _act(hub: HubChainConfig, operator: Signer, act: Act, random: Random) -> Outcome:
    async with open_hub(hub, random) as chain:
        await require_governed(chain.execution)
        decision = await act(chain, await transactor_of(chain, operator))
        return Outcome(decision, await governance.proposal(chain.execution, decision.number))


def describe(action: bytes) -> str:
    """An action's bytes in words; what cannot be read is shown by its size."""
    try:
        return describe_action(action)
    except MalformedInput:
        return f"{len(action)} bytes that are no action"
