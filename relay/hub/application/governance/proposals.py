"""Proposals, votes and what they came to: each a record of the state, so that light clients can prove it."""

from dataclasses import dataclass, replace

from eth_abi.abi import encode

from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.governance_abi import PROPOSAL, RESULT, Status
from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.vm.native import Address, NativeRevert
from hutong.relay.hub.application.admin import MAX_ACTION_BYTES, ActionKind, decode_action, kinds_of_validators
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.members import Members
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.validators import Powers
from hutong.relay.hub.state import keys

MAX_TITLE_BYTES = 256
MAX_TEXT_BYTES = 512
MAX_OPEN_PROPOSALS = 8
"""Of one validator: a faulty one may not fill the state."""
_MAX_RECORD_BYTES = MAX_ACTION_BYTES + 4096


class ProposalRefused(Refusal):
    """Unknown, closed, or not approved by enough."""

    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        self.reason = reason
        super().__init__(number, reason)

    def revert(self) -> NativeRevert:
        """`ProposalRefused(uint64,string)` with number and sentence."""
        return interface.PROPOSAL_REFUSED.revert(self.number, self.reason)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who proposed what, and until when; written once."""

    public_key: bytes
    account: Address
    proposed_s: int
    height: int
    expires_s: int
    title: str
    action: bytes

    def encode(self) -> bytes:
        """ABI encoding of the fields in their order; a light client may prove it."""
        return encode(PROPOSAL.types, PROPOSAL.values_of(self))

    @staticmethod
    def decode(raw: bytes) -> "Proposal":
        """Inverse of `encode`.

        Raises:
            MalformedInput: the record is not canonical, which is damage.
        """
        fields = PROPOSAL.named(decode_canonical(PROPOSAL.types, raw, "proposal", _MAX_RECORD_BYTES))
        return Proposal(**fields | {"account": bytes.fromhex(fields["account"][2:])})


@dataclass(frozen=True, slots=True)
class Result:
    """The last attempt to execute: when, and by which approvals of what total power."""

    status: Status
    time_s: int
    height: int
    total_power: int
    approvals: tuple[tuple[bytes, int], ...]
    text: str

    def encode(self) -> bytes:
        """ABI encoding of the fields in their order; a light client may prove it."""
        return encode(RESULT.types, RESULT.values_of(self))

    @staticmethod
    def decode(raw: bytes) -> "Result":
        """Inverse of `encode`.

        Raises:
            MalformedInput: the record is not canonical, which is damage.
        """
        fields = RESULT.named(decode_canonical(RESULT.types, raw, "result", 32 * 1024))
        approvals = tuple(tuple(item) for item in fields["approvals"])
        return Result(**fields | {"status": Status(fields["status"]), "approvals": approvals})


NO_RESULT = Result(Status.OPEN, 0, 0, 0, (), "")


@dataclass(frozen=True, slots=True)
class Vote:
    """`power` is what the voter held when it voted: for the record, the tally asks again."""

    approve: bool
    power: int
    time_s: int
    height: int

    def encode(self) -> bytes:
        """25 bytes: 1 or 0, then BE8 each of power, time and height."""
        numbers = b"".join(number.to_bytes(8, "big") for number in (self.power, self.time_s, self.height))
        return bytes([self.approve]) + numbers

    @staticmethod
    def decode(raw: bytes) -> "Vote":
        """Inverse of `encode`; the length is not checked."""
        numbers = [int.from_bytes(raw[start : start + 8], "big") for start in (1, 9, 17)]
        return Vote(raw[0] == 1, *numbers)


@dataclass(frozen=True, slots=True)
class Tally:
    """Approvals by those who are validators now, with the power that they hold now."""

    approvals: tuple[tuple[bytes, int], ...]
    total_power: int

    @property
    def approved_power(self) -> int:
        """The power that approves now, of `total_power`."""
        return sum(power for _, power in self.approvals)

    @property
    def passes(self) -> bool:
        """Whether strictly more than two thirds of the power approve."""
        return 3 * self.approved_power > 2 * self.total_power


class Proposals:
    """Over the state of a running block."""

    def __init__(self, store: Store, members: Members, now_s: int, height: int, rules_version: int) -> None:
        self._store = store
        self._members = members
        self._now_s = now_s
        self._height = height
        self._rules_version = rules_version

    def count(self) -> int:
        """How many there have been; the newest has this number, the first has 1."""
        raw = self._store.get(keys.NEXT_PROPOSAL_KEY)
        return 0 if raw is None else int.from_bytes(raw, "big") - 1

    def proposal(self, number: int) -> Proposal:
        """What was proposed under this number, open or not.

        Raises:
            ProposalRefused: there is none.
        """
        raw = self._store.get(keys.proposal_key(number))
        if raw is None:
            raise ProposalRefused(number, "no such proposal")
        return Proposal.decode(raw)

    def result(self, number: int) -> Result:
        """The last attempt to execute; NO_RESULT where there was none, or no such proposal."""
        raw = self._store.get(keys.proposal_result_key(number))
        return NO_RESULT if raw is None else Result.decode(raw)

    def status(self, number: int) -> Status:
        """Where a proposal stands at this block's time. One that was executed never expires.

        Raises:
            ProposalRefused: there is none.
        """
        proposal, result = self.proposal(number), self.result(number)
        if result.status is not Status.EXECUTED and self._now_s >= proposal.expires_s:
            return Status.EXPIRED
        return result.status

    def tally(self, number: int) -> Tally:
        """Votes over the set that the state holds now: a vote under a key that is not in it counts nothing."""
        powers: Powers = self._members.powers()
        approvals = []
        for key, power in sorted(powers.items()):
            raw = self._store.get(keys.vote_key(number, key))
            if raw is not None and Vote.decode(raw).approve:
                approvals.append((key, power))
        return Tally(tuple(approvals), sum(powers.values()))

    def propose(self, account: Address, action: bytes, title: str, voting_period_s: int) -> int:
        """Open a proposal, which its proposer approves with it; its number.

        It is not executed here, even where that suffices.

        Args:
            account: the operator's.
            action: encoded, of a kind that may be proposed; its data is judged at execution.
            title: 1 to MAX_TITLE_BYTES bytes of UTF-8.

        Raises:
            NotAnOperator: the account speaks for no validator.
            MalformedInput: the action does not decode, is of an unknown kind, or the title is empty or too long.
            ProposalRefused: the validator has MAX_OPEN_PROPOSALS open.
        """
        key = self._members.key_of(account)
        kind, _ = decode_action(action)
        if kind not in kinds_of_validators(self._rules_version):
            raise MalformedInput("action.kind", "unknown", got=kind)
        if not 0 < len(title.encode()) <= MAX_TITLE_BYTES:
            raise MalformedInput("proposal.title", f"1 to {MAX_TITLE_BYTES} bytes", got=len(title.encode()))
        number = self.count() + 1
        operator = self._members.operator(key)
        still_open = tuple(one for one in operator.proposals if self.status(one) in (Status.OPEN, Status.FAILED))
        if len(still_open) >= MAX_OPEN_PROPOSALS:
            raise ProposalRefused(number, f"its validator has {MAX_OPEN_PROPOSALS} open proposals")
        self._members.save(key, replace(operator, proposals=(*still_open, number)))
        self._store.set(keys.NEXT_PROPOSAL_KEY, (number + 1).to_bytes(8, "big"))
        proposal = Proposal(key, account, self._now_s, self._height, self._now_s + voting_period_s, title, action)
        self._store.set(keys.proposal_key(number), proposal.encode())
        self._record_vote(number, key, approve=True)
        return number

    def vote(self, account: Address, number: int, approve: bool) -> Tally:
        """Record or change the caller's vote; the tally with it.

        Raises:
            NotAnOperator: the account speaks for no validator.
            ProposalRefused: there is no such proposal, or it was executed or expired.
        """
        key = self._members.key_of(account)
        self._require_open(number)
        self._record_vote(number, key, approve=approve)
        return self.tally(number)

    def begin_execution(self, number: int) -> tuple[ActionKind, bytes]:
        """Write the audit record of a proposal that passes now, and return what to run.

        The caller undoes the record where that fails.

        Raises:
            ProposalRefused: it is not open, or not approved by more than two thirds.
        """
        self._require_open(number)
        tally = self.tally(number)
        if not tally.passes:
            raise ProposalRefused(
                number, f"approved by {tally.approved_power} of {tally.total_power}, more than two thirds are needed"
            )
        self._save_result(number, Status.EXECUTED, tally, "")
        kind, data = decode_action(self.proposal(number).action)
        return ActionKind(kind), data

    def record_failure(self, number: int, text: str) -> None:
        """Keep what an approved action was refused with, cut to MAX_TEXT_BYTES. It may be tried again."""
        cut = text.encode(errors="replace")[:MAX_TEXT_BYTES].decode(errors="ignore")
        self._save_result(number, Status.FAILED, self.tally(number), cut)

    def _save_result(self, number: int, status: Status, tally: Tally, text: str) -> None:
        result = Result(status, self._now_s, self._height, tally.total_power, tally.approvals, text)
        self._store.set(keys.proposal_result_key(number), result.encode())

    def _record_vote(self, number: int, key: bytes, *, approve: bool) -> None:
        vote = Vote(approve, self._members.powers()[key], self._now_s, self._height)
        self._store.set(keys.vote_key(number, key), vote.encode())

    def _require_open(self, number: int) -> None:
        status = self.status(number)
        if status is Status.EXECUTED:
            raise ProposalRefused(number, "it was executed")
        if status is Status.EXPIRED:
            raise ProposalRefused(number, f"it expired at {self.proposal(number).expires_s}")
