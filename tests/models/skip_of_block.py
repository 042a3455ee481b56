"""Four validators, one of which lies, and a decided block that some cannot execute: what may be signed, in every order.

The rules are the code's: `next_skip`, `skip_forbids` and `next_signature` over the last-signed record. The liar signs everything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from hutong.light_clients.tendermint.skip_certificate import SkipStatement
from hutong.relay.hub.consensus.signing import (
    DoubleSignRefused,
    LastSigned,
    SignedSkip,
    SkipRefused,
    next_signature,
    next_skip,
    skip_forbids,
)
from hutong.relay.hub.consensus.types import Step

HEIGHT = 7
STATEMENT = SkipStatement("model-1", HEIGHT, b"\x07" * 32, b"\x06" * 32)
HONEST = 3
NEEDED_OF_HONEST = 2
"""The liar is the third of four: more than two thirds."""
ROUNDS = (0, 1)
EXECUTED_BLOCK, SKIPPED_BLOCK, NO_BLOCK = b"over the executed state", b"over the skipped state", b"nil"


class Outcome(Enum):
    UNKNOWN = "not executed"
    FAILED = "failed"
    EXECUTED = "executed"
    SKIPPED = "counts as empty"


@dataclass(frozen=True)
class Validator:
    """`votes` are (round, step, block) of the next height; they stay where a record moves on."""

    outcome: Outcome = Outcome.UNKNOWN
    record: LastSigned = LastSigned(HEIGHT)
    votes: frozenset[tuple[int, Step, bytes]] = frozenset()

    @property
    def signed_skip(self) -> bool:
        return self.record.skip is not None


State = tuple[Validator, ...]


def _has_certificate(state: State) -> bool:
    return sum(one.signed_skip for one in state) >= NEEDED_OF_HONEST


def _majority(state: State, step: Step, block: bytes) -> bool:
    """In one round, with the liar's."""
    return any(sum((round_, step, block) in one.votes for one in state) >= NEEDED_OF_HONEST for round_ in ROUNDS)


def committed(state: State, block: bytes) -> bool:
    return _majority(state, Step.PRECOMMIT, block)


class SkipModel:
    """`signs_after_votes`: without the rule that who voted above signs no skip. `executes_after_signing`: without the rule that who
    signed executes no more. `sees_precommits_only`: the first rule weakened to precommits for a block."""

    def __init__(
        self,
        *,
        signs_after_votes: bool = False,
        executes_after_signing: bool = False,
        sees_precommits_only: bool = False,
    ) -> None:
        self._signs_after_votes = signs_after_votes
        self._executes_after_signing = executes_after_signing
        self._sees_precommits_only = sees_precommits_only

    def initial(self) -> State:
        return (Validator(),) * HONEST

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        for index, one in enumerate(state):
            for name, after in self._moves(state, one):
                # Who is who makes no difference: one order of them stands for all.
                moved = (*state[:index], after, *state[index + 1 :])
                yield name, tuple(sorted(moved, key=repr))

    def _moves(self, state: State, one: Validator) -> Iterator[tuple[str, Validator]]:
        if one.outcome in (Outcome.UNKNOWN, Outcome.FAILED):
            yield "fails", replace(one, outcome=Outcome.FAILED)
            if self._executes_after_signing or not skip_forbids(one.record, STATEMENT):
                yield "executes", replace(one, outcome=Outcome.EXECUTED)
        if self._may_try_to_sign(one):
            yield from self._signs(one)
        if _has_certificate(state) and one.outcome is not Outcome.SKIPPED and not self._has_next_block(state, one):
            yield "follows", replace(one, outcome=Outcome.SKIPPED)
        if one.outcome in (Outcome.EXECUTED, Outcome.SKIPPED):
            yield from self._votes(state, one)

    def _may_try_to_sign(self, one: Validator) -> bool:
        """Only who failed. Where the first rule is off, an execution may have succeeded and failed again after a restart."""
        off = self._signs_after_votes or self._sees_precommits_only
        return one.outcome is Outcome.FAILED or (off and one.outcome is Outcome.EXECUTED)

    def _signs(self, one: Validator) -> Iterator[tuple[str, Validator]]:
        precommitted = any(step is Step.PRECOMMIT and block != NO_BLOCK for _, step, block in one.votes)
        if self._signs_after_votes or (self._sees_precommits_only and not precommitted):
            signed = replace(one.record, skip=SignedSkip(STATEMENT, b""))
            yield "signs the skip", replace(one, record=signed)
            return
        try:
            record, _ = next_skip(one.record, STATEMENT, lambda: b"")
        except SkipRefused:
            return
        yield "signs the skip", replace(one, record=record)

    @staticmethod
    def _has_next_block(state: State, one: Validator) -> bool:
        return one.outcome is Outcome.EXECUTED and committed(state, EXECUTED_BLOCK)

    def _votes(self, state: State, one: Validator) -> Iterator[tuple[str, Validator]]:
        block = EXECUTED_BLOCK if one.outcome is Outcome.EXECUTED else SKIPPED_BLOCK
        for round_ in ROUNDS:
            yield from self._vote(one, round_, Step.PREVOTE, block)
            yield from self._vote(one, round_, Step.PREVOTE, NO_BLOCK)
            if sum((round_, Step.PREVOTE, block) in each.votes for each in state) >= NEEDED_OF_HONEST:
                yield from self._vote(one, round_, Step.PRECOMMIT, block)

    def _vote(self, one: Validator, round_: int, step: Step, block: bytes) -> Iterator[tuple[str, Validator]]:
        try:
            record, _ = next_signature(
                one.record, HEIGHT + 1, round_, step, 0, lambda _: bytes((round_, step)) + block, lambda _: b""
            )
        except DoubleSignRefused:
            return
        name = f"{step.name.lower()}s {block.decode()}"
        yield name, replace(one, record=record, votes=one.votes | {(round_, step, block)})

    def violation(self, state: State) -> str | None:
        if _has_certificate(state) and committed(state, EXECUTED_BLOCK):
            return "a certificate beside a commit over the executed state"
        if _has_certificate(state) and _majority(state, Step.PREVOTE, EXECUTED_BLOCK):
            return "somebody may be locked on a block over the executed state beside a certificate"
        if committed(state, EXECUTED_BLOCK) and committed(state, SKIPPED_BLOCK):
            return "two blocks of one height"
        return None

    def violation_at_end(self, state: State) -> str | None:
        return None
