"""The governance module: where the validators govern, their operators propose, vote and swap their keys through it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from eth_abi.abi import decode

from hutong.light_clients.ibc.governance_abi import MEMBER, PROPOSAL, RESULT, VOTE_ROW
from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.admin import ActionKind, decode_action
from hutong.relay.hub.application.constitution import Constitution
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.action_events import emit_executed
from hutong.relay.hub.application.governance.actions import Actions
from hutong.relay.hub.application.governance.members import Members, Operator
from hutong.relay.hub.application.governance.proposals import Proposals, Vote
from hutong.relay.hub.application.governance.schedule import (
    BOUNDS,
    Schedule,
    parameter,
    rules_version_at,
)
from hutong.relay.hub.application.module import GOVERNANCE_ADDRESS, Module, emit
from hutong.relay.hub.state import keys

FAILURE_GAS = 8 * gas.STORE_WRITE + 400 * gas.SCAN_ROW
"""Kept from an execution, so that its failure can still be recorded."""


@dataclass(frozen=True, slots=True)
class Chamber:
    """What one call works on."""

    store: MeteredStore
    members: Members
    proposals: Proposals
    schedule: Schedule
    actions: Actions


class GovernanceModule(Module):
    """`open_chamber` gives the state of a call; `parameters` are those of the genesis document."""

    def __init__(
        self,
        constitution: Constitution,
        parameters: dict[str, int],
        open_chamber: Callable[[NativeCall], Chamber],
    ) -> None:
        self._address = GOVERNANCE_ADDRESS
        self._parameters = parameters | {"voting_period_s": constitution.voting_period_s}
        self._chamber = open_chamber
        self._handlers = {
            interface.PROPOSE.selector: self._propose,
            interface.VOTE.selector: self._vote,
            interface.EXECUTE_PROPOSAL.selector: self._execute,
            interface.ROTATE_KEY.selector: self._rotate_key,
            interface.PROPOSAL_COUNT.selector: self._count,
            interface.GET_PROPOSAL.selector: self._get_proposal,
            interface.GET_RESULT.selector: self._get_result,
            interface.GET_VOTES.selector: self._get_votes,
            interface.GET_MEMBERS.selector: self._get_members,
            interface.GET_SCHEDULE.selector: self._get_schedule,
            interface.GET_PARAMETER.selector: self._get_parameter,
        }

    def _propose(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        action, title = interface.PROPOSE.decode(data)
        call.charge(gas.CLIENT_MESSAGE + gas.STORE_BYTE * len(action), "proposal")
        chamber = self._chamber(call)
        period_s = self._value(chamber.store, "voting_period_s")
        number = chamber.proposals.propose(call.caller, action, title, period_s)
        kind, _ = decode_action(action)
        expires_s = chamber.proposals.proposal(number).expires_s
        emit(call, interface.PROPOSED_EVENT, (number, call.caller), (kind, expires_s, title))
        tally = chamber.proposals.tally(number)
        emit(call, interface.VOTED_EVENT, (number, call.caller), (True, tally.approved_power, tally.total_power))
        if tally.passes:
            self._try_execution(call, chamber, number)
        return interface.PROPOSE.answer(number)

    def _vote(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        number, approve = interface.VOTE.decode(data)
        chamber = self._chamber(call)
        tally = chamber.proposals.vote(call.caller, number, approve)
        emit(call, interface.VOTED_EVENT, (number, call.caller), (approve, tally.approved_power, tally.total_power))
        return interface.VOTE.answer(tally.passes and self._try_execution(call, chamber, number))

    def _try_execution(self, call: NativeCall, chamber: Chamber, number: int) -> bool:
        """In a frame of its own: a vote stands even where the action is refused. Without the gas for it nothing stands, so
        that an estimate finds the gas of both."""
        given = max(call.gas_available_for_call - FAILURE_GAS, 0)
        result = call.call_self(interface.EXECUTE_PROPOSAL.call(number), given)
        if not result.success:
            if not result.return_data:
                raise interface.INSUFFICIENT_EXECUTION_GAS.revert(number)
            text = failure_text(result.return_data)
            chamber.proposals.record_failure(number, text)
            emit(call, interface.PROPOSAL_FAILED_EVENT, (number,), (text,))
        return result.success

    def _execute(self, call: NativeCall, data: bytes) -> bytes:
        """Anybody may: the votes decide."""
        call.require_writable()
        (number,) = interface.EXECUTE_PROPOSAL.decode(data)
        chamber = self._chamber(call)
        kind, action = chamber.proposals.begin_execution(number)
        call.charge(gas.CLIENT_MESSAGE + gas.STORE_BYTE * len(action), "action")
        done = chamber.actions.run(kind, action)
        if kind is ActionKind.ADMIT_VALIDATOR:
            emit(call, interface.VALIDATOR_ADMITTED_EVENT, (done.operator,), done.validator)
        else:
            emit_executed(call, done)
        emit(call, interface.PROPOSAL_EXECUTED_EVENT, (number,), (kind,))
        return b""

    def _rotate_key(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        public_key, proof = interface.ROTATE_KEY.decode(data)
        call.charge(gas.PROOF, "proof of possession")
        chamber = self._chamber(call)
        chamber.schedule.require_set_open()
        old = chamber.members.rotate(call.caller, public_key, proof)
        emit(call, interface.KEY_ROTATED_EVENT, (call.caller,), (old, public_key))
        return b""

    def _count(self, call: NativeCall, data: bytes) -> bytes:
        interface.PROPOSAL_COUNT.decode(data)
        return interface.PROPOSAL_COUNT.answer(self._chamber(call).proposals.count())

    def _get_proposal(self, call: NativeCall, data: bytes) -> bytes:
        (number,) = interface.GET_PROPOSAL.decode(data)
        proposals = self._chamber(call).proposals
        one, tally = proposals.proposal(number), proposals.tally(number)
        fields = PROPOSAL.values_of(one)
        return interface.GET_PROPOSAL.answer(proposals.status(number), tally.approved_power, tally.total_power, fields)

    def _get_result(self, call: NativeCall, data: bytes) -> bytes:
        (number,) = interface.GET_RESULT.decode(data)
        proposals = self._chamber(call).proposals
        proposals.proposal(number)
        return interface.GET_RESULT.answer(RESULT.values_of(proposals.result(number)))

    def _get_votes(self, call: NativeCall, data: bytes) -> bytes:
        (number,) = interface.GET_VOTES.decode(data)
        chamber, prefix, rows = self._chamber(call), keys.vote_prefix(number), []
        chamber.proposals.proposal(number)
        for key, raw in rows_under(chamber.store, prefix):
            rows.append(VOTE_ROW.values_of(Vote.decode(raw), public_key=key))
        return interface.GET_VOTES.answer(rows)

    def _get_members(self, call: NativeCall, data: bytes) -> bytes:
        interface.GET_MEMBERS.decode(data)
        chamber = self._chamber(call)
        powers, rows = chamber.members.powers(), []
        for key, raw in rows_under(chamber.store, keys.OPERATOR_PREFIX):
            rows.append(MEMBER.values_of(Operator.decode(raw), public_key=key, power=powers[key]))
        return interface.GET_MEMBERS.answer(rows)

    def _get_schedule(self, call: NativeCall, data: bytes) -> bytes:
        interface.GET_SCHEDULE.decode(data)
        chamber, frame = self._chamber(call), frame_of(call)
        version = rules_version_at(chamber.store, frame.height + 1, frame.rules_version)
        planned = chamber.schedule.planned_rules() or (0, 0)
        return interface.GET_SCHEDULE.answer(version, *planned, chamber.schedule.last_height() or 0)

    def _get_parameter(self, call: NativeCall, data: bytes) -> bytes:
        (name,) = interface.GET_PARAMETER.decode(data)
        if name not in BOUNDS:
            raise abi.NOT_SUPPORTED.revert(f"parameter {name}")
        return interface.GET_PARAMETER.answer(self._value(self._chamber(call).store, name))

    def _value(self, store: MeteredStore, name: str) -> int:
        return parameter(store, name, self._parameters[name])


def rows_under(store: MeteredStore, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(rest of the key, value) of each row with this prefix, in order of keys; each costs a scan's gas."""
    row = store.next(prefix)
    while row is not None and row[0].startswith(prefix):
        yield row[0][len(prefix) :], row[1]
        row = store.next(row[0])


def failure_text(returned: bytes) -> str:
    """A refusal's revert in words; the errors that actions raise have a sentence or a client's name last.

    Any other revert is shown as its first 64 bytes in hex.
    """
    for error in (abi.VERIFICATION_FAILED, abi.CLIENT_NOT_FOUND, abi.CLIENT_NOT_ACTIVE, interface.PROPOSAL_REFUSED):
        if returned[:4] == error.selector:
            return f"{error.name}: {': '.join(str(value) for value in decode(error.arguments, returned[4:]))}"
    return f"reverted with 0x{returned[:64].hex()}"
